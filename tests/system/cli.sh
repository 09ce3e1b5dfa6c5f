# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=dash
# The command line and daxd: who may what, jobs, and the ways to it when something is missing.
cd /root/system || exit
OVER_BUS=yes
. ./lib.sh

as_nobody() {
	setpriv --reuid=nobody --regid=nogroup --clear-groups "$@"
}

as_tester() {
	setpriv --reuid=tester --regid="$(id -g tester)" --clear-groups "$@"
}

one() { # FILE JSON-OF-A-VOLUME
	printf '{ "daxd": 1, "volumes": [ %s ] }\n' "$2" >"$1"
}

last_job() { # its number
	daxctl-ext jobs | awk '$1 + 0 > n { n = $1 } END { print n + 0 }'
}

until_says() { # TEXT COMMAND...: for at most a minute
	text=$1 tries=0
	shift
	until "$@" 2>&1 | grep -q "$text"; do
		tries=$((tries + 1))
		[ $tries -lt 300 ] || return 1
		sleep 0.2
	done
}

window='"name": "window", "region": { "type": "hmem", "target_node": 1 }, "mode": "devdax"'
systemctl start daxd

# Reading is for everybody.
expect 0 'status' daxctl-ext status
cp "$out" /run/status.root
expect 0 'status as nobody' as_nobody daxctl-ext status
cp "$out" /run/status.nobody
same /run/status.root /run/status.nobody 'shows them the same'
expect 0 'export as nobody' as_nobody daxctl-ext export
expect 3 'plan as nobody' as_nobody daxctl-ext plan volumes.json
says 'init-labels' 'shows the steps'
expect 0 'plan of the host as nobody' as_nobody daxctl-ext plan
says 'Nothing to do' 'is empty'
expect 0 'jobs as nobody' as_nobody daxctl-ext jobs

# Changing is not.
one /run/window.json "{ $window, \"size\": \"128M\" }"
chmod 644 /run/window.json
expect 4 'apply as nobody' as_nobody daxctl-ext apply --no-ask-password /run/window.json
says 'polkit allow it (org.daxd1.apply)' 'names what is missing'
tester_may_apply
expect 4 'a loss as somebody who may apply' as_tester daxctl-ext apply --no-ask-password \
	--allow-data-loss /run/window.json
says 'polkit allow it (org.daxd1.destroy-data)' 'names just what is missing'

room() { # of region 0
	daxctl-ext list -R -r 0 | sed -n 's/.*"available_size":\([0-9]*\).*/\1/p'
}
before=$(room)
expect 4 'to keep what one may not write' as_tester daxctl-ext create-device --no-ask-password \
	-r 0 -s 128M --name mine --keep
says 'leave out --keep' 'is told'
[ "$(room)" = "$before" ]
verdict 'before a device is made' $?

# As without daxd, through it.
expect 3 'what loses data' daxctl-ext apply volumes.json
says 'init-labels' 'is shown'
says 'allow-data-loss is not given' 'and refused'
mkdir -p /run/two
cp /run/window.json /run/two/a.json
one /run/two/b.json '{ "name": "far", "region": { "type": "hmem", "target_node": 9 }, "mode": "devdax", "size": "1G" }'
expect 2 'what cannot be had' daxctl-ext apply /run/two
says '/run/two/b.json: /volumes/0/region' 'is found in its file'
expect 0 'dry run' daxctl-ext apply --dry-run /run/window.json
daxctl-ext monitor >/run/monitor.text 2>&1 &
monitor=$!
daxctl-ext monitor --json >/run/monitor.json 2>&1 &
monitor_json=$!
sleep 2
expect 0 'apply' daxctl-ext apply /run/window.json
says 'all read back' 'says what it did'
nothing_to_do /run/window.json 'apply'
expect 0 'apply, and nothing is to be done' daxctl-ext apply /run/window.json
says 'Nothing to do' 'says so'
expect 0 'apply --json' daxctl-ext apply --json /run/window.json
says '"steps":[]' 'prints the plan'

