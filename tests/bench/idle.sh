# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=dash
# idle.sh SECONDS: daxd with the ten volumes of the tests, all there, and nobody who asks: how
# often it wakes up, and what of it is in memory.  A call of the watchdog is a wake-up that is
# told by itself.  Exit status 1: a goal was missed.
seconds=$1
DAXD_WORKER=/usr/libexec/daxd/daxd-worker \
	daxctl-ext apply --allow-data-loss /etc/daxd/volumes.json >/run/bench.log 2>&1 || {
	tail -n 5 /run/bench.log
	exit 1
}
systemctl start daxd || exit
sleep 5
pid=$(systemctl show -P MainPID daxd)
busctl get-property org.daxd1 /org/daxd1 org.daxd1.Manager Configured | grep -q true || {
	echo 'daxd has not come to rest'
	exit 1
}

switches() {
	awk '/ctxt_switches/ { n += $2 } END { print n }' "/proc/$pid/status"
}

watchdog() { # when systemd has last heard of it
	systemctl show -P WatchdogTimestampMonotonic daxd
}

sleep 2
calls=0
before=$(watchdog) from=$(switches)
passed=0
while [ "$passed" -lt "$seconds" ]; do
	sleep 5
	passed=$((passed + 5))
	now=$(watchdog)
	[ "$now" = "$before" ] || calls=$((calls + 1))
	before=$now
done
woken=$(($(switches) - from))
rss=$(awk '$1 == "Rss:" { print $2 }' "/proc/$pid/smaps_rollup")
echo "daxd idle for $seconds s: $((woken - calls)) wake-ups and $calls of the watchdog" \
	"(WatchdogSec=$(systemctl show -P WatchdogUSec daxd))"
echo "resident: $rss KiB (goal: 6144)"
[ $((woken - calls)) -le 0 ] && [ "$rss" -le 6144 ]
