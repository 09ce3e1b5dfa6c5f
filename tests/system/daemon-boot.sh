# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=dash
# daemon-boot.sh before|after: leave labels and some volumes; after a boot with the daemon all
# of them, and those that are forgotten at every boot, must be there.
cd /root/system || exit
. ./lib.sh

if [ "$1" = before ]; then
	expect 0 'make the volumes' daxctl-ext apply --allow-data-loss volumes.json
	echo '{ "daxd": 1, "volumes": [ { "name": "fine", "ensure": "absent" } ] }' >/run/one.json
	expect 0 'remove one again' daxctl-ext apply --allow-data-loss /run/one.json
	finish
	exit
fi
expect 0 'daxd is active' systemctl is-active daxd
expect 0 'daxd-configured.target is reached' systemctl is-active daxd-configured.target
expect 0 'what is configured' busctl get-property org.daxd1 /org/daxd1 org.daxd1.Manager Configured
says 'b true' 'is there'
busctl call org.daxd1 /org/daxd1 org.freedesktop.DBus.ObjectManager GetManagedObjects >"$out"
[ "$(grep -o '"org.daxd1.Volume"' "$out" | wc -l)" = 10 ]
verdict 'as ten volumes' $?
[ "$(grep -o '"present"' "$out" | wc -l)" = 10 ]
verdict 'all of them present' $?
nothing_to_do volumes.json 'after the boot'
systemctl show -P ActiveEnterTimestampMonotonic daxd local-fs-pre.target dbus \
	daxd-configured.target | grep . >"$out"
# shellcheck disable=SC2046 # four numbers
set -- $(cat "$out")
[ $# -eq 4 ] && [ "$1" -le "$2" ] && [ "$1" -le "$4" ]
verdict 'daxd was ready before local-fs-pre.target and daxd-configured.target' $?
systemctl list-jobs >"$out"
journalctl -b --no-pager | grep -i 'ordering cycle' >"$out"
[ ! -s "$out" ]
verdict 'there is no ordering cycle' $?
journalctl -u daxd --no-pager -o cat | sed 's/^/     daxd: /'
finish
