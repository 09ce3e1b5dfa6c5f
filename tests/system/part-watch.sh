# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=dash
# What others do to a disk whose partitions are daxd's, and what daxd makes of it.
cd /root/system || exit
. ./lib.sh
. ./part-lib.sh

cat >/run/disk.json <<'END'
{ "daxd": 1, "volumes": [ { "name": "watched", "region": { "type": "pmem", "target_node": 3 },
  "mode": "fsdax", "size": "1536M", "map": "mem" } ] }
END
expect 0 'a disk' daxctl-ext apply --allow-data-loss /run/disk.json
use_disk /dev/pmem/by-name/watched

reread() { # each of these makes partitions of the kernel's, or tries to
	partprobe "$disk"
	partx -a "$disk"
	blockdev --rereadpt "$disk"
}

# Every tool, on a disk that daxd keeps; after each of them daxd has the last word.
by_tools() { # WHEN
	changes "$1: sfdisk writes a table" table_of 'size=32M, name=one' 'size=32M, name=two'
	echo 'size=32M, name=three' >/run/three
	changes "$1: sfdisk adds" sfdisk -q --force -a "$disk" </run/three
	changes "$1: fdisk adds" fdisk_does 'n\n\n\n+32M\nw\n'
	changes "$1: fdisk deletes" fdisk_does 'd\n2\nw\n'
	changes "$1: parted adds" parted -s "$disk" mkpart five 300MiB 340MiB
	changes "$1: parted deletes" parted -s "$disk" rm 1
	changes "$1: sgdisk adds" sgdisk -n 7:0:+16M -c 7:seven "$disk"
	changes "$1: sgdisk deletes" sgdisk -d 3 "$disk"
	reread >"$out" 2>&1
	agree_soon "$1: partprobe, partx and blockdev --rereadpt"
	[ "$(of_maps | wc -l)" -eq "$(of_table | wc -l)" ] && [ "$(of_table | wc -l)" -ge 3 ]
	verdict "$1: there is something to agree on" $?
}

switches() {
	awk '/ctxt_switches/ { n += $2 } END { print n }' "/proc/$(systemctl show -P MainPID daxd)/status"
}

jobs_done() {
	journalctl --sync
	journalctl --sync
	journalctl -u daxd --no-pager -o cat | grep -c '^Job '
}

is_quiet() {
	before=$(switches)
	sleep 3
	[ "$(switches)" -eq "$before" ]
}

systemctl start daxd
expect 0 'a table' table_of 'size=32M, name=one'
expect 0 'take it over' daxctl-ext part takeover "$block"
agree_soon 'taken over'
by_tools 'daxd runs'
in_time is_quiet
verdict 'daxd comes to rest' $?

# Events that mean nothing.
jobs=$(jobs_done)
i=0
while [ $i -lt 1000 ]; do
	echo change >"/sys/class/block/$block/uevent"
	i=$((i + 1))
done
udevadm settle
in_time is_quiet
verdict 'it comes to rest after a thousand events' $?
journalctl -u daxd --no-pager -o short-monotonic | tail -n 5 >"$out"
[ "$(jobs_done)" -eq "$jobs" ]
verdict 'which were no reason to do anything' $?
agree_soon 'nor was anything changed'

# What happens while it does not run is done when it does.
systemctl stop daxd
alone=yes
changes 'parted adds while daxd does not run' parted -s "$disk" mkpart late 400MiB 432MiB
changes 'and sgdisk deletes' sgdisk -d 7 "$disk"
alone=
reread >"$out" 2>&1
systemctl start daxd
agree_soon 'what was done while daxd did not run'

# What is mounted stays as it is, and is told.
changes 'another table' table_of 'size=320M, name=a' 'size=320M, name=b' 'size=64M, name=c'
mkdir -p /mnt/a /mnt/b
expect 0 'xfs' mkfs.xfs -q -f -m reflink=0 "${disk}p1"
expect 0 'xfs on another' mkfs.xfs -q -f -m reflink=1 "${disk}p2"
expect 0 'ext4 on a third' mkfs.ext4 -q -b 4096 -L third "${disk}p3"
expect 0 'mount it with DAX' mount -o dax=always "${disk}p1" /mnt/a
expect 0 'and the other with DAX, too' mount -o dax=always "${disk}p2" /mnt/b
for mount in /mnt/a /mnt/b; do
	expect 0 "$mount is mapped directly" ./dax-faults $mount/file
	[ "$(cat "$out")" -le 8192 ]
	verdict "with $(cat "$out") faults" $?
done
alone=yes
changes 'sgdisk deletes one' sgdisk -d 1 "$disk"
alone=
in_time sh -c 'busctl get-property org.daxd1 $(busctl tree --list org.daxd1 | grep /namespace/ | head -n 1) \
	org.daxd1.Namespace PartitionsPending | grep -q "not mapped"'
