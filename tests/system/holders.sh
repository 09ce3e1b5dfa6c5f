#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# holders.sh: device verbs and those who use the device: refused, waited for, and what --force
# takes from whom.
cd /root/system || exit
. ./lib.sh
run=/run/holders
mkdir -p $run
daxctl-ext destroy-device -f -r 0 all >/dev/null 2>&1

make() { # SIZE [OPTION...]: a device of ours; its name is in $made
	size=$1
	shift
	daxctl-ext create-device -r 0 -s "$size" "$@" >$run/made 2>>$run/noise
	made=$(sed -n 's/.*"chardev":"\(.*\)",/\1/p' $run/made)
}

driver_of() { # DEVICE
	basename "$(readlink "/sys/bus/dax/devices/$1/driver")"
}

refused() { # CALL...: by the holder's name
	expect 2 "$* is refused" daxctl-ext "$@"
	says "pid $holder" "$*: says by whom"
}

# Open: a bare --force takes it away, but nothing is bound to it again meanwhile.
make 256M --name used
# It ends with the boot, and what is in its place then is to have neither its name nor its access.
[ -n "$(ls /run/daxd/udev)" ] && [ -z "$(ls /etc/daxd/state/udev 2>/dev/null)" ]
verdict 'what udev is told of it ends with the boot, too' $?
hold open "/dev/$made"
refused disable-device used
refused reconfigure-device -m system-ram used
refused reconfigure-device -s 128M -f used
refused reconfigure-device -a 4096 -f used
[ "$(driver_of "$made")" = device_dax ]
verdict 'it has its driver' $?
expect 0 'by force it is disabled' daxctl-ext disable-device -f used
refused enable-device used
refused reconfigure-device -m devdax -f used
release
expect 0 'once it is closed it is enabled' daxctl-ext enable-device used
expect 0 'and can be opened' sh -c ": <'/dev/$made'"
hold open "/dev/$made"
expect 0 'by force it becomes memory' daxctl-ext reconfigure-device -m system-ram -N -f used
refused reconfigure-device -m devdax -f used
release
expect 0 'once it is closed it is a device' daxctl-ext reconfigure-device -m devdax -f used
hold open "/dev/$made"
expect 2 'not destroyed without force' daxctl-ext destroy-device used
daxctl-ext destroy-device -f --wait=60 used >"$out" 2>&1 &
waiting=$!
sleep 1
[ "$(driver_of "$made")" = device_dax ]
verdict 'force waits for who has it open' $?
release
wait $waiting
verdict 'and destroys it once it is closed' $?
make 256M --name used
hold open "/dev/$made"
expect 0 'or when the time is over' daxctl-ext destroy-device -f --wait=1 used
[ -d /proc/$holder ] && [ ! -e "/sys/bus/dax/devices/$made/driver" ]
verdict 'from who still has it open' $?
release
make 256M --name used
hold open "/dev/$made"
expect 0 'destroyed by force' daxctl-ext destroy-device -f used
release

# Mapped: never, from wherever the node was opened, with no descriptor left.
make 256M --name used
mknod /root/node c $(sed 's/:/ /' "/sys/bus/dax/devices/$made/dev")
hold map /root/node
for call in disable-device destroy-device 'reconfigure-device -m system-ram' \
	'reconfigure-device -s 128M'; do
	# shellcheck disable=SC2086 # a list of words
	refused $call -f used
	says 'mapped' "$call: says that it is mapped"
done
expect 0 'who' daxctl-ext who used
says "pid $holder, has it mapped" 'who says so, too'
kill -USR1 $holder
sleep 0.2
kill -0 $holder
verdict 'what is mapped can be written still' $?
# The kernel does it without asking.
echo "$made" >/sys/bus/dax/drivers/device_dax/unbind
kill -USR1 $holder
wait $holder
[ $? -gt 128 ]
verdict 'unbinding by hand kills who has it mapped' $?
expect 0 'enable' daxctl-ext enable-device used

