# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=dash
# In the test machine: namespaces that are to be memory, 1 and then 16.  Their region is taken
# away and comes back, as it does at boot; the time goes from the kernel's first event of a
# device to that of the last memory block that is online.  The least time of each way and their
# ratio.  One way is switched off while the other is measured.  Where daxctl's leaves devices
# out, its time is that of the last it did.  Exit status 1: daxd's left some out, or something
# else failed.
runs=${1-3} verbose=${2-}
rule=90-daxctl-device.rules
log=/run/bench.log
events=/run/bench.events

fail() {
	echo "FAILED: $1"
	tail -n 20 $log
	exit 1
}

# What daxctl's package may lack, as its source has it.
prepare_daxctl() {
	daxctl --version
	[ -e /usr/lib/udev/rules.d/$rule ] || {
		echo 'its udev rule is not in the package: made here'
		cat >/etc/udev/rules.d/$rule <<-'RULE'
			ACTION=="add", SUBSYSTEM=="dax", TAG+="systemd", PROGRAM="/usr/bin/systemd-escape -p --template=daxdev-reconfigure@.service $env{DEVNAME}", ENV{SYSTEMD_WANTS}="%c"
		RULE
	}
	[ -e /usr/lib/systemd/system/daxdev-reconfigure@.service ] || {
		echo 'its unit is not in the package: made here'
		cat >/etc/systemd/system/daxdev-reconfigure@.service <<-'UNIT'
			[Unit]
			Description=Automatic daxctl device reconfiguration
			[Service]
			Type=forking
			GuessMainPID=false
			ExecStart=/bin/sh -c "exec daxctl reconfigure-device --check-config %I"
		UNIT
	}
	mkdir -p /etc/daxctl.conf.d /run/udev/rules.d /run/bench/udev /etc/daxd
}

volumes() { # NUMBER
	awk -v n="$1" 'BEGIN {
		printf "{\"daxd\":1,\"volumes\":["
		for (i = 0; i < n; i++)
			printf "%s{\"name\":\"d%d\",\"region\":{\"type\":\"pmem\"}," \
				"\"mode\":\"system-ram\",\"persist\":\"kmem\",\"zone\":\"movable\"," \
				"\"map\":\"mem\",\"size\":\"256M\",\"wait\":0}", i ? "," : "", i
		printf "]}"
	}'
}

sections() { # for what there is
	i=0
	for uuid in $(ndctl list -N | sed -n 's/.*"uuid":"\([^"]*\)".*/\1/p'); do
		i=$((i + 1))
		printf '[reconfigure-device d%d]\nnvdimm.uuid = %s\nmode = system-ram\n' $i "$uuid"
		printf 'online = true\nmovable = true\n'
	done
}

# In place of the rule stands what of the other way is not measured: nothing.
daxctl_rule() { # on|off
	if [ "$1" = off ] && [ -e /etc/udev/rules.d/$rule ]; then
		mv /etc/udev/rules.d/$rule /run/bench/udev/
	elif [ "$1" = off ]; then
		ln -sf /dev/null /etc/udev/rules.d/$rule
	elif [ -e /run/bench/udev/$rule ]; then
		mv /run/bench/udev/$rule /etc/udev/rules.d/
	else
		rm -f /etc/udev/rules.d/$rule
	fi
	udevadm control --reload
}

online_blocks() {
	cat /sys/devices/system/node/node1/memory*/state 2>/dev/null | grep -cx online
}

take_away() {
	for _ in $(seq 5); do
		for block in /sys/devices/system/node/node1/memory*/state; do
			read -r state 2>/dev/null <"$block" || continue
			[ "$state" = offline ] || echo offline >"$block"
		done 2>>$log
		[ "$(online_blocks)" -ne 0 ] || break
		sleep 1
	done
	[ "$(online_blocks)" -eq 0 ] || fail 'memory does not go offline'
	for device in /sys/bus/dax/drivers/kmem/dax*; do
		[ ! -e "$device" ] || echo "${device##*/}" >/sys/bus/dax/drivers/kmem/unbind
	done
	echo region0 >/sys/bus/nd/drivers/nd_region/unbind
	udevadm settle
	sleep 1
}

# microseconds from the first event of a device to the last of WANTED blocks, and how many of
# them came
bring_back() { # WANTED
	udevadm monitor --kernel --subsystem-match=dax --subsystem-match=memory >$events &
	monitor=$!
	until grep -q 'KERNEL - ' $events; do sleep 0.1; done
	echo region0 >/sys/bus/nd/drivers/nd_region/bind
	for _ in $(seq 60); do
		[ "$(grep -c '\] online ' $events)" -lt "$1" ] || break
		sleep 0.5
	done
	kill $monitor
	wait $monitor 2>/dev/null
	echo "$(online_blocks) of $1" >/run/bench/came
	awk '/^KERNEL\[/ {
		split($1, time, /[][.]/)
		usec = time[2] * 1000000 + time[3]
		if ($2 == "add" && $NF == "(dax)" && !from) from = usec
		if ($2 == "online") to = usec
	} END { print to - from }' $events
}

least() { # OLD NEW
	if [ -n "$1" ] && [ "$1" -le "$2" ]; then echo "$1"; else echo "$2"; fi
}

measure() { # NUMBER
	theirs='' ours='' came=''
	volumes "$1" >/run/bench/volumes.json
	daxd=/usr/libexec/daxd/daxd-worker
	DAXD_WORKER=$daxd daxctl-ext apply --allow-data-loss /run/bench/volumes.json >$log 2>&1 ||
		fail 'cannot make the namespaces'
	wanted=$(online_blocks)
	sections >/run/bench/daxctl.conf
	[ "$(grep -c uuid /run/bench/daxctl.conf)" -eq "$1" ] || fail 'uuids are missing'
	run=0
	while [ $run -lt "$runs" ]; do
		take_away
		daxctl_rule on
		cp /run/bench/daxctl.conf /etc/daxctl.conf.d/bench.conf
		theirs=$(least "$theirs" "$(bring_back "$wanted")")
		came="$came$(cat /run/bench/came), "
		[ -z "$verbose" ] || journalctl -b --no-pager -o cat -u 'daxdev-reconfigure@*' |
			grep -iE 'error|fail|busy' | sort | uniq -c
		take_away
		daxctl_rule off
		rm /etc/daxctl.conf.d/bench.conf
		cp /run/bench/volumes.json /etc/daxd/
		systemctl start daxd || fail 'daxd does not start'
		sleep 2
		took=$(bring_back "$wanted")
		journalctl -u daxd -n 40 --no-pager -o short-monotonic >$log
		[ "$(cat /run/bench/came)" = "$wanted of $wanted" ] || fail 'daxd left some out'
		ours=$(least "$ours" "$took")
		[ -z "$verbose" ] || {
			grep -E ' (add|bind) .*dax|online' $events
			tail -n 5 $log
		}
		systemctl stop daxd
		rm /etc/daxd/volumes.json
		run=$((run + 1))
	done
	echo "$1 devices, $wanted blocks: daxctl $((theirs / 1000)) ms, daxd $((ours / 1000)) ms"
	awk "BEGIN { printf \"  %.2f times as fast\\n\", $theirs / $ours }"
	echo "  blocks that daxctl put online in each run: ${came%, }"
}

prepare_daxctl
measure 1
measure 16
