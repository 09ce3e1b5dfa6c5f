# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=dash
# In the test machine: a disk of 1, 16 and 128 partitions, of which the kernel has made its own.
# kpartx and udevadm settle against takeover, which drops the kernel's, too, and waits by itself;
# in turn, the least wall time of each and their ratio.
runs=${1-3}
export DAXD_WORKER=/usr/libexec/daxd/daxd-worker
cat >/run/disk.json <<'EOF'
{"daxd":1,"volumes":[{"name":"disk","region":{"type":"pmem","target_node":3},"mode":"fsdax","size":"1G"}]}
EOF
daxctl-ext apply --allow-data-loss /run/disk.json >/run/apply.log 2>&1 || {
	tail /run/apply.log
	exit 1
}
disk=$(readlink -f /dev/pmem/by-name/disk)

once() { # COMMAND: milliseconds
	began=$(date +%s%N)
	sh -c "$1" >/run/bench.out 2>&1 || {
		tail /run/bench.out >&2
		exit 1
	}
	echo $((($(date +%s%N) - began) / 1000000))
}

least() { # LEAST TOOK
	[ -n "$1" ] && [ "$1" -le "$2" ] && echo "$1" || echo "$2"
}

for n in 1 16 128; do
	awk -v n=$n 'BEGIN {
		print "label: gpt"
		for (i = 0; i < n; i++)
			printf "start=%d, size=8192, name=p%d\n", 4096 + i * 8192, i
	}' | sfdisk -q "$disk" || exit
	udevadm settle
	theirs='' ours=''
	i=0
	while [ "$i" -lt "$runs" ]; do
		took=$(once "kpartx -a $disk && udevadm settle") || exit
		theirs=$(least "$theirs" "$took")
		kpartx -d "$disk" >/dev/null
		udevadm settle
		took=$(once 'daxctl-ext part takeover disk') || exit
		ours=$(least "$ours" "$took")
		[ -b "${disk}p$n" ] || exit
		daxctl-ext part release disk >/dev/null || exit
		udevadm settle
		i=$((i + 1))
	done
	awk "BEGIN { printf \"%d partitions: kpartx and settle %d ms, takeover %d ms: %.1f times\\n\", \
		$n, $theirs, $ours, $theirs / $ours }"
done
