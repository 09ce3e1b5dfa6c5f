# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=dash disable=SC1091,SC2012,SC2154
# The life of the package in the test machine: installed, used, upgraded while its volumes are in
# use, removed, installed again, purged with and without a file of the admin's.
cd /root/package || exit
. ./lib.sh

# What a package may leave: nothing.  dpkg's own books and logs are left out.
files() {
	find /etc /usr /var -xdev -path /var/lib/dpkg -prune -o -path /var/log -prune -o -print |
		sort
}

devices() { # what the kernel has, asked without daxd
	for device in /sys/bus/dax/devices/* /sys/block/pmem*; do
		echo "$device $(cat "$device/size") $(readlink "$device/driver")"
	done
	ls -l /dev/dax* /dev/pmem* | sed 's/ [A-Z][a-z][a-z] .*:[0-9][0-9] / /'
	grep -H . /sys/devices/system/memory/memory*/state
}

volumes_are_as_they_were() { # WHEN
	devices >/run/devices.now
	same /run/devices /run/devices.now "$1: the devices are as they were"
	cksum </mnt/images/data >/run/sum.now
	same /run/sum /run/sum.now "$1: so is the file on one of them"
}

nothing_failed() { # WHEN
	systemctl list-units --failed --plain --no-legend --no-pager >"$out" 2>&1
	[ ! -s "$out" ]
	verdict "$1: no unit has failed" $?
	dpkg --audit daxd >"$out" 2>&1
	[ ! -s "$out" ]
	verdict "$1: dpkg finds nothing half done" $?
}

# A daemon that is in the package runs while it is installed.
daemon_runs() { # WHEN
	[ -e /usr/lib/systemd/system/daxd.service ] || return 0
	expect 0 "$1: the daemon runs" systemctl is-active daxd.service
}

expect 1 'not without what it needs' dpkg -i first.deb
says 'daxd depends on libpmem2' 'which dpkg tells'
expect 0 'take it away again' dpkg --purge daxd
expect 0 'install what it needs' dpkg -i needs/*.deb
files >/run/files
expect 0 'install' dpkg -i first.deb
expect 0 'dpkg verifies its files' dpkg --verify daxd
nothing_failed 'install'
daemon_runs 'install'
expect 0 'the command is there' daxctl-ext version
expect 0 'so are its manual pages' sh -c \
	'dpkg -L daxd | grep -q /man1/daxctl-ext.1 && dpkg -L daxd | grep -q /man5/daxd-config.5'

expect 0 'the library' dpkg -i library.deb
expect 0 'dpkg verifies it' dpkg --verify libdaxwindow1
expect 0 'it goes again' dpkg -P libdaxwindow1

cp site.json /etc/daxd/
expect 0 'apply' daxctl-ext apply --allow-data-loss site.json
nothing_to_do site.json 'apply'
images=/dev/$(daxctl-ext status | sed -n 's/^  images .* \(pmem[0-9.]*\),.*/\1/p')
mkdir -p /mnt/images
expect 0 'a file system' mkfs.ext4 -q "$images"
expect 0 'is mounted' mount "$images" /mnt/images
head -c 1000000 /dev/urandom >/mnt/images/data
cksum </mnt/images/data >/run/sum
exec 3<"/dev/$(daxctl-ext status | sed -n 's/^  window .* \(dax[0-9.]*\),.*/\1/p')"
devices >/run/devices

expect 0 'upgrade, with volumes in use' dpkg -i next.deb
expect 0 'is of the higher version' dpkg --compare-versions \
	"$(dpkg-query -W -f '${Version}' daxd)" gt "$(dpkg-deb -f first.deb Version)"
nothing_failed 'upgrade'
daemon_runs 'upgrade'
volumes_are_as_they_were 'upgrade'
nothing_to_do site.json 'upgrade'

expect 0 'remove' dpkg -r daxd
systemctl list-units --failed --plain --no-legend --no-pager >"$out" 2>&1
[ ! -s "$out" ]
verdict 'remove: no unit has failed' $?
volumes_are_as_they_were 'remove'
expect 127 'the command is gone' sh -c 'daxctl-ext version'
expect 0 'the records are not' test -s /etc/daxd/state/state.json
expect 1 'no process is left' pgrep -f /usr/libexec/daxd/
expect 0 'install again' dpkg -i next.deb
nothing_to_do site.json 'install again'

# What a verb without the daemon, and windows, leave in /run.
expect 0 'a verb without the daemon' env DAXD_WORKER=/usr/libexec/daxd/daxd-worker \
	daxctl-ext enable-device window
expect 0 'has left something to purge' test -e /run/daxd/queue
expect 0 'purge' dpkg -P daxd
expect 1 'purge: dpkg has forgotten it' dpkg -s daxd
volumes_are_as_they_were 'purge'
expect 1 'its records are gone' test -e /etc/daxd/state
expect 0 'the configuration of the admin is not' cmp site.json /etc/daxd/site.json

# What it no longer knows of it would make a second time.
rm /etc/daxd/site.json
expect 0 'install once more' dpkg -i first.deb
expect 0 'purge, with nothing of the admin' dpkg -P daxd
volumes_are_as_they_were 'second purge'
files >/run/files.now
same /run/files /run/files.now 'nothing is left behind'
expect 1 'not even in /run' test -e /run/daxd
exec 3<&-
umount /mnt/images
finish
