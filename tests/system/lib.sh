# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=dash
# For tests inside the test machine: run, compare, count.  Source it, end with finish.
passed=0 failed=0
out=/run/test.out

# What a worker does is tested with a worker, unless it is daxd that is to be tested.
[ -n "${OVER_BUS-}" ] || export DAXD_WORKER=/usr/libexec/daxd/daxd-worker
[ -z "${OVER_BUS-}" ] || systemctl start daxd

verdict() { # NAME STATUS-OF-THE-CONDITION
	if [ "$2" -eq 0 ]; then
		passed=$((passed + 1))
	else
		failed=$((failed + 1))
		printf 'FAIL %s\n' "$1"
		sed 's/^/     | /' "$out"
	fi
}

# expect STATUS NAME COMMAND...: the command's exit status is this; its output is kept
expect() {
	want=$1 name=$2
	shift 2
	"$@" >"$out" 2>&1
	got=$?
	[ "$got" -eq "$want" ] || echo "exit $got, not $want" >>"$out"
	[ "$got" -eq "$want" ]
	verdict "$name" $?
}

# says TEXT NAME: the last command said that
says() {
	grep -qF -e "$1" "$out"
	verdict "$2" $?
}

# says_not TEXT NAME: nor this; expect has seen to it that there is something to look through
says_not() {
	! grep -qF -e "$1" "$out"
	verdict "$2" $?
}

# same FILE FILE NAME
same() {
	diff -u "$1" "$2" >"$out" 2>&1
	verdict "$3" $?
}

# The state of the machine without who holds what, which may change by itself.
state() {
	daxctl-ext status --json | grep -v '"pid"'
}

link_is() { # LINK OWNER:GROUP:PERM
	{ readlink "$1" && stat -Lc %U:%G:%a "$1"; } >"$out" 2>&1
	[ "$(stat -Lc %U:%G:%a "$1" 2>/dev/null)" = "$2" ]
	verdict "$1 belongs to $2" $?
}

# The folder of records and of what the rules of udev import.
state_folder() {
	sed -n 's,.*IMPORT{file}="\(.*\)/udev/.*,\1,p' /usr/lib/udev/rules.d/60-daxd.rules | head -n 1
}

# in_time COMMAND...: does it succeed within half a minute?
in_time() {
	for _ in $(seq 150); do
		! "$@" >/dev/null 2>&1 || return 0
		sleep 0.2
	done
	return 1
}

# The worker that has work, and not one that waits for it, is $at_work: who has the lock.  It
# starts no process, since there may not be much time.
working() {
	at_work=
	[ -n "${lock-}" ] || lock=$(stat -c %i /run/daxd/lock 2>/dev/null)
	while read -r _ kind _ mode pid place _; do
		[ "$kind $mode ${place##*:}" != "FLOCK WRITE ${lock:--}" ] || at_work=$pid
	done </proc/locks
	[ -n "$at_work" ]
}

# By polkit; not what loses data.
tester_may_apply() {
	mkdir -p /etc/polkit-1/rules.d
	cat >/etc/polkit-1/rules.d/10-test.rules <<-'EOF'
		polkit.addRule(function (action, subject) {
			if (action.id == "org.daxd1.apply" && subject.user == "tester")
				return polkit.Result.YES;
		});
	EOF
}

# hold HOW WHAT: by a process, which is $holder, until it is let go
hold() {
	rm -f /run/ready
	./hold "$@" >/run/ready 2>>/run/noise &
	holder=$!
	in_time grep -q ready /run/ready
	verdict "hold $*" $?
}

release() {
	kill "$holder"
	wait "$holder" 2>/dev/null
}

nothing_to_do() {
	expect 0 "$2: a plan that follows" daxctl-ext plan "$1"
	says 'Nothing to do' "$2: is empty"
}

# What has no name but the kernel's gets one by an export, and with it a link; older kernels make
# such devices of soft-reserved memory by themselves.
only_names() { # FILE NAME
	expect 0 "$2: a plan that follows" daxctl-ext plan "$1"
	grep -E '^!? *[0-9]+  ' "$out" | grep -v '^ *[0-9]*  publish found-' >"$out.steps"
	[ ! -s "$out.steps" ]
	verdict "$2: does nothing but give names" $?
}

# healthy NAME: the kernel has complained of nothing, but for $provoked, a pattern of what a test does
# to it on purpose
healthy() {
	dmesg >/run/dmesg && [ -s /run/dmesg ] &&
		! grep -E 'BUG|Oops|WARNING|leak|stuck online|list_(add|del) corruption' /run/dmesg |
			grep -vE "${provoked:-^$}" >"$out"
	verdict "$1: the kernel has nothing to complain of" $?
}

finish() {
	healthy 'at the end'
	echo "$passed passed, $failed failed"
	[ "$failed" -eq 0 ]
}
