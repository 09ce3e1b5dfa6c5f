# SPDX-License-Identifier: GPL-2.0-or-later
"""The cache: everything fetched or built, outside the source tree.

An item is a directory named NAME-KEY, where KEY is a hash over all that decides its contents.
It is filled under a temporary name while an exclusive lock on NAME is held, and renamed into
place when it is complete: what has its final name is whole, and a changed recipe has another
key.  When one is made, those of the same name that nobody has used for long go, and all but a
few that nobody uses now.
"""

import contextlib
import fcntl
import hashlib
import os
import re
import shutil
import sys
import time

STALE_SECONDS, IDLE_SECONDS = 14 * 24 * 3600, 3600
KEEP = 4
TREE = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))


def say(text):
    """One line of progress, on stderr."""
    print(f"vm: {text}", file=sys.stderr, flush=True)


def root():
    """The cache directory; made when missing."""
    path = os.environ.get("DAXD_VM_CACHE")
    if not path:
        home = os.environ.get("XDG_CACHE_HOME") or os.path.expanduser("~/.cache")
        path = os.path.join(home, "daxd-vm")
    path = os.path.abspath(path)
    os.makedirs(path, exist_ok=True)
    return path


def key(*parts):
    """A hash over strings and bytes, each told apart from its neighbours."""
    digest = hashlib.sha256()
    for part in parts:
        data = part if isinstance(part, bytes) else str(part).encode()
        digest.update(b"%d:" % len(data))
        digest.update(data)
    return digest.hexdigest()[:16]


def recipe(*names):
    """A hash over files of this tree, and over all files below the directories among them."""
    parts = []
    for name in names:
        top = os.path.join(TREE, name)
        paths = [top]
        if os.path.isdir(top):
            paths = sorted(os.path.join(d, f) for d, _, files in os.walk(top) for f in files
                           if not f.endswith(".pyc"))
        for path in paths:
            with open(path, "rb") as file:
                parts += [os.path.relpath(path, TREE), os.stat(path).st_mode & 0o111, file.read()]
    return key(*parts)


@contextlib.contextmanager
def locked(name):
    """Hold the exclusive lock called NAME."""
    with open(os.path.join(root(), name + ".lock"), "a", encoding="ascii") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            say(f"waiting for the {name} that is being made")
            fcntl.flock(file, fcntl.LOCK_EX)
        yield


def item(name, item_key, fill):
    """The path of the item; fill(directory) makes it when it is not there."""
    path = os.path.join(root(), f"{name}-{item_key}")
    if not os.path.isdir(path):
        with locked(name):
            if not os.path.isdir(path):
                _make(name, path, fill)
    with contextlib.suppress(OSError):
        os.utime(path)
    return path


def _clear(name):
    ours = re.compile(re.escape(name) + r"-[0-9a-f]{16}(\.part)?")
    old = [entry for entry in os.scandir(root()) if ours.fullmatch(entry.name)]
    old.sort(key=lambda entry: -entry.stat().st_mtime)
    for rank, entry in enumerate(old):
        age = time.time() - entry.stat().st_mtime
        limit = IDLE_SECONDS if rank >= KEEP else STALE_SECONDS
        if age > limit or entry.name.endswith(".part"):
            shutil.rmtree(entry.path, ignore_errors=True)


def _make(name, path, fill):
    _clear(name)
    part = path + ".part"
    shutil.rmtree(part, ignore_errors=True)
    os.mkdir(part)
    try:
        fill(part)
        os.rename(part, path)
    except BaseException:
        shutil.rmtree(part, ignore_errors=True)
        raise
