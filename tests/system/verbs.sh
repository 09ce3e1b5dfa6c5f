#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# verbs.sh: the device verbs beside daxctl's, from the same state, call by call (verbs.table);
# then what daxctl does not do: who is in use is refused, waited for, all ranges, all devices.
cd /root/system || exit
. ./lib.sh
run=/run/verbs
mkdir -p $run
dynamic() {
	daxctl-ext list -D -r "$1" | sed -n 's/.*"chardev":"\(.*\)",/\1/p'
}

empty() { # REGION
	for device in $(dynamic "$1"); do
		daxctl-ext destroy-device -f "$device" >/dev/null 2>>$run/noise || return
	done
}

# Devices have numbers by what was there before: @1 is the first that the state made.
names() { # WORDS: with names for @N
	sed -f $run/to-names <<-END
		$1
	END
}

# Words that make a state, each from the one before.  It fails when one of them does: with no state
# before a call two programs are easily of one mind.
state() { # WORD...
	: >$run/to-names
	: >$run/to-numbers
	empty 0 || return
	n=0
	for word; do
		word=$(names "$word")
		case $word in
		make=*)
			daxctl create-device -r 0 -s "${word#make=}" >$run/made || return
			name=$(sed -n 's/.*"chardev":"dax\(.*\)",/\1/p' $run/made)
			[ -n "$name" ] || return
			n=$((n + 1))
			echo "s/@$n/$name/g" >>$run/to-names
			echo "s/dax$name\\>/@$n/g" >>$run/to-numbers
			;;
		ram=*) daxctl reconfigure-device -m system-ram -N "${word#ram=}" || return ;;
		online=*) daxctl online-memory "${word#online=}" || return ;;
		normal=*) daxctl online-memory --no-movable "${word#normal=}" || return ;;
		off=*) daxctl disable-device "${word#off=}" || return ;;
		gone=*)
			daxctl destroy-device -f "${word#gone=}" || return
			sed -i "/${word#gone=}.*@/d" $run/to-numbers
			;;
		empty) ;;
		*) return 1 ;;
		esac >/dev/null 2>>$run/noise
	done
	echo 's/dax0\.[0-9]*/new/g' >>$run/to-numbers
}

numbers() { # FILE: of devices, for names
	sed -f $run/to-numbers "$1"
}

# What a call leaves: devices of region 0, their sizes, modes, memory, in whatever order.
left() {
	daxctl list -r 0 -DRM >$run/list
	numbers $run/list | sed 's/,$//' | sort
}

calls=0
compare() { # STATE CALL [EXIT-AND-LINE STATE-AFTER-IT]: where daxctl is wrong, what is right
	: >"${out:?}"
	: >$run/noise
	# shellcheck disable=SC2046,SC2086 # lists of words
	{
		state $1 || echo "no state before daxctl's call" >>"$out"
		daxctl $(names "$2") >$run/out 2>$run/theirs.errors
		theirs=$?
		numbers $run/out >$run/theirs
		left >$run/theirs.left
		state $1 || echo "no state before our call" >>"$out"
		daxctl-ext $(names "$2") --compat >$run/out 2>$run/ours.errors
		ours=$?
		numbers $run/out >$run/ours
		left >$run/ours.left
	}
	if [ $# -gt 2 ]; then
		# shellcheck disable=SC2086 # a list of words
		state $4 || echo "no state like that after it" >>"$out"
		left >$run/theirs.left
		# shellcheck disable=SC2086 # two words or more
		set -- "$1" "$2" $3
		echo "$theirs $(sed -n '/devices*$/p' $run/theirs.errors)" >>$run/wrong
		theirs=$3
		shift 3
		echo "$*" >$run/theirs.errors
		set -- "$begin" "$call"
		cp $run/ours $run/theirs
	fi
	diff -u $run/theirs $run/ours >>"$out"
	diff -u $run/theirs.left $run/ours.left >>"$out"
	# Of stderr the line that scripts look for: what was done to how many devices.
	grep -E '^[a-z ]* [0-9]+ devices?$' $run/theirs.errors >$run/a
	grep -E '^[a-z ]* [0-9]+ devices?$' $run/ours.errors >$run/b
	diff -u $run/a $run/b >>"$out"
	[ $theirs -eq $ours ] || echo "exit $ours, daxctl: $theirs" >>"$out"
	[ ! -s "$out" ] || cat $run/noise $run/theirs.errors $run/ours.errors >>"$out"
	[ ! -s "$out" ]
	verdict "verbs: [$1] $2" $?
	calls=$((calls + 1))
}

if [ -z "${VERBS_ONLY-}" ]; then
	while IFS='|' read -r begin call right after; do
		case $begin in '#'* | '') continue ;; esac
		compare "$begin" "$call" ${right:+"$right" "$after"} </dev/null
	done <verbs.table
	echo "verbs: $calls calls beside daxctl's"
