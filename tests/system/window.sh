# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=dash
# window.sh first: windows on a devdax volume, used by two programs; print what a disk would keep.
# window.sh again: after a boot they are there, with what was written.
# window.sh cut N [first]: cut the power at the Nth moment of writing a table; what the cut before has
# left, which there is none of at the first, is the old table or the new.  0 is the last: there is
# no cut.
# window.sh all: also who may have them, what is refused while they are in use, and the traps of the
# kernel.  Descriptions and descriptors are daxd's, so the daemon runs.
cd /root/system || exit
. ./lib.sh
node=$(readlink -f /dev/dax/by-name/windows 2>/dev/null)

user() { # NAME WHAT...: as root
	./window-user "$@"
}

as() { # USER COMMAND...: with the groups of the account
	setpriv --reuid="$1" --regid="$(id -g "$1")" --init-groups "$(readlink -f "$2")" "$3" "$4" \
		${5+"$5"}
}

# With the table of a change: the configuration with other words instead of some.
changed() { # SED-SCRIPT
	sed "$1" window.json >/run/changed.json
}

described() { # NAME...: these and no others, as daxd has it
	ls /run/daxd/windows >"$out" 2>&1
	printf '%s.json\n' "$@" | cmp -s - "$out"
}

link_leads() { # NAME
	[ "$(readlink -f "/dev/dax/by-partlabel/$1")" = "$node" ]
	verdict "a link for $1" $?
}

# Somebody who holds something, until released.
hold_window() { # WINDOW-USER-ARGUMENT...
	./window-user "$@" >/run/held &
	holder=$!
	in_time grep -q holding /run/held
	verdict "$* is in use" $?
}

refused_in_use() { # NAME
	expect 2 "$1: refused" daxctl-ext apply --allow-data-loss /run/changed.json
	says 'in use by process window-user' "$1: says by whom"
}

start_daemon() {
	mkdir -p /etc/daxd
	cp "$1" /etc/daxd/window.json
	systemctl start daxd
}

# The configuration with another window, and without.
more='{ "name": "more", "size": "8M" }'
changed "/\"spare\"/s/16M\" }/16M\" }, $more/"
cp /run/changed.json /run/new.json
changed '/"spare"/s/16M" }/16M" }, { "name": "more", "ensure": "absent" }/'
cp /run/changed.json /run/old.json

old_or_new() { # NAME
	expect 0 "$1: look" "$DAXD_WORKER" scan
	grep -qE '"kind":"(gpt|backup-only)"' "$out" && grep -q '"name":"index"' "$out" &&
		grep -q '"name":"spare"' "$out"
	verdict "$1: the old table or the new" $?
	expect 0 "$1: apply again" daxctl-ext apply /run/new.json
	nothing_to_do /run/new.json "$1"
}

