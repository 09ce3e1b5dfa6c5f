# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=dash
# shellcheck disable=SC2086 # $manager is three words
# The daemon with the real systemd, D-Bus and polkit.
cd /root/system || exit
. ./lib.sh
manager='org.daxd1 /org/daxd1 org.daxd1.Manager'
tick=0.2

as() { # USER COMMAND...
	user=$1
	shift
	setpriv --reuid="$user" --regid="$(id -g "$user")" --clear-groups "$@"
}

manager() { # METHOD SIGNATURE ARGUMENT...
	busctl --timeout=60 call $manager "$@"
}

property() { # PATH INTERFACE NAME
	busctl get-property org.daxd1 "/org/daxd1$1" "org.daxd1.$2" "$3"
}

outcome() { # JOB: wait for its end, print what has become of it
	for _ in $(seq 150); do
		word=$(property "/job/$1" Job Outcome)
		[ "$word" = 's ""' ] || break
		sleep $tick
	done
	echo "$word"
}

last_job() { # the number in the answer of the last command
	sed -n 's,^o "/org/daxd1/job/\([0-9]*\)"$,\1,p' "$out"
}

job_ends() { # WORD NAME: the job that the last command began ends so
	job=$(last_job)
	outcome "$job" >"$out"
	says "s \"$1\"" "$2"
}

settled() { # wait until daxd says that all is as configured
	for _ in $(seq 150); do
		[ "$(property '' Manager Configured)" != 'b true' ] || break
		sleep $tick
	done
}

# The members of an interface in an introspection, one a line.
members() { # INTERFACE
	tr '\n' ' ' | sed 's/<!--[^>]*-->//g; s/>/>\n/g' | awk -v wanted="$1" '
		function value(key) {
			if (!match($0, key "=\"[^\"]*\""))
				return ""
			return substr($0, RSTART + length(key) + 2, RLENGTH - length(key) - 3)
		}
		/<interface / { on = value("name") == wanted }
		/<\/interface>/ { on = 0 }
		!on { next }
		/<(method|signal|property) / {
			member = value("name")
			print member, value("type"), value("access")
		}
		/<arg / { print member, value("name"), value("type"), value("direction") }' | sort
}

introspects() { # PATH KIND
	members "org.daxd1.$2" </usr/share/dbus-1/interfaces/org.daxd1.xml >/run/record
	busctl introspect --xml-interface org.daxd1 "/org/daxd1$1" | members "org.daxd1.$2" >/run/live
	[ -s /run/record ]
	verdict "there is a record of $2" $?
	same /run/record /run/live "$2 is as in the interface of record"
}

main_pid() {
	systemctl show -P MainPID daxd
}

tester_may_apply

# Start, and who may read.
expect 0 'it starts' systemctl start daxd
expect 0 'its status' systemctl show -P StatusText daxd
says '0 of 0 volumes' 'is told'
introspects '' Manager
expect 0 'nobody reads a property' as nobody busctl get-property $manager Version
expect 0 'nobody reads the topology' as nobody busctl call $manager GetTopology 'a{sv}' 0
says 'hmem.0' 'which has what is there'
expect 0 'nobody checks' as nobody busctl call $manager Check 'sa{sv}' '{"daxd":1}' 0
says '"volumes\" is missing' 'and is told what is missing'
expect 0 'nobody plans' as nobody busctl call $manager Plan 'sa{sv}' "$(cat volumes.json)" 0
says 'init-labels' 'and sees the steps'
expect 0 'nobody exports' as nobody busctl call $manager Export 'a{sv}' 0
says 'daxd' 'and gets a document'

# Who may change.
empty='{"daxd":1,"volumes":[]}'
expect 1 'nobody may not apply' as nobody busctl call $manager Apply 'sa{sv}' "$empty" 0
says 'Not authorised' 'and is told so'
expect 1 'nor remove' as nobody busctl call $manager RemoveVolume 'sa{sv}' far 0
expect 1 'nor create' as nobody busctl call $manager CreateVolume 'a{sv}a{sv}' 4 name s x mode s \
	devdax size s 64M region 'a{sv}' 1 type s hmem 0
