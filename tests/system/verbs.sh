#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# verbs.sh: the device verbs beside daxctl's, from the same state, call by call (verbs.table);
# then what daxctl does not do: who is in use is refused, waited for, all ranges, all devices.
cd /root/system || exit
. ./lib.sh
run=/run/verbs
mkdir -p $run
dynamic() {
	daxctl-ext list -D -r "$1" | sed -n 's/.*"chardev":"\(.*\)",/\1/p'
}

# Region 0 empty, region 1 as given: a device made by daxctl for everybody to begin with.
empty() { # REGION
	for device in $(dynamic "$1"); do
		daxctl-ext destroy-device -f "$device" >/dev/null 2>>$run/noise
	done
}

# Words that make a state, each from the one before.
state() { # WORD...
	empty 0
	for word; do
		case $word in
		empty) ;;
		make=*) daxctl create-device -r 0 -s "${word#make=}" ;;
		ram=*) daxctl reconfigure-device -m system-ram -N "${word#ram=}" ;;
		online=*) daxctl online-memory "${word#online=}" ;;
		normal=*) daxctl online-memory --no-movable "${word#normal=}" ;;
		off=*) daxctl disable-device "${word#off=}" ;;
		gone=*) daxctl destroy-device -f "${word#gone=}" ;;
		esac >/dev/null 2>>$run/noise
	done
}

# What a call leaves: devices of region 0, their sizes, modes, memory.
left() {
	daxctl list -r 0 -DRM
}

# The kernel numbers devices on: names are compared by their place.
calls=0
compare() { # STATE CALL
	# shellcheck disable=SC2086 # lists of words
	{
		state $1
		daxctl $2 >$run/theirs 2>$run/theirs.errors
		theirs=$?
		left >$run/theirs.left
		state $1
		daxctl-ext $2 --compat >$run/ours 2>$run/ours.errors
		ours=$?
		left >$run/ours.left
	}
	: >"${out:?}"
	diff -u $run/theirs $run/ours >>"$out"
	diff -u $run/theirs.left $run/ours.left >>"$out"
	# Of stderr the line that scripts look for: what was done to how many devices.
	tail -n 1 $run/theirs.errors >$run/a
	grep -E '^[a-z ]* [0-9]+ devices?$' $run/ours.errors >$run/b
	diff -u $run/a $run/b >>"$out"
	[ $theirs -eq $ours ] || echo "exit $ours, daxctl: $theirs" >>"$out"
	[ ! -s "$out" ] || cat $run/theirs.errors $run/ours.errors >>"$out"
	[ ! -s "$out" ]
	verdict "verbs: [$1] $2" $?
	calls=$((calls + 1))
}

if [ -z "${VERBS_ONLY-}" ]; then
	while IFS='|' read -r begin call; do
		case $begin in '#'* | '') continue ;; esac
		compare "$begin" "$call" </dev/null
	done <verbs.table
	echo "verbs: $calls calls beside daxctl's"
fi
finish
