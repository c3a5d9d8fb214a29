"""The devices that a builder collects, as columns that grow."""

from __future__ import annotations

import operator
import re
from array import array
from collections.abc import Iterable, Mapping
from typing import Any

import numpy as np

from pstack_core.graph.builder_types import DeviceTypeBuilder, TypeTable
from pstack_core.graph.model import Devices
from pstack_core.graph.names import Names
from pstack_core.graph.rows import Rows, ValueProblem

#: Ids of devices: what every reader of the format accepts in an edge's path.
DEVICE_ID = re.compile(r"[A-Za-z0-9_]+", re.ASCII)
DEVICE_IDS = re.compile(r"(?:[A-Za-z0-9_]++\n)*+", re.ASCII)

Values = Mapping[str, Any] | None


class DeviceTable:
    """Devices in order of declaration."""

    def __init__(self, types: TypeTable) -> None:
        self.names: list[str] = []
        self.type_of = array("H")
        self._types = types
        self._origin = types.origin
        self._index: dict[str, int] = {}
        self._row = array("I")
        self._properties: list[Rows] = []
        self._state: list[Rows] = []

    def add_type(self, made: DeviceTypeBuilder) -> None:
        """Make room for devices of a new type."""
        owner = f"device type '{made.id}'"
        self._properties.append(Rows(made.properties, "property", owner))
        self._state.append(Rows(made.state, "state member", owner))

    def add(self, id: str, type: str, properties: Values, state: Values) -> int:
        """See :meth:`GraphBuilder.device`."""
        kind = self._types.device_type_index(type)
        index = len(self.names)
        if not isinstance(id, str) or not DEVICE_ID.fullmatch(id):
            raise self._bad_id(id)
        if id in self._index:
            raise self._duplicate(id)
        try:
            self._check_no_state(kind, state)
            self._properties[kind].add(properties)
            row = self._state[kind].count
            self._state[kind].add(state)
        except ValueProblem as problem:
            self._properties[kind].truncate(self._state[kind].count)
            raise self._origin.error(f"device '{id}': {problem}") from None
        self._index[id] = index
        self.names.append(id)
        self.type_of.append(kind)
        self._row.append(row)
        return index

    def extend(
        self, names: Iterable[str], type: str, properties: Values, state: Values
    ) -> np.ndarray:
        """See :meth:`GraphBuilder.devices`."""
        kind = self._types.device_type_index(type)
        if isinstance(names, str):
            raise self._origin.error(
                f"devices() needs a list of ids, not '{names}'", "use device() for one device"
            )
        ids = list(names)
        first, count = len(self.names), len(ids)
        self._check_ids(ids)
        try:
            self._check_no_state(kind, state)
            self._properties[kind].extend(properties, count)
            row = self._state[kind].count
            self._state[kind].extend(state, count)
        except ValueProblem as problem:
            self._properties[kind].truncate(self._state[kind].count)
            where = "devices" if problem.row is None else f"device '{ids[problem.row]}'"
            raise self._origin.error(f"{where}: {problem}") from None
        self._index.update(zip(ids, range(first, first + count), strict=True))
        self.names += ids
        self.type_of.frombytes(np.full(count, kind, np.uint16).tobytes())
        self._row.frombytes(np.arange(row, row + count, dtype=np.uint32).tobytes())
        return np.arange(first, first + count, dtype=np.uint32)

    def index(self, device: str | int) -> int:
        """Index of a device given by id or index."""
        if isinstance(device, str):
            index = self._index.get(device)
            if index is None:
                raise self._origin.error(f"there is no device '{device}' for an edge")
            return index
        try:
            index = operator.index(device)
        except TypeError:
            raise self._origin.error(
                f"'{device}' is not a device: give ids or whole numbers"
            ) from None
        if not 0 <= index < len(self.names):
            raise self._origin.error(
                f"there is no device of index {index}; there are {len(self.names)} devices"
            )
        return index

    def indices(self, given: Any) -> np.ndarray:
        """Indices of devices given by ids or indices, or of one: uint32[n]."""
        if isinstance(given, str | int):
            given = [given]
        if not isinstance(given, np.ndarray):
            given = list(given)
            if given and isinstance(given[0], str):
                try:
                    return np.fromiter(map(self._index.__getitem__, given), np.uint32, len(given))
                except KeyError:
                    return np.array([self.index(item) for item in given], np.uint32)
        indices = np.asarray(given)
        if indices.dtype.kind in "US":
            return self.indices(indices.astype(str).tolist())
        if indices.size == 0:
            return np.zeros(0, np.uint32)
        if indices.ndim > 1 or indices.dtype.kind not in "iu":
            raise self._origin.error("the ends of edges are device ids or indices in one list")
        for bad in (indices.min(), indices.max()):
            self.index(int(bad))
        return np.atleast_1d(indices).astype(np.uint32)

    def types_at(self, devices: np.ndarray) -> np.ndarray:
        """Types of devices given by index: uint16[n]."""
        # The view must be gone before the column grows again.
        kinds: np.ndarray = np.frombuffer(self.type_of, np.uint16)[devices]
        return kinds

    def build(self) -> Devices:
        """The columns, which own their memory."""
        return Devices(
            names=Names.of(self.names),
            type=np.array(self.type_of, np.uint16),
            row=np.array(self._row, np.uint32),
            properties=[rows.array() for rows in self._properties],
            state=[rows.array() for rows in self._state],
        )

    def _bad_id(self, id: object) -> Exception:
        return self._origin.error(
            f"'{id}' is not a device id", "use letters, digits and underscores"
        )

    def _duplicate(self, id: str) -> Exception:
        return self._origin.error(f"device '{id}' exists already", "device ids are unique")

    def _check_ids(self, ids: list[str]) -> None:
        try:
            well_formed = DEVICE_IDS.fullmatch("\n".join([*ids, ""]))
        except TypeError:
            well_formed = None  # not all are text
        if not well_formed:
            for id in ids:
                if not isinstance(id, str) or not DEVICE_ID.fullmatch(id):
                    raise self._bad_id(id)
        if len(set(ids)) != len(ids) or not self._index.keys().isdisjoint(ids):
            seen = set(self._index)
            for id in ids:
                if id in seen:
                    raise self._duplicate(id)
                seen.add(id)

    def _check_no_state(self, kind: int, state: Values) -> None:
        if state and self._types.device_types[kind].external:
            name = self._types.device_types[kind].id
            raise ValueProblem(f"external type '{name}' has no state")
