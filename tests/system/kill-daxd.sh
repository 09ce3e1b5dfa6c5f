# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=dash
# In a boot: SIGKILL for the worker as soon as there is one that changes something, for the daemon
# in the middle of the next one's work, and for the worker that follows.
. /root/system/lib.sh
worker() { # the process of one that is another than those before
	while :; do
		working && [ "$at_work" != "${last-}" ] && break
	done
	last=$at_work
}

worker
kill -KILL "$last" && printf 'worker ' >>/run/killed
before=$(stat -c %s /etc/daxd/state/journal)
worker
# It stands still in the middle of its work, however long it takes to find the daemon.
while [ "$(stat -c %s /etc/daxd/state/journal)" = "$before" ]; do :; done
kill -STOP "$last"
kill -KILL "$(systemctl show -P MainPID daxd)" && printf 'daxd ' >>/run/killed
worker
kill -KILL "$last" && echo 'worker done' >>/run/killed