if [ "$1" = cut ]; then
	if [ "${3-}" != first ]; then
		udevadm settle
		link_leads index
		old_or_new 'after a power cut'
	fi
	expect 0 'from the old table' daxctl-ext apply --allow-data-loss /run/old.json
	grep . /etc/daxd/state/udev/* | sed 's/^/KEEP /'
	sync
	healthy 'before the cut'
	echo "$passed passed, $failed failed"
	[ "$2" -eq 0 ] || DAXD_CRASH_AT=$2 DAXD_CRASH_HOW=power daxctl-ext apply /run/new.json
	[ "$failed" -eq 0 ]
	exit
fi

if [ "$1" = again ]; then
	udevadm settle
	link_leads journal
	link_leads index
	start_daemon window.json
	in_time described index journal spare
	verdict 'daxd describes each window' $?
	expect 0 'the journal is there after a boot' user journal read
	says 'written to the journal' 'with what was written'
	expect 0 'the index, too' user index read
	says 'written to the index' 'with what was written'
	nothing_to_do window.json 'after the boot'
	finish
	exit
fi

# What is missing is known before anything is destroyed or made.
state >/run/before
mv /usr/lib/libpmem2.so.1 /run/
expect 1 'without libpmem2' daxctl-ext apply --allow-data-loss window.json
says 'Cannot load libpmem2.so.1' 'it is told'
says 'on Debian libpmem2.' 'and what to install'
mv /run/libpmem2.so.1 /usr/lib/
changed 's/"group": "kvm"/"group": "nobodys"/'
expect 1 'a window for a group that is not there' \
	daxctl-ext apply --allow-data-loss /run/changed.json
says 'Partition "journal": This host has no group "nobodys"' 'is told with its name'
says '"groupadd nobodys" makes it' 'and how to make it'
state >/run/after
same /run/before /run/after 'nothing was done'

expect 0 'apply' daxctl-ext apply --allow-data-loss window.json
nothing_to_do window.json 'windows'
daxctl-ext export >/run/export.json 2>/run/notes
grep -c '"start"' /run/export.json >"$out"
says 3 'export has the windows'
only_names /run/export.json 'export'
node=$(readlink -f /dev/dax/by-name/windows)
for name in journal index spare; do
	link_leads $name
done
start_daemon window.json
in_time described index journal spare
verdict 'daxd describes each window' $?
cat /run/daxd/windows/index.json >"$out"
says '"target_node": 3' 'with its node'
[ -z "$(tail -c 1 "$out")" ]
verdict 'in whole lines' $?
expect 0 'one program writes to the journal' user journal write 'written to the journal'
expect 0 'another to the index' user index write 'written to the index'
expect 0 'the first reads' user journal read
says 'written to the journal' 'what it wrote'
expect 0 'the second reads' user index read
says 'written to the index' 'what it wrote'
sed -i '/"target_node"/d; s/\("device_uuid": ".*"\),/\1/' /run/daxd/windows/index.json
expect 0 'what an older daxd has described is read' user index read
if [ "$1" = first ]; then
	grep . /etc/daxd/state/udev/* | sed 's/^/KEEP /'
	sync
	finish
	exit
fi

expect 0 'nobody leaves a window' user spare beyond
cat >/run/want <<'WANT'
the end: -34
over the end: -34
wraps: -34
misaligned: -22
the last page: 0
persist beyond: -34
persist all: 0
unmap another: -22
unmap: 0
WANT
cp "$out" /run/have
same /run/want /run/have 'beyond the end is -ERANGE, within a page -EINVAL'
expect 1 'no window' user nothing read
says 'This host has no window "nothing"' 'is told'
expect 1 'no name' user ../daxd read
says 'is no name of a window' 'is told'

# --- by verbs, beside what is configured
expect 0 'add a window' daxctl-ext part add windows --name extra --size 4M --json
[ "$(wc -l <"$out")" -eq 1 ] && grep -q '"table":"gpt".*"name":"extra"' "$out"
verdict 'which one document tells' $?
expect 0 'take it away' daxctl-ext part delete windows --name extra
expect 2 'a configured one stays' daxctl-ext part delete windows --name journal
says '/etc/daxd/window.json, /volumes/0/partitions/0, and would be made again' 'and says where'
expect 2 'nor has it another size' daxctl-ext part resize windows --name journal --size 60M
says '/volumes/0/partitions/0, with another "size"' 'and says where, too'

sed 's/"name": "windows"/"name": "others"/; s/"journal"/"more"/' window.json >/run/changed.json
expect 2 'no other device gets a window of that name' daxctl-ext apply /run/changed.json
says '/volumes/0/partitions/1/name' 'says which'
says 'of volume "windows" has a window "index" already' 'and who has it'

# --- who may
usermod -a -G kvm tester 2>/dev/null || sed -i 's/^kvm:.*/&tester/' /etc/group
chmod o+x /root /root/system
expect 0 'a member of the group' as tester ./window-user journal read
says 'written to the journal' 'reads the journal through daxd'
expect 0 'a member of the group' as tester ./window-user journal write 'by tester'
expect 1 'but not the index' as tester ./window-user index read
says 'is not for you' 'which is told'
expect 0 'whose the node is' as daemon ./window-user index read
says 'written to the index' 'reads the index without daxd'
expect 1 'somebody else' as nobody ./window-user journal read
says 'is not for you' 'is refused'

# --- in use
changed '/"journal"/d'
expect 0 'without a key nothing goes' daxctl-ext apply --allow-data-loss /run/changed.json
changed '/"journal"/s/"size".*}/"ensure": "absent" }/'
hold_window journal hold
refused_in_use 'removing a window that is mapped'
changed '/"journal"/s/32M/16M/'
refused_in_use 'shrinking it'
changed '/"spare"/s/16M" }/16M" }, { "name": "more", "size": "8M" }/'
expect 0 'another window beside it' daxctl-ext apply /run/changed.json
in_time described index journal more spare
verdict 'which daxd describes' $?
release
hold_window "$node" map 4194304 4194304
changed '/"journal"/s/"size".*}/"ensure": "absent" }/'
refused_in_use 'removing what is mapped, though closed'
release
# Before daxd is told, it would have the window made again.
cp /run/changed.json /etc/daxd/window.json
systemctl reload daxd
expect 0 'removing it when it is idle' daxctl-ext apply --allow-data-loss /run/changed.json
in_time described index more spare
verdict 'its description is gone' $?
[ ! -e /dev/dax/by-partlabel/journal ]
verdict 'and so is its link' $?
expect 0 'the others are as they were' user index read
says 'written to the index' 'with their contents'
systemctl stop daxd

