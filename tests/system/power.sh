# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=dash
# power.sh RECORD: recover from what the last power cut has left, then apply again and cut the
# power after this journal record; 0: recover only; "first": make what must survive.
cd /root/system || exit
. ./lib.sh
pattern=/run/pattern
yes 'this must never be lost' | head -c 8388608 >$pattern

keeper() {
	echo "/dev/$(daxctl-ext status | sed -n 's/^  keeper .* \(pmem[0-9.]*\),.*/\1/p')"
}

case $1 in
first)
	expect 0 'make the volume that is to survive' daxctl-ext apply --allow-data-loss keeper.json
	expect 0 'write it' dd if=$pattern of="$(keeper)" bs=1M oflag=direct status=none
	finish
	exit
	;;
esac
expect 0 "after the cut: apply" daxctl-ext apply --allow-data-loss keeper.json volumes.json
expect 0 "after the cut: plan" daxctl-ext plan keeper.json volumes.json
says 'Nothing to do' 'after the cut: is empty'
expect 0 'after the cut: the pattern is intact' cmp -n 8388608 $pattern "$(keeper)"
daxctl-ext apply --allow-data-loss absent.json >/dev/null
finish
[ "$1" -ne 0 ] || exit "$failed"
[ "$failed" -eq 0 ] || exit 1
sync
DAXD_CRASH_AT=$1 DAXD_CRASH_HOW=power daxctl-ext apply --allow-data-loss keeper.json volumes.json
echo "the power was not cut"
exit 1
