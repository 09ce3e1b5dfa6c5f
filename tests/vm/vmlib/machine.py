# SPDX-License-Identifier: GPL-2.0-or-later
"""A machine definition (a file in machines/) and the emulator's arguments it stands for.

Each line is a word and its values:
    kernels NAME...                      the kernels it is meant for
    snapshot yes|no                      whether its state can be saved
    cpu MODEL                            the processor, when not the usual one
    ram size=SIZE                        node 0, with both processors
    hmem node=N size=SIZE at=ADDRESS     a soft-reserved range on a node of its own
    nvdimm name=NAME node=N size=SIZE [label=SIZE] at=ADDRESS [OPTION=VALUE]...
    cxl name=NAME kind=volatile|persistent size=SIZE [label=SIZE]
Further options of an nvdimm go to the emulated device as they are.
"""

import os

from . import cache

UNITS = {"K": 1 << 10, "M": 1 << 20, "G": 1 << 30}
KERNEL_ARGUMENTS = ("console=ttyS0 quiet panic=-1 mitigations=off nokaslr selinux=0 apparmor=0 "
                    "audit=0 cryptomgr.notests 8250.nr_uarts=1")
LATENCY, BANDWIDTH = 10, "10G"

# Devices that would only cost time at boot, and features that make a kernel copy byte by byte,
# as the emulator does what real hardware does in lines.
NO_DEVICES = "i8042=off,sata=off,smbus=off,vmport=off"
NO_FEATURES = "erms=off,fsrm=off"


class MachineError(Exception):
    """The definition does not exist or cannot be understood."""


def size(text):
    """The bytes that 128K, 2G and the like stand for."""
    return int(text[:-1], 0) * UNITS[text[-1]] if text[-1] in UNITS else int(text, 0)


class Machine:
    """One definition, read."""

    def __init__(self, name):
        top = os.path.join(cache.TREE, "machines")
        if name not in os.listdir(top):
            known = ", ".join(sorted(os.listdir(top)))
            raise MachineError(f"There is no machine {name}; there are {known}.")
        with open(os.path.join(top, name), encoding="utf-8") as file:
            self.text = file.read()
        self.name, self.kernels, self.snapshot, self.cpu = name, [], False, "max"
        self.ram, self.hmem, self.nvdimms, self.cxl = 0, [], [], []
        for number, line in enumerate(self.text.splitlines(), 1):
            words = line.split("#")[0].split()
            try:
                if words:
                    self._read(words[0], words[1:])
            except (KeyError, ValueError, IndexError) as error:
                raise MachineError(f"machines/{name}, line {number}: {error!r}.") from error

    def _read(self, word, values):
        if word == "kernels":
            self.kernels = values
        elif word == "snapshot":
            self.snapshot = values[0] == "yes"
        elif word == "cpu":
            self.cpu = values[0]
        else:
            row = dict(value.split("=", 1) for value in values)
            for field in ("size", "label"):
                if field in row:
                    row[field] = size(row[field])
            if word == "ram":
                self.ram = row["size"]
            else:
                {"hmem": self.hmem, "nvdimm": self.nvdimms, "cxl": self.cxl}[word].append(row)

    def files(self):
        """name -> size of the files that hold the persistent contents."""
        sizes = {d["name"]: d["size"] + d.get("label", 0) for d in self.nvdimms}
        for device in self.cxl:
            if device["kind"] == "persistent":
                sizes[device["name"]] = device["size"]
                sizes[device["name"] + "-lsa"] = device["label"]
        return sizes

    def kernel_arguments(self, append):
        """The guest's kernel command line."""
        soft = [f"memmap={h['size']:#x}%{h['at']}-1+0xefffffff" for h in self.hmem]
        return " ".join([KERNEL_ARGUMENTS, *soft, *([append] if append else [])])

    def _backend(self, ident, length, path=None, shared=True):
        if path is None:
            return ["-object", f"memory-backend-ram,id={ident},size={length},"
                    f"share={'on' if ident.startswith('cxl') else 'off'}"]
        return ["-object", f"memory-backend-file,id={ident},size={length},mem-path={path},"
                f"share={'on' if shared else 'off'}"]

    def arguments(self, store, ram=None, shared=True):
        """The emulator's arguments; STORE holds the persistent files, RAM (if) the others.

        What is not SHARED is a private copy: the files stay as they are.
        """
        nodes = [(0, self.ram)] + [(int(h["node"]), h["size"]) for h in self.hmem]
        dimms = [int(d["node"]) for d in self.nvdimms]
        options = f"q35,max-ram-below-4g={self.ram},hmat=on,{NO_DEVICES}"
        options += ",nvdimm=on" if self.nvdimms else ""
        options += ",cxl=on" if self.cxl else ""
        total = sum(length for _, length in nodes)
        args = ["-machine", options, "-accel", "tcg,thread=multi", "-smp", "2",
                "-cpu", f"{self.cpu},{NO_FEATURES}",
                "-m", f"{total >> 20}M,slots={max(len(dimms), 1)},maxmem=32G"]
        for node, length in nodes:
            path = None if ram is None else os.path.join(ram, f"node{node}")
            args += self._backend(f"node{node}", length, path, shared)
            cpus = ",cpus=0-1" if node == 0 else ""
            args += ["-numa", f"node,nodeid={node},memdev=node{node},initiator=0{cpus}"]
        for node in sorted(set(dimms) - {n for n, _ in nodes}):
            args += ["-numa", f"node,nodeid={node},initiator=0"]
        for node, _ in nodes:
            for kind, value in (("latency", f"latency={LATENCY * (1 + 9 * node)}"),
                                ("bandwidth", f"bandwidth={BANDWIDTH}")):
                args += ["-numa", f"hmat-lb,initiator=0,target={node},hierarchy=memory,"
                         f"data-type=access-{kind},{value}"]
        for dimm in self.nvdimms:
            args += self._nvdimm(dimm, store, shared)
        return args + (self._cxl(store, shared) if self.cxl else [])

    def _nvdimm(self, dimm, store, shared):
        name = dimm["name"]
        own = ("name", "size", "label", "at")
        more = "".join(f",{k}={v}" for k, v in dimm.items() if k not in own)
        label = f",label-size={dimm['label']}" if "label" in dimm else ""
        return self._backend(f"mem-{name}", dimm["size"] + dimm.get("label", 0),
                             os.path.join(store, name), shared) + [
            "-device", f"nvdimm,id={name},memdev=mem-{name},addr={dimm['at']}{label}{more}"]

    def _cxl(self, store, shared):
        args = ["-device", "pxb-cxl,bus_nr=12,bus=pcie.0,id=cxl.1",
                "-M", "cxl-fmw.0.targets.0=cxl.1,cxl-fmw.0.size=4G"]
        for port, device in enumerate(self.cxl):
            name = device["name"]
            args += ["-device",
                     f"cxl-rp,port={port},bus=cxl.1,id=rp{port},chassis=0,slot={port + 2}"]
            if device["kind"] == "volatile":
                args += self._backend(f"cxl-{name}", device["size"])
                memory = f"volatile-memdev=cxl-{name}"
            else:
                args += self._backend(f"cxl-{name}", device["size"],
                                      os.path.join(store, name), shared)
                args += self._backend(f"lsa-{name}", device["label"],
                                      os.path.join(store, name + "-lsa"), shared)
                memory = f"persistent-memdev=cxl-{name},lsa=lsa-{name}"
            args += ["-device", f"cxl-type3,bus=rp{port},{memory},id={name},sn={0xabc0 + port:#x}"]
        return args
