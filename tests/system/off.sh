# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=dash
# A machine that was booted with daxd=off: the command line works directly, and asks no bus for
# a daxd that systemd will not start.
cd /root/system || exit
OVER_BUS=yes
. ./lib.sh

as_nobody() {
	setpriv --reuid=nobody --regid=nogroup --clear-groups "$@"
}

asked() { # has somebody asked the bus for daxd?
	journalctl -b --no-pager -o cat -t dbus-daemon | grep "name='org.daxd1'" >"$out" 2>&1
}

systemctl show -P ActiveState daxd >"$out"
says inactive 'daxd was not started'
expect 0 'status' daxctl-ext status
says hmem.0 'shows the machine'
expect 0 'list' daxctl-ext list --regions
expect 3 'plan' daxctl-ext plan volumes.json
expect 0 'apply' daxctl-ext apply --allow-data-loss volumes.json
says 'all read back' 'is done'
nothing_to_do volumes.json 'after it'
expect 0 'who' daxctl-ext who window
expect 0 'a verb' daxctl-ext disable-device window
expect 4 'status as nobody' as_nobody daxctl-ext status
says 'daxd is switched off (daxd=off' 'says why not'
for verb in jobs monitor 'wait window' 'cancel 1' plan apply; do
	# shellcheck disable=SC2086 # words
	expect 1 "$verb, which needs daxd" daxctl-ext $verb
	says 'daxd is switched off (daxd=off' 'says why not'
done
! asked
verdict 'nobody has asked the bus for it' $?
busctl --timeout=1 get-property org.daxd1 /org/daxd1 org.daxd1.Manager Version >/dev/null 2>&1
in_time asked
verdict 'which would be seen' $?
finish
