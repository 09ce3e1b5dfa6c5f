# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=dash
# In the test machine: 256 dax devices in one region, listed by daxctl and by daxctl-ext in
# turn; the least wall time of each and their ratio.
runs=${1-7}
awk 'BEGIN {
	printf "{\"daxd\":1,\"volumes\":["
	for (i = 0; i < 256; i++)
		printf "%s{\"name\":\"d%d\",\"region\":{\"type\":\"hmem\",\"target_node\":1}," \
			"\"mode\":\"devdax\",\"size\":\"2M\"}", i ? "," : "", i
	printf "]}"
}' >/run/many.json
began=$(date +%s%N)
daxctl-ext apply /run/many.json >/run/apply.log 2>&1 || {
	tail /run/apply.log
	exit 1
}
echo "apply of 256 devices: $((($(date +%s%N) - began) / 1000000)) ms"

once() { # COMMAND...: microseconds
	began=$(date +%s%N)
	"$@" >/run/list || exit
	echo $((($(date +%s%N) - began) / 1000))
}

theirs='' ours=''
i=0
while [ "$i" -lt "$runs" ]; do
	took=$(once daxctl list) || exit
	[ -n "$theirs" ] && [ "$theirs" -le "$took" ] || theirs=$took
	took=$(once daxctl-ext status --json) || exit
	[ -n "$ours" ] && [ "$ours" -le "$took" ] || ours=$took
	i=$((i + 1))
done
listed=$(grep -o '"name":"dax0[.][0-9]*"' /run/list | wc -l)
[ "$listed" -ge 256 ] || exit
echo "daxctl list, 256 devices: $((theirs / 1000)) ms"
echo "daxctl-ext status --json: $((ours / 1000)) ms ($listed devices)"
awk "BEGIN { printf \"ratio: %.2f\\n\", $ours / $theirs }"
