# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=dash
# A configuration with every mode, from a new machine to an empty one again, as its user would.
cd /root/system || exit
. ./lib.sh

device_of() { # VOLUME: its /dev/daxX.Y
	daxctl-ext status | sed -n "s/^  $1 .* \\(dax[0-9]*\\.[0-9]*\\),.*/\\/dev\\/\\1/p"
}

one() { # JSON of a volume: a configuration of it alone
	printf '{ "daxd": 1, "volumes": [ %s ] }\n' "$1" >/run/one.json
}

state >/run/before
expect 3 'labels that were never written need --allow-data-loss' daxctl-ext apply volumes.json
says 'init-labels' 'and that is said'
expect 0 'dry run' daxctl-ext apply --dry-run --allow-data-loss volumes.json
expect 2 'a bad volume beside good ones' daxctl-ext apply --allow-data-loss bad.json
says '/volumes/1/size' 'is located'
state >/run/after
same /run/before /run/after 'none of these has changed anything'

expect 0 'apply' daxctl-ext apply --allow-data-loss volumes.json
nothing_to_do volumes.json 'apply'
expect 0 'apply again' daxctl-ext apply volumes.json
daxctl-ext status >"$out"
for line in 'vm-a .*devdax .*256M .*root:kvm 0660' 'fine .*devdax .*64M .*align 4K' \
	'images .*fsdax .*256M .*nobody:disk' 'spill .*system-ram .*384M .*online movable' \
	'far .*system-ram .*256M .*online movable' 'near .*system-ram .*128M .*online movable' \
	'window .*devdax .*100M .*root:kvm 0660' 'pool .*system-ram .*512M .*offline'; do
	grep -q "$line" "$out"
	verdict "status shows: $line" $?
done
# The kernel's own word for the zone of each block that is online.
cat /sys/devices/system/node/node1/memory*/valid_zones | sort -u >"$out"
[ "$(cat "$out")" = Movable ]
verdict 'blocks of node 1 are in the zone that was asked for' $?

# Links and access, from udev.
no_link() { # LINK
	readlink "$1" >"$out"
	[ ! -L "$1" ]
	verdict "$1 is not there" $?
}
all_links() {
	link_is /dev/dax/by-name/vm-a root:kvm:660
	link_is /dev/dax/by-name/fine root:root:600
	link_is /dev/pmem/by-name/images nobody:disk:660
	link_is /dev/pmem/by-name/whole root:disk:660
	link_is /dev/dax/by-name/window root:kvm:660
	link_is /dev/dax/by-name/rest root:root:600
}
all_links
no_link /dev/dax/by-name/spill
no_link /dev/dax/by-name/far
ls /dev/dax/by-uuid >"$out"
[ "$(wc -l <"$out")" -eq 2 ]
verdict 'each devdax namespace has a link by uuid' $?
[ "$(readlink -f /dev/dax/by-path/hmem.0-0x118000000)" = "$(readlink -f /dev/dax/by-name/window)" ]
verdict 'and a device of a dynamic region one by path' $?
for volume in vm-a window; do
	device=$(basename "$(readlink /dev/dax/by-name/$volume)")
	unit=$(systemd-escape -p --suffix=device /dev/dax/by-name/$volume)
	systemctl is-active "$unit" >"$out"
	verdict "$volume: units may wait for the link" $?
	echo "$device" >/sys/bus/dax/drivers/device_dax/unbind
	udevadm settle
	no_link /dev/dax/by-name/$volume
	expect 3 "$volume: without a driver they wait" systemctl is-active "$unit"
	chmod 0600 "/dev/$device"
	echo "$device" >/sys/bus/dax/drivers/device_dax/bind
	udevadm settle
done
all_links
nothing_to_do volumes.json 'unbind and bind by hand'

daxctl-ext export >/run/export.json 2>/run/notes
nothing_to_do /run/export.json 'export'

