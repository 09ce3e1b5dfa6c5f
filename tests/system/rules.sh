# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=dash
# Which rules of other packages still run for dax devices: theirs for devices that daxd does not
# configure, and none of daxctl's for those that it does.
cd /root/system || exit
. ./lib.sh

# In the place of daxctl's rule, one that tells for which devices it was run.
mkdir -p /run/udev/rules.d /run/ran
cat >/run/udev/rules.d/90-daxctl-device.rules <<'END'
ACTION=="add", SUBSYSTEM=="dax", ENV{SYSTEMD_WANTS}="daxdev-reconfigure@%k.service", RUN+="/bin/touch /run/ran/%k"
END
udevadm control --reload

ran() { # what the rule was run for since the last time
	udevadm settle
	ls /run/ran >"$out"
	rm -f /run/ran/*
	[ -s "$out" ]
}

trigger() {
	udevadm trigger --settle --action=add --subsystem-match=dax
}

cat >/run/rules.json <<'END'
{ "daxd": 1, "volumes": [
  { "name": "theirs", "region": { "type": "pmem", "target_node": 3 }, "mode": "devdax", "size": "64M" },
  { "name": "a", "region": { "type": "hmem", "target_node": 1 }, "mode": "devdax", "size": "64M" },
  { "name": "b", "region": { "type": "hmem", "target_node": 1 }, "mode": "devdax", "size": "64M" } ] }
END
trigger
ran
verdict 'the rule runs for what daxd has not made' $?
expect 0 'make volumes' daxctl-ext apply --allow-data-loss /run/rules.json
! ran
verdict 'and for none of those that daxd makes' $?
[ ! -e /run/daxd/making-devices ]
verdict 'nothing stays behind' $?

# The namespace is known for ever, by its uuid; a boot adds it again.
device=$(readlink -f /dev/dax/by-name/theirs)
trigger
ran
! grep -qx "${device##*/}" "$out"
verdict 'nor for a volume of persistent memory when it is added again' $?
udevadm info -q property "$device" >"$out"
! grep -q SYSTEMD_WANTS "$out"
verdict 'which wants no unit of daxctl either' $?
[ "$(readlink -f /dev/dax/by-name/theirs)" = "$device" ]
verdict 'and keeps its link' $?

region=$(dirname "$(readlink -f /sys/bus/dax/devices/"$(basename "$(readlink -f /dev/dax/by-name/a)")")")
echo 1 >"$region/dax_region/create"
ran
verdict 'the rule runs for a device that somebody else makes' $?
touch /run/daxd/making-devices
daxctl-ext status >"$out"
[ ! -e /run/daxd/making-devices ]
verdict 'what a killed worker leaves behind goes with the next scan' $?
finish
