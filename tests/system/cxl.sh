# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=dash
# Volumes of CXL memory: a volatile region is a dax region, a persistent one has namespaces.
cd /root/system || exit
. ./lib.sh

expect 2 'before its regions are made, CXL memory is not found' daxctl-ext plan cxl.json
says '/volumes/0/region' 'and that is located'
expect 0 'a volatile region' cxl-region ram
expect 0 'a persistent region' cxl-region pmem

expect 0 'apply' daxctl-ext apply cxl.json
nothing_to_do cxl.json 'apply'
daxctl-ext status >"$out"
for line in 'near .*system-ram .*256M .*online movable' 'window .*devdax .*100M' \
	'far .*devdax .*156M' 'journal .*devdax .*128M' 'images .*fsdax .*384M'; do
	grep -q "$line" "$out"
	verdict "status shows: $line" $?
done
expect 0 'the memory is there' sh -c \
	'[ "$(sed -n "s/.*MemTotal: *\([0-9]*\) kB/\1/p" /sys/devices/system/node/node2/meminfo)" -eq 262144 ]'
images=/dev/$(daxctl-ext status | sed -n 's/^  images .* \(pmem[0-9.]*\),.*/\1/p')
expect 0 'a file system on the persistent region' mkfs.ext4 -q -b 4096 "$images"
daxctl-ext export >/run/export.json 2>/run/notes
nothing_to_do /run/export.json 'export'

comma=
printf '{ "daxd": 1, "volumes": [' >/run/absent.json
for name in near window far journal images; do
	printf '%s{ "name": "%s", "ensure": "absent" }' "$comma" $name >>/run/absent.json
	comma=,
done
printf '] }' >>/run/absent.json
expect 0 'remove all' daxctl-ext apply --allow-data-loss /run/absent.json
nothing_to_do /run/absent.json 'remove all'
expect 0 'and all again' daxctl-ext apply cxl.json
nothing_to_do cxl.json 'all again'
finish
