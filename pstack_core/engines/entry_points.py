"""Entry points of installed distributions, with a fast way to look for one of them.

``importlib.metadata`` is complete but costs 50 ms to import, most of what a
short command takes.  :func:`scan_directories` reads the same files straight from
the folders on ``sys.path``; :func:`scan_all` is the whole truth (zip files and
custom finders too) for listings, and for what the fast way does not find.
"""

from __future__ import annotations

import importlib
import os
import re
import sys
from collections.abc import Iterable
from dataclasses import dataclass


@dataclass(frozen=True)
class EntryPoint:
    """One line of a distribution's ``entry_points.txt``: ``name = module:attribute``."""

    name: str
    value: str
    distribution: str
    version: str

    def load(self) -> object:
        """Import what the entry point names."""
        module, _, attribute = self.value.partition("[")[0].partition(":")
        loaded: object = importlib.import_module(module.strip())
        for part in filter(None, attribute.strip().split(".")):
            loaded = getattr(loaded, part)
        return loaded

    def is_called(self, names: Iterable[str]) -> bool:
        """Whether ``names`` has this entry point's name or its distribution's."""
        return any(
            name == self.name or canonical(name) == canonical(self.distribution) for name in names
        )


def canonical(distribution: str) -> str:
    """The form in which two spellings of a distribution's name compare equal."""
    return re.sub(r"[-_.]+", "-", distribution).lower()


def scan_directories(group: str, path: Iterable[str] | None = None) -> list[EntryPoint]:
    """Entry points of distributions whose metadata lies in a folder on ``path`` (``sys.path``).

    As with ``importlib.metadata``, the first distribution of a name on the path wins.
    """
    found: list[EntryPoint] = []
    seen: set[str] = set()
    section = f"[{group}]".encode()
    for folder in sys.path if path is None else path:
        try:
            names = os.listdir(folder or ".")
        except OSError:
            continue
        for name in names:
            if not name.endswith((".dist-info", ".egg-info")):
                continue
            distribution = canonical(name.rpartition(".")[0].partition("-")[0])
            if distribution in seen:
                continue
            seen.add(distribution)
            text = _read(folder, name, "entry_points.txt")
            if section in text:
                found += _points(text.decode("utf-8", "replace"), group, folder, name)
    return found


def scan_all(group: str) -> list[EntryPoint]:
    """Entry points of every distribution that Python's import system can see."""
    from importlib.metadata import distributions

    found: list[EntryPoint] = []
    seen: set[str] = set()
    for distribution in distributions():
        name = distribution.metadata["Name"]
        if not name or canonical(name) in seen:
            continue
        seen.add(canonical(name))
        found += [
            EntryPoint(point.name, point.value, name, distribution.version)
            for point in distribution.entry_points
            if point.group == group
        ]
    return found


def _read(*path: str) -> bytes:
    """A small file; empty if it cannot be read."""
    try:
        with open(os.path.join(*path), "rb") as file:  # pathlib is slow
            return file.read()
    except OSError:
        return b""


def _points(text: str, group: str, folder: str, info: str) -> list[EntryPoint]:
    """One section of an ``entry_points.txt``; name and version are in the file beside it."""
    metadata = _read(folder, info, "METADATA") or _read(folder, info, "PKG-INFO")
    header = metadata.decode("utf-8", "replace").partition("\n\n")[0]
    fields = dict(re.findall(r"^(Name|Version):[ \t]*(\S+)", header, re.MULTILINE))
    found: list[EntryPoint] = []
    inside = False
    for raw in text.splitlines():
        line = raw.strip()
        if line.startswith("["):
            inside = line == f"[{group}]"
        elif inside and "=" in line and not line.startswith(("#", ";")):
            name, _, value = line.partition("=")
            found.append(
                EntryPoint(
                    name.strip(),
                    value.strip(),
                    fields.get("Name", info.partition("-")[0]),
                    fields.get("Version", ""),
                )
            )
    return found