# In use: refused, and nothing is lost.
images=/dev/$(daxctl-ext status | sed -n 's/^  images .* \(pmem[0-9.]*\),.*/\1/p')
expect 0 'a file system on images' mkfs.ext4 -q -b 4096 "$images"
mkdir -p /mnt/images
expect 0 'mounts with -o dax' mount -o dax=always "$images" /mnt/images
head -c 1000000 /dev/urandom >/mnt/images/data
cksum </mnt/images/data >/run/sum.before
one '{ "name": "images", "ensure": "absent" }'
expect 2 'destroying a mounted volume is refused' daxctl-ext apply --allow-data-loss /run/one.json
says '/mnt/images' 'and the mount is named'
one '{ "name": "images", "region": { "type": "pmem", "target_node": 3 }, "mode": "fsdax", "size": "128M" }'
expect 2 'so is resizing it' daxctl-ext apply --allow-data-loss /run/one.json
umount /mnt/images
expect 3 'unmounted, it needs --allow-data-loss' daxctl-ext apply /run/one.json
mount -o dax=always "$images" /mnt/images
cksum </mnt/images/data >/run/sum.after
same /run/sum.before /run/sum.after 'its data is as it was'
umount /mnt/images
loop=$(losetup --show -f "$images")
one '{ "name": "images", "ensure": "absent" }'
expect 2 'so is removing what a loop device stands on' \
	daxctl-ext apply --allow-data-loss /run/one.json
says "${loop#/dev/}" 'and the loop device is named'
losetup -d "$loop"
exec 3<"$images"
expect 2 'so is removing an open block device' daxctl-ext apply --allow-data-loss /run/one.json
says "(pid $$)" 'and the process is named'
exec 3<&-
exec 3<"$(device_of window)"
one '{ "name": "window", "ensure": "absent" }'
expect 2 'destroying an open device is refused' daxctl-ext apply --allow-data-loss /run/one.json
says "(pid $$)" 'and the process is named'
exec 3<&-

# Changes in place.
one '{ "name": "rest", "region": { "type": "hmem", "target_node": 1 }, "mode": "devdax", "size": "200M" }'
expect 3 'shrinking a devdax needs --allow-data-loss' daxctl-ext plan /run/one.json
expect 0 'shrink' daxctl-ext apply --allow-data-loss /run/one.json
nothing_to_do /run/one.json 'shrink'
one '{ "name": "window", "region": { "type": "hmem", "target_node": 1 }, "mode": "devdax", "size": "200M" }'
expect 0 'grow into a second range' daxctl-ext apply /run/one.json
nothing_to_do /run/one.json 'grow'
one '{ "name": "near", "region": { "type": "hmem", "target_node": 1 }, "mode": "system-ram", "persist": "kmem", "size": "128M", "online": false }'
expect 0 'memory goes offline' daxctl-ext apply /run/one.json
nothing_to_do /run/one.json 'memory goes offline'
one '{ "name": "far", "region": { "type": "hmem", "target_node": 1 }, "mode": "devdax", "size": "256M" }'
expect 0 'memory becomes a device' daxctl-ext apply /run/one.json
one '{ "name": "far", "region": { "type": "hmem", "target_node": 1 }, "mode": "system-ram", "persist": "kmem", "size": "256M" }'
expect 3 'a device becoming memory loses data' daxctl-ext apply /run/one.json
expect 0 'and may, with --allow-data-loss' daxctl-ext apply --allow-data-loss /run/one.json
nothing_to_do /run/one.json 'memory again'

# Growing at the end of a device makes one range of two, and stays the same volume.
one '{ "name": "tail", "region": { "type": "hmem", "target_node": 1 }, "mode": "devdax", "size": "64M" }'
expect 0 'a volume' daxctl-ext apply /run/one.json
one '{ "name": "tail", "region": { "type": "hmem", "target_node": 1 }, "mode": "devdax", "size": "128M" }'
expect 0 'grows' daxctl-ext apply /run/one.json
nothing_to_do /run/one.json 'grows'
expect 0 'and keeps its name' sh -c 'daxctl-ext status | grep -w tail'
one '{ "name": "tail", "ensure": "absent" }'
expect 0 'and goes' daxctl-ext apply --allow-data-loss /run/one.json

