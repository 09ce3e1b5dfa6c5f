# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=dash
# daemon-boot.sh before|after|again: leave labels and some volumes; after a boot with the daemon,
# in which it is killed (kill-daxd.sh), all of them, and those that are forgotten at every boot,
# must be there; after one more boot in the same places, and without a step for what persists.
cd /root/system || exit
. ./lib.sh

if [ "$1" = before ]; then
	expect 0 'make the volumes' daxctl-ext apply --allow-data-loss volumes.json
	echo '{ "daxd": 1, "volumes": [ { "name": "fine", "ensure": "absent" } ] }' >/run/one.json
	expect 0 'remove one again' daxctl-ext apply --allow-data-loss /run/one.json
	finish
	exit
fi
stage=$1

places() { # of dynamic regions: START END DRIVER
	for mapping in /sys/devices/platform/hmem.*/dax*/mapping[0-9]*; do
		read -r start <"$mapping/start"
		read -r end <"$mapping/end"
		driver=$(readlink "${mapping%/*}/driver")
		echo "$start $end ${driver##*/}"
	done | sort
	for link in /dev/dax/by-name/*; do
		device=$(readlink -f "$link")
		read -r start <"/sys/bus/dax/devices/${device##*/}/resource"
		echo "$link $start"
	done | grep -E '/(window|rest) '
}

in_time systemctl is-active daxd-configured.target
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
journalctl -b --no-pager | grep -i 'ordering cycle' >"$out"
[ ! -s "$out" ]
verdict 'there is no ordering cycle' $?
journalctl -u daxd --no-pager -o cat | sed 's/^/     daxd: /'
if [ "$stage" = after ]; then
	cat /run/killed >"$out" 2>&1
	[ "$(cat /run/killed)" = 'worker daxd worker done' ]
	verdict 'worker and daemon were killed meanwhile' $?
	[ "$(systemctl show -P NRestarts daxd)" = 1 ]
	verdict 'and systemd has started it again' $?
	grep -rH . "$(state_folder)" | sed 's/^/KEEP /'
	places | sed 's,^,KEEP /root/places:,'
	finish
	exit
fi
places >/run/places
same /root/places /run/places 'dynamic volumes are in the same places'
journalctl -F DAXD_VOLUME | sort >"$out"
says window 'dynamic volumes were made again'
! grep -qxE 'vm-a|fine|images|whole' "$out"
verdict 'without a step for what persists' $?
finish
