"""Read the instances that :mod:`pstack_core.graph.base85` describes."""

from __future__ import annotations

from array import array
from collections.abc import Iterable

import numpy as np

from pstack_core.graph.base85 import (
    BASE,
    NEW_DST,
    NEW_ID,
    NEW_SRC,
    NEW_TYPE,
    PAIR_BASE,
    PAIR_VALUE,
    PROPERTIES,
    SEND_INDEX,
    STATE,
    VALUE,
    Widths,
    digits_for,
    following,
    largest_send_index,
)
from pstack_core.graph.diagnostics import Place, fail
from pstack_core.graph.edge_checks import path, repeated_edge, repeated_name
from pstack_core.graph.layout import Struct
from pstack_core.graph.model import Devices, DeviceType, Edges, GraphType
from pstack_core.graph.names import Names

#: Bytes of rows that the records of one instance may stand for.
MAX_BYTES = 1 << 32
MAX_NAME = 1024

_HINT = "make the file again from its source"


class _Bad(ValueError):
    """What is wrong with a record."""


class _Line:
    """A line of records and how far it has been read."""

    def __init__(self, text: str) -> None:
        self.text = text
        self.at = 0

    def digit(self) -> int:
        character = self.text[self.at : self.at + 1]
        self.at += 1
        value = VALUE.get(character)
        if value is None:
            raise _Bad(f"'{character}' is not a digit" if character else "its line ends early")
        return value

    def scalar(self, bits: int, what: str, largest: int | None = None) -> int:
        """A number in a field of ``bits``, at most ``largest``, or what the bits hold."""
        value, scale = 0, 1
        end = self.at + digits_for(bits)
        while self.at < end:
            if self.text[self.at : self.at + 1] == "_":
                self.at += 1
                break
            value += self.digit() * scale
            scale *= BASE
        if value > ((1 << bits) - 1 if largest is None else largest):
            raise _Bad(f"the {what} {value} is out of range")
        return value

    def name(self) -> str:
        end = self.text.find("@", self.at, self.at + MAX_NAME + 1)
        name = self.text[self.at : end]
        if end <= self.at or not name.isprintable():
            raise _Bad("its id is empty, too long or not closed by '@'")
        self.at = end + 1
        return name

    def _word(self) -> int | None:
        """A word of five plain digits; None, and nothing read, where there is none."""
        text, at = self.text, self.at
        try:
            value = (
                PAIR_VALUE[text[at : at + 2]]
                + PAIR_VALUE[text[at + 2 : at + 4]] * PAIR_BASE
                + VALUE[text[at + 4]] * PAIR_BASE**2
            )
        except (KeyError, IndexError):
            return None
        if value >> 32:
            raise _Bad("a word of its data is out of range")
        self.at = at + 5
        return value

    def bytes(self, size: int) -> bytes:
        image = bytearray(size)
        for begin in range(0, size, 4):
            length = min(4, size - begin)
            if length == 4 and (word := self._word()) is not None:
                image[begin : begin + 4] = word.to_bytes(4, "little")
                continue
            value, scale = 0, 1
            for place in range(length + 1):
                character = self.text[self.at : self.at + 1]
                if character == "`":
                    self.at += 1
                    image[begin : begin + length] = value.to_bytes(length, "little")
                    return bytes(image)
                if character == "_":
                    self.at += 1
                    break
                if character == "^":
                    self.at += 1
                    value += ((1 << 8 * length) - 1) // BASE**place * scale
                    break
                value += self.digit() * scale
                scale *= BASE
            if value >> 8 * length:
                raise _Bad("a word of its data is out of range")
            image[begin : begin + length] = value.to_bytes(length, "little")
        return bytes(image)