# What another configuration has is not for this one.
one '{ "name": "other", "region": { "type": "hmem", "target_node": 2 }, "mode": "devdax", "size": "256M" }'
expect 2 'a region that another volume has' daxctl-ext apply --allow-data-loss /run/one.json
says '"pool"' 'and that volume is named'
# Another name for the same namespace, and back.
uuid=$(daxctl-ext status --json | sed -n 's/.*"label":"vm-a","uuid":"\([^"]*\)".*/\1/p')
one '{ "name": "vm-z", "uuid": "'"$uuid"'", "region": { "type": "pmem", "target_node": 3 }, "mode": "devdax", "size": "256M" }'
expect 0 'rename' daxctl-ext apply /run/one.json
link_is /dev/dax/by-name/vm-z root:kvm:660
no_link /dev/dax/by-name/vm-a
nothing_to_do /run/one.json 'rename'
daxctl-ext export >/run/export.json 2>/run/notes
nothing_to_do /run/export.json 'export after it'
one '{ "name": "vm-a", "region": { "type": "pmem", "target_node": 3 }, "mode": "devdax", "size": "256M", "group": "kvm", "perm": "0640" }'
expect 0 'and back' daxctl-ext apply /run/one.json
link_is /dev/dax/by-name/vm-a root:kvm:640
no_link /dev/dax/by-name/vm-z
mv /run/udev/control /run/udev/control.away
one '{ "name": "vm-a", "region": { "type": "pmem", "target_node": 3 }, "mode": "devdax", "size": "256M", "group": "kvm", "perm": "0660" }'
expect 1 'without udev' daxctl-ext apply /run/one.json
says 'udev is not running' 'that is said'
mv /run/udev/control.away /run/udev/control
expect 0 'with udev' daxctl-ext apply /run/one.json

# What is known to be missing is found before anything is lost.
one '{ "name": "vm-a", "region": { "type": "pmem", "target_node": 3 }, "mode": "devdax", "size": "128M", "group": "no-such-group" }'
expect 1 'a group that is not there' daxctl-ext apply --allow-data-loss /run/one.json
says 'no-such-group' 'is named'
says 'Not done, because of a step that failed:' 'with the steps before it in the volume'
expect 0 'and nothing was destroyed' sh -c 'daxctl-ext status | grep "  vm-a .* 256M"'
link_is /dev/dax/by-name/vm-a root:kvm:660

# A step that fails takes its volume back, and leaves the others.
mkdir -p /run/udev/rules.d
echo 'SUBSYSTEM=="dax", MODE:="0604"' >/run/udev/rules.d/99-other.rules
udevadm control --reload
ls /etc/daxd/state/udev >/run/files.before
cat >/run/one.json <<-'EOF'
	{ "daxd": 1, "volumes": [
	  { "name": "bad", "region": { "type": "pmem", "target_node": 5 }, "mode": "devdax",
	    "size": "64M", "perm": "0640" } ] }
EOF
expect 1 'another rule of udev' daxctl-ext apply --allow-data-loss /run/one.json
says '0604' 'is seen'
expect 0 'status' daxctl-ext status
says_not '  bad ' 'its namespace is taken back'
ls /etc/daxd/state/udev >/run/files.after
same /run/files.before /run/files.after 'and its properties'
no_link /dev/dax/by-name/bad
rm /run/udev/rules.d/99-other.rules
udevadm control --reload

# A worker that was killed in the middle of a bind has left a policy that is not its own.
policy=/sys/devices/system/memory/auto_online_blocks
echo online_movable >/run/daxd/auto_online_blocks
one '{ "name": "rest", "ensure": "absent" }'
expect 0 'the next apply' daxctl-ext apply --allow-data-loss /run/one.json
grep -qx online_movable $policy
verdict 'puts the policy for new memory back' $?
[ ! -e /run/daxd/auto_online_blocks ]
verdict 'and only once' $?
echo offline >$policy

# Nor does a region stay disabled when one was killed while it wrote labels.
region=$(daxctl-ext status | sed -n 's/^\(region[0-9]*\) .*labels valid.*/\1/p' | tail -n 1)
path=$(readlink -f "/sys/bus/nd/devices/$region")
ndctl disable-region "$region" >"$out" 2>&1
printf '%s' "${path#/sys/devices}" >/run/daxd/disabled-region
one '{ "name": "rest", "ensure": "absent" }'
expect 0 'another apply' daxctl-ext apply --allow-data-loss /run/one.json
[ -e "/sys/bus/nd/devices/$region/driver" ] && [ ! -e /run/daxd/disabled-region ]
verdict 'brings the region back' $?

# Who may, and when.
expect 4 'nobody may apply' setpriv --reuid=65534 --regid=65534 --clear-groups \
	daxctl-ext apply volumes.json
