# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=dash
# For tests of partitions, after lib.sh: does everything agree with the table of a disk?

# use_disk DEVICE: what the others speak of
use_disk() {
	disk=$(readlink -f "$1")
	block=${disk##*/}
	numbers=$(cat "/sys/class/block/$block/dev")
}

# of_table: NAME START SIZE UUID of each entry; a table that cannot be read is not one without entries
of_table() {
	sfdisk -d "$disk" >/run/dump 2>/dev/null || return
	tr 'A-F' 'a-f' </run/dump |
		sed -n "s,^/dev/\(${block}p[0-9]*\) : start= *\([0-9]*\)\, size= *\([0-9]*\)\,.* uuid=\([0-9a-f-]*\).*,\1 \2 \3 \4,p" |
		sort
}

# of_maps: the same of each map, the name being of the link in /dev, the uuid of that by-partuuid
of_maps() {
	dmsetup table >/run/maps || return
	{
		cat /run/maps
		grep . /sys/class/block/dm-*/dm/name /dev/null 2>/dev/null
		find /dev /dev/disk/by-partuuid -maxdepth 1 -type l -printf '%p %l\n' 2>/dev/null
	} | awk -v on="$numbers" '
		$4 == "linear" && $5 == on { sub(":$", "", $1); place[$1] = $6 " " $3 }
		/dm\/name:/ { split($0, at, "[/:]"); name[at[5]] = at[8] }
		{ dm = $2; sub(".*/", "", dm) }
		/^\/dev\/disk\/by-partuuid\// { uuid[dm] = substr($1, 23) }
		/^\/dev\/pmem/ { link[dm] = substr($1, 6) }
		END { for (dm in name) if (name[dm] in place)
			print link[dm], place[name[dm]], uuid[dm] }' | sort
}

natives() {
	find "/sys/class/block/$block/" -maxdepth 1 -name "${block}p*"
}

# agrees: what is in the table is mapped there, with its links, and there is nothing else
agrees() {
	[ -z "$(natives)" ] && of_table >/run/wanted && of_maps >/run/there && cmp -s /run/wanted /run/there
}

# agree_soon NAME: daxd is to see to it
agree_soon() {
	began=$(date +%s%N)
	in_time agrees
	r=$?
	took=$((($(date +%s%N) - began) / 1000000))
	{
		natives
		diff /run/wanted /run/there
	} >"$out"
	[ $took -le "${longest-0}" ] || longest=$took
	verdict "$1" $r
}

# changes NAME COMMAND...: does what it is for, and daxd follows it
changes() {
	what=$1
	shift
	of_table >/run/old-table
	expect 0 "$what" "$@"
	of_table >/run/new-table && ! cmp -s /run/old-table /run/new-table
	verdict "$what: the table is another" $?
	[ -n "${alone-}" ] || agree_soon "$what: daxd follows"
}

# fdisk_does ANSWERS, as printf has them
fdisk_does() {
	# shellcheck disable=SC2059 # they are a format
	printf "$1" | fdisk "$disk"
}

# table_of ENTRY...: a new table
table_of() {
	{
		echo 'label: gpt'
		[ $# -eq 0 ] || printf '%s\n' "$@"
	} | sfdisk -q --force --no-reread --wipe always "$disk"
}
