# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=dash
# In the test machine: list and status against daxctl list in turn, of one dax device and of 256,
# with daxd running and without; the least wall time of each and the ratio, which is to be below
# 1.  The whole command counts, worker and daemon included.  Exit status 1: some were not.
runs=${1-9}
status=0

volumes() { # NUMBER SIZE
	awk -v n="$1" -v size="$2" 'BEGIN {
		printf "{\"daxd\":1,\"volumes\":["
		for (i = 0; i < n; i++)
			printf "%s{\"name\":\"d%d\",\"region\":{\"type\":\"hmem\"," \
				"\"target_node\":1},\"mode\":\"devdax\",\"size\":\"%s\"}",
				i ? "," : "", i, size
		printf "]}"
	}' >/run/volumes.json
	daxctl-ext apply --allow-data-loss /run/volumes.json >/run/apply.log 2>&1 || {
		tail /run/apply.log
		exit 1
	}
}

once() { # COMMAND...: microseconds, from a machine at rest
	udevadm settle
	began=$(date +%s%N)
	"$@" >/run/out || exit 1
	echo $((($(date +%s%N) - began) / 1000))
}

least() { # OLD NEW
	if [ -n "$1" ] && [ "$1" -le "$2" ]; then echo "$1"; else echo "$2"; fi
}

compare() { # WHAT
	theirs='' list='' table=''
	i=0
	while [ "$i" -lt "$runs" ]; do
		theirs=$(least "$theirs" "$(once daxctl list)")
		list=$(least "$list" "$(once daxctl-ext list)")
		table=$(least "$table" "$(once daxctl-ext status)")
		i=$((i + 1))
	done
	echo "$1: daxctl list $((theirs / 1000)) ms, list $((list / 1000)) ms," \
		"status $((table / 1000)) ms"
	awk "BEGIN { l = $list / $theirs; s = $table / $theirs
		printf \"  ratios: list %.2f, status %.2f\\n\", l, s; exit l >= 1 || s >= 1 }" ||
		status=1
}

# The kernel's own device of the second hmem region is not to count.
for driver in kmem device_dax; do
	echo dax1.0 >/sys/bus/dax/drivers/$driver/unbind
done 2>/dev/null
echo 0 >/sys/bus/dax/devices/dax1.0/size
for number in 1 256; do
	volumes $number 2M
	systemctl stop daxd
	export DAXD_WORKER=/usr/libexec/daxd/daxd-worker
	compare "$number devices, alone"
	unset DAXD_WORKER
	systemctl start daxd
	compare "$number devices, with daxd"
done
exit $status
