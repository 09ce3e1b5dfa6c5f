# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=dash
# fresh.sh STRIDE: a volume with partitions where a table lies that its destroyed predecessor has
# left.  The worker is killed after every STRIDEth journal record: what comes of it by the next
# apply, without consent to any loss, is the new table and nothing of the old one.
cd /root/system || exit
. ./lib.sh
stride=$1

volume() { # MODE NAME PARTITION...
	mode=$1 name=$2 entries=
	shift 2
	for part; do entries="$entries${entries:+,}{\"name\":\"$part\",\"size\":\"16M\"}"; done
	echo "{\"daxd\":1,\"volumes\":[{\"name\":\"$name\",\"mode\":\"$mode\",\"size\":\"256M\"," \
		"\"region\":{\"type\":\"pmem\",\"target_node\":3},\"partitions\":[$entries]}]}"
}

absent() { # NAME
	echo "{\"daxd\":1,\"volumes\":[{\"name\":\"$1\",\"ensure\":\"absent\"}]}"
}

namespace_of() { # NAME
	ndctl list -N | tr -d '\n ' | sed 's/},{/}\n{/g' |
		sed -n "s/.*\"dev\":\"\([^\"]*\)\".*\"name\":\"$1\".*/\1/p"
}

leave_old() { # MODE: the table of the predecessor, and no namespace
	volume "$1" old left over again >/run/old.json
	daxctl-ext apply --allow-data-loss /run/old.json >"$out" 2>&1 || return
	dmsetup remove_all >"$out" 2>&1
	ndctl destroy-namespace -f "$(namespace_of old)" >"$out" 2>&1
}

for mode in fsdax devdax; do
	volume "$mode" new first second >/run/new.json
	absent new >/run/absent.json
	at=1
	while :; do
		leave_old "$mode"
		verdict "$mode, record $at: only an old table is left" $?
		DAXD_CRASH_AT=$at DAXD_CRASH_HOW=kill daxctl-ext apply --allow-data-loss \
			/run/new.json >"$out" 2>&1
		r=$?
		[ "$r" -eq 0 ] || says 'killed by signal 9' "$mode, record $at: the death of the worker is told"
		expect 0 "$mode, record $at: apply, without a loss" daxctl-ext apply /run/new.json
		daxctl-ext part list new >"$out" 2>&1
		grep -q first "$out" && grep -q second "$out" && ! grep -q 'left\|over' "$out"
		verdict "$mode, record $at: the table is the new one" $?
		nothing_to_do /run/new.json "$mode, record $at"
		expect 0 "$mode, record $at: destroy it" \
			daxctl-ext apply --allow-data-loss /run/absent.json
		[ "$r" -ne 0 ] && [ "$at" -lt 40 ] || break
		at=$((at + stride))
	done
	[ "$at" -gt 4 ]
	verdict "$mode: there were records to be killed after" $?
done
finish
