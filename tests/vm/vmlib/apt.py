# SPDX-License-Identifier: GPL-2.0-or-later
"""Debian packages, by name, through an apt of our own.

Only the address of the mirror, its proxy settings and its signing keys are the machine's: the
configuration, the lists, the downloads and the set of installed packages are private,
so nothing on the machine changes and no root is needed.
"""

import glob
import os
import re
import subprocess
import time

from . import cache

SUITE = "bookworm"
BACKPORTS = SUITE + "-backports"
RELEASES = {"12": SUITE, "13": "trixie"}
# Suites that are no release: nothing updates them but themselves.
NEWEST, NEXT = "sid", "experimental"
KEYRING = "/usr/share/keyrings/debian-archive-keyring.gpg"
LISTS_SECONDS = 24 * 3600


class AptError(Exception):
    """A package or its description could not be had."""


class NoKernel(AptError):
    """The archive has no such kernel, and is the one to be asked."""


def tag(release):
    """What tells the names of a release's items in the cache from those of Debian 12."""
    return "" if RELEASES[release] == SUITE else f"-{release}"


def _machine_sources(base):
    """(uri, suite) of the Debian archive in the machine's own configuration, best first.

    The suites of another release than the machine's are expected at the same addresses.
    """
    text = subprocess.run(
        ["apt-get", "indextargets", "--format", "$(REPO_URI) $(RELEASE) $(COMPONENT)",
         "Created-By: Packages"], check=True, stdout=subprocess.PIPE, text=True).stdout
    rows = [line.split() for line in text.splitlines()]
    sources = list(dict.fromkeys((r[0], r[1]) for r in rows if len(r) == 3 and r[2] == "main"))
    suites = (SUITE, SUITE + "-updates", SUITE + "-security")
    sources = [s for s in sources if s[1] in suites]
    homes = [uri for uri, suite in sources if suite == SUITE]
    if not homes:
        raise AptError(f"This machine's apt sources name no mirror with {SUITE} main.")
    # A third party may call its suite the same; the archive also carries the updates.
    home = max(homes, key=lambda uri: (uri, SUITE + "-updates") in sources)
    more = [s for s in sources if s[1] == suites[2] or s == (home, suites[1])]
    if base in (NEWEST, NEXT):
        return [(home, base)]
    if base != SUITE:
        return [(home, base)] + [(uri, suite.replace(SUITE, base)) for uri, suite in more]
    return [(home, SUITE), (home, BACKPORTS)] + more


def _machine_acquire():
    """Proxies and the like: the lines of the machine's configuration that say how to fetch."""
    text = subprocess.run(["apt-config", "dump"], check=True, stdout=subprocess.PIPE,
                          text=True).stdout
    own = re.compile(r"Acquire::(IndexTargets|CompressionTypes|Changelogs|Languages|cdrom)\b")
    return [line for line in text.splitlines()
            if line.startswith("Acquire::") and not own.match(line) and not line.endswith(' "";')]


def _top(base):
    return os.path.join(cache.root(), "apt" if base == SUITE else f"apt-{base}")


def _configure(base, status="", alone=False):
    """Write the private configuration; return the environment that makes apt use it.

    ALONE leaves out the updates of another release, for a mirror that has none.
    """
    top = _top(base)
    origins = _machine_sources(base)[:1 if alone else None]
    for name in ("etc/parts.d", "state/lists/partial", "cache/archives/partial"):
        os.makedirs(os.path.join(top, name), exist_ok=True)
    keys = f"[arch=amd64 signed-by={KEYRING}]" if os.path.exists(KEYRING) else "[arch=amd64]"
    sources = "".join(f"deb {keys} {uri} {suite} main\n" for uri, suite in origins)
    settings = _machine_acquire() + [
        f'Dir::Etc "{top}/etc";',
        'Dir::Etc::parts "parts.d"; Dir::Etc::main "main";',
        'Dir::Etc::sourcelist "sources.list"; Dir::Etc::sourceparts "parts.d";',
        'Dir::Etc::preferences "preferences"; Dir::Etc::preferencesparts "parts.d";',
        'Dir::Etc::netrc "/etc/apt/auth.conf"; Dir::Etc::netrcparts "/etc/apt/auth.conf.d";',
        'Dir::Etc::trusted "/etc/apt/trusted.gpg";',
        'Dir::Etc::trustedparts "/etc/apt/trusted.gpg.d";',
        f'Dir::State "{top}/state"; Dir::State::status "{top}/state/status";',
        f'Dir::Cache "{top}/cache";',
        f'Dir::Log "{top}";',
        'APT::Architecture "amd64"; APT::Architectures { "amd64"; };',
        'APT::Sandbox::User ""; APT::Install-Recommends "false"; APT::Get::Assume-Yes "true";',
        'Acquire::Languages "none"; Acquire::GzipIndexes "true";',
        'Acquire::Retries "3"; Acquire::http::Timeout "20";',
        'Acquire::IndexTargets::deb::DEP-11::DefaultEnabled "false";',
        'Acquire::IndexTargets::deb::Contents-deb::DefaultEnabled "false";',
    ]
    for name, text in (("etc/sources.list", sources), ("etc/apt.conf", "\n".join(settings) + "\n"),
                       ("state/status", status)):
        with open(os.path.join(top, name), "w", encoding="utf-8") as file:
            file.write(text)
    return {**os.environ, "APT_CONFIG": f"{top}/etc/apt.conf", "LC_ALL": "C"}


