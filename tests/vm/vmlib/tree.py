# SPDX-License-Identifier: GPL-2.0-or-later
"""A file tree in memory: names, owners, modes and contents, written as a cpio or a tar.

Owners are plain numbers here, so no root is needed to make the files of another system.
"""

import io
import os
import stat
import tarfile

from . import deb


class Tree:
    """name -> (mode, uid, gid, contents); contents is bytes, a symlink's target or nothing."""

    def __init__(self):
        self.entries = {}

    def add(self, name, mode, data=b"", uid=0, gid=0):
        """An entry with its full mode; the directories above it come by themselves."""
        upper = os.path.dirname(name)
        if upper and upper not in self.entries:
            self.add(upper, stat.S_IFDIR | 0o755)
        self.entries[name] = (mode, uid, gid, data)

    def directory(self, name, mode=0o755, uid=0, gid=0):
        """A directory."""
        self.add(name, stat.S_IFDIR | mode, b"", uid, gid)

    def file(self, name, text, mode=0o644):
        """A file with the given text or bytes."""
        self.add(name, stat.S_IFREG | mode, text if isinstance(text, bytes) else text.encode())

    def link(self, name, target):
        """A symbolic link."""
        self.add(name, stat.S_IFLNK | 0o777, os.fsencode(target))

    def own(self, name, mode, uid, gid):
        """Change mode bits and owner of an entry that may be there."""
        if name in self.entries:
            old, _, _, data = self.entries[name]
            self.entries[name] = (stat.S_IFMT(old) | mode, uid, gid, data)

    def lay(self, top, known=()):
        """Everything below a directory of the machine, owned by root.

        Directories in KNOWN exist already where the tree goes, and keep their modes.
        """
        for where, directories, files in os.walk(top):
            directories.sort()
            for name in sorted(files + directories):
                path = os.path.join(where, name)
                inside = deb.merged(os.path.relpath(path, top))
                mode = os.lstat(path).st_mode
                if stat.S_ISLNK(mode):
                    self.add(inside, mode, os.fsencode(os.readlink(path)))
                elif stat.S_ISDIR(mode):
                    if inside not in known and inside not in deb.MERGED and inside != "usr":
                        self.add(inside, mode)
                elif stat.S_ISREG(mode):
                    with open(path, "rb") as file:
                        self.add(inside, mode, file.read())
        for name in [n for n in self.entries if n in known]:
            if stat.S_ISDIR(self.entries[name][0]):
                del self.entries[name]

    def write_cpio(self, file):
        """The tree as the kernel's initramfs wants it; several such files may be joined."""
        rows = [*self.entries.items(), ("TRAILER!!!", (0, 0, 0, b""))]
        for inode, (name, (mode, uid, gid, data)) in enumerate(rows, 1):
            raw = os.fsencode(name) + b"\0"
            head = b"070701" + b"".join(b"%08X" % v for v in (
                inode, mode, uid, gid, 1, 0, len(data), 0, 0, 0, 0, len(raw), 0))
            file.write(head + raw + b"\0" * (-(len(head) + len(raw)) % 4))
            file.write(data + b"\0" * (-len(data) % 4))

    def tar(self):
        """The tree as the bytes of a tar file."""
        out = io.BytesIO()
        with tarfile.open(fileobj=out, mode="w", format=tarfile.GNU_FORMAT) as tar:
            for name, (mode, uid, gid, data) in self.entries.items():
                info = tarfile.TarInfo(name)
                info.mode, info.uid, info.gid = stat.S_IMODE(mode), uid, gid
                if stat.S_ISDIR(mode):
                    info.type = tarfile.DIRTYPE
                elif stat.S_ISLNK(mode):
                    info.type, info.linkname = tarfile.SYMTYPE, os.fsdecode(data)
                else:
                    info.size = len(data)
                tar.addfile(info, io.BytesIO(data) if info.isreg() else None)
        return out.getvalue()
