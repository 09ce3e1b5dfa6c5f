# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=dash
# list.sh EVERY [none]: daxctl-ext list beside daxctl list, each EVERYth call of list.table in
# each state of the machine; none: a machine without devices.
#
# With --compat, output and exit status are daxctl's, byte for byte.  Without it, here from a
# saved topology and without privileges, the lines are the same in another order, and the exit
# status is 2 when what was asked for is not listed.
cd /root/system || exit
. ./lib.sh
every=$1
run=/run/list
mkdir -p $run
chmod 755 $run

# Commas depend on the order; so do the brackets around nothing.
lines() {
	sed 's/,$//' "$1" | sort
}

# Does a call ask for a region or device by name that is not there, or not to be shown?
unlisted() { # ARGUMENT...
	region='' device='' regions='' devices=''
	while [ $# -gt 0 ]; do
		case $1 in
		-r | -d | --dev)
			[ "$1" != -r ] || region=$2
			[ "$1" = -r ] || device=$2
			shift
			;;
		--region=*) region=${1#*=} ;;
		--devices | -D | -RD*) devices=yes ;;
		-R) regions=yes ;;
		esac
		shift
	done
	case " all $ids " in
	*" ${region#region} "*) ;;
	*) [ -z "$region" ] || return 0 ;;
	esac
	case $device in '' | all) return 1 ;; esac
	[ -z "$regions" ] || [ -n "$devices" ] || return 1
	! grep -q chardev $run/daxctl
}

# Comparing files by cmp first costs one program where most are equal; an emulated machine
# takes 20 to 100 ms for each.
compare() { # ARGUMENTS
	# shellcheck disable=SC2086 # a list of words
	{
		daxctl list $1 >$run/daxctl 2>$run/daxctl.errors
		theirs=$?
		daxctl-ext list --compat $1 >$run/compat 2>$run/errors
		compat=$?
		setpriv --reuid=65534 --regid=65534 --clear-groups \
			daxctl-ext list --topology $run/topology $1 >$run/ours 2>>$run/errors
		ours=$?
		want=0
		! unlisted $1 || want=2
	}
	: >"${out:?}"
	cmp -s $run/daxctl $run/compat || diff -u $run/daxctl $run/compat >>"$out"
	cmp -s $run/daxctl $run/ours || {
		lines $run/daxctl >$run/a
		lines $run/ours >$run/b
		cmp -s $run/a $run/b || diff -u $run/a $run/b >>"$out"
	}
	[ $theirs -eq $compat ] || echo "exit $compat with --compat, daxctl: $theirs" >>"$out"
	[ $ours -eq $want ] || echo "exit $ours, not $want" >>"$out"
	[ ! -s "$out" ]
	verdict "$state: list $1" $?
	cat $run/daxctl >>$run/everything
}

calls=0 seen=0
table() { # NAME-OF-THE-STATE
	state=$1
	echo "list: $state: $(daxctl list -i | grep -c chardev) devices"
	ids=$(daxctl list -R | sed -n 's/.*"id":\([0-9]*\).*/\1/p' | tr '\n' ' ')
	daxctl-ext status --json >$run/topology
	while IFS= read -r call; do
		case $call in '#'*) continue ;; esac
		seen=$((seen + 1))
		[ $((seen % every)) -eq 0 ] || continue
		compare "$call" </dev/null
		calls=$((calls + 1))
	done <list.table
}

do_it() { # COMMAND...: part of making a state
	expect 0 "$*" "$@"
}

summary() {
	echo "list: $calls calls compared, $(wc -c <$run/everything) bytes of daxctl's"
	finish
	exit
}

if [ "${2-}" = none ]; then
	table 'no devices at all'
	summary
fi

# Kernels differ in what they make of hmem at boot.
for device in dax0.0 dax1.0; do
	daxctl list -d $device | grep -q system-ram ||
		do_it daxctl reconfigure-device -m system-ram -N $device
done
table 'memory, offline'
do_it daxctl online-memory dax0.0
table 'memory, online and movable'
block=$(cat /sys/bus/dax/devices/dax0.0/resource)
block=$((block / 0x$(cat /sys/devices/system/memory/block_size_bytes)))
do_it sh -c "echo offline >/sys/devices/system/memory/memory$block/state"
table 'memory, partly online'
do_it daxctl offline-memory dax0.0
do_it daxctl reconfigure-device -m devdax dax0.0
table 'devdax'
do_it daxctl disable-device dax0.0
table 'disabled'
# Before version 81 it says EBUSY when dax0.0, which the kernel keeps, has lost its size.
daxctl destroy-device dax0.0 >/dev/null 2>&1
table 'a seed without size'

