# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=dash
# kill-verbs.sh STRIDE: SIGKILL the worker after every STRIDEth journal record of each device
# verb, then give the verb again: the machine must be as if nothing had happened.
cd /root/system || exit
. ./lib.sh
stride=$1
run=/run/kill-verbs
mkdir -p $run
kills=0

# The machine, but for the numbers of devices and what nobody has.
left() {
	daxctl-ext list -r 0 -DRM | sed 's/"dax0\.[0-9]*"/"dax"/'
	daxctl-ext status --json | grep -o '"records":.*'
}

# From an empty region to what a verb begins with.
prepare() { # WORD...
	daxctl-ext destroy-device -f -r 0 all >/dev/null 2>&1
	for word; do
		case $word in
		dev) daxctl-ext create-device -r 0 -s 256M --name x ;;
		ram) daxctl-ext create-device -r 0 -s 256M --name x -m system-ram ;;
		foreign) daxctl create-device -r 0 -s 128M ;;
		off) daxctl-ext disable-device -f x ;;
		offline) daxctl-ext offline-memory x ;;
		esac >"$out" 2>&1 || cat "$out"
	done
}

# What is half made goes, before it is made again: nobody can tell it from what is disabled.
again() { # CALL
	case $1 in
	create-device*) daxctl-ext destroy-device -f -r 0 all >/dev/null 2>&1 ;;
	esac
	# Killed in the record of its last step, it has done its work: there is no such device.
	# shellcheck disable=SC2086 # a list of words
	daxctl-ext $1 >/run/again.out 2>&1 || {
		cat /run/again.out
		case $1 in
		destroy-device*) grep -q 'There is no dax device' /run/again.out || return ;;
		*) return 1 ;;
		esac
	}
	# What is enabled stays so, with its memory offline, and so does what is disabled.
	case $1 in
	enable-device*) online=$(daxctl-ext list -D -r 0 | grep '"online_memblocks":0') ;;
	reconfigure-device*) daxctl-ext enable-device x ;;
	esac
	[ -z "${online-}" ] || daxctl-ext online-memory x
	online=
}

while IFS='|' read -r begin call; do
	# shellcheck disable=SC2086 # a list of words
	prepare $begin
	# shellcheck disable=SC2086 # as above
	expect 0 "$call" daxctl-ext $call
	left >$run/want
	at=1
	while :; do
		# shellcheck disable=SC2086 # as above
		prepare $begin
		# shellcheck disable=SC2086 # as above
		DAXD_CRASH_AT=$at DAXD_CRASH_HOW=kill daxctl-ext $call >"$out" 2>&1
		r=$?
		[ "$r" -ne 0 ] && [ "$at" -lt 60 ] || break
		grep -q 'killed by signal 9' "$out"
		verdict "$call, record $at: the death of the worker is told" $?
		kills=$((kills + 1))
		again "$call" >"$out" 2>&1
		verdict "$call, record $at: again" $?
		left >$run/have
		same $run/want $run/have "$call, record $at: as if nothing had happened"
		at=$((at + stride))
	done
done <<'END'
|create-device -r 0 -s 256M --name x
|create-device -r 0 -s 256M --name x -m system-ram
|create-device -r 0 -s 256M
dev|destroy-device -f x
ram|destroy-device -f x
foreign|destroy-device -f -r 0 all
dev|disable-device x
ram|disable-device -f x
dev off|enable-device x
ram off|enable-device x
dev|reconfigure-device -m system-ram x
ram|reconfigure-device -m devdax -f x
dev|reconfigure-device -s 128M x
dev|reconfigure-device -s 512M x
dev|reconfigure-device -a 4096 x
ram offline|online-memory x
ram offline|online-memory --no-movable x
ram|offline-memory x
END
echo "kill-verbs: the worker was killed $kills times"
[ "$kills" -ge 9 ]
verdict 'there were records to be killed after' $?
finish
