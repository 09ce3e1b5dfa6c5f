# SPDX-License-Identifier: GPL-2.0-or-later
"""Everything a guest is made of, fetched and built at once where it is missing."""

from concurrent.futures import ThreadPoolExecutor

from . import emulator, kernel, rootfs


def ready(*kernels):
    """The directories of the root file system and of the kernels named; the emulator too.

    One part is unpacked while the next one's packages are fetched.
    """
    with ThreadPoolExecutor(2 + len(kernels)) as pool:
        root = pool.submit(rootfs.path)
        rest = [pool.submit(kernel.path, name) for name in kernels]
        pool.submit(emulator.path).result()
        return [root.result(), *(part.result() for part in rest)]
