# SPDX-License-Identifier: GPL-2.0-or-later
"""The guest's root file system: Debian packages, put together without their scripts.

The packages' files go straight into one initramfs.  What their maintainer scripts would have
done, and a test machine needs, is done here: accounts, alternatives, PAM, special owners.  On
top come guest/tree, the masked units and the agent.
"""

import fnmatch
import os
import re
import stat
import subprocess

from . import apt, cache, deb, kernel, tree

# Accounts the packages make when they are installed; "tester" is a plain user for the tests.
USERS = (("messagebus", 100, "/nonexistent"), ("systemd-network", 998, "/"),
         ("polkitd", 996, "/nonexistent"), ("tester", 1000, "/home/tester"))
GROUPS = (("input", 101), ("sgx", 102), ("kvm", 103), ("render", 104), ("crontab", 105),
          ("systemd-journal", 999))
PAM = {
    "account": "account required pam_unix.so\n",
    "auth": "auth required pam_unix.so nullok\n",
    "password": "password required pam_unix.so\n",
    "session": "session required pam_unix.so\n",
    "session-noninteractive": "session required pam_unix.so\n",
}
ALTERNATIVES = {"usr/bin/awk": "mawk", "usr/bin/which": "which.debianutils",
                "usr/bin/pager": "more"}


def debs(release):
    """The package files that the root file system is made of."""
    without = kernel.words("guest/without")
    if apt.tag(release):
        without += kernel.words(f"guest/without{apt.tag(release)}")
    return apt.debs(apt.closure("root" + apt.tag(release), kernel.words("guest/packages"),
                                apt.RELEASES[release], without))


def _packages(release):
    rows = deb.members(debs(release))
    trim = re.compile("|".join(fnmatch.translate(p) for p in kernel.words("guest/trim")))
    root, kept = tree.Tree(), {}
    for top in ("bin", "sbin", "lib", "lib64"):
        root.link(top, "usr/" + top)
        root.directory("usr/" + top)
    for name, info, read in rows:
        if name in ("usr/share/base-passwd/passwd.master", "usr/share/base-passwd/group.master",
                    "usr/share/libc-bin/nsswitch.conf", "usr/share/base-files/profile"):
            kept[os.path.basename(name)] = read().decode()
        if trim.match(name) or (info.issym() and name.removeprefix("usr/") in deb.MERGED):
            continue
        if info.isdir():
            root.add(name, stat.S_IFDIR | info.mode, b"", info.uid, info.gid)
        elif info.issym():
            root.link(name, info.linkname)
        elif info.isreg():
            root.add(name, stat.S_IFREG | info.mode, read(), info.uid, info.gid)
        elif info.islnk():
            other = deb.merged(info.linkname.removeprefix("./"))
            if other in root.entries:
                root.entries[name] = root.entries[other]
    return root, kept


def _accounts(root, kept):
    passwd, group = kept["passwd.master"].replace(":*:", ":x:"), kept["group.master"]
    group = group.replace(":*:", ":x:")
    for name, number, home in USERS:
        shell = "/bin/sh" if name == "tester" else "/usr/sbin/nologin"
        passwd += f"{name}:x:{number}:{number}::{home}:{shell}\n"
        group += f"{name}:x:{number}:\n"
    for name, number in GROUPS:
        group += f"{name}:x:{number}:\n"
    passwd = passwd.replace("/root:/bin/sh", "/root:/bin/bash")
    root.file("etc/passwd", passwd)
    root.file("etc/group", group)
    names = [line.split(":")[0] for line in passwd.splitlines()]
    root.file("etc/shadow", "".join(f"{n}:*:19000:0:99999:7:::\n" for n in names), 0o640)
    root.own("etc/shadow", 0o640, 0, 42)
    root.directory("root", 0o700)
    root.directory("home/tester", 0o755, 1000, 1000)


def _configure(root, kept):
    ids = {name: number for name, number, _ in USERS}
    root.file("etc/nsswitch.conf", kept["nsswitch.conf"])
    root.file("etc/profile", kept["profile"])
    for name, text in PAM.items():
        root.file(f"etc/pam.d/common-{name}", text)
    for name, target in ALTERNATIVES.items():
        root.link(name, target)
    root.link("var/run", "/run")
    root.link("var/lock", "/run/lock")
    root.link("etc/mtab", "../proc/self/mounts")
    for name in ("proc", "sys", "dev", "run", "mnt", "var/lib/dbus", "var/log"):
        root.directory(name)
    for name in ("tmp", "var/tmp"):
        root.directory(name, 0o1777)
    for name in ("etc/polkit-1/rules.d", "usr/share/polkit-1/rules.d", "var/lib/polkit-1"):
        root.directory(name, 0o700, ids["polkitd"], 0)
    root.own("usr/share/polkit-1/rules.d", 0o755, ids["polkitd"], 0)
    root.own("usr/lib/dbus-1.0/dbus-daemon-launch-helper", 0o4754, 0, ids["messagebus"])
    root.link("init", "usr/lib/systemd/systemd")


def _systemd(root):
    units = "etc/systemd/system/"
    for unit in kernel.words("guest/masked"):
        root.link(units + unit, "/dev/null")
    for name in [n for n in root.entries if n.startswith("usr/lib/systemd/system-generators/")]:
        root.link(name.replace("usr/lib", "etc", 1), "/dev/null")
    root.link(units + "default.target", "daxd-vm.target")


def _fill(directory, release):
    agent = os.path.join(directory, "agent")
    subprocess.run([os.environ.get("CC", "cc"), "-std=gnu17", "-O2", "-Wall", "-static", "-s",
                    "-o", agent, os.path.join(cache.TREE, "guest/agent.c")], check=True)
    root, kept = _packages(release)
    cache.say("putting the root file system together")
    _accounts(root, kept)
    _configure(root, kept)
    _systemd(root)
    root.lay(os.path.join(cache.TREE, "guest/tree"))
    with open(agent, "rb") as file:
        root.file("usr/lib/daxd-vm/agent", file.read(), 0o755)
    with open(os.path.join(directory, "root.cpio"), "wb") as file:
        root.write_cpio(file)
    with open(os.path.join(directory, "directories"), "w", encoding="utf-8") as file:
        file.writelines(n + "\n" for n, e in root.entries.items() if stat.S_ISDIR(e[0]))
    os.unlink(agent)


def path(release):
    """The directory with root.cpio, and the list of the directories in it."""
    made_by = cache.recipe("vmlib/rootfs.py", "vmlib/tree.py", "vmlib/deb.py", "guest/packages",
                           "guest/without", "guest/trim", "guest/masked", "guest/agent.c",
                           "guest/without-13", "guest/tree")
    return cache.item("root" + apt.tag(release), made_by, lambda d: _fill(d, release))


def directories(root):
    """The directories that are in the root file system before any payload."""
    with open(os.path.join(root, "directories"), encoding="utf-8") as file:
        return set(file.read().splitlines())
