"""What is different between two results of an application."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from pstack_core.runtime.result import Result
    from pstack_core.runtime.states import StateMap

#: Devices that are shown.
MOST = 20
#: Metrics that differ from run to run.
_TIMES = ("Compile seconds", "Load seconds", "Run seconds", "Deliveries per second")


@dataclass(frozen=True)
class Differences:
    """Old and new values; ``states`` has the first devices that changed, all are counted."""

    metrics: dict[str, tuple[Any, Any]] = field(default_factory=dict)
    states: dict[str, dict[str, tuple[Any, Any]]] = field(default_factory=dict)
    changed: int = 0
    added: int = 0
    removed: int = 0

    def __bool__(self) -> bool:
        return bool(self.metrics or self.changed or self.added or self.removed)


def compare(old: Result, new: Result) -> Differences:
    """What changed from ``old`` to ``new``."""
    metrics = {
        name: (old.metrics.get(name), value)
        for name, value in new.metrics.items()
        if name not in _TIMES and old.metrics.get(name) != value
    }
    changed = 0
    states: dict[str, dict[str, tuple[Any, Any]]] = {}
    for device in _changed(old.states, new.states):
        changed += 1
        if len(states) < MOST:
            states[device] = _fields(old.states[device], new.states[device])
    added = removed = 0
    if not _same_devices(old.states, new.states):
        olds, news = set(old.states), set(new.states)
        added, removed = len(news - olds), len(olds - news)
    return Differences(metrics, states, changed, added, removed)


def _changed(old: StateMap, new: StateMap) -> Iterator[str]:
    """Devices of both whose states differ, in the order of the file."""
    same_types = len(old.by_type) == len(new.by_type) and all(
        one.dtype == other.dtype and len(one) == len(other)
        for one, other in zip(old.by_type, new.by_type, strict=True)
    )
    if not (same_types and _same_devices(old, new)):
        for device in new:
            if device in old and _differ(old[device], new[device]):
                yield device
        return
    # The same devices: only what differs as bytes has to be looked at.
    devices = new.graph.devices
    differs = np.zeros(len(devices), bool)
    for kind, (one, other) in enumerate(zip(old.by_type, new.by_type, strict=True)):
        if one.dtype.itemsize:
            rows = _bytes(one) != _bytes(other)
            places = devices.type == kind
            differs[places] = rows.any(axis=1)[devices.row[places]]
    for index in np.flatnonzero(differs).tolist():
        device = devices.names[index]
        if _differ(old[device], new[device]):  # padding may differ alone
            yield device


def _same_devices(old: StateMap, new: StateMap) -> bool:
    if len(old) != len(new):
        return False
    one, other = old.graph.devices, new.graph.devices
    return bool(
        one.names.arena == other.names.arena
        and np.array_equal(one.names.offsets, other.names.offsets)
        and np.array_equal(one.type, other.type)
        and np.array_equal(one.row, other.row)
    )


def _bytes(rows: np.ndarray) -> np.ndarray:
    flat = np.ascontiguousarray(rows)
    return np.frombuffer(flat.tobytes(), np.uint8).reshape(len(rows), -1)


def _differ(old: Mapping[str, Any], new: Mapping[str, Any]) -> bool:
    # By text: a value that is not a number is not equal to itself.
    return bool(repr(old) != repr(new))


def _fields(old: Mapping[str, Any], new: Mapping[str, Any]) -> dict[str, tuple[Any, Any]]:
    names = list(dict.fromkeys([*new, *old]))
    return {
        name: (old.get(name), new.get(name))
        for name in names
        if repr(old.get(name)) != repr(new.get(name))
    }