flock -x /run/daxd/lock sleep 100 &
holder=$!
until ! flock -n /run/daxd/lock true; do :; done
one '{ "name": "window", "ensure": "absent" }'
expect 5 'a second apply at the same time' daxctl-ext apply --allow-data-loss /run/one.json
kill "$holder"
pkill -f 'sleep 100'
wait "$holder" 2>/dev/null

expect 0 'remove all' daxctl-ext apply --allow-data-loss absent.json
nothing_to_do absent.json 'remove all'
expect 0 'status' daxctl-ext status
for volume in vm-a fine images spill far near window rest pool; do
	says_not "  $volume " "$volume has gone"
done
udevadm settle
ls -d /dev/dax/by-name /dev/pmem/by-name/* /etc/daxd/state/udev/* >"$out" 2>&1
[ "$(ls /etc/daxd/state/udev)" = "$(grep -h . /sys/bus/nd/devices/pfn*/uuid)" ] &&
	[ ! -d /dev/dax/by-name ]
verdict 'no link or properties but of whole, which stays' $?
expect 0 'and all again' daxctl-ext apply --allow-data-loss volumes.json
nothing_to_do volumes.json 'all again'
# What another program made is shown, kept, and goes when it is named by its uuid.
region=$(daxctl-ext status | sed -n 's/^\(region[0-9]*\) .*/\1/p' | head -n 1)
for mode in sector raw; do
	expect 0 "ndctl makes mode $mode" ndctl create-namespace -r "$region" -m $mode -s 64M
	uuid=$(sed -n 's/.*"uuid":"\([^"]*\)".*/\1/p' "$out")
	expect 0 'status' daxctl-ext status
	says " $mode " "shows mode $mode"
	nothing_to_do volumes.json "beside mode $mode"
	one "{ \"name\": \"theirs\", \"ensure\": \"absent\", \"uuid\": \"$uuid\" }"
	expect 3 "mode $mode is data" daxctl-ext apply /run/one.json
	expect 0 "mode $mode goes" daxctl-ext apply --allow-data-loss /run/one.json
	expect 0 'status' daxctl-ext status
	says_not " $mode " "mode $mode is gone"
done

expect 0 'ndctl makes mode devdax' ndctl create-namespace -r "$region" -m devdax -s 256M
uuid=$(sed -n 's/.*"uuid":"\([^"]*\)".*/\1/p' "$out")
theirs() { # REST: a volume of that namespace
	one "{ \"name\": \"theirs\", \"region\": { \"type\": \"pmem\" }, \"uuid\": \"$uuid\", \"size\": \"256M\", $1 }"
}
theirs '"mode": "devdax"'
expect 2 'the uuid of an info block does not last' daxctl-ext plan /run/one.json
uuid=$(sed -n 's/.*did you intend "\([-0-9a-f]*\)".*/\1/p' "$out")
theirs '"mode": "devdax"'
expect 0 'a foreign device gets a link' daxctl-ext apply /run/one.json
link_is /dev/dax/by-name/theirs root:root:600
nothing_to_do /run/one.json 'a foreign device as it is'
theirs '"mode": "devdax", "enabled": false'
expect 0 'it is disabled' daxctl-ext apply /run/one.json
nothing_to_do /run/one.json 'it is disabled'
theirs '"mode": "system-ram", "persist": "kmem"'
expect 3 'as memory it loses its data' daxctl-ext apply /run/one.json
expect 0 'and may' daxctl-ext apply --allow-data-loss /run/one.json
nothing_to_do /run/one.json 'as memory'
theirs '"mode": "devdax"'
expect 0 'memory has no data to lose' daxctl-ext apply /run/one.json
nothing_to_do /run/one.json 'as a device again'
one "{ \"name\": \"theirs\", \"ensure\": \"absent\", \"uuid\": \"$uuid\" }"
expect 0 'and it goes' daxctl-ext apply --allow-data-loss /run/one.json

# Zone normal comes last: the kernel may keep such memory until the next boot.
one '{ "name": "pool", "region": { "type": "hmem", "target_node": 2 }, "mode": "system-ram", "persist": "kmem", "size": "all", "zone": "normal" }'
expect 0 'zone normal' daxctl-ext apply /run/one.json
nothing_to_do /run/one.json 'zone normal'
cat /sys/devices/system/node/node2/memory*/valid_zones | sort -u >"$out"
[ "$(cat "$out")" = Normal ]
verdict 'blocks of node 2 are in zone normal' $?
finish
