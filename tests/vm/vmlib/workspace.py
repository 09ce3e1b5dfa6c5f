# SPDX-License-Identifier: GPL-2.0-or-later
"""A run's scratch directory: gone at the run's end, and at the latest when the next one starts.

Each holds a lock file that its run keeps locked; a directory whose lock is free belongs to a
run that was killed.
"""

import fcntl
import os
import shutil
import tempfile

from . import cache

PREFIX = "daxd-vm."
SHM = "/dev/shm"
SHM_NEEDED = 4 << 30


def _top():
    try:
        room = os.statvfs(SHM)
        if room.f_bavail * room.f_frsize >= SHM_NEEDED and os.access(SHM, os.W_OK):
            return SHM
    except OSError:
        pass
    path = os.path.join(cache.root(), "run")
    os.makedirs(path, exist_ok=True)
    return path


def _lock(path):
    """The locked lock file of a directory, or None while another process has it."""
    file = open(os.path.join(path, "lock"), "a", encoding="ascii")  # held by whoever asked
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        file.close()
        return None
    return file


def _sweep(top):
    for entry in os.scandir(top):
        if not entry.name.startswith(PREFIX) or entry.stat().st_uid != os.getuid():
            continue
        try:
            lock = _lock(entry.path)
        except OSError:
            continue
        if lock:
            shutil.rmtree(entry.path, ignore_errors=True)
            lock.close()


class Workspace:
    """The directory, as a context."""

    def __enter__(self):
        top = _top()
        # Between its making and its locking a directory looks abandoned: one process at a time.
        with cache.locked("run"):
            _sweep(top)
            self.path = tempfile.mkdtemp(prefix=PREFIX, dir=top)
            self.lock = _lock(self.path)
        return self.path

    def __exit__(self, *_):
        shutil.rmtree(self.path, ignore_errors=True)
        self.lock.close()


def claim(directory):
    """Keep a --keep directory for this run alone; None when another run has it."""
    os.makedirs(directory, exist_ok=True)
    return _lock(directory)
