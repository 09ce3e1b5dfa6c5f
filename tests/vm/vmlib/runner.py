# SPDX-License-Identifier: GPL-2.0-or-later
"""One test: a guest is started, the command runs in it, and its output and status come back."""

import os
import shutil
import stat
import subprocess
import sys
import time

from . import cache, images, rootfs, snapshot, tree, workspace
from .guest import CUT_STATUS, Gone, Guest, Trouble

EXIT_TIMEOUT, EXIT_TROUBLE, EXIT_CUT, EXIT_SHUTDOWN = 124, 125, 130, 131
BEGIN_SECONDS = 120
PIECE = 1 << 20
SCRIPT = "usr/lib/daxd-vm/script/"
MANAGED = ("systemd/system/", "systemd/system.conf", "/udev/", "dbus-1/", "tmpfiles.d/")


class Job:
    """What to run, and on what."""

    def __init__(self, options, machine):
        self.options, self.machine = options, machine
        self.root, self.kernel, *more = images.ready(options.release, options.kernel,
                                                     dpkg=options.dpkg)
        self.more = [os.path.join(directory, "packaging.cpio") for directory in more]
        self.append = machine.kernel_arguments(options.append)
        self.payload = tree.Tree()
        known = rootfs.directories(self.root)
        for directory in options.payload:
            self.payload.lay(directory, known)
        self.argv = list(options.command)
        if options.script:
            self._script(options.script)

    def _script(self, path):
        with open(path, "rb") as file:
            text = file.read()
        name = SCRIPT + os.path.basename(path)
        self.payload.file(name, text, 0o755)
        plain = not text.startswith((b"#!", b"\x7fELF"))
        self.argv = (["sh"] if plain else []) + ["/" + name] + self.argv

    def initrds(self):
        """The parts of the initramfs that are the same for every test."""
        return (os.path.join(self.root, "root.cpio"), os.path.join(self.kernel, "modules.cpio"),
                *self.more)

    def boot(self, scratch, payload):
        """(kernel, initrd, command line) for a guest; the initrd is put together in SCRATCH."""
        initrd = os.path.join(scratch, "initrd")
        with open(initrd, "wb") as out:
            for part in self.initrds():
                with open(part, "rb") as file:
                    shutil.copyfileobj(file, out, PIECE)
            if payload.entries:
                payload.write_cpio(out)
        return os.path.join(self.kernel, "vmlinux"), initrd, self.append


def _booted(guest):
    try:
        guest.booted()
    except BaseException:
        guest.close()
        raise
    return guest


def _prepare_files(job, store):
    for name, length in job.machine.files().items():
        path = os.path.join(store, name)
        if not os.path.exists(path):
            with open(path, "wb") as file:
                file.truncate(length)
        elif os.path.getsize(path) != length:
            raise SystemExit(f"{path} is not of the machine {job.machine.name}: it has "
                             f"{os.path.getsize(path)} bytes instead of {length}.")


def _copy_files(job, source, target):
    os.makedirs(target, exist_ok=True)
    paths = [os.path.join(source, name) for name in job.machine.files()]
    if paths:
        subprocess.run(["cp", "--sparse=always", *paths, target], check=True)


def _start_fresh(job, scratch, console, store):
    boot = job.boot(scratch, job.payload)
    guest = _booted(Guest(job.machine.arguments(store), boot, console))
    os.unlink(boot[1])
    return guest


def _start_snapshot(job, scratch, console, _store):
    def start(arguments, first_console):
        return _booted(Guest(arguments, job.boot(scratch, tree.Tree()), first_console))

    vmlinux = os.path.join(job.kernel, "vmlinux")
    saved = snapshot.path(job.machine, (vmlinux, job.initrds(), job.append), scratch, start)
    arguments = job.machine.arguments(saved, ram=saved, shared=False) + ["-incoming", "defer"]
    # The kernel and the initramfs only matter at the boot the snapshot is of.
    empty = os.path.join(scratch, "empty")
    with open(empty, "wb"):
        pass
    guest = Guest(arguments, (vmlinux, empty, job.append), console)
    try:
        snapshot.resume(guest, saved)
        _push(guest, job.payload)
    except BaseException:
        guest.close()
        raise
    return guest


def _push(guest, payload):
    if not payload.entries:
        return
    data = payload.tar()
    for at in range(0, len(data), PIECE):
        guest.send(b"T", data[at:at + PIECE])
    guest.send(b"T")
    if guest.expect(b"S", 60, "unpacking the payload") != b"\0\0\0\0":
        raise Trouble("the payload could not be unpacked in the guest")
    files = [n for n, e in payload.entries.items() if not stat.S_ISDIR(e[0])]
    if any(part in name for name in files for part in MANAGED):
        reload = ("systemctl daemon-reload; udevadm control --reload; busctl call "
                  "org.freedesktop.DBus /org/freedesktop/DBus org.freedesktop.DBus ReloadConfig")
        guest.send(b"X", b"\0".join([b"sh", b"-c", reload.encode()]) + b"\0")
        while (frame := guest.receive(time.monotonic() + 60)) is None or frame[0] != b"S":
            if frame is None:
                raise Trouble("the guest did not reload its configuration")