# Monitor has seen it.
sleep 2
kill $monitor $monitor_json
cp /run/monitor.text "$out"
says 'running' 'monitor: a job runs'
says 'step done: Step 4, create-device window' 'monitor: a step is done'
says 'ended: done' 'monitor: a job ends'
grep -Eq 'device dax[0-9.]+ (came|changed): .*driver device_dax' "$out"
verdict 'monitor: what became of the device' $?
cp /run/monitor.json "$out"
says '"object":"job"' 'monitor --json: a job'
says '"change":"ended","data":{"outcome":"done"' 'monitor --json: its end'

# A device by any path of its node, and who uses it.
device=$(readlink -f /dev/dax/by-name/window)
cp -a "$device" /run/another-node
for path in /dev/dax/by-name/window /dev/dax/by-path/* "$device" /run/another-node; do
	expect 0 "who $path" daxctl-ext who "$path"
	says "${device##*/} (window): nobody uses it" 'finds it'
	expect 0 "list --dev $path" daxctl-ext list --dev "$path"
	says "\"chardev\":\"${device##*/}\"" 'finds it'
done
expect 0 'a verb by a link' daxctl-ext disable-device /dev/dax/by-path/*
expect 2 'another node is none' daxctl-ext who /dev/null
expect 0 'enable it again' daxctl-ext enable-device "${device##*/}"
expect 0 'a verb by a node made elsewhere' daxctl-ext reconfigure-device -m devdax /run/another-node
uses() { # NAME TEXT COMMAND...: by daxd, which others ask, and by a worker, as root does
	name=$1 text=$2
	shift 2
	expect 0 "$name" as_nobody "$@"
	says "$text" 'is told'
	expect 0 "$name, root" "$@"
	says "$text" 'is told'
}
chmod 644 "$device"
# shellcheck disable=SC2016 # the inner shell expands it
uses 'a descriptor that was handed on to us' 'nobody uses it' \
	sh -c 'exec daxctl-ext who window 3<"$0"' "$device"
# shellcheck disable=SC2016 # as above
uses 'one that the shell has, too' 'process  sh ' \
	sh -c 'exec 3<"$0"; daxctl-ext who window; exit $?' "$device"
# shellcheck disable=SC2016 # as above
sh -c 'exec /usr/libexec/daxd/daxd-worker scan 3<"$0"' "$device" >"$out"
grep -q '"regions"' "$out" && ! grep -q '"daxd-worker"' "$out"
verdict 'a worker of its own does not find itself' $?

# Jobs.
expect 0 'jobs' daxctl-ext jobs
grep -Eq ' apply +done +[0-9]+/[0-9]+ +root ' "$out"
verdict 'a job that is done' $?
grep -Eq ' done .* window$' "$out"
verdict 'with the volume that it was about' $?
says 'refused' 'one that was refused'
expect 0 'jobs --json' daxctl-ext jobs --json
says '"operation":"apply"' 'has the same'
expect 2 'cancel what is no number' daxctl-ext cancel x
expect 2 'cancel what there is not' daxctl-ext cancel 4711

