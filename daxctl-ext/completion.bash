# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=bash
# Words for daxctl-ext on the command line of bash.  Verbs and options are asked of the program.

# The verbs, or the long options of one; those that take a value end with "=".
__daxctl_ext_verbs() {
	daxctl-ext help 2>/dev/null | sed -n 's/^  \([a-z-]*\) .*/\1/p'
}

__daxctl_ext_options() { # VERB
	daxctl-ext help "$1" 2>/dev/null |
		sed -n 's/^  .*  *\(--[a-z-]*\) [A-Z].*/\1/p; s/^  .*  *\(--[a-z-]*\)  .*/\1/p; s/^  .*  *\(--[a-z-]*\)\[=.*/\1/p'
}

# A daemon that does not run is not started for a Tab.
__daxctl_ext_jobs() {
	[ -S /run/daxd/private ] && daxctl-ext jobs 2>/dev/null | sed -n 's/^ *\([0-9][0-9]*\) .*/\1/p'
}

# Names as the bus has them in paths: "_2d" is "-".
__daxctl_ext_volumes() {
	local word
	[ -S /run/daxd/private ] || return
	busctl --system --list tree org.daxd1 2>/dev/null |
		sed -n 's,^/org/daxd1/volume/,,p' | while read -r word; do
		printf '%b\n' "${word//_/\\x}"
	done
}

__daxctl_ext_regions() {
	local path
	for path in /sys/bus/nd/devices/region* /sys/bus/platform/devices/hmem.* \
		/sys/bus/cxl/devices/dax_region*; do
		[ -e "$path" ] && printf '%s\n' "${path##*/}"
	done
}

# Devices by what the kernel shows anybody; volumes are daxd's to know.
__daxctl_ext_devices() {
	local path
	for path in /sys/bus/dax/devices/dax*; do
		[ -e "$path" ] && printf '%s\n' "${path##*/}"
	done
	echo all
}

__daxctl_ext_disks() {
	local path
	for path in /sys/block/pmem*; do
		[ -e "$path" ] && printf '%s\n' "${path##*/}"
	done
}

__daxctl_ext_files() { # WORD
	local IFS=$'\n'
	compopt -o filenames 2>/dev/null
	# shellcheck disable=SC2207 # lines, by IFS
	COMPREPLY=($(compgen -f -- "$1"))
}

_daxctl_ext() {
	local word=${COMP_WORDS[COMP_CWORD]} before=${COMP_WORDS[COMP_CWORD - 1]}
	local verb=${COMP_WORDS[1]} words=

	COMPREPLY=()
	if [ "$before" = = ]; then
		before=${COMP_WORDS[COMP_CWORD - 2]}
	elif [ "$word" = = ]; then
		word=
	fi
	if [ "$COMP_CWORD" -eq 1 ]; then
		words=$(__daxctl_ext_verbs)
	elif [[ $word == -* ]]; then
		words=$(__daxctl_ext_options "$verb")
	else
		case $verb:$before in
		*:--topology | *:--save | *:--input)
			__daxctl_ext_files "$word"
			return
			;;
		*:--region | status:-r) words=$(__daxctl_ext_regions) ;;
		*-device:-r) words=$(__daxctl_ext_regions) ;;
		*:--timeout | wait:-t | *:--wait | *:--limit-time | *:--name | *:--size | *:-s) ;;
		*:--align | *:-a) words='4K 2M 1G' ;;
		part:part) words='list add delete resize sync takeover release' ;;
		part:--type) words='linux swap esp' ;;
		part:--number | part:--start | part:--uuid) ;;
		create-device:--mode | create-device:-m) words='devdax system-ram fsdax' ;;
		*:--mode | *:-m) words='devdax system-ram famfs' ;;
		create-device:*) ;;
		*-device:* | *-memory:*) words="$(__daxctl_ext_devices) $(__daxctl_ext_volumes)" ;;
		part:*) words="$(__daxctl_ext_disks) $(__daxctl_ext_volumes)" ;;
		help:*) words=$(__daxctl_ext_verbs) ;;
		cancel:*) words=$(__daxctl_ext_jobs) ;;
		wait:*) words=$(__daxctl_ext_volumes) ;;
		check:* | plan:* | apply:* | import:*)
			__daxctl_ext_files "$word"
			return
			;;
		esac
	fi
	# shellcheck disable=SC2207 # words without blanks
	COMPREPLY=($(compgen -W "$words" -- "$word"))
}

complete -F _daxctl_ext daxctl-ext