class Follower:
    """Passes the command's output on, and says when to cut the power."""

    def __init__(self, options):
        self.options = options
        self.started = None
        self.wanted = options.cut_on.encode() if options.cut_on else None
        self.tail = b""

    def deadline(self):
        """When to stop waiting for the agent."""
        if self.started is None:
            return time.monotonic() + BEGIN_SECONDS
        limits = [self.options.timeout]
        if self.options.cut_after is not None:
            limits.append(self.options.cut_after)
        return self.started + min(limits)

    def output(self, data):
        """Pass data on; true when it completes the string to cut at."""
        view = memoryview(data)
        while view:
            view = view[os.write(1, view):]
        if not self.wanted:
            return False
        seen = self.tail + data
        self.tail = seen[-len(self.wanted):]
        return self.wanted in seen

    def cut(self, guest):
        """Kill the machine, and pass on what it had still said."""
        guest.kill()
        self.wanted = None
        try:
            while frame := guest.receive(time.monotonic() + 1):
                if frame[0] == b"O":
                    self.output(frame[1])
        except Gone:
            pass
        return EXIT_CUT

    def follow(self, guest):
        """The run's exit status."""
        while True:
            frame = guest.receive(self.deadline())
            if frame is None:
                return self._late(guest)
            kind, data = frame
            if kind == b"B":
                self.started = time.monotonic()
            elif kind == b"O" and self.output(data):
                return self.cut(guest)
            elif kind == b"S":
                return _status(int.from_bytes(data, "little"))

    def _late(self, guest):
        if self.started is None:
            raise Trouble("the agent did not start the command")
        passed = time.monotonic() - self.started
        if self.options.cut_after is not None and passed >= self.options.cut_after:
            return self.cut(guest)
        cache.say(f"the command did not end in {self.options.timeout:g} s")
        return EXIT_TIMEOUT


def _status(status):
    if os.WIFSIGNALED(status):
        cache.say(f"the command was killed by signal {os.WTERMSIG(status)}")
        return 1
    code = os.WEXITSTATUS(status)
    if code >= EXIT_TIMEOUT:
        cache.say(f"the command exited with {code}, which stands as 1 here")
        return 1
    return code


def _attempt(job, follower, scratch, console, store):
    guest = None
    try:
        start = _start_snapshot if job.options.snapshot else _start_fresh
        guest = start(job, scratch, console, store)
        guest.send(b"X", b"".join(os.fsencode(a) + b"\0" for a in job.argv))
        return follower.follow(guest)
    except Gone as gone:
        if gone.status == CUT_STATUS and follower.started is not None:
            return EXIT_CUT
        if gone.reason == "guest-shutdown" and follower.started is not None:
            return EXIT_SHUTDOWN
        raise Trouble(str(gone)) from gone
    finally:
        if guest:
            guest.close()


def _tail(path, lines=40):
    try:
        with open(path, "rb") as file:
            text = file.read().decode(errors="replace")
    except OSError:
        return ""
    return "\n".join(line.rstrip() for line in text.splitlines()[-lines:])


def run(options, machine):
    """Run the command; the exit status.

    A machine that fails before the command has begun is tried once more.  Afterwards it may be
    the command that has brought it down.
    """
    job = Job(options, machine)
    claimed = None
    if options.keep:
        claimed = workspace.claim(options.keep)
        if not claimed:
            raise SystemExit(f"Another run uses {options.keep}.")
    with workspace.Workspace() as scratch:
        console = os.path.abspath(options.console or os.path.join(scratch, "console"))
        store = os.path.abspath(options.keep or os.path.join(scratch, "store"))
        before = os.path.join(scratch, "before")
        for last in (False, True):
            os.makedirs(store, exist_ok=True)
            if last and options.keep:
                _copy_files(job, before, store)
            _prepare_files(job, store)
            if not last and options.keep:
                _copy_files(job, store, before)
            follower = Follower(options)
            try:
                return _attempt(job, follower, scratch, console, store)
            except Trouble as trouble:
                last = last or follower.started is not None
                cache.say(f"trouble with the machine: {trouble}; " +
                          ("giving up" if last else "trying once more"))
            if last:
                break
            if not options.keep:
                shutil.rmtree(store, ignore_errors=True)
        for path, what in ((console + ".qemu", "the emulator"), (console, "the console")):
            if text := _tail(path):
                print(f"vm: the last that {what} said:\n{text}", file=sys.stderr)
    return EXIT_TROUBLE
