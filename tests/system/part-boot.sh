# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=dash
# part-boot.sh first|again: file systems on partitions of daxd's, and an fstab with them; a boot
# must mount them, with DAX, before local-fs.target.
cd /root/system || exit
. ./lib.sh
. ./part-lib.sh

if [ "$1" = first ]; then
	expect 0 'a disk with partitions' daxctl-ext apply --allow-data-loss part-boot.json
	use_disk /dev/pmem/by-name/images
	expect 0 'one file system' mkfs.ext4 -q -b 4096 "${disk}p1"
	expect 0 'another' mkfs.xfs -q -f "${disk}p2"
	expect 0 'a third' mkfs.ext4 -q -b 4096 -L third "${disk}p3"
	for n in 1 2 3; do
		mkdir -p /mnt/$n
		mount "${disk}p$n" /mnt/$n
		echo "file $n" >/mnt/$n/file
		umount /mnt/$n
	done
	uuid=$(of_table | awk 'NR == 2 { print $4 }')
	grep . /etc/daxd/state/udev/* | sed 's/^/KEEP /'
	cat >/etc/fstab <<-END
		${disk}p1 /srv/1 ext4 dax=always 0 0
		PARTUUID=$uuid /srv/2 xfs dax=always 0 0
		LABEL=third /srv/3 ext4 dax=always 0 0
	END
	# The guest's systemd runs no generators: it gets what they would make of this.
	mkdir -p /run/units
	expect 0 'units of fstab' /usr/lib/systemd/system-generators/systemd-fstab-generator \
		/run/units /run/units /run/units
	for n in 1 2 3; do
		sed "s,^,KEEP /etc/systemd/system/srv-$n.mount:," /run/units/srv-$n.mount
	done
	echo 'KEEP /etc/systemd/system/local-fs.target.d/fstab.conf:[Unit]'
	echo 'KEEP /etc/systemd/system/local-fs.target.d/fstab.conf:Requires=srv-1.mount srv-2.mount srv-3.mount'
	sync
	finish
	exit
fi
use_disk /dev/pmem/by-name/images
expect 0 'daxd is active' systemctl is-active daxd
for n in 1 2 3; do
	[ "$(cat /srv/$n/file)" = "file $n" ]
	verdict "/srv/$n is mounted" $?
	grep " /srv/$n " /proc/mounts >"$out"
	grep -q dax=always "$out"
	verdict 'with DAX' $?
	expect 0 'and mapped directly' ./dax-faults /srv/$n/big
done
for n in 1 2 3; do
	dm=$(readlink "${disk}p$n")
	findmnt -n -o MAJ:MIN "/srv/$n" >"$out"
	[ "$(tr -d ' ' <"$out")" = "$(cat "/sys/class/block/$dm/dev")" ]
	verdict "/srv/$n is the map" $?
done
agree_soon 'table, maps and links'
# shellcheck disable=SC2046 # three numbers
set -- $(systemctl show -P ActiveEnterTimestampMonotonic daxd srv-1.mount local-fs.target | grep .)
[ "$1" -le "$2" ] && [ "$2" -le "$3" ]
verdict 'daxd was ready before the mounts, and they before local-fs.target' $?
systemctl --failed --no-legend >"$out"
[ ! -s "$out" ]
verdict 'no unit has failed' $?
journalctl -u daxd --no-pager -o cat | sed 's/^/     daxd: /'
finish
