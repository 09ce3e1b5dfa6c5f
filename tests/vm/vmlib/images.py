# SPDX-License-Identifier: GPL-2.0-or-later
"""Everything a guest is made of, fetched and built at once where it is missing."""

from concurrent.futures import ThreadPoolExecutor

from . import emulator, kernel, packaging, rootfs


def ready(release, *kernels, dpkg=False):
    """The directories of the root file system, the kernels named and (if) the package tools.

    One part is unpacked while the next one's packages are fetched.
    """
    with ThreadPoolExecutor(2 + len(kernels)) as pool:
        root = pool.submit(rootfs.path, release)
        rest = [pool.submit(kernel.path, name, release) for name in kernels]
        pool.submit(emulator.path).result()
        parts = [root.result(), *(part.result() for part in rest)]
    return parts + ([packaging.path(release)] if dpkg else [])