for i in 1 2 3 4 5 6 7 8 9 10 11 12; do
	daxctl create-device -r 0 -s 32M >/dev/null 2>&1
done
table 'twelve devices'
for i in 2 4 6 8; do
	do_it daxctl destroy-device -f dax0.$i
done
do_it daxctl create-device -r 0 -s 100M -a 4096
do_it daxctl create-device -r 0 -s 200M -a 4096
table 'several ranges, 4K and 2M'
expect 0 'there is a device of several ranges' \
	sh -c 'daxctl-ext list -M -u | grep -A 1 "^ *},$" | grep -q "^      {"'

do_it daxctl-ext apply --allow-data-loss list.json
table 'pmem: devdax, 4K and 2M, memory, fsdax'
vm_a=$(daxctl-ext status | sed -n 's/^  vm-a .* \(dax[0-9]*\.[0-9]*\),.*/\1/p')
do_it daxctl disable-device "$vm_a"
table 'pmem: disabled'
do_it daxctl enable-device "$vm_a"
table 'pmem: enabled again'

# What is in zone normal the kernel may keep until the next boot: dax1.0 stays as it is.
do_it daxctl online-memory --no-movable dax1.0
table 'memory, online in zone normal'

# Where daxctl is wrong, and daxctl-ext does not follow: it takes a device for one range, and
# looks for the memory blocks of the second right after the first, where others' are.
daxctl-ext list -D -r 0 | sed -n 's/.*"chardev":"\(.*\)",/\1/p' >$run/all
while read -r device; do
	daxctl destroy-device -f "$device" >/dev/null 2>&1
done <$run/all
for i in 1 2 3 4 5 6 7 8; do
	do_it daxctl create-device -r 0 -s 128M
done
daxctl list -D -r 0 | sed -n 's/.*"chardev":"\(.*\)",/\1/p' | sort -V >$run/all
do_it daxctl destroy-device -f "$(sed -n 1p $run/all)"
do_it daxctl destroy-device -f "$(sed -n 3p $run/all)"
do_it daxctl create-device -r 0 -s 256M
split=$(daxctl-ext list -r 0 -D | sed -n '/chardev/{s/.*:"\(.*\)",/\1/;h};/"size":268435456/{x;p}')
do_it daxctl reconfigure-device -m system-ram -N "$split"
expect 0 'a device of two ranges' daxctl-ext list -d "$split" -M
[ "$(grep -c page_offset "$out")" -eq 2 ]
verdict 'has two' $?
says '"total_memblocks":2' 'and the blocks of both'
echo "list: daxctl has $(daxctl list -d "$split" | grep total) of two"

# Who uses it.
expect 0 'who, of memory' daxctl-ext who dax1.0
says 'zone normal; may hold' 'tells the zone and what that means'
exec 3<"/dev/$vm_a"
expect 0 'who, of an open device' daxctl-ext who vm-a
says "pid $$," 'names the process'
expect 0 'status' daxctl-ext status
says "pid $$" 'names it, too'
exec 3<&-
expect 0 'who, of a device nobody has' daxctl-ext who "/dev/$vm_a"
says 'nobody uses it' 'says so'
images=/dev/$(daxctl-ext status --columns name,node | sed -n 's,^  images *.*/\(pmem[0-9.]*\)$,\1,p')
mkfs.ext4 -q -b 4096 "$images" && mkdir -p /mnt/images && mount "$images" /mnt/images
expect 0 'who, of a mounted namespace' daxctl-ext who images
says '/mnt/images' 'names the mount'
umount /mnt/images
mkswap "$images" >/dev/null && swapon "$images"
expect 0 'who, of swap' daxctl-ext who images
says 'swap' 'says so'
swapoff "$images"
loop=$(losetup --show -f "$images")
expect 0 'who, below a loop device' daxctl-ext who images --json
says "${loop#/dev/}" 'names it'
losetup -d "$loop"
expect 2 'who, of nothing' daxctl-ext who nothing
expect 0 'map' daxctl-ext map
says 'vm-a' 'draws a volume'
expect 0 'map as SVG' sh -c 'daxctl-ext map --svg | tail -n 1'
says '</svg>' 'is a whole document'
summary