says 'Not authorised' 'which was understood before it was refused'
expect 0 'a rule lets tester apply' as tester busctl call $manager Apply 'sa{sv}' "$empty" 0
job_ends 'done' 'and it is done'
property "/job/$job" Job StartedByUID >"$out"
says 'u 1000' 'in the name of tester'
expect 1 'but not lose data' as tester busctl call $manager Apply 'sa{sv}' "$empty" 1 \
	allow-data-loss b true
says 'destroy-data' 'which is another action'

# What is wrong.
expect 1 'an unknown option' manager Apply 'sa{sv}' "$empty" 1 alow-data-loss b true
says 'There is no option "alow-data-loss"' 'is named'
expect 1 'an option that is given twice' manager Apply 'sa{sv}' "$empty" 2 allow-data-loss b false \
	allow-data-loss b false
says 'allow-data-loss is given twice' 'is named, too'
expect 1 'an option of another type' manager Apply 'sa{sv}' "$empty" 1 allow-data-loss s yes
says 'must be a boolean' 'is refused'
expect 1 'other arguments' manager Apply s "$empty"
expect 1 'no JSON' manager Apply 'sa{sv}' '{"daxd"' 0
expect 1 'no object' manager Apply 'sa{sv}' '[]' 0
! grep -q ' [Aa]t \.' "$out"
verdict 'the whole document has no place in it' $?
expect 0 'remove what is not there' manager RemoveVolume 'sa{sv}' nothing 0
job_ends invalid 'a volume that there is not'
property "/job/$job" Job Problems >"$out"
says 'There is no volume' 'is said'
expect 1 'an invalid document' manager Apply 'sa{sv}' '{"daxd":1,"volumes":[{}]}' 0
says '/volumes/0' 'is refused with its place'
manager Apply 'sa{sv}' "$(cat volumes.json)" 0 >"$out" 2>&1
job_ends refused 'what would lose data is refused'

# The real thing, watched.
dbus-monitor --system "type='signal',sender='org.daxd1'" >/run/signals 2>&1 &
watcher=$!
until grep -q NameAcquired /run/signals; do sleep $tick; done
expect 0 'apply' manager Apply 'sa{sv}' "$(cat volumes.json)" 1 allow-data-loss b true
job_ends 'done' 'and it is done'
steps=$(property "/job/$job" Job Steps)
[ "$steps" = "$(property "/job/$job" Job StepsDone)" ] && [ "$steps" != 'u 0' ]
verdict 'all of its steps are' $?
nothing_to_do volumes.json 'apply'
introspects "/job/$job" Job
introspects /region/hmem_2e0 Region
path=$(busctl tree --list org.daxd1 | sed -n 's,^/org/daxd1\(/namespace/.*\),\1,p' | head -n 1)
introspects "$path" Namespace
path=$(busctl tree --list org.daxd1 | sed -n 's,^/org/daxd1\(/device/.*\),\1,p' | head -n 1)
introspects "$path" Device
journalctl -o verbose --no-pager MESSAGE_ID=b3f7a5d2c1e84f6b9d0a47c86e215f93 "DAXD_JOB=$job" >"$out"
says 'DAXD_OUTCOME=done' 'the journal has its end'
says 'DAXD_UID=0' 'who it was'
says 'DAXD_VOLUME=vm-a' 'and which volumes'

# One volume, created and removed.
expect 0 'remove one' manager RemoveVolume 'sa{sv}' rest 1 allow-data-loss b true
job_ends 'done' 'it is gone'
sleep 1
kill $watcher
grep -o 'member=[A-Za-z]*' /run/signals | sort | uniq -c >"$out"
says 'member=Events' 'events were told'
says 'member=Ended' 'and the end'
says 'member=InterfacesAdded' 'and what came'
says 'member=InterfacesRemoved' 'and what went'
says 'member=PropertiesChanged' 'and what changed'
grep -q '"event":"end","outcome":"done"' /run/signals
verdict 'events are the lines of the worker' $?
expect 0 'create one' manager CreateVolume 'a{sv}a{sv}' 5 name s rest mode s devdax size s 64M \
	contiguous b true region 'a{sv}' 2 type s hmem target_node i 1 0