verdict 'a partition that is mounted and no longer in the table has to wait' $?
expect 0 'its files can be written' ./dax-faults /mnt/a/file
umount /mnt/a /mnt/b
udevadm trigger --settle "/sys/class/block/$block"
agree_soon 'until it is not mounted any more'
in_time test -e /dev/disk/by-label/third
verdict 'file systems have links by their labels' $?
expect 0 'mount by label' mount -o dax=always LABEL=third /mnt/a
expect 0 'ext4 is mapped directly' ./dax-faults /mnt/a/file
umount /mnt/a

# So does what somebody has open, if only to read it.
exec 7<"${disk}p3"
alone=yes
changes 'sgdisk deletes one that is open' sgdisk -d 3 "$disk"
alone=
in_time is_quiet
[ -e "${disk}p3" ]
verdict 'it stays as long as that' $?
exec 7<&-
agree_soon 'until it is closed'

# A table with a partition that DAX must not have.
expect 0 'give the disk back' daxctl-ext part release "$block"
expect 0 'a table by hand' table_of 'start=4096, size=204800, name=good' \
	'start=409601, size=204800, name=odd'
blockdev --rereadpt "$disk"
udevadm settle
expect 0 'ext4 on a misaligned partition' mkfs.ext4 -q -b 4096 "${disk}p2"
expect 32 'the kernel mounts it, but not with DAX' mount -o dax=always "${disk}p2" /mnt/a
mount "${disk}p2" /mnt/a
for i in $(seq 40); do head -c 100000 /dev/urandom >"/mnt/a/$i"; done
(cd /mnt/a && sha256sum ./*[0-9]) >/run/sums
umount /mnt/a
expect 0 'take it over' daxctl-ext part takeover "$block"
[ ! -e "${disk}p2" ] && [ -L "${disk}p1" ]
verdict 'it has no block device' $?
expect 0 'give it back' daxctl-ext part release "$block"
udevadm settle
mount "${disk}p2" /mnt/a
expect 0 '40 of 40 files are as they were' sh -c 'cd /mnt/a && sha256sum --quiet -c /run/sums && [ $(wc -l </run/sums) = 40 ]'
umount /mnt/a

# The disk goes and comes again.
expect 0 'a table' table_of 'size=32M, name=one' 'size=32M, name=two'
expect 0 'take it over' daxctl-ext part takeover "$block"
agree_soon 'before it goes'
namespace=$(cat "/sys/class/block/$block/device/namespace")
! ndctl disable-namespace "$namespace" >"$out" 2>&1
verdict 'not while it has maps' $?
expect 0 'give it back' daxctl-ext part release "$block"
expect 0 'then it goes' ndctl disable-namespace "$namespace"
expect 0 'and comes again' ndctl enable-namespace "$namespace"
udevadm settle
in_time test -e /dev/pmem/by-name/watched
use_disk /dev/pmem/by-name/watched
expect 0 'take it over again' daxctl-ext part takeover "$block"
agree_soon 'after it came again'

# A worker and a daemon that are killed on the way.
set --
while [ $# -lt 24 ]; do
	set -- "$@" "size=16M, name=p$#"
done
changes '24 partitions' table_of "$@"

# Without a process of its own: there may not be much time.
maps_are() { # NUMBER: there are so many, or more
	least=$1
	set -- /sys/class/block/dm-*
	[ "$least" -eq 0 ] || { [ -e "$1" ] && [ $# -ge "$least" ]; }
}

# SIGKILL for the worker that takes the disk over, or for daxd meanwhile, once so many maps are made.
kill_amid() { # worker|daxd NUMBER
	in_time daxctl-ext part release "$block"
	verdict 'give it back' $?
	victim=
	[ "$1" = worker ] || victim=$(systemctl show -P MainPID daxd)
	rm -f /run/over
	{
		daxctl-ext part takeover "$block" >/run/takeover 2>&1
		: >/run/over
	} &
	killed=1
	until [ $killed -eq 0 ] || [ -e /run/over ]; do
		working && maps_are "$2" && kill -KILL "${victim:-$at_work}" && killed=0
	done
	wait $!
	cp /run/takeover "$out"
	verdict "the $1 is killed at work, with $2 maps made" $killed
}

for made in 0 6 12 20; do
	kill_amid worker $made
	in_time systemctl is-active daxd
	# daxd, which nobody has asked, may be at it just now.
	in_time daxctl-ext part takeover "$block"
	verdict "take it over after SIGKILL of the worker" $?
	agree_soon "the worker is killed with $made maps"
	kill_amid daxd $made
	in_time systemctl is-active daxd
	in_time daxctl-ext part takeover "$block"
	verdict 'take it over after SIGKILL of the daemon' $?
	agree_soon "the daemon is killed with $made maps"
	systemctl reset-failed daxd
done
echo "     the longest time until all agreed: $longest ms"
finish
