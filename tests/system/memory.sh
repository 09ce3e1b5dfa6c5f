# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=dash
# memory.sh: memory goes offline and comes back the same way whether the kernel does it for a
# whole device (7.3) or block by block: progress, limit, why not, and what a failure leaves.
cd /root/system || exit
. ./lib.sh
run=/run/memory
mkdir -p $run
blocks=/sys/devices/system/memory
whole='' # can the kernel do it for a whole device?
daxctl-ext destroy-device -f -r 0 all >/dev/null 2>&1

volume() { # ONLINE
	cat >$run/volume.json <<-END
		{ "daxd": 1, "volumes": [ { "name": "ram", "region": { "type": "hmem", "target_node": 1 },
		  "mode": "system-ram", "persist": "kmem", "size": "768M", "online": $1 } ] }
	END
}

# What the kernel has of the device's memory, as one word.
now() {
	daxctl-ext list -d "$made" -M >$run/list
	sed -n 's/.*"online_memblocks":\([0-9]*\),*/\1/p; s/.*"total_memblocks":\([0-9]*\),*/of \1/p
		s/.*"movable":true.*/movable/p' $run/list | tr '\n' ' '
}

is() { # WORDS NAME
	got=$(now)
	echo "$got, not $1" >"$out"
	[ "$got" = "$1 " ]
	verdict "$2" $?
}

state_is() { # WORD NAME: of the whole device, where the kernel can
	[ -n "$whole" ] || return 0
	cat "/sys/bus/dax/devices/$made/state" >"$out"
	grep -qx "$1" "$out"
	verdict "state $1: $2" $?
}

# A worker that takes its time between its last look at the memory and the unbind.
cat >$run/slow <<-'END'
	#!/bin/sh
	exec strace -f -qq -o /run/memory/trace -P /sys/bus/dax/drivers/kmem/remove_id \
		-e trace=write -e inject=write:delay_enter=6000000 /usr/libexec/daxd/daxd-worker "$@"
END
chmod +x $run/slow
slowly() {
	[ -z "$whole" ] || DAXD_WORKER=$run/slow
	"$@"
	result=$?
	DAXD_WORKER=/usr/libexec/daxd/daxd-worker
	return $result
}

# Somebody who brings a block online in that time.
late_rival() {
	in_time grep -q "FLOCK .*:$(stat -c %i /sys/bus/dax) " /proc/locks
	sleep 3
	echo online_movable >$blocks/memory$number/state
} 2>>$run/noise

volume true
expect 0 'make memory' daxctl-ext apply --allow-data-loss $run/volume.json
made=$(daxctl-ext list -D -r 0 | sed -n 's/.*"chardev":"\(.*\)",/\1/p')
[ ! -e "/sys/bus/dax/devices/$made/state" ] || whole=yes
# From here on the kernel's own policy must bring nothing online.
is '6 of 6 movable' 'all is online'
state_is online_movable 'it came at once'
number=$((0x$(sed 's/^0x//' "/sys/bus/dax/devices/$made/mapping0/start") /
	0x$(cat $blocks/block_size_bytes)))

volume false
expect 0 'offline' daxctl-ext apply --json $run/volume.json
says '"done":6,"total":6' 'tells how far it is'
is '0 of 6' 'all is offline'
state_is unplugged 'nobody else can bring it back in between'
nothing_to_do $run/volume.json 'offline'
volume true
expect 0 'online' daxctl-ext apply --json $run/volume.json
says '"done":6,"total":6' 'tells how far it is'
is '6 of 6 movable' 'all is back'
state_is online_movable 'at once'
nothing_to_do $run/volume.json 'online'

# A part that somebody else took comes back, and what is in use is left alone.
echo offline >$blocks/memory$number/state
hold pin 1
is '5 of 6' 'one block is taken by hand'
expect 0 'online what is not' daxctl-ext online-memory --limit-time 5 ram
is '6 of 6 movable' 'it is back'