job_ends 'done' 'it is there'
daxctl-ext status >"$out"
says 'rest          devdax       64M' 'as it was wanted'

# Cancelling.
manager Apply 'sa{sv}' "$(cat absent.json)" 1 allow-data-loss b true >"$out" 2>&1
job_ends 'done' 'all are removed'
expect 0 'cancel' ./call cancel volumes.json
says cancelled 'ends it'
daxctl-ext jobs --json >"$out"
says '"plan":' 'jobs have their plans'
expect 0 'all objects' busctl call org.daxd1 /org/daxd1 org.freedesktop.DBus.ObjectManager \
	GetManagedObjects
says_not '"Plan"' 'are without them'
expect 1 'cancelling what is not there' busctl call org.daxd1 /org/daxd1/job/12345 org.daxd1.Job \
	Cancel 'a{sv}' 0
expect 1 'an option Cancel does not have' busctl call org.daxd1 "/org/daxd1/job/$job" \
	org.daxd1.Job Cancel 'a{sv}' 1 force b true

# A worker that dies.
manager Apply 'sa{sv}' "$(cat volumes.json)" 1 allow-data-loss b true >"$out" 2>&1
until working && kill -KILL "$at_work"; do :; done
job_ends failed 'a worker that dies ends its job as failed'
property "/job/$job" Job Problems >"$out"
says 'killed by signal 9' 'which is said'

# The host's own configuration, with a broken file beside it.
mkdir -p /etc/daxd /run/daxd/config
cp volumes.json /etc/daxd/10-all.json
echo '{ "daxd": 1, "volumes": [ { "name": "x", "size": "bogus" } ] }' >/run/daxd/config/20-bad.json
expect 0 'reload' systemctl reload daxd
for _ in $(seq 150); do
	states=$(busctl call org.daxd1 /org/daxd1 org.freedesktop.DBus.ObjectManager \
		GetManagedObjects | grep -o '"present"' | wc -l)
	[ "$states" -ne 10 ] || break
	sleep $tick
done
[ "$states" -eq 10 ]
verdict 'the good file is done' $?
property '' Manager Problems >"$out"
says '/run/daxd/config/20-bad.json' 'the bad one is named'
says '/volumes/0/size' 'with the place'
property '' Manager Configured >"$out"
says 'b false' 'so not everything is as configured'
introspects /volume/vm_2da Volume
: >/etc/daxd/20-bad.json
expect 0 'an empty file of the same name' systemctl reload daxd
settled
property '' Manager Configured >"$out"
says 'b true' 'switches it off'
nothing_to_do volumes.json 'the configuration'

# What is configured is not removed behind its back, and what is applied stays.
expect 1 'removing what is configured' manager RemoveVolume 'sa{sv}' window 1 allow-data-loss b true
says '10-all.json' 'names the file'
mkfifo /etc/daxd/15-pipe.json
systemctl reload daxd
property '' Manager Problems >"$out"
says '/etc/daxd/15-pipe.json' 'a pipe among the files is named and not read'
in_time sh -c 'systemctl show -P StatusText daxd | grep "; 1 problem with the files"'
verdict 'one problem is one problem' $?
rm /etc/daxd/15-pipe.json
extra='{ "daxd": 1, "volumes": [ { "name": "extra", "region": { "target_node": 5 },'
echo "$extra \"mode\": \"devdax\", \"size\": \"64M\" } ] }" >/etc/daxd/40-extra.json
expect 0 'apply a file that is new' manager Apply 'sa{sv}' '' 1 allow-data-loss b true
job_ends 'done' 'it'
echo "$extra \"ensure\": \"absent\" } ] }" >/etc/daxd/40-extra.json
expect 0 'apply it when it says that the volume is to go' \
	manager Apply 'sa{sv}' '' 1 allow-data-loss b true
job_ends 'done' 'it too'
sleep 3
expect 0 'status' daxctl-ext status
says_not extra 'and daxd does not make the volume anew'
rm /etc/daxd/40-extra.json
systemctl reload daxd
settled

