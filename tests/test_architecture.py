"""The import rules of docs/architecture.md hold in every module."""

from __future__ import annotations

import ast
import configparser
import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]


def table() -> dict[str, tuple[Path, set[str]]]:
    """Package to (folder or file, packages that it may import), as the document says."""
    rooms = {}
    text = (ROOT / "docs" / "architecture.md").read_text()
    for line in text.splitlines():
        cells = [cell.strip() for cell in line.strip("|").split("|")]
        if len(cells) == 4 and cells[0].startswith("`pstack"):
            package, folder = cells[0].strip("`"), cells[1].strip("`")
            rooms[package] = (ROOT / folder, set(re.findall(r"`([\w.]+)`", cells[3])))
    return rooms


ROOMS = table()


def room_of(module: str) -> str | None:
    """The room of a module of ours; None for others'."""
    inside = [room for room in ROOMS if f"{module}.".startswith(f"{room}.")]
    return max(inside, key=len, default=None)


def allowed(room: str) -> set[str]:
    """The rooms that a room may import, and those that they may."""
    found = {room}
    while True:
        more = set().union(*(ROOMS[name][1] for name in found)) - found
        if not more:
            return found
        found |= more


def imported(path: Path) -> set[tuple[int, str]]:
    """(line, module) of everything that a file imports, type checking included."""
    found = set()
    for node in ast.walk(ast.parse(path.read_text(), str(path))):
        if isinstance(node, ast.Import):
            found |= {(node.lineno, name.name) for name in node.names}
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path}:{node.lineno}: a relative import"
            # ``from package import module`` may import a module.
            found |= {(node.lineno, f"{node.module}.{name.name}") for name in node.names}
    return found


def files_of(room: str) -> list[Path]:
    place = ROOMS[room][0]
    return [place] if place.suffix == ".py" else sorted(place.rglob("*.py"))


@pytest.mark.parametrize("room", ROOMS)
def test_a_room_imports_only_what_it_may(room: str) -> None:
    files = files_of(room)
    assert files
    may = allowed(room)
    for path in files:
        for line, module in sorted(imported(path)):
            other = room_of(module)
            assert other is None or other in may, (
                f"{path.relative_to(ROOT)}:{line}: {room} may not import {module}"
            )


def test_core_imports_no_plugin() -> None:
    plugins = {path.name for path in (ROOT / "plugins").iterdir() if path.is_dir()}
    kernels = {"pstack_native"}
    for path in (ROOT / "pstack_core").rglob("*.py"):
        for line, module in imported(path):
            assert module.partition(".")[0] not in plugins | kernels, f"{path}:{line}: {module}"


def test_arrows_have_no_circles() -> None:
    for room in ROOMS:
        for other in allowed(room) - {room}:
            assert room not in allowed(other), f"{room} and {other} may import each other"


def test_every_package_is_a_room_and_is_installed() -> None:
    config = configparser.ConfigParser()
    config.read(ROOT / "setup.cfg")
    installed = set(config["options"]["packages"].split())
    for package in installed:
        assert room_of(package), package
    for room, (place, _) in ROOMS.items():
        assert room in installed or room.rpartition(".")[0] in installed
        for init in place.rglob("__init__.py") if place.is_dir() else []:
            inside = init.parent.relative_to(place).parts
            assert ".".join([room, *inside]) in installed
