# SPDX-License-Identifier: GPL-2.0-or-later
"""What makes packages installable in the guest: dpkg, its helpers, and its database.

The database says of every package in the root file system that it is installed, with all of
its files, so that dpkg checks dependencies and refuses a package that has a file of another.
Maintainer scripts and triggers of those packages are not there.
"""

import fnmatch
import os
import re
import stat
import subprocess
from concurrent.futures import ThreadPoolExecutor

from . import apt, cache, deb, kernel, rootfs, tree

DATABASE = "var/lib/dpkg/"
UNWANTED = ("usr/share/doc/*", "usr/share/man/*", "usr/share/locale/*", "usr/share/lintian/*",
            "usr/share/bug/*", "usr/share/polkit-1/*", "etc/cron.daily/*", "etc/logrotate.d/*",
            "usr/lib/systemd/*", DATABASE + "*")
# What guest/trim takes away from libc-bin, and dpkg insists on.
NEEDED = ("usr/sbin/ldconfig",)


def _name(path):
    return os.path.basename(path).split("_")[0]


def stanza(path):
    """The package's description as dpkg keeps it once it is installed."""
    text = subprocess.run(["dpkg-deb", "--field", path], check=True, text=True,
                          stdout=subprocess.PIPE).stdout
    return text.replace("\n", "\nStatus: install ok installed\n", 1)


def _files(path):
    """The names of the package's files, as dpkg lists them."""
    archive = subprocess.Popen(  # pylint: disable=consider-using-with
        ["dpkg-deb", "--fsys-tarfile", path], stdout=subprocess.PIPE)
    names = subprocess.run(["tar", "-t"], stdin=archive.stdout, check=True, text=True,
                           stdout=subprocess.PIPE).stdout
    archive.stdout.close()
    archive.wait()
    return "".join(name.removeprefix(".").rstrip("/") + "\n" if name != "./" else "/.\n"
                   for name in names.splitlines())


def _control(path, name):
    """The contents of one of the package's control files; empty when it has none."""
    return subprocess.run(["dpkg-deb", "--info", path, name], check=False,
                          stdout=subprocess.PIPE, stderr=subprocess.DEVNULL).stdout


def database(root, paths, control=()):
    """Lay dpkg's database of these packages into a tree, with the control files named."""
    with ThreadPoolExecutor(2) as pool:
        rows = list(zip(paths, pool.map(stanza, paths), pool.map(_files, paths)))
    for path, text, files in rows:
        same = re.search(r"^Multi-Arch: same$", text, re.M)
        info = DATABASE + f"info/{_name(path)}{':amd64' if same else ''}."
        root.file(info + "list", files)
        for name in control:
            if contents := _control(path, name):
                root.file(info + name, contents)
    root.file(DATABASE + "status", "\n".join(text for _, text, _ in rows))
    root.file(DATABASE + "info/format", "1\n")
    root.file(DATABASE + "available", "")
    root.directory(DATABASE + "updates")
    root.directory(DATABASE + "triggers")
    root.directory(DATABASE + "alternatives")
    root.directory("etc/alternatives")


def _fill(directory, release):
    there = rootfs.debs(release)
    more = apt.debs(apt.closure("dpkg" + apt.tag(release), kernel.words("guest/dpkg"),
                                apt.RELEASES[release], [_name(path) for path in there]))
    cache.say("making the database of packages")
    root = tree.Tree()
    for name, info, read in deb.members(more):
        if any(fnmatch.fnmatch(name, pattern) for pattern in UNWANTED):
            continue
        if info.isreg():
            root.add(name, stat.S_IFREG | info.mode, read())
        elif info.issym():
            root.link(name, info.linkname)
        elif info.islnk():
            root.link(name, "/" + deb.merged(info.linkname.removeprefix("./")))
    for name, info, read in deb.members([p for p in there if _name(p) == "libc-bin"]):
        if name in NEEDED:
            root.add(name, stat.S_IFREG | info.mode, read())
    database(root, there + more)
    with open(os.path.join(directory, "packaging.cpio"), "wb") as file:
        root.write_cpio(file)


def path(release):
    """The directory with packaging.cpio."""
    made_by = cache.recipe("vmlib/packaging.py", "vmlib/rootfs.py", "vmlib/tree.py",
                           "vmlib/deb.py", "guest/dpkg", "guest/packages", "guest/without",
                           "guest/without-13")
    return cache.item("packaging" + apt.tag(release), made_by, lambda d: _fill(d, release))