# An account that is not there is a matter of its volume alone.
cat >/run/account.json <<'EOF'
{ "daxd": 1, "volumes": [
  { "name": "good", "region": { "target_node": 5 }, "mode": "devdax", "size": "64M" },
  { "name": "bad", "region": { "target_node": 5 }, "mode": "devdax", "size": "64M",
    "group": "no-such-group" } ] }
EOF
expect 1 'an account that is not there' daxctl-ext apply --allow-data-loss /run/account.json
says 'no-such-group' 'is named'
expect 0 'status' daxctl-ext status
says '  good ' 'the other volume is made'
says_not '  bad ' 'its own is not'
echo '{ "daxd": 1, "volumes": [ { "name": "good", "ensure": "absent" } ] }' >/run/account.json
expect 0 'it goes again' daxctl-ext apply --allow-data-loss /run/account.json

# Drift is seen and undone.
daxctl-ext status | sed -n 's/^  window .* \(dax[0-9]*\.[0-9]*\),.*/\1/p' >/run/window
cat /run/window >/sys/bus/dax/drivers/device_dax/unbind
for _ in $(seq 50); do
	[ -e "/sys/bus/dax/drivers/device_dax/$(cat /run/window)" ] && break
	sleep $tick
done
expect 0 'a device that lost its driver gets it again' \
	test -e "/sys/bus/dax/drivers/device_dax/$(cat /run/window)"

# A volume whose region does not come.
cat >/run/daxd/config/30-late.json <<'EOF'
{ "daxd": 1, "volumes": [ { "name": "late", "region": { "type": "cxl" }, "mode": "devdax",
  "size": "all", "wait": 2 } ] }
EOF
systemctl reload daxd
property /volume/late Volume State >"$out"
says waiting 'a volume waits for its region'
sleep 3
property /volume/late Volume State >"$out"
says late 'and is late in the end'
property '' Manager Problems >"$out"
says '/run/daxd/config/30-late.json' 'which is a problem'

# A volume that is refused is in the journal, once for each reading of the configuration.
missing() { # VOLUME: its entries
	journalctl -o verbose --no-pager MESSAGE_ID=4c8e1d0b97f24a5fa1b36e5c02d7894a \
		"DAXD_VOLUME=$1" >"$out"
}
has_entries() { # NUMBER VOLUME
	missing "$2"
	[ "$(grep -c 'DAXD_REASON=' "$out")" = "$1" ]
}
sed '/good/d' bad.json >/run/daxd/config/35-bad.json
systemctl reload daxd
in_time has_entries 1 bad
verdict 'a volume that is refused after a reload has an entry in the journal' $?
says 'DAXD_REASON=65M is not a multiple' 'with the reason'
says 'DAXD_STATE=refused' 'its state'
says 'DAXD_FILE=/run/daxd/config/35-bad.json' 'its file'
says 'MESSAGE=Volume "bad" cannot be had: 65M' 'and a sentence'
passing='"name": "passing", "region": { "target_node": 5 }, "mode": "devdax"'
echo "{ \"daxd\": 1, \"volumes\": [ { $passing, \"size\": \"64M\" } ] }" >/run/one.json
expect 0 'a change of the machine' daxctl-ext apply --allow-data-loss /run/one.json
echo '{ "daxd": 1, "volumes": [ { "name": "passing", "ensure": "absent" } ] }' >/run/one.json
expect 0 'and another' daxctl-ext apply --allow-data-loss /run/one.json
sleep 4
has_entries 1 bad
verdict 'does not repeat it' $?
systemctl reload daxd
in_time has_entries 2 bad
verdict 'another reading of the configuration does' $?
missing late
says 'DAXD_STATE=late' 'a volume that is late has an entry, too'
rm /run/daxd/config/35-bad.json
rm /run/daxd/config/30-late.json
systemctl reload daxd

# The private socket.
expect 0 'root applies on the private socket' ./call private Apply ''
job_ends 'done' 'the configuration'
expect 0 'libdbus on the private socket' dbus-send --peer=unix:path=/run/daxd/private \
	--print-reply /org/daxd1 org.freedesktop.DBus.Properties.Get \
	string:org.daxd1.Manager string:Version
expect 1 'nobody on the private socket' as nobody ./call private Apply ''
says 'Permission denied' 'is kept out'

