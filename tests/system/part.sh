# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=dash
# Partitions of a block device: applied, used with DAX, taken over and given back.
# part.sh first: that, and print the files that a disk would keep; part.sh again: after a boot.
cd /root/system || exit
. ./lib.sh
# Where the volume is; numbers of devices are another thing after a boot.
disk() {
	readlink -f "/dev/pmem/by-name/$1" | sed 's,.*/,,'
}

map_is() { # NAME SECTORS
	dm=$(readlink "/dev/$1")
	{ echo "$dm" && cat "/sys/class/block/$dm/dm/uuid" "/sys/class/block/$dm/size"; } >"$out" 2>&1
	[ "$(cat "/sys/class/block/$dm/size" 2>/dev/null)" = "$2" ] && [ "${dm#dm-}" != "$dm" ]
	verdict "/dev/$1 is a map of $2 sectors" $?
}

# no_natives DISK: the kernel has no partitions of it
no_natives() {
	! ls -d "/sys/class/block/$1/$1"p* >"$out" 2>&1
	verdict "the kernel has no partitions of $1" $?
}

# dax_of FOLDER: what a mount has
dax_of() {
	grep " $1 " /proc/mounts >"$out"
	grep -q 'dax=always\|[ ,]dax[, ]' "$out"
	verdict "$1 is mounted with DAX" $?
}

sums_of() {
	(cd "$1" && sha256sum --quiet -c /run/sums)
}

# A file system on each of two partitions of one disk, both with DAX, XFS with reflinks.
use_with_dax() { # DISK
	expect 0 'ext4 on a map' mkfs.ext4 -q -b 4096 "/dev/$1p1"
	expect 0 'xfs on another' mkfs.xfs -q -f -m reflink=1 /dev/disk/by-partlabel/data
	mkdir -p /mnt/os /mnt/data
	expect 0 'ext4 with dax' mount -o dax=always "/dev/$1p1" /mnt/os
	expect 0 'xfs with dax and reflinks' mount -o dax=always "/dev/$1p3" /mnt/data
	dax_of /mnt/os
	dax_of /mnt/data
	for i in 1 2 3 4 5 6 7 8; do
		head -c 300000 /dev/urandom | tee "/mnt/os/$i" >"/mnt/data/$i"
	done
	(cd /mnt/os && sha256sum ./[0-9]) >/run/sums
	sync
	umount /mnt/os /mnt/data
	# Without DAX, what the block layer sees must be the same.
	expect 0 'ext4 again, without dax' mount "/dev/$1p1" /mnt/os
	expect 0 'xfs again, without dax' mount "/dev/$1p3" /mnt/data
	expect 0 'what was written with DAX is there: ext4' sums_of /mnt/os
	expect 0 'and xfs' sums_of /mnt/data
}

open_ones_stay() { # DISK
	sed 's/"size": "256M"/"size": "128M"/' part.json >/run/smaller.json
	expect 2 'to shrink what is mounted' daxctl-ext apply --allow-data-loss /run/smaller.json
	says 'in use by mount /mnt/os' 'names who has it'
	expect 2 'to destroy what is mounted' daxctl-ext apply --allow-data-loss part-absent.json
	expect 2 'to give back what is mounted' daxctl-ext part release images
	map_is "$1p1" 524288
	umount /mnt/os /mnt/data
}

grow_mounted() { # DISK
	expect 0 'room behind the first' daxctl-ext part delete images --name scratch
	mount -o dax=always "/dev/$1p1" /mnt/os
	expect 0 'grow what is mounted' daxctl-ext part resize images --name os --size 300M
	says '/mnt/os' 'the list after it has the mount'
	map_is "$1p1" 614400
	expect 0 'and its file system' resize2fs "/dev/$1p1"
	dax_of /mnt/os
	expect 0 'its files are good' sums_of /mnt/os
	umount /mnt/os
	expect 3 'to shrink loses data' daxctl-ext plan /run/smaller.json
}

# udev has not come to the kernel's partitions yet when they are taken over, as at a slow boot.
slow_udev() { # DISK
	expect 0 'the kernel makes them' daxctl-ext part release "$1"
	for n in 1 2 3; do
		[ ! -e "/sys/class/block/$1/$1p$n" ] || partx -d --nr $n "/dev/$1"
	done
	udevadm settle
	udevadm control --stop-exec-queue
	partx -a "/dev/$1" >"$out" 2>&1
	daxctl-ext part takeover "$1" >/run/takeover 2>&1 &
	sleep 2
	udevadm control --start-exec-queue
	wait $!
	verdict 'taken over while udev is slow' $?
	udevadm settle
	in_time systemctl is-active -q "dev-$1p1.device"
	verdict 'systemd has the map by its name' $?
	no_natives "$1"
}