fi

# --- What daxctl does not do.
make() { # SIZE [OPTION...]: a device of ours; its name is in $made
	size=$1
	shift
	daxctl-ext create-device -r 0 -s "$size" "$@" >$run/made 2>>$run/noise
	made=$(sed -n 's/.*"chardev":"\(.*\)",/\1/p' $run/made)
}

empty 0
expect 2 'a size that is none' daxctl-ext create-device -r 0 -s 12xyz
says '--size "12xyz" is not a size' 'is named'
expect 2 'an align that is none' daxctl-ext create-device -r 0 -s 1G -a garbage
expect 2 'more than there is' daxctl-ext create-device -r 0 -s 2G
says '1G would fit' 'what would fit'
expect 2 'a region that is not there' daxctl-ext create-device -r 77
expect 2 'no device at all' daxctl-ext destroy-device -f -r 0 all
says 'destroyed 0 devices' 'is no success'
[ -z "$(dynamic 0)" ]
verdict 'and nothing was made' $?

# Several and all; a failure of one does not hide the others.
make 128M --name a
make 128M --name b
make 128M --name c
expect 0 'disable two' daxctl-ext disable-device a b
says 'disabled 2 devices' 'both'
./hold map "/dev/$made" >$run/ready &
holder=$!
in_time grep -q ready $run/ready
expect 2 'destroy all, one in use' daxctl-ext destroy-device -f -r 0 all
says 'destroyed 2 devices' 'the others go'
says 'c: ' 'and the one is named'
kill $holder
wait $holder 2>/dev/null
# Whatever a process is called, it is told: the kernel cuts names in the middle of characters.
odd="$run/$(printf 'odd\033\377')"
cp ./hold "$odd"
"$odd" map "/dev/$made" >$run/odd.ready &
holder=$!
in_time grep -q ready $run/odd.ready
expect 0 'who, by an odd name' daxctl-ext who c
says 'odd??' 'is told without what is odd'
expect 0 'status' daxctl-ext status
kill $holder
wait $holder 2>/dev/null
expect 0 'destroy all' daxctl-ext destroy-device -f -r 0 all

# Memory of several ranges, zones, and nothing unbound while it is online.
make 128M --name a
make 128M --name b
make 128M --name c
expect 0 'a hole' daxctl-ext destroy-device -f b
make 768M --name b --mode system-ram
expect 0 'memory of two ranges' daxctl-ext list -d "$made" -M
says '"online_memblocks":6' 'is online, all of it'
says '"movable":true' 'in one zone'
expect 0 'offline, by a volume' daxctl-ext offline-memory b
expect 0 'offline it is' daxctl-ext list -d "$made" -M
says '"online_memblocks":0' 'none is online'
says '"total_memblocks":6' 'of six'
expect 0 'online in zone movable' daxctl-ext online-memory b
expect 0 'zone' daxctl-ext list -d "$made"
says '"movable":true' 'is movable'
expect 2 'destroy what is online' daxctl-ext destroy-device b
says 'Its memory is online' 'is refused'
expect 0 'by force it goes offline first' daxctl-ext destroy-device -f --limit-time 30 b
expect 0 'the rest' daxctl-ext destroy-device -f -r 0 all

# Making again what list printed.
make 256M -a 4096
daxctl-ext list -D -r 0 -M -u >$run/input
daxctl-ext list -D -r 0 -M | sed 's/dax0\.[0-9]*/dax/' >$run/before
expect 0 'destroy it' daxctl-ext destroy-device -f "$made"
expect 0 'make it again' daxctl-ext create-device --input $run/input
daxctl-ext list -D -r 0 -M | sed 's/dax0\.[0-9]*/dax/' >$run/after
same $run/before $run/after 'is the same'
expect 0 'and away' daxctl-ext destroy-device -f -r 0 all

