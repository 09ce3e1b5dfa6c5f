#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# crowd.sh SECONDS: eight clients that create and destroy devices for so long, at the same time:
# no device is lost, doubled or half made, and records are those of the devices.
cd /root/system || exit
. ./lib.sh
seconds=$1
crowd=/run/crowd
mkdir -p $crowd/claims $crowd/faults

daxctl-ext destroy-device -f -r 0 all >/dev/null 2>&1
region=$(dirname "$(ls -d /sys/devices/platform/hmem.*/dax0.0 | head -n 1)")
whole=$(cat "$region/dax_region/size")

fault() { # CLIENT WORD...
	client=$1
	shift
	{
		echo "$*"
		cat "$crowd/errors.$client"
	} >>"$crowd/faults/$client"
}

sized() {
	for path in "$region"/dax0.*; do
		[ "$(cat "$path/size")" = 0 ] || echo "${path##*/}"
	done
}

one() { # CLIENT OPTION...: a device of its own, which is there whole; its name is in $made
	id=$1
	shift
	daxctl-ext create-device -r 0 -s 32M "$@" >"$crowd/out.$id" 2>"$crowd/errors.$id" || {
		fault "$id" "create-device: exit $?"
		return 1
	}
	made=$(sed -n 's/.*"chardev":"\(.*\)",/\1/p' "$crowd/out.$id")
	[ "$(echo "$made" | wc -w)" = 1 ] || fault "$id" "told: $made"
	mkdir "$crowd/claims/$made" 2>/dev/null || fault "$id" "$made is somebody else's"
	[ "$(cat "$region/$made/size")" = 33554432 ] || fault "$id" "$made has not its size"
	[ -e "$region/$made/driver" ] || fault "$id" "$made has no driver"
}

client() { # NUMBER: until it is time, one after another
	n=0
	while [ "$(date +%s)" -lt "$end" ]; do
		n=$((n + 1))
		# Half of them have names.
		set --
		[ $((n % 2)) = 0 ] || set -- --name "c$number-$n"
		one "$number" "$@" || continue
		rmdir "$crowd/claims/$made"
		daxctl-ext destroy-device -f "$made" >/dev/null 2>"$crowd/errors.$number" ||
			fault "$number" "destroy-device $made: exit $?"
	done
	one "$number" --name "last$number"
	echo $n >"$crowd/count.$number"
}

end=$(($(date +%s) + seconds))
for number in 1 2 3 4 5 6 7 8; do
	client $number &
done
wait
echo "crowd: $(cat $crowd/count.* | awk '{ n += $1 } END { print n }') devices made and destroyed"

cat $crowd/faults/* >"$out" 2>/dev/null
[ ! -s "$out" ]
verdict 'each client got its own devices, whole, and lost them' $?
sized | sort >$crowd/have
ls $crowd/claims | sort >$crowd/want
same $crowd/want $crowd/have 'what is left is what was made last'
[ "$(wc -l <$crowd/have)" = 8 ]
verdict 'eight of them' $?
expect 0 'the machine is clean' daxctl-ext status --json
cp "$out" $crowd/status
grep -o "\"until_reboot\"" $crowd/status | wc -l >"$out"
[ "$(cat "$out")" = 8 ]
verdict 'as many records as devices' $?
[ "$(cat "$region/dax_region/available_size")" = $((whole - 8 * 33554432)) ]
verdict 'and nothing else is taken' $?
expect 0 'the last go' daxctl-ext destroy-device -f last1 last2 last3 last4 last5 last6 last7 last8
[ "$(cat "$region/dax_region/available_size")" = "$whole" ]
verdict 'the region is empty' $?
if [ -n "${OVER_BUS-}" ]; then
	expect 0 'daxd has done it' systemctl is-active daxd
	expect 0 'jobs' daxctl-ext jobs
	says 'apply' 'as jobs'
fi
finish