# Deaths.
expect 0 'the bus starts anew' systemctl restart dbus
for _ in $(seq 50); do
	property '' Manager Version >"$out" 2>&1 && break
	sleep $tick
done
says 's "' 'and daxd is on it again'
[ "$(systemctl show -P NRestarts daxd)" = 0 ]
verdict 'without having been started again' $?
before=$(main_pid)
cat /run/window >/sys/bus/dax/drivers/device_dax/unbind
kill -KILL "$before"
sleep 2
settled
# That all is there is known a little before systemd hears that daxd is ready.
in_time systemctl is-active daxd
{ main_pid && systemctl is-active daxd; } >"$out"
[ "$(main_pid)" != "$before" ] && grep -qx active "$out"
verdict 'daxd comes back from SIGKILL' $?
nothing_to_do volumes.json 'and has done what was left'

# What the service may.
awk '$5 ~ "^/sys(/bus|/devices)?$" { split($6, options, ","); print $5, options[1] }' \
	"/proc/$(main_pid)/mountinfo" | sort -u >/run/mounts
printf '/sys ro\n/sys/bus rw\n/sys/devices rw\n' >/run/wanted
same /run/wanted /run/mounts 'effective mounts'
expect 0 'exposure' systemd-analyze security --threshold=20 --no-pager daxd.service

# Load, and what is left of it.
expect 0 'a thousand wrong calls' ./call flood 1000
says '1000 refused' 'are refused'
expect 0 '64 clients at once' ./call crowd 64
says '128 answers' 'are answered'
{
	as nobody ./call crowd 100 >/run/crowd 2>&1
	: >/run/crowd.over
} &
expect 0 'root applies while one user asks a hundred times at once' \
	manager Apply 'sa{sv}' "$empty" 0
job_ends 'done' 'and the machine is looked at for it'
[ ! -e /run/crowd.over ]
verdict 'while he still asks' $?
wait $!
cp /run/crowd "$out"
grep -qx '[1-9][0-9]* answers' "$out"
verdict 'and is not without an answer' $?
expect 0 'a document with more than a hundred thousand mistakes' ./call mistakes 262000
says '1000 problems' 'is answered with the first thousand'
expect 1 'a longer one' ./call mistakes 263000
says 'longer than' 'is refused for its length'
[ "$(systemctl show -P NRestarts daxd)" = 1 ]
verdict 'it has survived that' $?
group=/sys/fs/cgroup/system.slice/daxd.service
cat $group/memory.peak $group/memory.max >"$out"
[ "$(cat $group/memory.peak)" -lt "$(cat $group/memory.max)" ]
verdict 'below MemoryMax' $?
sleep 3
grep -E 'VmRSS|RssAnon' "/proc/$(main_pid)/status" >"$out"
rss=$(sed -n 's/^VmRSS:[^0-9]*\([0-9]*\).*/\1/p' "$out")
[ "$rss" -le 6144 ]
verdict 'resident at idle: 6 MiB or less' $?
echo "     daxd: $rss KiB resident, peak of the service $(cat $group/memory.peak)"
switches() {
	sed -n 's/^voluntary_ctxt_switches:[^0-9]*//p' "/proc/$(main_pid)/status"
}
before=$(switches)
sleep 4
[ $(($(switches) - before)) -le 1 ]
verdict 'no wake-ups when idle' $?
pid=$(main_pid)
expect 0 'it stops' systemctl stop daxd
[ ! -e "/proc/$pid" ] && [ "$(systemctl show -P Result daxd)" = success ]
verdict 'in good order' $?

# Somebody else is at work when it starts.
cat /run/window >/sys/bus/dax/drivers/device_dax/unbind
flock /run/daxd/lock sleep 4 &
until ! flock -n /run/daxd/lock true; do :; done
expect 0 'it starts while somebody else is at work' systemctl start daxd
expect 0 'and is ready when that has ended and all is there' \
	test -e "/sys/bus/dax/drivers/device_dax/$(cat /run/window)"
expect 0 'it stops again' systemctl stop daxd
expect 0 'the journal' journalctl -u daxd --no-pager -o cat
! grep -qiE 'assert|corrupt|core dumped' "$out"
verdict 'has no complaint' $?
finish