# Waiting: for descriptors, processes, and no longer than that.
hold open "/dev/$made"
expect 2 'waiting a second' daxctl-ext disable-device --wait=1 used
says 'in use by process hold' 'says who still has it'
says '--wait=1' 'says that it waited'
daxctl-ext disable-device --wait=60 used >"$out" 2>&1 &
waiting=$!
sleep 1
release
wait $waiting
verdict 'waits until it is closed' $?
says 'Waiting for those who use it: used by hold (pid' 'says for whom'
says 'disabled 1 device' 'then goes on'
expect 0 'enable' daxctl-ext enable-device used
hold map "/dev/$made"
(sleep 2 && kill $holder) &
expect 0 'waits for what is mapped' daxctl-ext destroy-device -f --wait=60 used
says 'destroyed 1 device' 'and destroys it'

# File systems, swap, device-mapper.
region=$(daxctl-ext status | awk '$2 == "pmem" && $3 == "2G" { print $1; exit }')
expect 0 'a block device' daxctl-ext create-device -r "$region" -s 256M --name fs -m fsdax \
	--allow-data-loss
disk=/dev/pmem/by-name/fs
leaves() { # WORD COMMAND...: who keeps it goes a second later
	word=$1
	shift
	expect 2 "$word: refused" daxctl-ext destroy-device -f fs
	says "$word" "$word: said"
	expect 2 "$word: a second is not enough" daxctl-ext destroy-device -f --wait=1 fs
	(sleep 1 && "$@") &
	expect 0 "$word: waited for" daxctl-ext destroy-device -f --wait=60 fs
	expect 0 "$word: another" daxctl-ext create-device -r "$region" -s 256M --name fs -m fsdax
}
mkfs.ext4 -q $disk >>$run/noise 2>&1
mkdir -p $run/mnt
mount $disk $run/mnt
leaves mount umount $run/mnt
mkswap $disk >>$run/noise 2>&1
swapon $disk
leaves swap swapoff $disk
dmsetup create held --table "0 2048 linear $disk 0"
leaves dm-0 dmsetup remove held
dmsetup create tower --table "0 131072 linear $disk 0"
mkfs.ext4 -q /dev/mapper/tower >>$run/noise 2>&1
mount /dev/mapper/tower $run/mnt
expect 0 'who is on top of it' daxctl-ext who fs
says 'device-mapper tower on top of it' 'the mapping has its name'
says "$run/mnt" 'and what is mounted on it is found'
umount $run/mnt
dmsetup remove tower
# A service does not see what is below /home, nor anybody a mount in a namespace of its own.
mkfs.ext4 -q $disk >>$run/noise 2>&1
mkdir -p /home/db
mount $disk /home/db
[ -z "${OVER_BUS-}" ] || systemctl restart daxd
expect 2 'mounted below /home' daxctl-ext destroy-device -f fs
says '/home/db' 'says where'
umount /home/db
unshare -m --propagation private sh -c "mount $disk $run/mnt && exec sleep 600" &
apart=$!
in_time grep -q "$run/mnt" /proc/$apart/mountinfo
verdict 'mounted in a namespace of its own' $?
expect 1 'is refused by the kernel' daxctl-ext destroy-device -f fs
says 'nothing that can be seen tells by whom' 'and that is all there is to say'
kill $apart
wait $apart
expect 0 'it goes' daxctl-ext destroy-device -f fs

# Memory that cannot be moved: no longer than is allowed, and put back.
make 384M --name ram -m system-ram
node=$(cat "/sys/bus/dax/devices/$made/target_node")
hold pin "$node"
expect 1 'memory that is pinned' daxctl-ext offline-memory --limit-time 2 ram
says 'did not go offline within 2 seconds' 'says so'
expect 0 'list' daxctl-ext list -d "$made"
says '"online_memblocks":3' 'what was taken is back'
says '"movable":true' 'where it was'
expect 1 'nor by force' daxctl-ext destroy-device -f --limit-time 2 ram
[ "$(driver_of "$made")" = kmem ]
verdict 'no memory is lost' $?
release
expect 0 'then it goes' daxctl-ext destroy-device -f --limit-time 60 ram
finish
