"""The edges that a builder collects, as columns that grow."""

from __future__ import annotations

from array import array
from collections.abc import Sequence
from typing import Any

import numpy as np

from pstack_core.graph.builder_devices import DeviceTable, Values
from pstack_core.graph.builder_types import TypeTable
from pstack_core.graph.model import Edges
from pstack_core.graph.rows import Rows, ValueProblem


class EdgeTable:
    """Edges in order of declaration."""

    def __init__(self, types: TypeTable, devices: DeviceTable) -> None:
        self._types = types
        self._origin = types.origin
        self._devices = devices
        self._dst, self._src = array("I"), array("I")
        self._dst_pin, self._src_pin = array("H"), array("H")
        self._send_index = array("i")
        self._row = array("I")
        self._properties: dict[tuple[int, int], Rows] = {}
        self._state: dict[tuple[int, int], Rows] = {}

    def add(
        self,
        dst: str | int,
        dst_pin: str,
        src: str | int,
        src_pin: str,
        properties: Values,
        state: Values,
        send_index: int | None,
    ) -> None:
        """See :meth:`GraphBuilder.edge`."""
        to, via = self._devices.index(dst), self._devices.index(src)
        kind, source = self._devices.type_of[to], self._devices.type_of[via]
        in_pin = self._types.input_index(kind, dst_pin)
        out_pin = self._types.output_index(source, src_pin)
        self._types.check_edge(kind, in_pin, source, out_pin, send_index is not None)
        index = -1
        if send_index is not None:
            index = int(self._send_indices(send_index, 1)[0])
        try:
            row = self._add_rows((kind, in_pin), properties, state, None)
        except ValueProblem as problem:
            ends = self._devices.names[to], self._devices.names[via]
            where = f"edge {ends[0]}:{dst_pin}-{ends[1]}:{src_pin}"
            raise self._origin.error(f"{where}: {problem}") from None
        self._dst.append(to)
        self._dst_pin.append(in_pin)
        self._src.append(via)
        self._src_pin.append(out_pin)
        self._send_index.append(index)
        self._row.append(row)

    def extend(
        self,
        dst: Any,
        dst_pin: str,
        src: Any,
        src_pin: str,
        properties: Values,
        state: Values,
        send_index: Sequence[int] | np.ndarray | None,
    ) -> None:
        """See :meth:`GraphBuilder.edges`."""
        to, via = self._endpoints(dst, src)
        count = len(to)
        if not count:
            return
        kinds, sources = self._devices.types_at(to), self._devices.types_at(via)
        indices = np.full(count, -1, np.int32)
        if send_index is not None:
            indices = self._send_indices(send_index, count)
        in_pins = np.zeros(count, np.uint16)
        out_pins = np.zeros(count, np.uint16)
        present = np.unique(kinds)
        for kind in present.tolist():
            in_pins[kinds == kind] = self._types.input_index(kind, dst_pin)
        for source in np.unique(sources).tolist():
            out_pins[sources == source] = self._types.output_index(source, src_pin)
        for pair in np.unique(kinds.astype(np.uint32) << 16 | sources).tolist():
            kind, source = pair >> 16, pair & 0xFFFF
            self._types.check_edge(
                kind,
                self._types.input_index(kind, dst_pin),
                source,
                self._types.output_index(source, src_pin),
                send_index is not None,
            )
        if len(present) > 1 and (properties or state):
            raise self._origin.error(
                f"edges into pin '{dst_pin}' of several device types cannot share columns",
                "call edges() once for each type of receiving device",
            )
        rows = np.zeros(count, np.uint32)
        for kind in present.tolist():
            mask = kinds == kind
            key = (kind, self._types.input_index(kind, dst_pin))
            number = int(np.count_nonzero(mask))
            try:
                begin = self._add_rows(key, properties, state, number)
            except ValueProblem as problem:
                where = f"edges into pin '{dst_pin}'"
                if problem.row is not None:
                    ends = (
                        self._devices.names[to[problem.row]],
                        self._devices.names[via[problem.row]],
                    )
                    where = f"edge {ends[0]}:{dst_pin}-{ends[1]}:{src_pin}"
                raise self._origin.error(f"{where}: {problem}") from None
            rows[mask] = np.arange(begin, begin + number, dtype=np.uint32)
        self._dst.frombytes(to.tobytes())
        self._dst_pin.frombytes(in_pins.tobytes())
        self._src.frombytes(via.tobytes())
        self._src_pin.frombytes(out_pins.tobytes())
        self._send_index.frombytes(indices.tobytes())
        self._row.frombytes(rows.tobytes())

    def build(self) -> Edges:
        """The columns, which own their memory."""
        return Edges(
            dst=np.array(self._dst, np.uint32),
            dst_pin=np.array(self._dst_pin, np.uint16),
            src=np.array(self._src, np.uint32),
            src_pin=np.array(self._src_pin, np.uint16),
            send_index=np.array(self._send_index, np.int32),
            row=np.array(self._row, np.uint32),
            properties=_tables(self._properties),
            state=_tables(self._state),
        )

    def _endpoints(self, dst: Any, src: Any) -> tuple[np.ndarray, np.ndarray]:
        to, via = self._devices.indices(dst), self._devices.indices(src)
        count = len(via) if len(to) == 1 else len(to)
        if len(via) not in (1, count):
            raise self._origin.error(
                f"edges() got {len(to)} receiving and {len(via)} sending devices",
                "give lists of one length",
            )
        return np.resize(to, count), np.resize(via, count)

    def _send_indices(self, given: Any, count: int) -> np.ndarray:
        indices = np.asarray(given)
        if indices.shape not in ((count,), ()) or indices.dtype.kind not in "iu":
            raise self._origin.error("send_index needs whole numbers, one an edge")
        if indices.min() < 0 or indices.max() >= 2**31:
            raise self._origin.error("a send index of an edge is out of range")
        return np.broadcast_to(indices, count).astype(np.int32)

    def _add_rows(
        self, key: tuple[int, int], properties: Values, state: Values, count: int | None
    ) -> int:
        """Add rows for one edge (count None) or many; returns the number of the first."""
        if key not in self._properties:
            made = self._types.device_types[key[0]]
            pin = made.input_pins[key[1]]
            owner = f"input pin '{pin.name}' of device type '{made.id}'"
            self._properties[key] = Rows(pin.properties, "property", owner)
            self._state[key] = Rows(pin.state, "state member", owner)
        table, states = self._properties[key], self._state[key]
        first = states.count
        try:
            if count is None:
                table.add(properties)
                states.add(state)
            else:
                table.extend(properties, count)
                states.extend(state, count)
        except ValueProblem:
            table.truncate(first)
            raise
        return first


def _tables(rows: dict[tuple[int, int], Rows]) -> dict[tuple[int, int], np.ndarray]:
    return {key: table.array() for key, table in rows.items() if table.struct.members}