# Cancelling an apply that runs, by its number and by Ctrl-C.
daxctl-ext apply --allow-data-loss volumes.json >/run/apply.out 2>&1 &
apply=$!
until_says 'running' daxctl-ext jobs
job=$(last_job)
expect 4 'cancel as nobody' as_nobody daxctl-ext cancel --no-ask-password "$job"
says 'polkit allow it (org.daxd1.cancel)' 'names what is missing'
expect 0 'cancel' daxctl-ext cancel "$job"
wait $apply
r=$?
cp /run/apply.out "$out"
[ $r -eq 1 ]
verdict 'the apply that was cancelled fails' $?
says 'cancelled' 'and says why'
expect 0 'its job' daxctl-ext jobs
grep -Eq "^ *$job .* cancelled " "$out"
verdict 'is listed as cancelled' $?
expect 2 'cancel it once more' daxctl-ext cancel "$job"
says "Job $job has ended: cancelled." 'is no silent success'
daxctl-ext apply --allow-data-loss volumes.json >/run/apply.out 2>&1 &
apply=$!
until_says 'running' daxctl-ext jobs
kill -INT $apply
wait $apply
r=$?
cp /run/apply.out "$out"
[ $r -eq 1 ]
verdict 'so does the one that gets SIGINT' $?
says 'cancelled' 'and says why'
daxctl-ext monitor >/run/monitor.text 2>&1 &
monitor=$!
sleep 1
expect 0 'apply again goes on' daxctl-ext apply --allow-data-loss volumes.json
nothing_to_do volumes.json 'after cancelling'
sleep 2
kill $monitor
cp /run/monitor.text "$out"
grep -Eq 'namespace .* came: .*start 0x[0-9a-f]+, size [0-9.]+M, usable [0-9.]+[KM]' "$out"
verdict 'monitor: sizes and addresses are for people' $?
! grep -qE ' (size|available|usable|align|start) [0-9]{5,}(,|$)' "$out"
verdict 'monitor: and none is in bytes' $?
expect 0 'and all goes away again' daxctl-ext apply --allow-data-loss absent.json

