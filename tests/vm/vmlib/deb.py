# SPDX-License-Identifier: GPL-2.0-or-later
"""The files inside Debian packages, read without installing or even unpacking them."""

import io
import subprocess
import tarfile
from concurrent.futures import ThreadPoolExecutor

MERGED = ("bin", "sbin", "lib", "lib32", "lib64", "libx32")


def _payload(path):
    return subprocess.run(["dpkg-deb", "--fsys-tarfile", path], check=True,
                          stdout=subprocess.PIPE).stdout


def merged(path):
    """The path as a system with a merged /usr has it."""
    return "usr/" + path if path.split("/", 1)[0] in MERGED else path


def members(paths):
    """(name, tarinfo, read) of all entries of all packages; read() gives a file's contents."""
    with ThreadPoolExecutor(2) as pool:
        ahead = 3
        queue = [pool.submit(_payload, path) for path in paths[:ahead]]
        rest = list(paths[ahead:])
        while queue:
            data = queue.pop(0).result()
            if rest:
                queue.append(pool.submit(_payload, rest.pop(0)))
            with tarfile.open(fileobj=io.BytesIO(data)) as tar:
                for info in tar:
                    name = merged(info.name.removeprefix("./").strip("/"))
                    if name and name != ".":
                        yield name, info, lambda i=info, t=tar: t.extractfile(i).read()