class _Table:
    """Rows of one struct as they are read."""

    def __init__(self, struct: Struct) -> None:
        self.struct = struct
        self.count = 0
        self._size = struct.dtype.itemsize
        self._default = struct.default
        self._data = bytearray()

    def add(self, line: _Line, given: bool) -> int:
        """Append a row, from the line where it is given; returns its bytes."""
        if given and not self._size:
            raise _Bad("it has values where none are declared")
        self._data += line.bytes(self._size) if given else self._default
        self.count += 1
        return self._size

    def array(self) -> np.ndarray:
        if not self._size:
            return np.zeros(self.count, self.struct.dtype)
        return np.frombuffer(self._data, self.struct.dtype)


def read_base85(
    graph_type: GraphType,
    device_chunks: Iterable[str],
    edge_chunks: Iterable[str],
    file: str = "<string>",
) -> tuple[Devices, Edges]:
    """The devices and edges that the texts of the ``C`` elements stand for.

    Raises:
        ApplicationError: a record cannot be read; names the element, chunk and record.
    """
    devices = _read_devices(graph_type, device_chunks, file)
    return devices, _read_edges(graph_type, devices, edge_chunks, file)


def _read_devices(graph_type: GraphType, chunks: Iterable[str], file: str) -> Devices:
    place = Place(file, element="DeviceInstancesBase85")
    types = graph_type.device_types
    type_bits = Widths(graph_type, 0).type
    properties = [_Table(t.properties) for t in types]
    states = [_Table(t.state) for t in types]
    names: list[str] = []
    kinds, rows = array("H"), array("I")
    total = 0
    for number, chunk in enumerate(chunks, 1):
        kind, name = 0, ""
        for line in _lines(chunk):
            while line.at < len(line.text):
                try:
                    flags = line.digit()
                    if flags & NEW_TYPE:
                        kind = line.scalar(type_bits, "device type")
                    if kind >= len(types):
                        raise _Bad(f"there is no device type number {kind}")
                    name = line.name() if flags & NEW_ID else following(name) or ""
                    if not name or flags >= SEND_INDEX:
                        raise _Bad("it has no id" if not name else f"its flags are {flags}")
                    if types[kind].external and flags & STATE:
                        raise _Bad("it is external and has state")
                    rows.append(properties[kind].count)
                    total += properties[kind].add(line, bool(flags & PROPERTIES))
                    total += states[kind].add(line, bool(flags & STATE))
                    _check_total(total)
                except _Bad as bad:
                    where = f"device {len(names) + 1} (in chunk {number})"
                    raise fail(
                        place,
                        f"{where} cannot be read: {bad}",
                        "make the file again from its source",
                    ) from None
                kinds.append(kind)
                names.append(name)
    devices = Devices(
        names=Names.of(names),
        type=np.array(kinds, np.uint16),
        row=np.array(rows, np.uint32),
        properties=[table.array() for table in properties],
        state=[table.array() for table in states],
    )
    twice = repeated_name(devices.names)
    if twice is not None:
        raise fail(place, f"there are two devices '{twice}'", "device ids must be unique")
    return devices


def _read_edges(graph_type: GraphType, devices: Devices, chunks: Iterable[str], file: str) -> Edges:
    place = Place(file, element="EdgeInstancesBase85")
    reader = _EdgeReader(graph_type, devices)
    for number, chunk in enumerate(chunks, 1):
        dst = src = 0
        for line in _lines(chunk):
            while line.at < len(line.text):
                try:
                    dst, src = reader.read(line, dst, src)
                except _Bad as bad:
                    where = f"edge {len(reader.rows) + 1} (in chunk {number})"
                    raise fail(
                        place,
                        f"{where} cannot be read: {bad}",
                        "make the file again from its source",
                    ) from None
    edges = reader.edges()
    twice = repeated_edge(edges)
    if twice is not None:
        where = path(graph_type, devices, edges, twice)
        raise fail(place, f"there are two edges {where}", "the paths of edges must be unique")
    return edges


