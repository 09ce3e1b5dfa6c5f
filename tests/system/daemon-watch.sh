# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=dash
# The daemon when something hangs, and when somebody else does its work.
cd /root/system || exit
. ./lib.sh

problems() {
	busctl get-property org.daxd1 /org/daxd1 org.daxd1.Manager Problems
}

says_problem() { # TEXT
	problems >"$out"
	grep -F "$1" "$out"
}

says_none() {
	[ "$(problems)" = 'aa{sv} 0' ]
}

restarted() {
	[ "$(systemctl show -P NRestarts daxd)" = 1 ] && systemctl is-active daxd
}

# A daemon that hangs.
dropin=/run/systemd/system/daxd.service.d/test.conf
mkdir -p ${dropin%/*}
cat >$dropin <<'EOF'
[Service]
WatchdogSec=2
ExecStart=
ExecStart=/usr/libexec/daxd/daxd --worker /usr/local/bin/hanging-worker --scan-limit 2
EOF
systemctl daemon-reload
expect 0 'it starts' systemctl start daxd
kill -STOP "$(systemctl show -P MainPID daxd)"
in_time restarted
verdict 'the watchdog starts it again when it hangs' $?
journalctl -u daxd --no-pager -o cat >"$out"
says 'Watchdog timeout' 'and that was the reason'
sed -i /Watchdog/d $dropin
systemctl daemon-reload
systemctl restart daxd

# What is written while it starts.
mkdir -p /etc/daxd
cat >/etc/daxd/10-slow.json <<'EOF'
{ "daxd": 1, "volumes": [ { "name": "slow", "region": { "target_node": 9 }, "mode": "devdax",
  "size": "all", "wait": 6 } ] }
EOF
systemctl stop daxd
systemctl start --no-block daxd
in_time busctl get-property org.daxd1 /org/daxd1/volume/slow org.daxd1.Volume State
sed 's/slow/soon/; s/: 6/: 1/' /etc/daxd/10-slow.json >/etc/daxd/20-soon.json
systemctl show -P ActiveState daxd >"$out"
says activating 'it waits for a region'
expect 0 'a reload while it starts' systemctl reload daxd
expect 0 'is not lost' busctl get-property org.daxd1 /org/daxd1/volume/soon org.daxd1.Volume State
says 's "late"' 'it was acted upon before daxd was ready'
rm /etc/daxd/*.json
expect 0 'no configuration' systemctl reload daxd

# A look at the machine that hangs.
touch /run/hang
expect 0 'reload' systemctl reload daxd
in_time says_problem 'could not be looked at within 2 seconds'
verdict 'a look that hangs is told' $?
expect 1 'to those who ask, too' busctl --timeout=10 call org.daxd1 /org/daxd1 \
	org.daxd1.Manager GetTopology 'a{sv}' 0
says 'could not be looked at' 'with the reason'
rm /run/hang
in_time says_none
verdict 'it tries again' $?
expect 0 'and can see' busctl call org.daxd1 /org/daxd1 org.daxd1.Manager GetTopology 'a{sv}' 0

# Who else does its work.
expect 0 'make volumes' daxctl-ext apply --allow-data-loss reboot.json
uuid=$(ndctl list -N | sed -n 's/.*"uuid":"\([^"]*\)".*/\1/p' | head -n 1)
# Not every kernel makes memory of hmem at boot.  Once the rule is there it is not offline any more.
for device in dax0.0 dax1.0; do
	[ -e /sys/bus/dax/drivers/kmem/$device ] ||
		expect 0 "$device as memory" daxctl reconfigure-device -m system-ram -N $device
done
mkdir -p /etc/daxctl.conf.d /etc/udev/rules.d /etc/daxd
cat >/etc/daxctl.conf.d/a.conf <<EOF
[reconfigure-device a]
nvdimm.uuid = "$uuid"
mode = system-ram
EOF
cat >/etc/udev/rules.d/40-online.rules <<'EOF'
SUBSYSTEM=="memory", ACTION=="add", ATTR{state}=="offline", ATTR{state}="online"
EOF
cp reboot.json /etc/daxd/
cat >/etc/daxd/far.json <<'EOF'
{ "daxd": 1, "volumes": [ { "name": "far", "region": { "type": "hmem", "target_node": 1 },
  "mode": "system-ram", "persist": "kmem", "size": "all", "zone": "movable" } ] }
EOF
policy=/sys/devices/system/memory/auto_online_blocks
# As it would be after a boot with this policy.
read -r size </sys/devices/system/memory/block_size_bytes
for device in /sys/bus/dax/drivers/kmem/dax*; do
	read -r start <"$device/resource" &&
		echo online_kernel >"/sys/devices/system/memory/memory$((start / 0x$size))/state"
	verdict "memory of ${device##*/} is online in zone normal" $?
done
echo online >$policy
expect 0 'reload' systemctl reload daxd
in_time says_problem 'daxctl has a section'
verdict 'a section for daxctl is noted' $?
says '/etc/daxctl.conf.d/a.conf' 'with its file'
says '/etc/udev/rules.d/40-online.rules' 'and a rule that puts memory online'
says 'online in zone normal (its policy is' "and what the kernel's policy has done"
says 'memhp_default_state=offline' 'with what to do'
journalctl -u daxd --no-pager -o cat | grep -c '^Note: daxctl has a section' >"$out"
[ "$(cat "$out")" = 1 ]
verdict 'once in the journal' $?
finish
