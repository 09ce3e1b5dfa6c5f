# SPDX-License-Identifier: GPL-2.0-or-later
"""The state of a booted guest, saved once and resumed many times.

The guest's memories are files the saved state leaves out (x-ignore-shared). A resumed guest
maps them privately: nothing is copied at its start, and what it changes is lost at its end.
"""

import os
import shutil
import subprocess
import time

from . import cache, emulator
from .guest import common

IGNORE = [{"capability": "x-ignore-shared", "state": True}]


def path(machine, boot, scratch, start):
    """The directory of the snapshot; start(arguments, console) boots a guest when it is missing.

    The guest to save runs in SCRATCH, in memory: on a disk each of its stores would be a write.
    """
    kernel, initrd, append = boot
    made_from = cache.key(emulator.path(), kernel, *initrd, append,
                          *machine.arguments("", ram=""), *common("", 0, 0))

    def fill(directory):
        cache.say(f"booting the machine {machine.name} once, to save its state")
        first = os.path.join(scratch, "first")
        shutil.rmtree(first, ignore_errors=True)
        os.mkdir(first)
        for name, length in machine.files().items():
            with open(os.path.join(first, name), "wb") as file:
                file.truncate(length)
        guest = start(machine.arguments(first, ram=first), os.path.join(directory, "console"))
        try:
            _save(guest, os.path.join(directory, "state"))
        finally:
            guest.close()
        subprocess.run(["cp", "-r", "--sparse=always", first + "/.", directory], check=True)
        shutil.rmtree(first)

    return cache.item(f"snapshot-{machine.name}", made_from, fill)


def _save(guest, state):
    time.sleep(0.5)
    guest.ask("qmp_capabilities")
    guest.ask("stop")
    guest.ask("migrate-set-capabilities", capabilities=IGNORE)
    guest.ask("migrate-set-parameters", **{"max-bandwidth": 1 << 40})
    guest.ask("migrate", uri=f"file:{state}")
    _wait(guest, "completed")
    guest.ask("quit")
    guest.process.wait(30)


def _wait(guest, wanted):
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline:
        status = guest.ask("query-migrate").get("status")
        if status == wanted:
            return
        if status == "failed":
            break
        time.sleep(0.01)
    raise RuntimeError(f"The machine's state could not be moved ({status}).")


def resume(guest, snapshot):
    """Let a guest started with -incoming defer go on from the snapshot."""
    guest.ask("qmp_capabilities")
    guest.ask("migrate-set-capabilities", capabilities=IGNORE)
    guest.ask("migrate-incoming", uri=f"file:{os.path.join(snapshot, 'state')}")
    _wait(guest, "completed")
    guest.ask("cont")