# The table is one of daxd's, and was not cut off.
damage_stays() {
	expect 2 'a configuration does not mend it' daxctl-ext apply --allow-data-loss part.json
	says 'only its backup can be read' 'says why'
	expect 2 'nor does a verb' daxctl-ext part add images --name more --size 2M
	says '--repair" writes it anew' 'says what does'
	expect 0 'the list once more' daxctl-ext part list images
	says 'backup-only table' 'it is as it was'
}

# One copy of the table is lost, then the other; the last sector has the header of the second.
mend() { # DISK
	last=$(($(cat "/sys/class/block/$1/size") - 1))
	for copy in "$last:without its copy at the end" '1:backup-only table'; do
		dd if=/dev/zero of="/dev/$1" bs=512 seek="${copy%%:*}" count=1 conv=fsync 2>"$out"
		expect 0 "the list tells: ${copy#*:}" daxctl-ext part list "$1"
		says "${copy#*:}" 'which of them is lost'
		says '  os ' 'the partitions are there'
		[ "$copy" = "${copy#1:}" ] || damage_stays
		expect 0 'it is mended when that is asked for' daxctl-ext part sync --repair "$1"
		expect 0 'the list again' daxctl-ext part list "$1"
		says 'gpt table, partitions' 'both are there'
		expect 0 'sfdisk has nothing to complain about' sfdisk -V "/dev/$1"
	done
}

# The start of an older table is written back, and both copies are good: the first wins.
write_back() { # DISK
	dd if="/dev/$1" of=/run/start bs=512 count=34 2>"$out"
	expect 0 'a newer table' daxctl-ext part add images --name later --size 2M
	dd if=/run/start of="/dev/$1" bs=512 count=34 conv=fsync 2>"$out"
	expect 0 'the list tells' daxctl-ext part list "$1"
	says 'its copy at the end differs' 'that there are two tables'
	expect 0 'the copy is made of the first' daxctl-ext part sync --repair "$1"
	expect 0 'the list again' daxctl-ext part list "$1"
	says 'gpt table, partitions' 'there is one table'
	! grep -q later "$out"
	verdict 'which is the older' $?
	expect 0 'sfdisk has nothing to complain about' sfdisk -V "/dev/$1"
}

# The table goes while there are maps: they stay, which is told, until it is written back.
lose_table() { # DISK
	sfdisk -d "/dev/$1" >/run/table 2>"$out"
	sgdisk -Z "/dev/$1" >"$out" 2>&1
	expect 2 'there is nothing to go by' daxctl-ext part sync "$1"
	says 'Its partition table is gone, and maps of its partitions are there' 'says what is there'
	says "daxctl-ext part release $1" 'and what to do'
	map_is "$1p1" 204800
	sfdisk -q --no-reread --force "/dev/$1" </run/table >"$out" 2>&1
	expect 0 'the table is written back' daxctl-ext part sync "$1"
	map_is "$1p1" 204800
}

# Both copies are damaged: the maps are all that tells where partitions were.  They go when that is
# asked for, though the volume is configured, and not by a configuration alone.
lose_both() { # DISK
	for sector in 1 $(($(cat "/sys/class/block/$1/size") - 1)); do
		printf 'EFI PART' | dd of="/dev/$1" bs=512 seek="$sector" conv=fsync,notrunc 2>"$out"
		dd if=/dev/urandom of="/dev/$1" bs=512 seek="$sector" count=1 conv=fsync 2>"$out"
	done
	expect 2 'not while there are maps' daxctl-ext part sync --repair --allow-data-loss "$1"
	says "daxctl-ext part release $1" 'and what to do'
	cat >/run/given-up.json <<-'END'
		{ "daxd": 1, "volumes": [ { "name": "images", "mode": "fsdax", "size": "1G",
		  "region": { "type": "pmem", "target_node": 3 }, "partitioning": "kernel" } ] }
	END
	expect 3 'nor by a configuration' daxctl-ext apply /run/given-up.json
	says 'nothing else tells where it lies' 'says what would be lost'
	map_is "$1p1" 524288
	expect 0 'they are given up' daxctl-ext part release "$1"
	expect 0 'maps' dmsetup info -c --noheadings -o name
	says_not "$1p" 'none is left'
	expect 0 'and the table is made anew' daxctl-ext part sync --repair --allow-data-loss "$1"
	expect 0 'the list' daxctl-ext part list "$1"
	says 'gpt table' 'it is an empty one'
}

