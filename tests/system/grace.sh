# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=dash
# grace.sh: grace periods are expedited while a worker changes something, are as before when it
# is done or was killed, and are left alone where somebody else has said how they are to be.
cd /root/system || exit
. ./lib.sh
run=/run/grace
expedited=/sys/kernel/rcu_expedited
processors=/sys/devices/system/cpu
mkdir -p $run
daxctl-ext destroy-device -f -r 0 all >/dev/null 2>&1

# A worker that stands still before it binds a device.
cat >$run/slow <<-'END'
	#!/bin/sh
	exec strace -f -qq -o /run/grace/trace -P /sys/bus/dax/drivers/device_dax/new_id \
		-e trace=write -e inject=write:delay_enter=2500000 /usr/libexec/daxd/daxd-worker "$@"
END
chmod +x $run/slow

is() { # VALUE NAME
	cat $expedited >"$out"
	grep -qx "$1" "$out"
	verdict "$2" $?
}

stands_still() {
	working && grep -q "FLOCK .*:$(stat -c %i /sys/bus/dax) " /proc/locks
}

is_over() { # strace lets go of the worker
	! working
}

begin() { # make a device, until it is to be bound
	DAXD_WORKER=$run/slow daxctl-ext create-device -r 0 -s 256M >$run/out 2>&1 &
	in_time stands_still
	verdict 'a worker is at work' $?
}

end() {
	wait $!
	cat $run/out >"$out"
	grep -q '"chardev"' "$out"
	verdict 'the device is made' $?
	expect 0 'it goes' daxctl-ext destroy-device -f -r 0 all
}

is 0 'nothing is expedited'
begin
is 1 'while a worker changes something, grace periods are'
end
is 0 'and not when it is done'
[ ! -e /run/daxd/rcu-expedited ]
verdict 'there is no mark of it' $?

begin
kill -KILL $! "$at_work" # the program that waits for it would look at once
wait
in_time is_over
is 1 'a worker that was killed leaves it so'
expect 0 'whoever looks next' daxctl-ext status
is 0 'puts it back'
expect 0 'what the dead one made goes' daxctl-ext destroy-device -f -r 0 all

echo 1 >$expedited
begin
end
is 1 'what somebody else has set stays'
echo 0 >$expedited

echo 1 >/sys/kernel/rcu_normal
begin
is 0 'with rcu_normal nothing is expedited'
end
echo 0 >/sys/kernel/rcu_normal

for kept in isolated nohz_full; do
	[ -e $processors/$kept ] || continue
	echo 1 >$run/kept
	mount --bind $run/kept $processors/$kept
	begin
	is 0 "nor where processors are $kept"
	end
	umount $processors/$kept
done
begin
is 1 'but where none is'
end
finish
