# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=dash
# part-rounds.sh N: two processes do things to one disk at random, N times; then links, maps and
# table must agree.  What was done is in /run/did; a seed can be given as the second argument.
cd /root/system || exit
. ./lib.sh
. ./part-lib.sh
unset DAXD_WORKER # all of it is jobs of daxd, which wait for one another
rounds=$1 seed=${2-$(date +%s)}
echo "     seed $seed"

cat >/run/disk.json <<'END'
{ "daxd": 1, "volumes": [ { "name": "rounds", "region": { "type": "pmem", "target_node": 3 },
  "mode": "fsdax", "size": "768M", "map": "mem" } ] }
END
systemctl start daxd
expect 0 'a disk' daxctl-ext apply --allow-data-loss /run/disk.json
use_disk /dev/pmem/by-name/rounds
expect 0 'a table' table_of 'size=32M, name=first'
expect 0 'take it over' daxctl-ext part takeover "$block"
agree_soon 'taken over'

# numbers COUNT SEED: of 0 to 999
numbers() {
	awk -v n="$1" -v seed="$2" 'BEGIN { srand(seed); for (i = 0; i < n; i++) print int(rand() * 1000) }'
}

tables() { # SEED: what people do to tables
	numbers 4 "$1" | while read -r at; do
		n=$((at % 12 + 1))
		case $((at % 7)) in
		0 | 1) set -- sgdisk -n "$n:0:+$((at % 5 * 8 + 8))M" -c "$n:n$at" "$disk" ;;
		2) set -- sgdisk -d "$n" "$disk" ;;
		3) set -- parted -s "$disk" rm "$n" ;;
		4) set -- daxctl-ext part add "$block" --name "ours$at" --size 16M ;;
		5) set -- daxctl-ext part resize "$block" --number "$n" --size "$((at % 3 * 16 + 32))M" --allow-data-loss ;;
		6) set -- daxctl-ext part delete "$block" --number "$n" --allow-data-loss ;;
		esac
		echo "$*" >>/run/did
		"$@" >>/run/did 2>&1 && echo "$1" >>/run/succeeded
	done
}

others() { # SEED: what people and udev do besides
	numbers 4 "$1" | while read -r at; do
		case $((at % 7)) in
		0) set -- daxctl-ext part sync "$block" ;;
		1) set -- daxctl-ext part release "$block" ;;
		2) set -- daxctl-ext part takeover "$block" ;;
		3) set -- blockdev --rereadpt "$disk" ;;
		4) set -- partx -a "$disk" ;;
		5) set -- partprobe "$disk" ;;
		6) set -- udevadm trigger --subsystem-match=block ;;
		esac
		echo "$*" >>/run/did
		"$@" >>/run/did 2>&1 && echo "$1" >>/run/succeeded
	done
}

round=0 changed=0
while [ $round -lt "$rounds" ] && [ $failed -eq 0 ]; do
	round=$((round + 1))
	: >/run/did
	of_table >/run/before
	tables $((seed + 2 * round)) &
	others $((seed + 2 * round + 1)) &
	wait
	expect 0 "round $round: take it over" daxctl-ext part takeover "$block"
	agree_soon "round $round"
	[ $failed -eq 0 ] || sed 's/^/     | /' /run/did
	cmp -s /run/before /run/wanted || changed=$((changed + 1))
done
# Much of what is done at random fails, for want of such a partition or of room; not all of it.
sort /run/succeeded | uniq -c >"$out"
for tool in sgdisk daxctl-ext; do
	grep -qx "$tool" /run/succeeded
	verdict "$tool has done something" $?
done
[ $changed -gt 0 ]
verdict "the table was another after some rounds" $?
echo "     the table was another after $changed rounds of $round"
echo "     the longest time until all agreed: $longest ms"
finish
