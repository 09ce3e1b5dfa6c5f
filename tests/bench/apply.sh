# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=dash
# In the test machine: 32 devices of 4 MiB in one region, made and taken down by daxctl and by
# daxctl-ext in turn, with a worker of its own and as a job of daxd; the least wall time of each
# and the ratios.  daxctl has a call for each device, daxctl-ext one for all: the whole command
# counts, its scan and plan included, and that udev has made the links, for which daxctl does not
# wait.  What udev still does for the one before is waited for and not counted.  Then the same by
# the kernel's writes alone (dax-writes.c), which nothing can beat.  Exit status 1: a goal was
# missed, as it will be on a host that has much else to do.
runs=${1-3}
number=32
volumes() { # MEMBERS-OF-EACH
	awk -v n=$number -v members="$1" 'BEGIN {
		printf "{\"daxd\":1,\"volumes\":["
		for (i = 0; i < n; i++)
			printf "%s{\"name\":\"d%d\",%s}", i ? "," : "", i, members
		printf "]}"
	}'
}
volumes '"region":{"type":"hmem","target_node":1},"mode":"devdax","size":"4M"' >/run/many.json
volumes '"ensure":"absent"' >/run/none.json

fail() {
	echo "$1"
	tail -n 5 /run/bench.log
	exit 1
}

devices() { # how many of 4 MiB there are
	cat /sys/bus/dax/devices/*/size | grep -cx 4194304
}

# The kernel's own device of the region makes room once.
region=$(dirname "$(ls -d /sys/devices/platform/hmem.*/dax0.0 | head -n 1)")
id=$(cat "$region/dax_region/id")
systemctl start daxd
daxctl-ext apply /run/many.json >/run/bench.log 2>&1 || fail 'cannot begin'
daxctl-ext apply --allow-data-loss /run/none.json >/run/bench.log 2>&1 || fail 'cannot begin'

once() { # COMMAND...: microseconds, from a machine at rest
	udevadm settle
	began=$(date +%s%N)
	"$@" >/run/bench.log 2>&1 || fail "FAILED: $*" >&2
	echo $((($(date +%s%N) - began) / 1000))
}

alone() { # COMMAND...: without daxd
	DAXD_WORKER=/usr/libexec/daxd/daxd-worker "$@"
}

their_apply() {
	i=0
	while [ "$i" -lt $number ]; do
		daxctl create-device -r "$id" -s 4M || return
		i=$((i + 1))
	done
}

their_removal() {
	for path in /sys/bus/dax/devices/dax"$id".*; do
		device=${path##*/}
		[ "$(cat "$path/size")" != 0 ] || continue
		daxctl disable-device "$device" || return
		daxctl destroy-device "$device" || return
	done
}

least() { # OLD NEW
	if [ -n "$1" ] && [ "$1" -le "$2" ]; then echo "$1"; else echo "$2"; fi
}

report() { # WHAT THEIRS OURS GOAL
	echo "$1: $(($3 / 1000)) ms, daxctl $(($2 / 1000)) ms"
	awk "BEGIN { r = $2 / $3; printf \"  %.1f times faster%s\\n\", r, $4 ? \" (goal: $4)\" : \"\"
		exit r < $4 }"
}

writes() {
	/root/dax-writes "$region" $number 4194304
}

make_theirs='' make_alone='' make_daxd='' make_bare='' take_theirs='' take_alone='' take_daxd=''
run=0
while [ "$run" -lt "$runs" ]; do
	make_theirs=$(least "$make_theirs" "$(once their_apply)")
	[ "$(devices)" -eq $number ] || fail 'daxctl did not make them'
	take_theirs=$(least "$take_theirs" "$(once their_removal)")
	[ "$(devices)" -eq 0 ] || fail 'daxctl did not take them down'
	make_alone=$(least "$make_alone" "$(once alone daxctl-ext apply /run/many.json)")
	[ "$(devices)" -eq $number ] || fail 'daxctl-ext did not make them'
	take_alone=$(least "$take_alone" \
		"$(once alone daxctl-ext apply --allow-data-loss /run/none.json)")
	[ "$(devices)" -eq 0 ] || fail 'daxctl-ext did not take them down'
	make_daxd=$(least "$make_daxd" "$(once daxctl-ext apply /run/many.json)")
	[ "$(devices)" -eq $number ] || fail 'daxd did not make them'
	take_daxd=$(least "$take_daxd" "$(once daxctl-ext apply --allow-data-loss /run/none.json)")
	[ "$(devices)" -eq 0 ] || fail 'daxd did not take them down'
	make_bare=$(least "$make_bare" "$(once writes)")
	[ "$(devices)" -eq $number ] || fail 'the writes did not make them'
	their_removal >/run/bench.log 2>&1 || fail 'they cannot be taken down'
	run=$((run + 1))
done
status=0
report "make $number devices, alone" "$make_theirs" "$make_alone" 15 || status=1
report "make $number devices, by daxd" "$make_theirs" "$make_daxd" 15 || status=1
report "make $number devices, the kernel's writes alone" "$make_theirs" "$make_bare" 0
report "take $number devices down, alone" "$take_theirs" "$take_alone" 8 || status=1
report "take $number devices down, by daxd" "$take_theirs" "$take_daxd" 8 || status=1
exit $status
