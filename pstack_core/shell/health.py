"""What ``doctor`` looks at: each finding with what to do about it."""

from __future__ import annotations

import ctypes
import os
import platform
import shutil
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

from pstack_core.shell import people

OK, WARNING, PROBLEM = "ok", "warning", "problem"

#: Below these, other programs may leave too little.
LEAST_INSTANCES, LEAST_WATCHES = 64, 8192
#: Free bytes on the disks of spool and cache.
LEAST_FREE = 200_000_000


@dataclass(frozen=True)
class Finding:
    """One line: what was looked at, how it is, and the fix where it is not well."""

    what: str
    level: str
    found: str
    fix: str = ""


def findings() -> Iterator[Finding]:
    """Look at everything; a look that fails is a finding itself."""
    looks: tuple[tuple[str, Callable[[], Iterator[Finding]]], ...] = (
        ("pstack", _pstack),
        ("engine", _engines),
        ("plugin", _plugins),
        ("SQLite", _sqlite),
        ("spool", _spool),
        ("daemon", _daemon),
        ("inotify", _inotify),
        ("cache", _cache),
    )
    for what, look in looks:
        try:
            yield from look()
        except Exception as error:
            yield Finding(what, PROBLEM, f"looking failed: {error}", "report this as a bug")


def _pstack() -> Iterator[Finding]:
    from pstack_core.version import __version__

    yield Finding("pstack", OK, f"{__version__}, Python {platform.python_version()}")


def _engines() -> Iterator[Finding]:
    """The local engine's detail is its compiler."""
    from pstack_core.runtime import installed

    engines = installed.engines()
    for engine in engines:
        if engine.available:
            yield Finding(
                f"engine {engine.name}", OK, f"{people.many(engine.slots, 'slot')}; {engine.detail}"
            )
        else:
            fix = "install a C++ compiler: apt install g++, or dnf install gcc-c++"
            if engine.name != "local":
                fix = "see the documentation of its plugin"
            yield Finding(f"engine {engine.name}", PROBLEM, engine.detail, fix)
    if not engines:
        yield Finding("engines", PROBLEM, "there are none", "install pstack again")


def _plugins() -> Iterator[Finding]:
    from pstack_core.runtime import installed
    from pstack_core.shell import plugin_commands

    plugins = installed.plugins()
    errors = [f"{plugin.name}: {error}" for plugin in plugins for error in plugin.errors]
    errors += plugin_commands.load().errors
    for error in errors:
        fix = "update or uninstall it, or block it with PSTACK_BLOCK_PLUGINS=NAME"
        yield Finding("plugin", PROBLEM, error, fix)
    for plugin in plugins:
        for warning in plugin.warnings:
            yield Finding("plugin", WARNING, f"{plugin.name}: {warning}", "update pstack")
    if not errors:
        yield Finding("plugins", OK, f"{people.many(len(plugins), 'plugin')}, none failed")


def _sqlite() -> Iterator[Finding]:
    from pstack_spool import library_problem
    from pstack_spool.db import sqlite3

    problem = library_problem()
    if problem:
        found, _, fix = problem.partition(": ")
        yield Finding("SQLite", WARNING, found, fix)
    else:
        yield Finding("SQLite", OK, sqlite3.sqlite_version)


def _spool() -> Iterator[Finding]:
    from pstack_core.runtime.paths import default_paths
    from pstack_spool.filesystem import network_file_system

    path = default_paths().spool
    folder = _existing(path.parent)
    kind = network_file_system(folder)
    if kind:
        yield Finding(
            "spool",
            PROBLEM,
            f"{path} is on a network file system ({kind})",
            "set PSTACK_SPOOL to a file on a disk of this machine",
        )
    elif not _writable(path):
        yield Finding(
            "spool", PROBLEM, f"{path} cannot be written", "set PSTACK_SPOOL to another file"
        )
    else:
        size = people.size(path.stat().st_size) if path.exists() else "not made yet"
        yield _disk("spool", path, size)


def _daemon() -> Iterator[Finding]:
    from pstack_core.runtime import connect
    from pstack_core.runtime.errors import ServiceError

    try:
        service = connect.daemon()
        if service is None:
            found = "none runs; processes run while a command or the shell waits for them"
            yield Finding("daemon", OK, found)
            return
        with service:
            status = service.status()
    except ServiceError as error:
        yield Finding("daemon", PROBLEM, str(error), "pstack daemon stop, then start")
        return
    from pstack_core.version import __version__

    found = f"process {status.pid} on {status.socket}"
    if status.version != __version__:
        fix = "pstack daemon stop, then start"
        yield Finding("daemon", WARNING, f"{found} is of pstack {status.version}", fix)
    else:
        yield Finding("daemon", OK, found)


def _inotify() -> Iterator[Finding]:
    limits = Path("/proc/sys/fs/inotify")
    try:
        instances = int((limits / "max_user_instances").read_text())
        watches = int((limits / "max_user_watches").read_text())
    except (OSError, ValueError):
        found = "this system has none: files are looked at once a second"
        yield Finding("inotify", WARNING, found, "nothing has to be done")
        return
    found = f"{instances:,} instances and {watches:,} watches a user"
    if not _inotify_works():
        fix = f"sysctl fs.inotify.max_user_instances={max(512, 2 * instances)}"
        yield Finding("inotify", PROBLEM, f"all are taken: {found}", fix)
    elif instances < LEAST_INSTANCES or watches < LEAST_WATCHES:
        fix = "sysctl fs.inotify.max_user_instances=512 fs.inotify.max_user_watches=65536"
        yield Finding("inotify", WARNING, f"few: {found}", fix)
    else:
        yield Finding("inotify", OK, found)


def _inotify_works() -> bool:
    try:
        descriptor = ctypes.CDLL(None, use_errno=True).inotify_init1(os.O_CLOEXEC)
    except (AttributeError, OSError):
        return True
    if descriptor < 0:
        return False
    os.close(descriptor)
    return True


def _cache() -> Iterator[Finding]:
    base = os.environ.get("XDG_CACHE_HOME", "")
    root = Path(base) if os.path.isabs(base) else Path.home() / ".cache"
    path = root / "pstack"
    if not _writable(path):
        fix = "set XDG_CACHE_HOME to a folder that can be written"
        yield Finding("cache", PROBLEM, f"{path} cannot be written", fix)
        return
    size = 0
    for folder, _, names in os.walk(path):
        for name in names:
            try:
                size += os.lstat(os.path.join(folder, name)).st_size
            except OSError:
                continue  # removed just now
    yield _disk("cache", path, f"{people.size(size)} of compiled types")


def _disk(what: str, path: Path, found: str) -> Finding:
    free = shutil.disk_usage(_existing(path)).free
    text = f"{path}: {found}, {people.size(free)} free"
    if free < LEAST_FREE:
        return Finding(what, WARNING, text, "free some space on this disk")
    return Finding(what, OK, text)


def _writable(path: Path) -> bool:
    """Whether a file or folder can be written, or made where it is not there yet."""
    found = _existing(path)
    return os.access(found, os.W_OK) and (found == path or found.is_dir())


def _existing(path: Path) -> Path:
    """The path itself, or the nearest folder above it that exists."""
    while not path.exists() and path != path.parent:
        path = path.parent
    return path
