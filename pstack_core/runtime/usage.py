"""What a process and its children use, from /proc."""

from __future__ import annotations

import os

_TICKS = os.sysconf("SC_CLK_TCK")
_PAGE = os.sysconf("SC_PAGE_SIZE")


def usage(pid: int) -> tuple[float, int]:
    """CPU seconds and resident bytes of the children of ``pid`` that run now."""
    cpu, memory = 0.0, 0
    for child in children(pid):
        try:
            with open(f"/proc/{child}/stat", "rb") as stat:
                # The name, in parentheses, may hold anything.
                fields = stat.read().rpartition(b")")[2].split()
        except OSError:
            continue
        cpu += (int(fields[11]) + int(fields[12])) / _TICKS
        memory += int(fields[21]) * _PAGE
    return cpu, memory


def children(pid: int) -> list[int]:
    """The processes that ``pid`` started and that run now."""
    found: list[int] = []
    try:
        tasks = os.listdir(f"/proc/{pid}/task")
    except OSError:
        return found
    for task in tasks:
        try:
            with open(f"/proc/{pid}/task/{task}/children", "rb") as file:
                found += map(int, file.read().split())
        except OSError:
            continue
    return found