# Longer than is allowed.
expect 1 'offline with a limit' daxctl-ext offline-memory --limit-time 2 ram
says 'did not go offline within 2 seconds' 'says so'
says 'Memory block ' 'names the block'
says "of $made" 'and the device'
is '6 of 6 movable' 'what was taken is back'
state_is online_movable 'as before'
expect 1 'another zone with a limit' daxctl-ext online-memory --no-movable --limit-time 2 ram
is '6 of 6 movable' 'what was taken is back'

# Killed on the way: the kernel, where it does it, puts back what it took.
# Block by block, the next one does.
daxctl-ext offline-memory ram >$run/killed 2>&1 &
in_time working
sleep 1
working && kill -KILL "$at_work"
verdict 'the worker is at work and is killed' $?
wait $! 2>/dev/null
grep -q 'killed by signal 9' $run/killed
verdict 'which is told' $?
[ -z "$whole" ] || is '6 of 6 movable' 'killed: it is as it was'
expect 0 'killed: the next brings it back' daxctl-ext online-memory --limit-time 30 ram
is '6 of 6 movable' 'killed: all is online'
release
expect 0 'then it goes' daxctl-ext offline-memory --limit-time 60 ram
is '0 of 6' 'all of it'

# Bound and never online.
expect 0 'a device' daxctl-ext reconfigure-device -m devdax -f ram
expect 0 'memory that is offline' daxctl-ext reconfigure-device -m system-ram --no-online ram
is '0 of 6' 'is offline'
state_is offline 'its blocks are there'
expect 0 'online, from there' daxctl-ext online-memory ram
is '6 of 6 movable' 'all of it'
state_is online_movable 'at once'
expect 0 'a device again' daxctl-ext reconfigure-device -m devdax -f ram
expect 0 'memory, offline' daxctl-ext reconfigure-device -m system-ram --no-online ram
[ -z "$whole" ] || late_rival &
expect 0 'from there to a device' slowly daxctl-ext reconfigure-device -m devdax -f ram
wait
dmesg | grep 'stuck online' >"$out"
[ ! -s "$out" ]
verdict 'nobody was quick enough to make that a loss' $?
expect 0 'and back' daxctl-ext reconfigure-device -m system-ram ram
is '6 of 6 movable' 'as it was'

# Who brings blocks online as fast as he can does not win.
if [ -n "$whole" ]; then
	while :; do
		for i in 0 1 2 3 4 5; do
			echo online_movable >$blocks/memory$((number + i))/state
		done
	done 2>/dev/null &
	rival=$!
	for round in 1 2 3; do
		expect 0 "a rival, $round: a device" daxctl-ext reconfigure-device -m devdax -f ram
		expect 0 "a rival, $round: memory" daxctl-ext reconfigure-device -m system-ram ram
	done
	kill $rival
	wait $rival 2>/dev/null
	is '6 of 6 movable' 'a rival: all is there'
fi

# Zone normal comes last: the kernel may keep such memory until the next boot.
expect 0 'from movable to normal' daxctl-ext online-memory --no-movable ram
is '6 of 6' 'none is movable'
state_is online_kernel 'at once'
if ! daxctl-ext offline-memory --limit-time 5 ram >"$out" 2>&1; then
	says "of $made" 'a refusal names the device'
	says 'It is not in zone Movable' 'and why'
	is '6 of 6' 'nothing is taken'
	state_is online_kernel 'as before'
	zone=--no-movable # where it stays
fi
healthy 'until here'

# Unbound behind everybody's back while it is online, its memory is there until the next boot. To
# bind kmem again and unbind it once more would be the end of the kernel.
# shellcheck disable=SC2086 # an option or none
expect 0 'online it' daxctl-ext online-memory ${zone-} ram
provoked='stuck online'
echo "$made" >/sys/bus/dax/drivers/kmem/unbind
expect 1 'to enable what has left its memory behind' daxctl-ext enable-device ram
says 'Only a boot ends that' 'says what would help'
expect 1 'to destroy it' daxctl-ext destroy-device -f ram
says 'uses it still' 'says why'
finish
