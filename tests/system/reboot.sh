# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=dash
# reboot.sh first: make volumes, and print the files that a disk would keep.
# reboot.sh again: after a boot, links and access are there before anything of daxd has run.
cd /root/system || exit
. ./lib.sh

all_links() {
	link_is /dev/dax/by-name/vm-a root:kvm:660
	link_is /dev/pmem/by-name/images nobody:disk:660
	link_is /dev/pmem/by-name/whole root:disk:600
}

if [ "$1" = first ]; then
	expect 0 'apply' daxctl-ext apply --allow-data-loss reboot.json
	all_links
	expect 0 'a file system on images' mkfs.ext4 -q -b 4096 /dev/pmem/by-name/images
	grep . /etc/daxd/state/udev/* | sed 's/^/KEEP /'
	sync
	finish
	exit
fi
udevadm settle
[ ! -e /etc/daxd/state/journal ]
verdict 'nothing of daxd has run' $?
all_links
journalctl -b --no-pager | grep -E '60-daxd|/etc/daxd/state' >"$out"
[ ! -s "$out" ]
verdict 'udev has nothing to complain of' $?
nothing_to_do reboot.json 'after the boot'
mkdir -p /mnt/images
expect 0 'a mount waits for the link' systemd-mount -o dax=always /dev/pmem/by-name/images /mnt/images
systemctl is-active "$(systemd-escape -p --suffix=device /dev/dax/by-name/vm-a)" >"$out"
verdict 'and so do units for the device' $?
finish