def _run(env, *args, cwd=None):
    done = subprocess.run(args, env=env, cwd=cwd, text=True, check=False,
                          stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    if done.returncode:
        tail = "\n".join(done.stderr.splitlines()[-8:])
        raise AptError(f"{' '.join(args[:3])} failed with status {done.returncode}:\n{tail}")
    return done.stdout


def _update(base, env):
    stamp = os.path.join(_top(base), "updated")
    with open(os.path.join(_top(base), "etc/sources.list"), encoding="utf-8") as file:
        sources = file.read()
    try:
        with open(stamp, encoding="utf-8") as file:
            same = file.read() == sources
        if same and time.time() - os.stat(stamp).st_mtime < LISTS_SECONDS:
            return
    except OSError:
        pass
    cache.say("fetching the package lists")
    _run(env, "apt-get", "update", "-q", "--error-on=any")
    with open(stamp, "w", encoding="utf-8") as file:
        file.write(sources)


def _ready(suite, status=""):
    """The environment for an apt that knows the packages of the suite and its release."""
    base = suite.split("-")[0]
    env = _configure(base, status)
    try:
        _update(base, env)
    except AptError:
        if base == SUITE:
            raise
        env = _configure(base, status, alone=True)
        _update(base, env)
    return env


def _pretend(names):
    """The description of packages that are not to be fetched, as if they were installed."""
    return "".join(f"Package: {name}\nStatus: install ok installed\nArchitecture: amd64\n"
                   "Multi-Arch: allowed\nVersion: 99:99\nMaintainer: none\n"
                   "Description: none\n\n" for name in names)


def closure(name, packages, suite=SUITE, without=()):
    """A directory with the packages and all they depend on, from SUITE where it has them."""
    def fill(directory):
        env = _ready(suite, _pretend(without))
        cache.say(f"fetching the packages of the {name}")
        os.makedirs(os.path.join(directory, "partial"))
        _run(env, "apt-get", "install", "-q", "--download-only", "-t", suite,
             "-o", f"Dir::Cache::archives={directory}", *packages)
        os.rmdir(os.path.join(directory, "partial"))

    with cache.locked("apt"):
        return cache.item(f"debs-{name}", cache.key(suite, *packages, "without", *without), fill)


def kernel(name, suite):
    """A directory with the packages that the suite's linux-image-amd64 stands for.

    Up to 6.12 it is one; later the image, the modules and their tables are one each.
    """
    def fill(directory):
        env = _ready(suite)
        try:
            shown = _run(env, "apt-cache", "show", "linux-image-amd64/" + suite)
        except AptError as error:
            raise NoKernel(f"{suite} has no linux-image-amd64.") from error
        image = re.search(r"^Depends: .*?\b(linux-image-\S+)", shown, re.M)
        if not image:
            raise NoKernel(f"linux-image-amd64 of {suite} names no kernel.")
        shown = _run(env, "apt-cache", "show", f"{image[1]}/{suite}")
        parts = re.findall(r"\blinux-(?:base|binary|modules)-[^\s,]+-amd64(?= \(=)", shown)
        cache.say(f"fetching {image[1]}")
        _run(env, "apt-get", "download", "-q", "-t", suite, image[1], *parts, cwd=directory)

    with cache.locked("apt"):
        return cache.item(f"debs-kernel-{name}", cache.key(suite), fill)


def debs(directory):
    """The package files of a directory, in a stable order."""
    return sorted(glob.glob(os.path.join(directory, "*.deb")))