# Persistent memory: the namespace comes and goes with the device.
region=$(daxctl-ext status | awk '$2 == "pmem" && $3 == "2G" { print $1; exit }')
expect 3 'labels that were never written' daxctl-ext create-device -r "$region" -s 512M --name pm
expect 0 'with consent' daxctl-ext create-device -r "$region" -s 512M --name pm --allow-data-loss
expect 3 'to grow it is to lose it' daxctl-ext reconfigure-device pm -s 640M
says '--allow-data-loss' 'and wants consent'
daxctl-ext status >"$out"
grep -q '^  pm .*512M' "$out"
verdict 'nothing was done' $?
expect 0 'another, of memory' daxctl-ext create-device -r "$region" -s 512M --name pmram -m system-ram
says '"online_memblocks"' 'is memory'
expect 0 'to a file system' daxctl-ext create-device -r "$region" -s 256M --name fs -m fsdax
expect 0 'disable' daxctl-ext disable-device pm
expect 0 'enable' daxctl-ext enable-device pm

# As daxctl's own files say, of which the first section about a device counts.
uuid=$(ndctl list -N | grep -B 20 '"name":"pm"' |
	sed -n 's/.*"uuid":"\([^"]*\)".*/\1/p' | tail -n 1)
mkdir -p /etc/daxctl.conf.d
cat >/etc/daxctl.conf.d/verbs.conf <<EOF
[reconfigure-device none]
nvdimm.uuid = $uuid
mode = system-rm

[reconfigure-device pm]
nvdimm.uuid = $uuid
mode = system-ram
online = false

[reconfigure-device again]
nvdimm.uuid = $uuid
mode = devdax
EOF
expect 0 'reconfigure as the files say' daxctl-ext reconfigure-device -C pm
says '"system-rm" is no mode' 'what they say wrongly is told'
says '"mode":"system-ram"' 'is memory now'
says '"online_memblocks":0' 'offline'
rm /etc/daxctl.conf.d/verbs.conf
expect 0 'and back' daxctl-ext reconfigure-device -m devdax pm
expect 0 'reconfigure' daxctl-ext reconfigure-device -m system-ram pm
says '"mode":"system-ram"' 'is memory now'
expect 2 'famfs' daxctl-ext reconfigure-device -m famfs pm
says 'fsdev_dax' 'says why not'
expect 0 'destroy them' daxctl-ext destroy-device -f pm pmram fs
says 'destroyed 3 devices' 'all three'

if [ -n "${OVER_BUS-}" ]; then
	expect 0 'jobs' daxctl-ext jobs
	says 'apply' 'it was daxd that did it'
fi

# Not kept: after a boot, which another boot's name in the records stands for, nothing holds its
# place, and nobody makes it again.
make 128M --name passing
expect 0 'status' daxctl-ext status --json
says '"volume":"passing"' 'it is recorded'
sed -i 's/"boot": *"[^"]*"/"boot": "another"/' "$(state_folder)/state.json"
expect 0 'status' daxctl-ext status --json
says_not '"volume":"passing"' 'not for another boot'
expect 0 'it is a device of nobody' daxctl-ext destroy-device -f "$made"

# Kept: it is part of the host's configuration, of which daxd is told.
expect 0 'keep' daxctl-ext create-device -r 0 -s 256M --name kept --keep
nothing_to_do /etc/daxd/kept.json 'kept'
[ -z "${OVER_BUS-}" ] || expect 0 'daxd knows of it' daxctl-ext wait -t 30 kept
expect 2 'it would come back' daxctl-ext destroy-device -f kept
says '/etc/daxd/kept.json, /volumes/0, and would be made again' 'says why'
expect 2 'to disable it would be undone' daxctl-ext disable-device kept
says '/etc/daxd/kept.json, /volumes/0, with another "enabled"' 'says why'
expect 2 'so would another mode' daxctl-ext reconfigure-device -f -m system-ram kept
says 'with another "mode"' 'says why'
expect 0 'what it is already is no change' daxctl-ext enable-device kept
cat >/etc/daxd/plain.json <<'EOF'
{ "daxd": 1, "volumes": [ { "name": "plain", "region": { "type": "pmem", "target_node": 4 },
                            "mode": "devdax", "size": "all" } ] }
EOF
expect 0 'a volume without a label' daxctl-ext apply --allow-data-loss /etc/daxd/plain.json
expect 2 'is as much configured' daxctl-ext disable-device plain
says '/etc/daxd/plain.json, /volumes/0, with another "enabled"' 'says why'
rm /etc/daxd/plain.json
rm /etc/daxd/kept.json
[ -z "${OVER_BUS-}" ] || expect 0 'daxd is told' daxctl-ext apply
expect 0 'then it goes' daxctl-ext destroy-device -f kept

# Zone normal comes last: the kernel may keep such memory until the next boot.
make 256M --name b --mode system-ram
expect 0 'from zone movable to normal' daxctl-ext online-memory --no-movable b
expect 0 'zone' daxctl-ext list -d "$made"
says '"movable":false' 'is normal'
finish