class _EdgeReader:
    """Columns of edges as they are read."""

    def __init__(self, graph_type: GraphType, devices: Devices) -> None:
        self.rows = array("I")
        self._widths = Widths(graph_type, len(devices))
        self._types = graph_type.device_types
        self._kinds = devices.type.tolist()
        self._dst, self._src = array("I"), array("I")
        self._dst_pin, self._src_pin = array("H"), array("H")
        self._send_index = array("i")
        self._tables: dict[tuple[int, int], tuple[_Table, _Table]] = {}
        self._total = 0
        self._largest = min(largest_send_index(self._widths), 2**31 - 1)

    def read(self, line: _Line, dst: int, src: int) -> tuple[int, int]:
        """Read one record; ``dst`` and ``src`` are the endpoints before, and returned anew."""
        widths = self._widths
        flags = line.digit()
        change = flags & (NEW_DST | NEW_SRC)
        if flags >= 2 * SEND_INDEX:
            raise _Bad(f"its flags are {flags}")
        if change == NEW_DST:
            dst = line.scalar(widths.dst, "receiving end")
        elif change == NEW_SRC:
            src = line.scalar(widths.src, "sending end")
        elif change:
            both = line.scalar(widths.dst + widths.src, "pair of ends")
            dst, src = both >> widths.src, both & ((1 << widths.src) - 1)
        to, in_pin = dst >> widths.dst_pin, dst & ((1 << widths.dst_pin) - 1)
        via, out_pin = src >> widths.src_pin, src & ((1 << widths.src_pin) - 1)
        kind = self._check(to, in_pin, via, out_pin)
        index = -1
        if flags & SEND_INDEX:
            index = line.scalar(widths.device, "send index", self._largest)
        tables = self._tables.get((kind, in_pin))
        if tables is None:
            pin = self._types[kind].input_pins[in_pin]
            tables = self._tables[kind, in_pin] = _Table(pin.properties), _Table(pin.state)
        self.rows.append(tables[0].count)
        self._total += tables[0].add(line, bool(flags & PROPERTIES))
        self._total += tables[1].add(line, bool(flags & STATE))
        _check_total(self._total)
        self._dst.append(to)
        self._dst_pin.append(in_pin)
        self._src.append(via)
        self._src_pin.append(out_pin)
        self._send_index.append(index)
        return dst, src

    def _check(self, to: int, in_pin: int, via: int, out_pin: int) -> int:
        """Both ends must exist and agree on the message; returns the receiver's type."""
        if max(to, via) >= len(self._kinds):
            raise _Bad(f"there is no device number {max(to, via)}")
        receiver, sender = self._types[self._kinds[to]], self._types[self._kinds[via]]
        into, out = _pin(receiver, in_pin, True), _pin(sender, out_pin, False)
        if into != out:
            raise _Bad(f"it joins a pin that sends '{out}' to one that takes '{into}'")
        return int(self._kinds[to])

    def edges(self) -> Edges:
        tables = self._tables.items()
        return Edges(
            dst=np.array(self._dst, np.uint32),
            dst_pin=np.array(self._dst_pin, np.uint16),
            src=np.array(self._src, np.uint32),
            src_pin=np.array(self._src_pin, np.uint16),
            send_index=np.array(self._send_index, np.int32),
            row=np.array(self.rows, np.uint32),
            properties={k: p.array() for k, (p, _) in tables if p.struct.dtype.itemsize},
            state={k: s.array() for k, (_, s) in tables if s.struct.dtype.itemsize},
        )


def _pin(device: DeviceType, index: int, is_input: bool) -> str:
    pins = device.input_pins if is_input else device.output_pins
    if index >= len(pins):
        kind = "input" if is_input else "output"
        raise _Bad(f"device type '{device.id}' has no {kind} pin number {index}")
    return pins[index].message


def _check_total(total: int) -> None:
    if total > MAX_BYTES:
        raise _Bad(f"the rows up to it take more than {MAX_BYTES >> 30} GB")


def _lines(chunk: str) -> Iterable[_Line]:
    return (_Line(line.strip()) for line in chunk.splitlines())
