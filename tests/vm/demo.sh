# SPDX-License-Identifier: GPL-2.0-or-later
# What ./demo shows inside the test machine.
cd /root || exit 1
show() {
	printf '\n# %s\n' "$*"
	"$@"
}
show uname -sr
show daxctl-ext status
printf '\nThe label areas of these NVDIMMs were never written, so whatever the NVDIMMs hold is\n'
printf 'lost when they are: daxctl-ext asks for --allow-data-loss before it does that.\n'
show daxctl-ext apply --allow-data-loss hypervisor.json || exit
show daxctl-ext status
show ls -l /dev/dax[0-9]* /dev/pmem[0-9]* /dev/dax/by-name /dev/pmem/by-name
show daxctl-ext plan hypervisor.json
