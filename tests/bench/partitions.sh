# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=dash
# In the test machine: the partitions of a table, mapped, with their links, and udev idle again, by
# kpartx with its rules and by daxctl-ext in turn, alone and as a job of daxd; the least wall time
# of each, and the ratios.  "map": kpartx finds the kernel's partitions and leaves them, daxctl-ext
# has none to drop, as after each fdisk.  "take over": both drop the kernel's first, kpartx by
# partx, and "give back" is the way back.  The whole command counts, its scan and plan included.
# What the same maps take when one dmsetup makes them without looking at anything is shown, too:
# most of it are udev's rules and systemd's units.  Exit status 1: a goal was missed.
runs=${1-3}
log=/run/bench.log
worker=/usr/libexec/daxd/daxd-worker

fail() {
	echo "FAILED: $1"
	tail -n 20 $log
	exit 1
}

volume() { # PARTITIONING
	echo '{"daxd":1,"volumes":[{"name":"v","region":{"type":"pmem","target_node":3},' \
		"\"mode\":\"fsdax\",\"size\":\"1536M\",\"map\":\"mem\",\"partitioning\":\"$1\"}]}"
}
volume kernel >/run/kernel.json
volume daxd >/run/daxd.json

alone() { # COMMAND...: without daxd
	DAXD_WORKER=$worker "$@"
}

once() { # COMMAND...: microseconds, from a machine at rest
	udevadm settle
	began=$(date +%s%N)
	"$@" >$log 2>&1 || fail "$*" >&2
	echo $((($(date +%s%N) - began) / 1000))
}

mapped() { # how many have a link that leads to a map
	n=0
	for link in /dev/disk/by-partuuid/*; do
		case $(readlink "$link") in */dm-*) n=$((n + 1)) ;; esac
	done
	echo $n
}

check_mapped() { # NUMBER WHO
	[ "$(mapped)" -eq "$1" ] || fail "$2 has mapped $(mapped) of $1"
}

their_map() {
	kpartx -a "$disk" && udevadm settle
}

their_removal() {
	kpartx -d "$disk" && udevadm settle
}

their_takeover() {
	partx -d "$disk" && their_map
}

their_return() {
	kpartx -d "$disk" && partx -a "$disk" && udevadm settle
}

our_map() { # CONFIGURATION
	daxctl-ext apply "$1" && udevadm settle
}

least() { # OLD NEW
	if [ -n "$1" ] && [ "$1" -le "$2" ]; then echo "$1"; else echo "$2"; fi
}

report() { # WHAT THEIRS OURS GOAL [WHO]
	echo "$1: $(($3 / 1000)) ms, ${5-kpartx} $(($2 / 1000)) ms"
	awk "BEGIN { r = $2 / $3; printf \"  %.1f times as fast%s\\n\", r, $4 ? \" (goal: $4)\" : \"\"
		exit r < $4 }"
}

table() { # NUMBER
	{
		echo 'label: gpt'
		i=0
		while [ "$i" -lt "$1" ]; do
			i=$((i + 1))
			echo "start=$((i * 20480)), size=16384, name=p$i"
		done
	} | sfdisk -q --wipe always "$disk" || fail 'sfdisk'
	udevadm settle
}

bare_map() {
	dmsetup create --noudevsync --concise "$maps" && udevadm settle
}

# The maps go and the policy stays, as it is after a boot.
unmap() {
	dmsetup remove --noudevsync --noudevrules $(dmsetup ls | sed -n 's/^\(pmem[0-9]*p[0-9]*\).*/\1/p')
}

measure() { # NUMBER GOAL
	table "$1"
	theirs='' theirs_over='' theirs_go='' ours='' ours_go='' ours_map='' daxd='' bare=''
	run=0
	while [ "$run" -lt "$runs" ]; do
		theirs=$(least "$theirs" "$(once their_map)")
		check_mapped "$1" kpartx
		their_removal >$log 2>&1 || fail 'kpartx -d'
		theirs_over=$(least "$theirs_over" "$(once their_takeover)")
		check_mapped "$1" 'partx with kpartx'
		theirs_go=$(least "$theirs_go" "$(once their_return)")
		ours=$(least "$ours" "$(once alone our_map /run/daxd.json)")
		check_mapped "$1" daxctl-ext
		unmap >$log 2>&1 || fail 'dmsetup remove'
		ours_map=$(least "$ours_map" "$(once alone our_map /run/daxd.json)")
		check_mapped "$1" daxctl-ext
		maps=$(dmsetup table --concise)
		unmap >$log 2>&1 || fail 'dmsetup remove'
		bare=$(least "$bare" "$(once bare_map)")
		check_mapped "$1" dmsetup
		ours_go=$(least "$ours_go" "$(once alone our_map /run/kernel.json)")
		check_mapped 0 daxctl-ext
		systemctl start daxd || fail 'daxd does not start'
		daxd=$(least "$daxd" "$(once our_map /run/daxd.json)")
		check_mapped "$1" daxd
		daxctl-ext apply /run/kernel.json >$log 2>&1 || fail 'cannot give back'
		systemctl stop daxd # it would map by itself what is taken away
		run=$((run + 1))
	done
	report "map $1" "$theirs" "$ours_map" "$2" || status=1
	report "map $1, dmsetup alone" "$theirs" "$bare" 0
	both='partx and kpartx'
	report "take over $1" "$theirs_over" "$ours" "$2" "$both" || status=1
	report "take over $1, by daxd" "$theirs_over" "$daxd" "$2" "$both" || status=1
	report "give back $1" "$theirs_go" "$ours_go" 0 "$both" || status=1
}

status=0
alone daxctl-ext apply --allow-data-loss /run/kernel.json >$log 2>&1 || fail 'cannot make the volume'
disk=$(readlink -f /dev/pmem/by-name/v)
measure 1 1
measure 16 1
measure 128 5
exit $status
