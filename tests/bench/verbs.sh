# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=dash
# In the test machine: each verb by daxctl and by daxctl-ext in turn, from the same state, on one
# device and on all of 32 in one region; the least wall time of each and the ratio.  The whole
# command counts: daxctl-ext with daxd, or with a worker of its own, and with the links that udev
# makes, for which daxctl does not wait.  Before them, what nothing can beat: a process that only
# starts and ends, the kernel's writes that make one device or enable all, and one question to
# daxd.  Exit status 1: a goal was missed, as it will be on a host that has much else to do.
runs=${1-5} ways=${2-alone daxd}
number=32
log=/run/bench.log
status=0

fail() {
	echo "$1"
	tail -n 5 $log
	exit 1
}

# The kernel's own device of the region makes room once.
region=$(dirname "$(ls -d /sys/devices/platform/hmem.*/dax0.0 | head -n 1)")
id=$(cat "$region/dax_region/id")
daxctl-ext destroy-device -f "dax$id.0" >$log 2>&1 || fail 'cannot begin'

devices() { # all but those that have no size
	for path in "$region"/dax"$id".*; do
		[ "$(cat "$path/size")" = 0 ] || echo "${path##*/}"
	done
}

# States, made by plain writes.
unbind() { # DEVICE...
	for device; do
		for driver in kmem device_dax; do
			{
				echo "$device" >/sys/bus/dax/drivers/$driver/remove_id
				echo "$device" >/sys/bus/dax/drivers/$driver/unbind
			} 2>/dev/null &
		done 2>/dev/null
	done
	wait
}

# By daxctl-ext, so that it knows: whatever it makes has a record.
none() {
	[ -z "$(devices)" ] || daxctl-ext destroy-device -f -r "$id" all >$log 2>&1 ||
		fail 'cannot clear the region'
}

some() { # NUMBER SIZE
	none
	for _ in $(seq "$1"); do
		echo 1 >"$region/dax_region/create"
		device=$(cat "$region/dax_region/seed")
		echo "$2" >"$region/$device/size"
		# 6.12 gives such a device to kmem unless it is told the name.
		echo "$device" >/sys/bus/dax/drivers/device_dax/new_id
		[ -e "$region/$device/driver" ] ||
			echo "$device" >/sys/bus/dax/drivers/device_dax/bind
	done
}

disabled() { # NUMBER SIZE
	some "$@"
	# shellcheck disable=SC2046 # as above
	unbind $(devices) 2>/dev/null
}

memory() { # online or offline
	some 1 268435456
	daxctl reconfigure-device -m system-ram -N "$(devices)" >$log 2>&1 || fail 'no memory'
	[ "$1" = offline ] || daxctl online-memory "$(devices)" >$log 2>&1 || fail 'not online'
}

once() { # COMMAND...: microseconds, from a machine at rest
	udevadm settle
	sleep 0.3 # daxd looks at what has changed
	began=$(date +%s%N)
	"$@" >$log 2>&1 || fail "FAILED: $*" >&2
	echo $((($(date +%s%N) - began) / 1000))
}

least() { # OLD NEW
	if [ -n "$1" ] && [ "$1" -le "$2" ]; then echo "$1"; else echo "$2"; fi
}

compare() { # GOAL STATE CALL...: @ is the device that is there
	goal=$1 before=$2
	shift 2
	theirs='' ours=''
	for _ in $(seq "$runs"); do
		for program in daxctl daxctl-ext; do
			$before
			# shellcheck disable=SC2046 # words
			time=$(once $program $(echo "$*" | sed "s/@/$(devices | head -n 1)/")) ||
				fail "$time"
			[ $program = daxctl-ext ] || theirs=$(least "$theirs" "$time")
			[ $program = daxctl ] || ours=$(least "$ours" "$time")
		done
	done
	awk "BEGIN { r = $ours / $theirs
		printf \"%-46s %6d ms, daxctl %6d ms, ratio %.2f%s\\n\", \"$*\", $ours / 1000,
			$theirs / 1000, r, r < $goal ? \"\" : \" (goal: $goal)\"; exit r >= $goal }" ||
		status=1
}

floor() { # WHAT STATE COMMAND...: @ stands for the devices that are there
	what=$1 before=$2 took=''
	shift 2
	for _ in $(seq "$runs"); do
		$before
		# shellcheck disable=SC2046 # words
		took=$(least "$took" "$(once $(echo "$*" | sed "s/@/$(devices | tr '\n' ' ')/"))")
	done
	printf '%-46s %6d ms\n' "$what" $((took / 1000))
}

all() {
	one='some 1 268435456' many="some $number 4194304"
	compare 1 "$one" list
	compare 1 none create-device -r "$id" -s 256M
	compare 1 "$one" destroy-device -f @
	compare 1 "$one" reconfigure-device -m system-ram -N @
	compare 1 'memory offline' reconfigure-device -m devdax @
	compare 1 "$one" disable-device @
	compare 1 'disabled 1 268435456' enable-device @
	compare 1 'memory offline' online-memory @
	compare 1 'memory online' offline-memory @
	compare 0.1 "$many" disable-device -r "$id" all
	compare 0.1 "disabled $number 4194304" enable-device -r "$id" all
	compare 0.1 "$many" destroy-device -f -r "$id" all
	compare 0.1 "disabled $number 4194304" reconfigure-device -m devdax -r "$id" all
	compare 0.1 "disabled $number 4194304" reconfigure-device -s 2M -r "$id" all
}

floor 'a process that only starts and ends' none /bin/true
floor "the kernel's writes for one device of 256M" none /root/dax-writes "$region" 1 268435456
floor "the kernel's writes that enable all of $number" "disabled $number 4194304" \
	/root/dax-writes "$region" @
for way in $ways; do
	echo "$way:"
	unset DAXD_WORKER
	systemctl stop daxd
	[ "$way" = daxd ] || export DAXD_WORKER=/usr/libexec/daxd/daxd-worker
	if [ "$way" = daxd ]; then
		systemctl start daxd
		floor 'a process that asks daxd one thing' none daxctl-ext jobs
	fi
	all
done
exit $status
