# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=dash
# Partitions of a block device: applied, used with DAX, taken over and given back.
cd /root/system || exit
. ./lib.sh

map_is() { # NAME WANTED-SECTORS
	readlink "/dev/$1" >"$out"
	[ "$(cat "/sys/class/block/$(readlink "/dev/$1")/size" 2>/dev/null)" = "$2" ]
	verdict "/dev/$1 is a map of $2 sectors" $?
}

expect 0 'apply a volume with partitions' daxctl-ext apply --allow-data-loss part.json
cat $out
dmsetup table; ls -l /dev/pmem* /dev/mapper /dev/disk/by-partlabel
udevadm info /dev/dm-0
nothing_to_do part.json 'again'
finish
