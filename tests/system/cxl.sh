# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=dash
# Volumes of CXL memory: a volatile region is a dax region, a persistent one has namespaces.
cd /root/system || exit
. ./lib.sh

# It was booted with the daemon and this configuration, and without the regions.
present() { # NAME...
	for name; do
		[ "$(busctl get-property org.daxd1 "/org/daxd1/volume/$name" org.daxd1.Volume State)" = \
			's "present"' ] || return
	done
}

expect 0 'the boot has not waited for them' systemctl is-active daxd-configured.target
journalctl -u daxd --no-pager -o cat >"$out"
for name in near window far journal images; do
	says "\"$name\" has not come: No region" "$name is named"
done
expect 2 'before its regions are made, CXL memory is not found' daxctl-ext plan cxl.json
says '/volumes/0/region' 'and that is located'
expect 0 'a volatile region' cxl-region ram
in_time present near window far
verdict 'its volumes are made by themselves' $?
busctl get-property org.daxd1 /org/daxd1/volume/journal org.daxd1.Volume State >"$out"
says late 'while the others are late'
expect 0 'a persistent region' cxl-region pmem
in_time present near window far journal images
verdict 'and so are those, then' $?
rm /etc/daxd/cxl.json
systemctl stop daxd

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
