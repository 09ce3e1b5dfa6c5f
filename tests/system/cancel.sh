# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=dash
# cancel.sh NUMBER...: SIGTERM the worker once so many steps are done: no volume is left half
# made, and another apply finishes the rest.
cd /root/system || exit
. ./lib.sh

# The worker itself, and who it is; not the one that looks at the machine beside it.
cat >/run/worker <<'EOF2'
#!/bin/sh
[ "$1" != apply ] || echo $$ >/run/worker.pid
exec /usr/libexec/daxd/daxd-worker "$@"
EOF2
chmod +x /run/worker

# cancelled_apply NUMBER: exit status and output of an apply that is cancelled
cancelled_apply() {
	n=0
	{
		DAXD_WORKER=/run/worker daxctl-ext apply --json --allow-data-loss volumes.json \
			2>/run/errors
		echo $? >/run/status
	} | while read -r line; do
		printf '%s\n' "$line"
		case $line in *'"state":"done"'*) n=$((n + 1)) ;; esac
		[ "$n" -ne "$1" ] || kill -TERM "$(cat /run/worker.pid)"
	done
	cat /run/errors
	return "$(cat /run/status)"
}

expect 0 'make the machine' daxctl-ext apply --allow-data-loss volumes.json
daxctl-ext apply --allow-data-loss absent.json >/dev/null
for number; do
	expect 1 "$number: a cancelled apply" cancelled_apply "$number"
	says '"outcome":"cancelled"' "$number: is told as that"
	says 'It was cancelled; what was finished stays.' "$number: in words too"
	expect 0 "$number: what is left to do" daxctl-ext plan --allow-data-loss volumes.json
	cp "$out" /run/plan
	expect 0 "$number: what is there" daxctl-ext status
	cp "$out" /run/there
	half=''
	# Each is either there or still to be made.
	for volume in $(sed -n 's/.*"name": *"\([^"]*\)".*/\1/p' volumes.json); do
		places=0
		! grep -q "^  $volume " /run/there || places=1
		! grep -q " $volume " /run/plan || places=$((places + 1))
		[ "$places" -eq 1 ] || half="$half $volume"
	done
	echo "half made: $half" >"$out"
	[ -z "$half" ]
	verdict "$number: no volume is half made" $?
	expect 0 "$number: apply again" daxctl-ext apply --allow-data-loss volumes.json
	nothing_to_do volumes.json "$number"
	expect 0 "$number: an empty machine again" \
		daxctl-ext apply --allow-data-loss absent.json
done
finish
