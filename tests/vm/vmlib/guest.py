# SPDX-License-Identifier: GPL-2.0-or-later
"""A running guest: the emulator's process, its control connection, and the agent's port.

Whoever starts one calls close(), which kills the emulator; it also dies with this process.
"""

import contextlib
import ctypes
import json
import os
import select
import signal
import socket
import struct
import subprocess
import time

from . import emulator

PR_SET_PDEATHSIG = 1
CUT_STATUS = (7 << 1) | 1  # what the emulator exits with when the guest writes 7 to port 0xf4
CHUNK = 1 << 16

# Seconds of processor time: more than BOOT_WORK is too much for a boot (it takes 8 to 60), and
# BOOT_STEP must be used in any BOOT_IDLE seconds of the clock.
BOOT_WORK, BOOT_STEP, BOOT_IDLE = 180, 3, 60


class Trouble(Exception):
    """The machine, and not what runs in it, went wrong."""


class Gone(Exception):
    """The emulator ended; status is its exit status, reason what it said of a shutdown."""

    def __init__(self, status, reason):
        super().__init__(f"the emulator ended with status {status} ({reason or 'no reason'})")
        self.status, self.reason = status, reason


def _die_with_parent():
    ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGKILL)


def common(console, port, monitor):
    """The emulator's arguments that all machines share; PORT and MONITOR are sockets' numbers."""
    return ["-display", "none", "-nodefaults", "-no-reboot", "-serial", f"file:{console}",
            "-device", "isa-debug-exit,iobase=0xf4,iosize=0x04",
            "-device", "virtio-serial-pci,bus=pcie.0", "-chardev", f"socket,id=vm,fd={port}",
            "-device", "virtserialport,chardev=vm,name=daxd.vm",
            "-chardev", f"socket,id=qmp,fd={monitor}", "-mon", "chardev=qmp,mode=control"]


class Guest:
    """One emulator process."""

    def __init__(self, arguments, boot, console):
        """ARGUMENTS from the machine; BOOT is (kernel, initrd, command line)."""
        argv, more = emulator.command(emulator.path())
        self.channel, port = socket.socketpair()
        self.control, monitor = socket.socketpair()
        kernel, initrd, append = boot
        argv += [*arguments, *common(console, port.fileno(), monitor.fileno()),
                 "-kernel", kernel, "-initrd", initrd, "-append", append]
        self.errors = open(console + ".qemu", "w+b")  # pylint: disable=consider-using-with
        self.process = subprocess.Popen(  # pylint: disable=consider-using-with
            argv, env={**os.environ, **more}, stdin=subprocess.DEVNULL, stdout=self.errors,
            stderr=self.errors, pass_fds=(port.fileno(), monitor.fileno()),
            preexec_fn=_die_with_parent, start_new_session=True)
        port.close()
        monitor.close()
        self.buffer, self.said, self.reason = bytearray(), bytearray(), None

    def kill(self):
        """Cut the power."""
        if self.process.poll() is None:
            self.process.kill()
        self.process.wait()

    def close(self):
        """End it all."""
        self.kill()
        self.channel.close()
        self.control.close()
        self.errors.close()

    def complaint(self):
        """What the emulator itself printed."""
        self.errors.seek(0)
        return self.errors.read().decode(errors="replace").strip()

    # The control connection.

    def _control_line(self, deadline):
        while b"\n" not in self.said:
            if not select.select([self.control], [], [], max(deadline - time.monotonic(), 0))[0]:
                return None
            data = self.control.recv(CHUNK)
            if not data:
                self._gone()
            self.said += data
        line, _, rest = bytes(self.said).partition(b"\n")
        self.said = bytearray(rest)
        return self._note(json.loads(line))

    def _note(self, answer):
        if answer.get("event") == "SHUTDOWN":
            self.reason = answer["data"].get("reason")
        return answer

    def ask(self, command, seconds=30, **arguments):
        """One command to the emulator; its answer."""
        deadline = time.monotonic() + seconds
        text = json.dumps({"execute": command, "arguments": arguments})
        try:
            self.control.sendall(text.encode() + b"\n")
        except OSError:
            self._gone()
        while True:
            answer = self._control_line(deadline)
            if answer is None:
                raise Trouble(f"the emulator did not answer {command}")
            if "error" in answer:
                raise Trouble(f"the emulator refused {command}: {answer['error'].get('desc')}")
            if "return" in answer:
                return answer["return"]

    def _gone(self):
        try:
            self.process.wait(10)
        except subprocess.TimeoutExpired:
            self.kill()
        self.control.setblocking(True)
        with contextlib.suppress(OSError):
            while data := self.control.recv(CHUNK):
                self.said += data
        for line in bytes(self.said).splitlines():
            self._note(json.loads(line))
        self.said = bytearray()
        raise Gone(self.process.returncode, self.reason)

    # The agent's port.

    def send(self, kind, data=b"", seconds=60):
        """One frame to the agent."""
        rest = memoryview(kind + struct.pack("<I", len(data)) + data)
        self.channel.setblocking(False)
        deadline = time.monotonic() + seconds
        while rest:
            if not select.select([], [self.channel], [], max(deadline - time.monotonic(), 0))[1]:
                raise Trouble("the agent in the guest took no data")
            try:
                rest = rest[self.channel.send(rest):]
            except BlockingIOError:
                pass
            except OSError:
                self._gone()

    def _frame(self):
        if len(self.buffer) < 5:
            return None
        kind, length = struct.unpack_from("<cI", self.buffer)
        if len(self.buffer) < 5 + length:
            return None
        data = bytes(self.buffer[5:5 + length])
        del self.buffer[:5 + length]
        return kind, data

    def receive(self, deadline):
        """The agent's next frame as (kind, data), or None at the deadline."""
        while True:
            frame = self._frame()
            if frame:
                return frame
            wait = max(deadline - time.monotonic(), 0)
            if not select.select([self.channel], [], [], wait)[0]:
                return None
            try:
                data = self.channel.recv(CHUNK)
            except BlockingIOError:
                continue
            except OSError:
                data = b""
            if not data:
                self._gone()
            self.buffer += data

    def _processor_seconds(self):
        with open(f"/proc/{self.process.pid}/stat", encoding="ascii") as file:
            fields = file.read().rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")

    def booted(self):
        """Wait for the agent.

        A boot takes 10 s on an idle machine and minutes on a crowded one, so a hang shows by
        what the emulator does: far too much work, or none at all.
        """
        since, before = time.monotonic(), 0
        while (frame := self.receive(time.monotonic() + 2)) is None:
            used, now = self._processor_seconds(), time.monotonic()
            if used - before >= BOOT_STEP:
                since, before = now, used
            if used > BOOT_WORK or now - since > BOOT_IDLE:
                raise Trouble(f"the guest does not boot ({used:.0f} s of work done)")
        if frame[0] != b"R":
            raise Trouble(f"the agent began with {frame[0]!r}")

    def expect(self, kind, seconds, what):
        """The agent's next frame, which must be of this kind."""
        frame = self.receive(time.monotonic() + seconds)
        if frame is None:
            raise Trouble(f"{what} did not happen in {seconds:.0f} s")
        if frame[0] != kind:
            raise Trouble(f"the agent answered {frame[0]!r} where {kind!r} was due ({what})")
        return frame[1]