kernel_has() { # DISK NUMBER...
	kernels=$1
	shift
	for number; do
		[ -d "/sys/class/block/$kernels/${kernels}p$number" ]
		verdict "the kernel has ${kernels}p$number" $?
	done
}

# What lies in an extended partition only the kernel can find.
leave_extended() { # DISK
	sfdisk -q --wipe always "/dev/$1" >"$out" 2>&1 <<-'TABLE'
		label: dos
		start=4096, size=204800, type=83
		start=208896, size=614400, type=5
		start=212992, size=204800, type=83
	TABLE
	blockdev --rereadpt "/dev/$1"
	udevadm settle
	expect 2 'an extended partition: not taken over' daxctl-ext part takeover "$1"
	says 'has an extended partition' 'says why'
	expect 0 'the list' daxctl-ext part list "$1"
	says "${1}p5 " 'has what lies in it'
	! grep -q 'in no table' "$out"
	verdict 'as part of the table' $?
	sed '/"whole"/s/"name"/"partitioning": "daxd", "name"/' part.json | sed '/"images"/,$d' |
		sed '$s/,$/ ] }/' >/run/whole.json
	expect 0 'nor by a configuration' daxctl-ext apply /run/whole.json
	kernel_has "$1" 1 2 5
}

# Under auto all are daxd's or all the kernel's, as the table is.
follow_auto() { # DISK
	sed 's/"daxd", "name"/"auto", "name"/' /run/whole.json >/run/auto.json
	echo 'start=4096, size=204800' | sfdisk -q --wipe always --label gpt "/dev/$1" >"$out" 2>&1
	udevadm settle
	expect 0 'auto, and all fit' daxctl-ext apply /run/auto.json
	map_is "$1p1" 204800
	echo 'start=409601, size=204800' | sfdisk -q -a --no-reread --force "/dev/$1" >"$out" 2>&1
	exec 9<"/dev/$1p1"
	expect 0 'one comes that is misaligned, while another is open' daxctl-ext apply /run/auto.json
	map_is "$1p1" 204800
	exec 9<&-
	expect 0 'once it is closed' daxctl-ext apply /run/auto.json
	kernel_has "$1" 1 2
	[ ! -L "/dev/$1p1" ]
	verdict 'and there are no maps' $?
	nothing_to_do /run/auto.json 'given back'
	expect 0 'it goes' sfdisk -q --delete --no-reread --force "/dev/$1" 2
	expect 0 'and all fit again' daxctl-ext apply /run/auto.json
	map_is "$1p1" 204800
	expect 0 'the kernel is to make them' daxctl-ext part release "$1"
}