# --- a description that is older than its device
expect 0 'remove the volume' daxctl-ext apply --allow-data-loss absent-windows.json
expect 1 'the device has gone' user index read
says 'This host has no window "index"' 'and its description with it'
# In its sandbox, and on a node that is not root's.
start_daemon window.json
in_time described index journal spare
verdict 'daxd makes it anew' $?
expect 0 'it can be used' user index read
systemctl stop daxd
sed -i 's/"device_uuid": ".*"/"device_uuid": "00000000-0000-4000-8000-000000000000"/' \
	/run/daxd/windows/index.json
expect 1 'the device is another' user index read
says 'belongs to another namespace' 'which is told'

# --- what the kernel lets anybody do, and cannot take back; not by way of daxd
expect 0 'a device of its own' daxctl-ext apply --allow-data-loss trap.json
trap_node=$(readlink -f /dev/dax/by-name/trap)
hold_window "$trap_node" fd
echo "${trap_node#/dev/}" >/sys/bus/dax/drivers/device_dax/unbind
expect 2 'binding what was open when it was unbound: refused' daxctl-ext apply trap.json
says 'window-user' 'it says who has it open'
# A plan that was made before he opened it is stale: the worker looks, too.
daxctl-ext status --json | sed 's/"holders": *\[[^]]*\]/"holders": []/' >/run/unheld.json
daxctl-ext plan --json --topology /run/unheld.json trap.json >/run/late.json 2>"$out"
/usr/libexec/daxd/daxd-worker apply </run/late.json >"$out" 2>&1
grep -q '"outcome":"stale"' "$out"
verdict 'nor by a plan that does not know it' $?
# Nor is it bound when he is not seen before the step: that looks once more.
echo '{"daxd":1,"volumes":[{"name":"trap","ensure":"absent","ignore_open":true}]}' >/run/knows.json
holders=$(daxctl-ext plan --json /run/knows.json 2>/dev/null | sed -n 's/.*"holders": *"\([0-9a-f]*\)".*/\1/p')
sed -i "s/\"holders\": *\"[0-9a-f]*\"/\"holders\":\"$holders\"/" /run/late.json
/usr/libexec/daxd/daxd-worker apply </run/late.json >"$out" 2>&1
grep -q 'would break it for good' "$out"
verdict 'nor when he is seen only by the step' $?
release
expect 0 'binding it once it is closed' daxctl-ext apply trap.json
healthy 'a descriptor kept over a bind'
sed 's/128M/256M/' trap.json >/run/changed.json
hold_window "$trap_node" map 0 2097152
expect 2 'ranges for a device that is bound and mapped: refused' \
	daxctl-ext apply --allow-data-loss /run/changed.json
says 'window-user' 'it says by whom'
release
expect 0 'once it is idle it is unbound, grown, and bound' \
	daxctl-ext apply --allow-data-loss /run/changed.json
hold_window "$(readlink -f /dev/dax/by-name/trap)" map 0 268435456
release
healthy 'ranges for a bound device'
sed 's/"size": "128M"/"ranges": [ "0x140100000-0x1480fffff" ]/' trap.json >/run/changed.json
expect 2 'a start within a page: refused' daxctl-ext apply --allow-data-loss /run/changed.json
says 'multiple' 'it says why'
healthy 'a misaligned start'

# --- without daxd, which describes windows, and without what is kept about the device
systemctl mask --runtime --now daxd >/dev/null 2>&1
rm /etc/daxd/window.json
expect 0 'without daxd: as it was' daxctl-ext apply --allow-data-loss window.json
expect 0 'without daxd: a window goes' daxctl-ext part delete --name index windows
expect 1 'and nobody finds it any more' user index read
says 'This host has no window "index"' 'is told'
expect 0 'the others stay' user journal read
expect 0 'it is made again' daxctl-ext apply window.json
mkdir /run/lost
mv /etc/daxd/state/udev/*.windows /run/lost/
expect 1 'a table that nobody knows of is not written over' \
	daxctl-ext part add --allow-data-loss --name more --size 8M windows
says 'that was not known of' 'is told'
nothing_to_do window.json 'from then on it is known'
expect 0 'and can be changed' daxctl-ext part add --name more --size 8M windows
node=$(readlink -f /dev/dax/by-name/windows)
link_leads journal
systemctl unmask --runtime daxd >/dev/null 2>&1
systemctl start daxd

# --- SIGKILL at each record of the journal, and at each write of the table
at=1
while :; do
	expect 0 "crash $at: from the old table" daxctl-ext apply --allow-data-loss /run/old.json
	DAXD_CRASH_AT=$at DAXD_CRASH_HOW=kill daxctl-ext apply /run/new.json >"$out" 2>&1 && break
	says 'killed by signal 9' "crash $at: the death of the worker is told"
	old_or_new "crash $at"
	at=$((at + 1))
done
[ "$at" -gt 5 ]
verdict 'there were moments to be killed at' $?
finish