# The host's own configuration, and waiting for it.
mkdir -p /etc/daxd
one /etc/daxd/window.json "{ $window, \"size\": \"128M\" }"
expect 0 'plan of the host' daxctl-ext plan
says 'create-device' 'reads its files anew'
expect 0 'apply of the host' daxctl-ext apply
systemctl reload daxd
until_says 'window' daxctl-ext wait --timeout 0 windo
expect 0 'wait for a volume that is there' daxctl-ext wait --timeout 30 window
expect 0 'wait for all, as nobody' as_nobody daxctl-ext wait --timeout 30
expect 2 'wait for one that is none' daxctl-ext wait --timeout 1 windo
says 'did you mean "window"?' 'and the right name is known'
one /etc/daxd/later.json '{ "name": "unread", "region": { "type": "hmem", "target_node": 1 }, "mode": "devdax", "size": "128M" }'
expect 2 'wait for one of a file that was not read' daxctl-ext wait --timeout 1 unread
says 'Files in /etc/daxd are read by "daxctl-ext apply"' 'and what reads it is said'
one /etc/daxd/later.json '{ "name": "later", "region": { "type": "hmem", "target_node": 9 }, "mode": "devdax", "size": "1G", "wait": 600 }'
systemctl reload daxd
until_says 'later' daxctl-ext wait --timeout 0 late
expect 1 'wait for one that does not come' daxctl-ext wait --timeout 1
says '"later" is not present' 'and who is missing is named'
echo '{' >/etc/daxd/bad.json
systemctl reload daxd
until_says '/etc/daxd/bad.json' daxctl-ext wait --timeout 0
expect 1 'wait while a file is left out' daxctl-ext wait --timeout 0
says '"later" is not present' 'names who is missing'
says '/etc/daxd/bad.json' 'and the file'
expect 2 'a volume that may be in that file' daxctl-ext wait --timeout 0 lost
says '/etc/daxd/bad.json' 'it is named there, too'
rm /etc/daxd/bad.json
systemctl reload daxd
expect 0 'the other is there' daxctl-ext wait --timeout 1 window
daxctl-ext wait --timeout 120 later >/run/wait.out 2>&1 &
waiting=$!
sleep 1
one /etc/daxd/later.json '{ "name": "later", "region": { "type": "hmem", "target_node": 1 }, "mode": "devdax", "size": "128M" }'
systemctl restart daxd
wait $waiting
r=$?
cp /run/wait.out "$out"
[ $r -eq 0 ]
verdict 'waiting outlives daxd, and ends when the volume is there' $?
rm /etc/daxd/*.json
systemctl reload daxd
# A reload is a signal: what is written too early would be read by it.
in_time sh -c '! busctl get-property org.daxd1 /org/daxd1/volume/window org.daxd1.Volume State'
sleep 3 # daxd reads files once more a second after it is ready, as it was just now

# Of the host's configuration what can be had is done, and the rest named.
one /etc/daxd/20-window.json "{ $window, \"size\": \"192M\" }"
sed '/good/d' bad.json >/etc/daxd/30-bad.json
echo '{ "daxd": 1, "volumes": [ { "name": "x" } ] }' >/etc/daxd/40-broken.json
one /etc/daxd/50-soon.json '{ "name": "soon", "region": { "type": "hmem", "target_node": 9 }, "mode": "devdax", "size": "1G", "wait": 600 }'
expect 6 'plan what can be had' daxctl-ext plan
says '-> 192M' 'has the volume that can'
says '/etc/daxd/30-bad.json: /volumes/0/size: Volume "bad" is left out: 65M is not a multiple' \
	'names the one that cannot'
says '/etc/daxd/40-broken.json: /volumes/0' 'the broken file'
says '/etc/daxd/40-broken.json: Until that is mended the whole file counts for nothing' \
	'and that nothing of it counts'
says '/etc/daxd/50-soon.json: /volumes/0/region: Volume "soon" is left out: No region' \
	'and the one whose region is not there'
expect 6 'as nobody' as_nobody daxctl-ext plan
expect 6 'as JSON' daxctl-ext plan --json
says '"steps":[' 'the plan'
says '{"errors":[' 'and what is left out of it'
expect 6 'a dry run' daxctl-ext apply --dry-run
says 'Volume "bad" is left out' 'names it, too'
expect 6 'apply what can be had' daxctl-ext apply
says 'Volume "bad" is left out' 'names what is left out'
says '/etc/daxd/40-broken.json' 'and the broken file'
daxctl-ext status >"$out"
grep -q 'window .*192M' "$out"
verdict 'and it is done, by this job or by one of daxd that was quicker' $?
expect 6 'apply once more' daxctl-ext apply
says 'Nothing to do for what can be had' 'has nothing to do'
expect 6 'with --json' daxctl-ext apply --json
says '"steps":[]' 'prints the plan'
says 'Volume \"bad\" is left out' 'and the problems'
expect 0 'jobs' daxctl-ext jobs
says ' partial ' 'lists the outcome'
grep -q ' partial .* /etc/daxd/[345]0-[a-z]*.json: /volumes/0' "$out"
verdict 'and what was left out, with its file' $?
one /etc/daxd/20-window.json "{ $window, \"size\": \"128M\" }"
expect 3 'apply what would lose data' daxctl-ext apply
says '/etc/daxd/40-broken.json' 'names what is left out, too'
expect 0 'its job' daxctl-ext jobs
grep -q ' refused .* 1 step would lose data' "$out"
verdict 'is listed with its own reason' $?
expect 2 'the same files by name are all or nothing' daxctl-ext apply /etc/daxd
rm /etc/daxd/*.json
systemctl reload daxd

# Long documents: users are told, root has daxd's own socket.
awk 'BEGIN {
	printf "{ \"daxd\": 1, \"volumes\": ["
	for (i = 0; i < 8000; i++)
		printf "%s{ \"name\": \"volume-%d\", \"ensure\": \"absent\" }", i ? "," : "", i
	print "] }"
}' >/run/long.json
expect 0 'a long configuration' daxctl-ext apply /run/long.json
says 'Nothing to do' 'goes by another way'
[ "$(daxctl-ext jobs | awk '{ last = $2 } END { print last }')" = apply ]
verdict 'and is a job of daxd all the same' $?
expect 4 'of a user' as_tester daxctl-ext apply /run/long.json
says 'daxd takes 256 KiB of users' 'is refused with the limit'

# What daxd saw last says what a verb is about; that it is so no more is seen before it is told.
expect 0 'a device, gone again by other means' daxctl-ext create-device --name brief -s 128M \
	-r 0
made=$(sed -n 's/.*"chardev":"\(dax[0-9.]*\)".*/\1/p' "$out")
udevadm settle
sleep 1
daxctl disable-device "$made" >"$out" 2>&1 && daxctl destroy-device "$made" >"$out" 2>&1
expect 2 'to destroy it at once' daxctl-ext destroy-device "$made"
says 'There is no dax device' 'says that it is not there'