# A table made by hand, on a disk of somebody else, with one that DAX must not have.
take_over_by_hand() {
	hand=$(disk whole)
	expect 0 'a table by hand' sfdisk -q "/dev/$hand" <<-'TABLE'
		label: gpt
		start=4096, size=204800, name="good"
		start=409601, size=204800, name="odd"
		start=819208, size=204800, name="small pages"
	TABLE
	udevadm settle
	[ -b "/dev/${hand}p2" ]
	verdict 'the kernel has its partitions' $?
	expect 0 'ext4 on one of them' mkfs.ext4 -q -b 4096 "/dev/${hand}p1"
	mkdir -p /mnt/hand
	mount "/dev/${hand}p1" /mnt/hand
	expect 0 'take over what is mounted' daxctl-ext part takeover "$hand"
	says 'taken over once it is idle' 'says that it waits'
	mountpoint -q /mnt/hand
	verdict 'and leaves the mount alone' $?
	umount /mnt/hand
	expect 0 'take over, once it is idle' daxctl-ext part sync "$hand"
	map_is "${hand}p1" 204800
	map_is "${hand}p3" 204800
	[ ! -e "/dev/${hand}p2" ]
	verdict 'what is misaligned has no block device' $?
	no_natives "$hand"
	expect 0 'the list says why' daxctl-ext part list "$hand"
	says 'misaligned' 'misaligned'
	expect 0 'mount the map' mount -o dax=always "/dev/${hand}p1" /mnt/hand
	umount /mnt/hand
	expect 0 'again' daxctl-ext part sync "$hand"
	expect 0 'add one' daxctl-ext part add "$hand" --name more --size 16M
	map_is "${hand}p4" 32768
	expect 0 'json for programs' daxctl-ext part list --json "$hand"
	says '"name":"more"' 'name'
	says "\"path\":\"/dev/${hand}p4\"" 'path'
	expect 0 'ext4 on it' mkfs.ext4 -q -b 4096 "/dev/${hand}p4"
	expect 0 'remove it by its node' daxctl-ext part delete "/dev/${hand}p4"
	expect 0 'add another in its place' daxctl-ext part add "$hand" --name other --size 16M
	says "${hand}p4 begins with what was there before: ext4" 'says what is there'
	expect 0 'who knows a map' daxctl-ext who "/dev/mapper/${hand}p4"
	says "${hand}p4 (other): nobody uses it" 'by its node'
	lose_table "$hand"
	expect 2 'what release does not take' daxctl-ext part release "$hand" --name other
	expect 0 'give it back' daxctl-ext part release "$hand"
	udevadm settle
	[ -b "/dev/${hand}p2" ]
	verdict 'the kernel has its partitions again' $?
	expect 0 'maps' dmsetup info -c --noheadings -o name
	says_not "$hand" 'and there are none of it'
	expect 0 'a native one mounts' mount "/dev/${hand}p1" /mnt/hand
	expect 0 'who has it' daxctl-ext part list "$hand"
	says /mnt/hand 'is in the list'
	umount /mnt/hand
}

if [ "${1-first}" = first ]; then
	expect 0 'apply a volume with partitions' daxctl-ext apply --allow-data-loss part.json
	images=$(disk images)
	map_is "${images}p1" 524288
	no_natives "$images"
	nothing_to_do part.json 'again'
	daxctl-ext export >/run/export.json 2>/run/notes
	grep -c '"start"' /run/export.json >"$out"
	says 3 'export has the partitions'
	only_names /run/export.json 'export'
	use_with_dax "$images"
	open_ones_stay "$images"
	grow_mounted "$images"
	mend "$images"
	write_back "$images"
	slow_udev "$images"
	take_over_by_hand
	leave_extended "$hand"
	follow_auto "$hand"
	expect 0 'remove a partition by the name of its volume' daxctl-ext part list images
	says 'data' 'lists it'
	grep . /etc/daxd/state/udev/* | sed 's/^/KEEP /'
	sync
	finish
	exit
fi
udevadm settle
images=$(disk images)
[ -d "/sys/class/block/$images/${images}p1" ]
verdict 'after a boot the kernel has its partitions' $?
expect 0 'until the configuration is applied' daxctl-ext apply part-later.json
map_is "${images}p1" 614400
no_natives "$images"
mkdir -p /mnt/os
expect 0 'the file system is there' mount -o dax=always "/dev/${images}p1" /mnt/os
dax_of /mnt/os
umount /mnt/os
expect 0 'destroy it with its maps' daxctl-ext apply --allow-data-loss part-absent.json
expect 0 'maps' dmsetup info -c --noheadings -o name
says_not "$images" 'none is left'
expect 0 'properties' ls /etc/daxd/state/udev
says_not partitions 'nor is a policy'
# In the same place there are the old table and file system, which are nobody's now.
expect 0 'make it anew' daxctl-ext apply part.json
images=$(disk images)
map_is "${images}p1" 524288
map_is "${images}p2" 512000
no_natives "$images"
nothing_to_do part.json 'made anew'
# What a worker leaves that is killed before the map it makes has its table.
uuid=$(dmsetup info -c --noheadings -o uuid "${images}p2")
dmsetup remove "${images}p2" && dmsetup create --notable -u "$uuid" "${images}p2" >"$out" 2>&1
expect 0 'a map without a table is made one' daxctl-ext part sync "$images"
map_is "${images}p2" 512000
nothing_to_do part.json 'finished'
# What the host's configuration would undo is refused, with the place.
cp part.json /etc/daxd/
expect 2 'not released' daxctl-ext part release "$images"
says 'part.json, /volumes/1, with "partitions" and no "partitioning", which means "auto"' 'says why'
expect 2 'a configured partition stays' daxctl-ext part delete "${images}p2"
says 'part.json, /volumes/1/partitions/1, and would be made again' 'says which'
lose_both "$images"
rm /etc/daxd/part.json
finish
