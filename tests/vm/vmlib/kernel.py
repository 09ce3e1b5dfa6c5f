# SPDX-License-Identifier: GPL-2.0-or-later
"""The guest's kernels: Debian's, made ready for a slow machine.

The plain ELF image is taken out of the compressed one (QEMU starts it by PVH), and the modules
named in guest/modules are unpacked together with those they need, so that the emulated
processors decompress nothing.
"""

import lzma
import os
import re
import struct
import subprocess
import tempfile

from . import apt, cache, deb, tree

SUITES = {"12": {"6.12": apt.BACKPORTS, "6.1": apt.SUITE,
                 "newest": apt.NEWEST, "next": apt.NEXT},
          "13": {"6.12": apt.RELEASES["13"]}}
TABLES = ("modules.order", "modules.builtin", "modules.builtin.modinfo")
IMAGE = re.compile(r"boot/vmlinuz-([^/]+)|usr/lib/modules/([^/]+)/vmlinuz")


def words(name):
    """The words of a list file of this tree, without its comments."""
    with open(os.path.join(cache.TREE, name), encoding="utf-8") as file:
        return [word for line in file for word in line.split("#")[0].split()]


def _elf(image):
    """The kernel proper inside a bzImage; the places are those of the x86 boot protocol."""
    sectors = image[0x1f1] or 4
    offset, length = struct.unpack_from("<II", image, 0x248)
    start = (sectors + 1) * 512 + offset
    data = image[start:start + length]
    if data.startswith(b"\xfd7zXZ\0"):
        elf = lzma.LZMADecompressor().decompress(data)
    elif data.startswith(b"\x28\xb5\x2f\xfd"):
        elf = subprocess.run(["zstd", "-dcq"], input=data[:-4], check=True,
                             stdout=subprocess.PIPE).stdout
    else:
        raise ValueError("The kernel is compressed in a way this script does not know.")
    if not elf.startswith(b"\x7fELF"):
        raise ValueError("The kernel does not hold an ELF image.")
    return elf


def _module_name(path):
    return os.path.basename(path).split(".ko")[0].replace("-", "_")


def _needs(module):
    names = []
    for key in (rb"depends", rb"softdep"):
        for value in re.findall(rb"\0" + key + rb"=([^\0]*)", module):
            names += re.split(r"[,\s]+", value.decode())
    return [n.replace("-", "_") for n in names if n and not n.endswith(":")]


def _unpack(packed):
    return lzma.decompress(packed[1]) if packed[0].endswith(".xz") else packed[1]


def _fill(directory, name, release):
    paths = apt.debs(apt.kernel(name + apt.tag(release), SUITES[release][name]))
    cache.say(f"unpacking the kernel {name} of Debian {release}")
    image, packed, tables = None, {}, {}
    for path, info, read in deb.members(paths):
        if found := IMAGE.fullmatch(path):
            image = read()
            release = found[1] or found[2]
        elif info.isreg() and ".ko" in path:
            packed[_module_name(path)] = (path, read())
        elif os.path.basename(path) in TABLES:
            tables[path] = read()

    with open(os.path.join(directory, "vmlinux"), "wb") as file:
        file.write(_elf(image))
    wanted, done = [w.replace("-", "_") for w in words("guest/modules")], set()
    with tempfile.TemporaryDirectory(dir=directory) as scratch:
        while wanted:
            module = wanted.pop()
            if module in done or module not in packed:
                continue
            done.add(module)
            data = _unpack(packed[module])
            tables[packed[module][0].removesuffix(".xz")] = data
            wanted += _needs(data)
        for path, data in tables.items():
            os.makedirs(os.path.dirname(os.path.join(scratch, path)), exist_ok=True)
            with open(os.path.join(scratch, path), "wb") as file:
                file.write(data)
        if not os.path.lexists(os.path.join(scratch, "lib")):
            os.symlink("usr/lib", os.path.join(scratch, "lib"))
        depmod = "/sbin/depmod" if os.path.exists("/sbin/depmod") else "depmod"
        subprocess.run([depmod, "-b", scratch, release], check=True)
        os.unlink(os.path.join(scratch, "lib"))
        modules = tree.Tree()
        modules.lay(scratch)
        with open(os.path.join(directory, "modules.cpio"), "wb") as file:
            modules.write_cpio(file)


def path(name, release):
    """The directory with the kernel's vmlinux and modules.cpio."""
    made_by = cache.recipe("vmlib/kernel.py", "vmlib/deb.py", "vmlib/tree.py", "guest/modules")
    return cache.item(f"kernel-{name}{apt.tag(release)}", made_by,
                      lambda directory: _fill(directory, name, release))
