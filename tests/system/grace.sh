# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=dash
# grace.sh: grace periods are expedited while a worker waits for them, are as before when it is
# done or was killed, and are left alone where somebody else has said how they are to be.
cd /root/system || exit
. ./lib.sh
run=/run/grace
expedited=/sys/kernel/rcu_expedited
processors=/sys/devices/system/cpu
mkdir -p $run
daxctl-ext destroy-device -f -r 0 all >/dev/null 2>&1

# A worker that stands still before it takes the driver from a device, or gives it one.
slow() { # ATTRIBUTE
	cat >$run/slow <<-END
		#!/bin/sh
		exec strace -f -qq -o /run/grace/trace -P /sys/bus/dax/drivers/device_dax/$1 \
			-e trace=write -e inject=write:delay_enter=2500000 \
			/usr/libexec/daxd/daxd-worker "\$@"
	END
	chmod +x $run/slow
}

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

begin() { # VERB...: until the driver is written to
	DAXD_WORKER=$run/slow daxctl-ext "$@" >$run/out 2>&1 &
	in_time stands_still
	verdict 'a worker is at work' $?
}

end() { # WHAT-IT-SAYS
	wait $!
	cat $run/out >"$out"
	grep -q "$1" "$out"
	verdict "it ends: $1" $?
}

take_driver() {
	expect 0 'a device is made' daxctl-ext create-device -r 0 -s 256M
	slow unbind
	begin disable-device -r 0 all
}

it_is_taken() {
	end 'disabled 1 device'
	expect 0 'it goes' daxctl-ext destroy-device -f -r 0 all
}

is 0 'nothing is expedited'
slow new_id
begin create-device -r 0 -s 256M
is 0 'nor while a worker does what waits for no grace period'
end '"chardev"'
expect 0 'it goes' daxctl-ext destroy-device -f -r 0 all
take_driver
is 1 'while it waits for them, they are'
it_is_taken
is 0 'and not when it is done'
[ ! -e /run/daxd/rcu-expedited ]
verdict 'there is no mark of it' $?

take_driver
kill -KILL $! "$at_work" # the program that waits for it would look at once
wait
in_time is_over
is 1 'a worker that was killed leaves it so'
expect 0 'whoever looks next' daxctl-ext status
is 0 'puts it back'
expect 0 'what the dead one left goes' daxctl-ext destroy-device -f -r 0 all

echo 1 >$expedited
take_driver
it_is_taken
is 1 'what somebody else has set stays'
echo 0 >$expedited

echo 1 >/sys/kernel/rcu_normal
take_driver
is 0 'with rcu_normal nothing is expedited'
it_is_taken
echo 0 >/sys/kernel/rcu_normal

for kept in isolated nohz_full; do
	[ -e $processors/$kept ] || continue
	echo 1 >$run/kept
	mount --bind $run/kept $processors/$kept
	take_driver
	is 0 "nor where processors are $kept"
	it_is_taken
	umount $processors/$kept
done
take_driver
is 1 'but where none is'
it_is_taken
finish
