# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=bash
# Words for daxctl-ext on the command line of bash.  Verbs and options are asked of the program.

# The verbs, and the long options of one, whether they take a value or not.
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
}

# list knows dax regions by their numbers only: X of daxX.Y.
__daxctl_ext_numbers() {
	__daxctl_ext_devices | sed -n 's/^dax\([0-9]*\)\..*/\1/p' | sort -u
}

# Behind the last comma of a list.
__daxctl_ext_columns() { # WORD
	local column before=
	[[ $1 != *,* ]] || before=${1%,*},
	for column in name mode size free numa target state node align start uuid path; do
		printf '%s\n' "$before$column"
	done
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
	elif [ "$before" = --wait ]; then
		before= # it has its value behind a "=", or none
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
		list:--region | list:-r) words="$(__daxctl_ext_numbers) all" ;;
		status:--region | status:-r) words=$(__daxctl_ext_regions) ;;
		*:--region | *-device:-r | *-memory:-r) words="$(__daxctl_ext_regions) all" ;;
		list:--dev | list:-d) words=$(__daxctl_ext_devices) ;;
		status:--columns) words=$(__daxctl_ext_columns "$word") ;;
		*:--timeout | wait:-t | *:--wait | *:--limit-time | *:--name | *:--size | *:-s) ;;
		*:--align | *:-a) words='4K 2M 1G' ;;
		part:part) words='list add delete resize sync takeover release' ;;
		part:--type) words='linux swap esp' ;;
		part:--number | part:--start | part:--uuid) ;;
		create-device:--mode | create-device:-m) words='devdax system-ram fsdax' ;;
		*:--mode | *:-m) words='devdax system-ram' ;;
		create-device:*) ;;
		*-device:* | *-memory:*)
			words="$(__daxctl_ext_devices) all $(__daxctl_ext_volumes)"
			;;
		who:*)
			words="$(__daxctl_ext_devices) $(__daxctl_ext_disks)"
			words="$words $(__daxctl_ext_volumes)"
			;;
		map:*) words=$(__daxctl_ext_regions) ;;
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
