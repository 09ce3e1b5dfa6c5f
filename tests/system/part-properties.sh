# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=dash
# What udev knows of a map is the same whether the worker has found it out, as in the first event
# of the map, or udev's builtin, as in all that follow.
cd /root/system || exit
. ./lib.sh
maps=/run/daxd/maps

# properties: what does not change with time, of each map of the disk
properties() {
	for map in "$block"p*; do
		echo "of $map"
		# Links are in no order.
		udevadm info -q property "$map" | grep -vE '^(SEQNUM|USEC_INITIALIZED)=' |
			sed 's/^DEVLINKS=/&\n/' | sed '/^\/dev/s/ /\n/g' | sort
	done
}

# property NAME NUMBER VALUE: udev has it so; no VALUE: not at all
property() {
	udevadm info -q property "${block}p$2" >"$out"
	if [ -n "$3" ]; then grep -qxF "$1=$3" "$out"; else ! grep -q "^$1=" "$out"; fi
	verdict "$1 of the map $2 is '$3'" $?
}

# of_uuid NUMBER: the file of a map
of_uuid() {
	echo "$maps/part$1-DAXD-$(cat "/sys/class/block/${block#/dev/}/device/uuid")"
}

# map_slowly: the missing maps are made while udev waits, so that what it is told can be seen
map_slowly() {
	udevadm settle
	udevadm control --stop-exec-queue
	daxctl-ext part sync "$block" >/run/mapping 2>&1 &
	mapping=$!
}

unmap() {
	udevadm settle
	# shellcheck disable=SC2046 # names
	expect 0 'all maps go' dmsetup remove \
		$(dmsetup ls | sed -n "s,^\(${block#/dev/}p[0-9]*\).*,\1,p")
}

map_on() {
	udevadm control --start-exec-queue
	wait $mapping
	verdict 'mapped' $?
	udevadm settle
}

files_are() { # NUMBER...: those of these maps are there
	for number; do
		of_uuid "$number"
	done | sort >/run/files-wanted
	in_time same_files
	verdict "the worker tells udev of $*" $?
}

same_files() {
	# By now all of them have been written, and some maps made.
	dmsetup ls | grep -q "^${block#/dev/}p" &&
		find "$maps" -type f | sort | diff /run/files-wanted - >"$out"
}

same_again() { # NAME
	ls "$maps" >"$out"
	[ ! -s "$out" ]
	verdict "$1: no file is left" $?
	properties >/run/first
	udevadm trigger --settle /sys/class/block/dm-*
	properties >/run/again
	same /run/first /run/again "$1: udev finds the same"
}

# Something of each kind.  That two things are on a partition, or a table, udev judges itself.
fill_gpt() {
	sfdisk -q --wipe always "$block" >"$out" 2>&1 <<-'TABLE'
		label: gpt
		size=64M, name="os"
		size=320M, name="data", attrs="LegacyBIOSBootable GUID:60"
		size=16M
		size=16M, name="swap", type=0657FD6D-A4AB-43C4-84E5-0933C84B4F4F
		size=16M, name="secret"
		size=16M, name="a guest"
		size=16M, name="several"
		size=16M, name="quotes"
	TABLE
	sgdisk -c "2:a \"b\" 'c' \$d %e
EVIL=1 \\x2f/ äöü" "$block" >"$out" 2>&1
	udevadm settle
	mkfs.ext4 -q -b 4096 -L 'os of 1' "${block}p1"
	mkfs.xfs -q -f -L "x'y\"z%" "${block}p2"
	mkswap -L 'a
EVIL=1' "${block}p4" >"$out" 2>&1
	printf 'LUKS\272\276\000\001aes' | dd of="${block}p5" conv=fsync 2>"$out"
	printf 'a7f5e7a0-4f43-4d3c-8c8a-0a6e1f1f0a01' |
		dd of="${block}p5" bs=1 seek=168 conv=fsync,notrunc 2>"$out"
	echo 'label: gpt' | sfdisk -q "${block}p6" >"$out" 2>&1
	mkfs.ext4 -q -b 4096 "${block}p7"
	printf '\316\372\255\033' | dd of="${block}p7" conv=fsync,notrunc 2>"$out" # bfs
	mkfs.ext4 -q -b 4096 -L '"quoted" "' "${block}p8"
	udevadm settle
}

gpt() {
	fill_gpt
	expect 0 'taken over' daxctl-ext part takeover "$block"
	same_again 'taken over'
	unmap
	echo 'ID_FS_LABEL="of a map of old"' | tee "$(of_uuid 3)" >"$(of_uuid 7)"
	map_slowly
	files_are 1 2 3 4 5 8
	echo 'OF_THE_FILE=yes' >>"$(of_uuid 1)"
	map_on
	property OF_THE_FILE 1 yes
	udevadm trigger --settle "/sys/class/block/$(readlink "${block}p1")"
	property OF_THE_FILE 1 ''
	same_again 'GPT'
	sed 's/"kernel"/"daxd"/' /run/v.json >/run/daxd.json
	expect 0 'and nothing is to be done for any name' daxctl-ext plan /run/daxd.json
	says 'Nothing to do: the machine is as configured.' 'one that cannot be in a line included'
	property ID_FS_TYPE 1 ext4
	property ID_FS_LABEL_ENC 1 'os\x20of\x201'
	property ID_PART_ENTRY_FLAGS 2 0x1000000000000004
	property ID_FS_TYPE 3 ''
	property ID_PART_ENTRY_NUMBER 3 3
	property ID_FS_TYPE 5 crypto_LUKS
	property ID_PART_TABLE_TYPE 6 gpt
	property ID_FS_TYPE 7 ''
	property ID_PART_ENTRY_SCHEME 8 gpt
	for number in 2 4; do
		property EVIL $number ''
	done
	[ "/dev/$(readlink "${block}p8")" = "$(readlink -f '/dev/disk/by-label/\x22quoted\x22\x20\x22')" ]
	verdict 'a label in quotes keeps them in its link' $?
}

# From its first event on, who writes to a map is seen; and so is what he has written when the map
# is made anew while another holds the disk open, and with it what the kernel has read of it.
later() {
	expect 0 'another name' sgdisk -c 2:plain "$block"
	expect 0 'which udev hears of' daxctl-ext part sync "$block"
	property ID_PART_ENTRY_NAME 2 plain
	expect 0 'a file system on a map' mkfs.ext4 -q -b 4096 -L later "${block}p3"
	udevadm settle
	property ID_FS_LABEL 3 later
	expect 0 'who reads the disk' blkid -p -o value -s LABEL -S $((16 << 20)) \
		-O $(($(udevadm info -q property "${block}p3" |
			sed -n 's/^ID_PART_ENTRY_OFFSET=//p') * 512)) "$block"
	says later 'sees it, too'
	expect 0 'one map goes' dmsetup remove "${block#/dev/}p3"
	map_slowly
	files_are 3
	grep -q 'ID_FS_LABEL="later"' "$(of_uuid 3)"
	verdict 'and its file says what is there now' $?
	map_on
	same_again 'one alone'
	property ID_FS_LABEL 3 later
	expect 0 'it moves' daxctl-ext part delete "${block}p8"
	expect 0 'one grows into its place' daxctl-ext part resize --name several --size 24M "$block"
	same_again 'one that has grown'
}

dos() {
	expect 0 'give it back' daxctl-ext part release "$block"
	sfdisk -q --wipe always --wipe-partitions always "$block" >"$out" 2>&1 <<-'TABLE'
		label: dos
		label-id: 0x1234abcd
		size=64M, type=83, bootable
		size=16M, type=82
		size=16M, type=7
	TABLE
	udevadm settle
	mkfs.ext4 -q -b 4096 -L dos "${block}p1"
	mkswap "${block}p2" >"$out" 2>&1
	expect 0 'taken over' daxctl-ext part takeover "$block"
	same_again 'DOS, taken over'
	unmap
	map_slowly
	files_are 1 2 3
	map_on
	same_again 'DOS'
	property ID_PART_ENTRY_UUID 1 1234abcd-01
	property ID_PART_ENTRY_FLAGS 1 0x80
	property ID_PART_ENTRY_TYPE 2 0x82
	property ID_FS_LABEL 1 dos
}

cat >/run/v.json <<'END'
{ "daxd": 1, "volumes": [ { "name": "v", "region": { "type": "pmem", "target_node": 3 },
  "mode": "fsdax", "size": "1G", "partitioning": "kernel" } ] }
END
expect 0 'a disk' daxctl-ext apply --allow-data-loss /run/v.json
block=$(readlink -f /dev/pmem/by-name/v)
gpt
later
dos
expect 0 'give it back' daxctl-ext part release "$block"
finish
