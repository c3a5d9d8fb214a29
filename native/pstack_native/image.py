"""Lay out a graph as the image that a compiled type runs on.

The image is anonymous shared memory (a memfd): this process fills it, the
worker maps it, and the states are read from it at the end.  The format is in
``include/pstack_kernel.h``.
"""

from __future__ import annotations

import mmap
import os
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from pstack_native._kernel import ffi, lib
from pstack_native.locality import rows_by_locality
from pstack_native.records import DeviceRecord, PinTable, device_record, pin_tables

if TYPE_CHECKING:
    from pstack_core.graph.model import Graph

ALIGNMENT = 64


class ImageError(Exception):
    """The graph does not fit the kernel; the message is a sentence."""


@dataclass
class _Layout:
    """Hands out offsets."""

    end: int = 0

    def take(self, size: int) -> int:
        offset = -(-self.end // ALIGNMENT) * ALIGNMENT
        self.end = offset + size
        return offset


class Image:
    """The instance in shared memory; ``fd`` is for the worker."""

    def __init__(self, graph: Graph) -> None:
        self.graph = graph
        self.tables = pin_tables(graph.type)
        self.records: list[DeviceRecord | None] = [
            None if device.external else device_record(device) for device in graph.type.device_types
        ]
        self.counts = [len(column) for column in graph.devices.properties]
        #: Row of every device in the image: uint32[d].
        self.row = rows_by_locality(graph)
        self.first_slot, self.slots = self._slots()
        self._csr()
        layout = _Layout(ffi.sizeof("pstack_image"))
        self._graph_properties = layout.take(max(graph.properties.dtype.itemsize, 8))
        self._device_tables = layout.take(ffi.sizeof("pstack_device_table") * len(self.counts))
        self._pin_tables = layout.take(ffi.sizeof("pstack_pin_table") * max(len(self.tables), 1))
        self._flags = layout.take(2 * self.slots + self.slots // 64 + 8)
        self._records = [
            layout.take(self.counts[t] * record.stride if record else 0)
            for t, record in enumerate(self.records)
        ]
        self._rows = [layout.take(rows.nbytes) for rows in self._csr_rows]
        self._edges = [
            layout.take(
                self._edge_counts[p] * table.stride + max(lib.PSTACK_EDGE_SLACK, 13 * table.stride)
            )
            for p, table in enumerate(self.tables)
        ]
        self.size = -(-layout.end // mmap.PAGESIZE) * mmap.PAGESIZE
        self.fd = os.memfd_create("pstack-image")
        try:
            os.ftruncate(self.fd, self.size)
            self.memory = mmap.mmap(self.fd, self.size)
        except OSError as error:
            os.close(self.fd)
            raise ImageError(
                f"the instance needs {self.size / 1e6:.0f} MB of memory: {error.strerror}"
            ) from error
        self._write()

    def _slots(self) -> tuple[list[int], int]:
        first, slot = [], 0
        for count in self.counts:
            first.append(slot)
            slot += -(-count // 64) * 64
        if slot >= 2**32 - 64:
            raise ImageError("the graph has more than 4 billion devices")
        return first, max(slot, 64)

    def _csr(self) -> None:
        """Order the edges: see pstack_order_edges."""
        graph, edges = self.graph, self.graph.edges
        types = graph.type.device_types
        count, pins = len(edges), len(self.tables)
        first_pin = np.full(len(types), -1, np.int32)
        for number in reversed(range(pins)):
            first_pin[self.tables[number].type] = number
        self._target_base = np.zeros(len(types) + 1, np.uint32)
        np.cumsum([len(device.input_pins) for device in types], out=self._target_base[1:])
        columns = max(int(self._target_base[-1]), 1)
        route = np.full((max(pins, 1), columns), -1, np.int16)
        for number, table in enumerate(self.tables):
            for index, reached in enumerate(table.routes):
                if self.counts[reached.type] > 1 << table.shift:
                    raise ImageError(
                        f"device type {types[reached.type].id} has {self.counts[reached.type]}"
                        f" devices; pin {types[table.type].output_pins[table.pin].name} of"
                        f" {types[table.type].id} can reach {1 << table.shift}"
                    )
                route[number, self._target_base[reached.type] + reached.pin] = index
        row_counts = np.array([self.counts[t.type] for t in self.tables] or [0], np.uint32)
        self._csr_rows = [np.zeros(int(n) + 1, np.uint32) for n in row_counts[:pins]]
        rows = ffi.new("uint32_t *[]", [_pointer("uint32_t *", r) for r in self._csr_rows] or 1)
        self._columns = {
            name: np.ascontiguousarray(getattr(edges, name), dtype)
            for name, dtype in (
                ("src", np.uint32), ("src_pin", np.uint16), ("dst", np.uint32),
                ("dst_pin", np.uint16), ("send_index", np.int32), ("row", np.uint32),
            )
        }  # fmt: skip
        self._device_type = np.ascontiguousarray(graph.devices.type, np.uint16)
        ends = (
            _pointer("uint16_t *", self._device_type),
            _pointer("uint32_t *", self.row),
            _pointer("int32_t *", first_pin),
        )
        c = {name: _pointer(f"{_C_TYPES[name]} *", a) for name, a in self._columns.items()}
        lib.pstack_count_edges(
            count, c["src"], c["src_pin"], *ends, pins, rows,
            _pointer("uint32_t *", row_counts),
        )  # fmt: skip
        self._edge_counts = [int(r[-1]) for r in self._csr_rows]
        self._order_base = np.zeros(pins + 1, np.uint64)
        np.cumsum(self._edge_counts, out=self._order_base[1:])
        cursors = [r.copy() for r in self._csr_rows]
        cursor = ffi.new("uint32_t *[]", [_pointer("uint32_t *", r) for r in cursors] or 1)
        self._order = np.empty(count, np.uint32)
        self._targets = np.empty(count, np.uint32)
        indexed = np.array([t.indexed for t in self.tables] or [False], np.uint8)
        shift = np.array([t.shift for t in self.tables] or [0], np.uint8)
        stray = lib.pstack_order_edges(
            count, c["src"], c["src_pin"], c["dst"], c["dst_pin"], c["send_index"], *ends,
            pins, rows, cursor, _pointer("uint32_t *", row_counts),
            _pointer("uint64_t *", self._order_base), _pointer("uint8_t *", indexed),
            _pointer("uint8_t *", shift), _pointer("int16_t *", route),
            _pointer("uint32_t *", self._target_base), columns,
            _pointer("uint32_t *", self._order), _pointer("uint32_t *", self._targets),
        )  # fmt: skip
        if stray == -2:
            raise MemoryError
        if stray >= 0:
            src, dst = int(edges.src[stray]), int(edges.dst[stray])
            raise ImageError(
                f"no message can go from {graph.devices.names[src]} to"
                f" {graph.devices.names[dst]}: edge {stray} joins pins that the kernel cannot"
            )

    def _write(self) -> None:
        graph, memory = self.graph, self.memory
        base = ffi.from_buffer(memory)
        image = ffi.cast("pstack_image *", base)
        image.magic, image.abi = lib.PSTACK_MAGIC, lib.PSTACK_ABI
        image.type_count, image.pin_count = len(self.counts), len(self.tables)
        image.slot_count, image.flags = self.slots, self._flags
        image.graph_properties = self._graph_properties
        image.device_tables, image.pin_tables = self._device_tables, self._pin_tables
        image.size = self.size
        properties = graph.properties.tobytes()
        memory[self._graph_properties : self._graph_properties + len(properties)] = properties
        tables = ffi.cast("pstack_device_table *", base + self._device_tables)
        for t, record in enumerate(self.records):
            tables[t].count = self.counts[t] if record else 0
            tables[t].first_slot, tables[t].records = self.first_slot[t], self._records[t]
            if record and self.counts[t]:
                self._write_records(t, record)
        pins = ffi.cast("pstack_pin_table *", base + self._pin_tables)
        for p, table in enumerate(self.tables):
            pins[p].rows, pins[p].edges = self._rows[p], self._edges[p]
            rows = self._csr_rows[p]
            np.frombuffer(memory, np.uint32, len(rows), self._rows[p])[:] = rows
            self._write_edges(p, table, base)
        del self._csr_rows, self._targets

    def _write_records(self, t: int, record: DeviceRecord) -> None:
        """Scatter states and properties of one type into its records."""
        devices = self.graph.devices
        of_type = devices.of_type(t)
        row = self.row[of_type]
        view = self._bytes(t, record)
        for column, offset in ((devices.state[t], 0), (devices.properties[t], record.properties)):
            size = column.dtype.itemsize
            if size:
                raw = np.ascontiguousarray(column).view(np.uint8).reshape(len(column), size)
                view[row, offset : offset + size] = raw
        if record.guard >= 0:
            guard = np.array([lib.PSTACK_GUARD], "<u4").view(np.uint8)
            view[:, record.guard : record.guard + 4] = guard

    def _bytes(self, t: int, record: DeviceRecord) -> np.ndarray:
        """Records of one type as uint8[n, stride], on the image itself."""
        n = self.counts[t]
        flat = np.frombuffer(self.memory, np.uint8, n * record.stride, self._records[t])
        return flat.reshape(n, record.stride)

    def _payload(self, which: str) -> tuple[list[np.ndarray | None], np.ndarray]:
        """Edge tables per (type, input pin) column and the size of their rows."""
        columns: list[np.ndarray | None] = []
        for t, device in enumerate(self.graph.type.device_types):
            for p in range(len(device.input_pins)):
                table = getattr(self.graph.edges, which).get((t, p))
                columns.append(None if table is None else np.ascontiguousarray(table))
        sizes = [
            getattr(pin, which).dtype.itemsize
            for device in self.graph.type.device_types
            for pin in device.input_pins
        ]
        return columns, np.array(sizes or [0], np.uint32)

    def _write_edges(self, p: int, table: PinTable, base: Any) -> None:
        begin, count = int(self._order_base[p]), self._edge_counts[p]
        if not count:
            return
        properties, properties_size = self._payload("properties")
        state, state_size = self._payload("state")
        lib.pstack_write_edges(
            count,
            _pointer("uint32_t *", self._order[begin:]),
            _pointer("uint32_t *", self._targets[begin:]),
            _pointer("uint32_t *", self._columns["dst"]),
            _pointer("uint16_t *", self._columns["dst_pin"]),
            _pointer("uint16_t *", self._device_type),
            _pointer("uint32_t *", self._target_base),
            _pointer("uint32_t *", self._columns["row"]),
            _pointers(properties), _pointer("uint32_t *", properties_size),
            _pointers(state), _pointer("uint32_t *", state_size),
            table.stride,
            ffi.cast("uint8_t *", base + self._edges[p]),
        )  # fmt: skip

    def states(self) -> list[np.ndarray]:
        """Copies of the device states, per type in the order of ``Devices.of_type``."""
        found = []
        for t, device in enumerate(self.graph.type.device_types):
            record, dtype = self.records[t], device.state.dtype
            if record is None or not dtype.itemsize:
                found.append(np.zeros(self.counts[t], dtype))
                continue
            row = self.row[self.graph.devices.of_type(t)]
            raw = self._bytes(t, record)[row, : dtype.itemsize]
            found.append(np.ascontiguousarray(raw).view(dtype).reshape(self.counts[t]))
        return found

    def device_at(self, slot: int) -> int:
        """Index of the device at a slot, or -1."""
        for t in reversed(range(len(self.counts))):
            if self.counts[t] and self.first_slot[t] <= slot < self.first_slot[t] + self.counts[t]:
                of_type = self.graph.devices.of_type(t)
                if t not in self._inverse:
                    inverse = np.empty(self.counts[t], np.uint32)
                    inverse[self.row[of_type]] = of_type
                    self._inverse[t] = inverse
                return int(self._inverse[t][slot - self.first_slot[t]])
        return -1

    @property
    def _inverse(self) -> dict[int, np.ndarray]:
        return self.__dict__.setdefault("_inverse_rows", {})

    def close(self) -> None:
        """Free the memory; may be called twice."""
        if self.fd >= 0:
            os.close(self.fd)
            self.fd = -1


_C_TYPES = {
    "src": "uint32_t", "src_pin": "uint16_t", "dst": "uint32_t",
    "dst_pin": "uint16_t", "send_index": "int32_t", "row": "uint32_t",
}  # fmt: skip


def _pointer(ctype: str, array: np.ndarray) -> Any:
    return ffi.cast(ctype, array.ctypes.data)


def _pointers(arrays: list[np.ndarray | None]) -> Any:
    return ffi.new(
        "uint8_t *[]",
        [ffi.NULL if a is None else _pointer("uint8_t *", a) for a in arrays] or 1,
    )
