# SPDX-License-Identifier: GPL-2.0-or-later
"""The emulator: QEMU of the backports with its own libraries, unpacked in the cache.

It runs through the C library's loader that comes along, so the machine needs none of its
libraries and may even be of another release.
"""

import fnmatch
import os

from . import apt, cache, deb

PACKAGES = ("qemu-system-x86", "seabios", "ipxe-qemu")
LIBRARIES = "usr/lib/x86_64-linux-gnu"
WANTED = ("usr/bin/qemu-system-x86_64", LIBRARIES + "/*.so*", LIBRARIES + "/qemu/*",
          "usr/lib64/*", "usr/share/qemu/*", "usr/share/seabios/*", "usr/lib/ipxe/qemu/*")
UNWANTED = ("usr/share/qemu/*.fd*", "usr/share/qemu/edk2*", "usr/share/qemu/openbios*",
            LIBRARIES + "/*.o", "usr/share/qemu/u-boot*", "usr/share/qemu/skiboot*")


def _wanted(name):
    return (any(fnmatch.fnmatch(name, p) for p in WANTED) and
            not any(fnmatch.fnmatch(name, p) for p in UNWANTED))


def _fill(directory):
    paths = apt.debs(apt.closure("emulator", PACKAGES, apt.BACKPORTS))
    cache.say("unpacking the emulator")
    for name, info, read in deb.members(paths):
        if not _wanted(name):
            continue
        path = os.path.join(directory, name)
        os.makedirs(os.path.dirname(path), exist_ok=True)
        if info.issym():
            # The target is on the merged system, where /lib is /usr/lib.
            target = info.linkname
            if target.startswith("/"):
                inside = os.path.join(directory, deb.merged(target.strip("/")))
                target = os.path.relpath(inside, os.path.dirname(path))
            os.symlink(target, path)
        elif info.isreg():
            with open(path, "wb") as file:
                file.write(read())
            os.chmod(path, info.mode & 0o755)


def path():
    """The emulator's directory."""
    return cache.item("emulator", cache.recipe("vmlib/emulator.py", "vmlib/deb.py"), _fill)


def command(directory):
    """The start of the emulator's command line, and what its environment needs."""
    loader = os.path.join(directory, "usr/lib64/ld-linux-x86-64.so.2")
    libraries = os.path.join(directory, LIBRARIES)
    argv = [loader, "--library-path", libraries,
            os.path.join(directory, "usr/bin/qemu-system-x86_64")]
    for data in ("usr/share/qemu", "usr/share/seabios", "usr/lib/ipxe/qemu"):
        argv += ["-L", os.path.join(directory, data)]
    return argv, {"QEMU_MODULE_DIR": os.path.join(libraries, "qemu")}
