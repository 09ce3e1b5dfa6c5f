# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=dash
# kill.sh STRIDE: SIGKILL the worker after every STRIDEth journal record of an apply, then apply
# again: it must converge, each time from an empty machine.
cd /root/system || exit
. ./lib.sh
stride=$1

expect 0 'make the machine' daxctl-ext apply --allow-data-loss volumes.json
daxctl-ext apply --allow-data-loss absent.json >/dev/null
at=1
while :; do
	expect 0 "record $at: start from an empty machine" \
		daxctl-ext apply --allow-data-loss absent.json
	DAXD_CRASH_AT=$at DAXD_CRASH_HOW=kill daxctl-ext apply --allow-data-loss volumes.json \
		>"$out" 2>&1
	r=$?
	[ "$r" -ne 0 ] || break
	[ "$r" -eq 1 ] && grep -q 'killed by signal 9' "$out"
	verdict "record $at: the death of the worker is told" $?
	expect 0 "record $at: apply again" daxctl-ext apply volumes.json
	nothing_to_do volumes.json "record $at"
	at=$((at + stride))
done
[ "$at" -gt 20 ]
verdict 'there were records to be killed after' $?
finish