# The same for what it holds: it was memory a moment ago, whose end loses nothing.
expect 0 'memory' daxctl-ext create-device --name brief -s 128M -r 0 -m system-ram
made=$(sed -n 's/.*"chardev":"\(dax[0-9.]*\)".*/\1/p' "$out")
udevadm settle
sleep 1
daxctl reconfigure-device -m devdax -f "$made" >"$out" 2>&1
expect 0 'to destroy it at once, now a device' daxctl-ext destroy-device -f "$made"

# No bus: root has daxd's own socket.
systemctl stop dbus.socket dbus.service
one /run/window.json "{ $window, \"size\": \"256M\" }"
expect 0 'without a bus: status' daxctl-ext status
expect 0 'without a bus: apply' daxctl-ext apply /run/window.json
says 'all read back' 'is done'
expect 0 'without a bus: jobs' daxctl-ext jobs
grep -Eq ' apply +done ' "$out"
verdict 'shows that daxd did it' $?
expect 4 'without a bus: status as nobody' as_nobody daxctl-ext status
systemctl start dbus.socket

# No daxd, and none can be started: root does without.
# What was read and has been taken away is not wanted any more.
one /etc/daxd/gone.json '{ "name": "gone", "region": { "type": "hmem", "target_node": 2 }, "size": "64M", "mode": "devdax" }'
expect 0 'a volume of the host' daxctl-ext apply
device=$(basename "$(readlink -f /dev/dax/by-name/gone)")
touch /etc/daxd/gone.json
echo "$device" >/sys/bus/dax/drivers/device_dax/unbind
in_time test -e "/sys/bus/dax/drivers/device_dax/$device"
verdict 'a file that was written again the same is as it was' $?
rm /etc/daxd/gone.json
expect 0 'destroyed when its file is gone' daxctl-ext destroy-device -f gone
problem_is_told() {
	busctl get-property org.daxd1 /org/daxd1 org.daxd1.Manager Problems >"$out" 2>&1
	grep -q 'changed since they were read' "$out"
}
in_time problem_is_told
verdict 'daxd says that its files have changed' $?
expect 1 'and does not make it again' test -e /dev/dax/by-name/gone
expect 0 'until they are read' daxctl-ext apply
expect 1 'without it' test -e /dev/dax/by-name/gone

# Who only looks starts nobody who would do something.
systemctl stop daxd
expect 0 'daxd is stopped: status' daxctl-ext status
expect 4 'daxd is stopped: status as nobody' as_nobody daxctl-ext status
expect 3 'and nobody has started it' systemctl is-active daxd
systemctl mask --runtime --now daxd >/dev/null 2>&1
expect 0 'without daxd: status' daxctl-ext status
one /run/window.json "{ $window, \"size\": \"384M\" }"
expect 0 'without daxd: apply' daxctl-ext apply /run/window.json
says 'all read back' 'is done'
expect 4 'without daxd: status as nobody' as_nobody daxctl-ext status
says 'systemctl start daxd' 'and what would help is said'
expect 1 'without daxd: jobs' daxctl-ext jobs
expect 1 'without daxd: apply of the host' daxctl-ext apply
one /run/window.json '{ "name": "window", "ensure": "absent" }'
expect 0 'without daxd: the volume goes' daxctl-ext apply --allow-data-loss /run/window.json
systemctl unmask --runtime daxd >/dev/null 2>&1
expect 0 'daxd is started when it is called' daxctl-ext jobs
finish
