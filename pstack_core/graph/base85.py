"""The compact encoding of graph instances that v4 has: digits of base 85.

An instance is two lists of chunks, of devices and of edges; each chunk is lines of text and
can be read without the others.  A device or edge is a digit of flags, then what they
announce::

    device  flags [type] [id "@"] [properties] [state]
            1 the type differs from the one before     2 the id is not the one before plus 1
    edge    flags [dst][src] [send index] [properties] [state]
            1 the receiving end differs     2 the sending end differs     16 send index
    both    4 properties differ from the defaults     8 state differs

A scalar of w bits has just enough digits, least significant first; ``_`` ends it early.
Bytes are words of four bytes and five digits; in a word ``_`` stands for zeros to its end,
``^`` for ones, and a grave accent for zeros to the end of the bytes.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import lru_cache

import numpy as np

from pstack_core.graph.diagnostics import Place, Problems
from pstack_core.graph.layout import Struct
from pstack_core.graph.model import Graph, GraphType
from pstack_core.graph.packing import packed, packed_rows
from pstack_core.graph.row_text import MAX_CACHED
from pstack_core.graph.write_instance import Form, start

DIGITS = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789!\"#$%'()*+,-./:;<=>?@\\|"
VALUE = {digit: value for value, digit in enumerate(DIGITS)}
BASE = 85

#: Two digits at a time, for whole words that no character ends early.
PAIRS = [low + high for high in DIGITS for low in DIGITS]
PAIR_VALUE = {pair: value for value, pair in enumerate(PAIRS)}
PAIR_BASE = BASE**2

NEW_TYPE, NEW_ID = 1, 2
NEW_DST, NEW_SRC = 1, 2
PROPERTIES, STATE, SEND_INDEX = 4, 8, 16

#: Words from here on have five digits, and from there on the last may be that of all ones.
_FULL = BASE**4
_ONES = 0xFFFFFFFF // BASE**4 * BASE**4

#: Characters of a line and of a chunk, about.
LINE = 1000
CHUNK = 60_000


def bits_for(count: int) -> int:
    """Bits of a field that holds numbers up to ``count``: ceil(log2(count + 1))."""
    return count.bit_length()


@lru_cache
def digits_for(bits: int) -> int:
    """Digits of a scalar: the fewest whose largest number has more than ``bits`` bits."""
    digits = 0
    while BASE**digits <= 1 << bits:
        digits += 1
    return digits if bits else 0


class Widths:
    """The widths of an instance's fields in bits."""

    def __init__(self, graph_type: GraphType, device_count: int) -> None:
        types = graph_type.device_types
        self.type = bits_for(len(types))
        self.device = bits_for(device_count)
        self.dst_pin = bits_for(max((len(t.input_pins) for t in types), default=0))
        self.src_pin = bits_for(max((len(t.output_pins) for t in types), default=0))
        self.dst = self.device + self.dst_pin
        self.src = self.device + self.src_pin


def largest_send_index(widths: Widths) -> int:
    """The field has the width of a device's number, and its digits may hold a little more."""
    return int(BASE ** digits_for(widths.device)) - 1


def report(graph: Graph, place: Place, problems: Problems) -> None:
    """Report what the encoding has no room for."""
    largest = largest_send_index(Widths(graph.type, len(graph.devices)))
    if len(graph.edges) and int(graph.edges.send_index.max()) > largest:
        problems.error(
            place,
            f"base85 cannot express send indices above {largest} among {len(graph.devices)} "
            "devices",
            "write v4",
        )


# Writing


def encode_scalar(value: int, bits: int) -> str:
    """A number in a field of ``bits``."""
    text = ""
    for _ in range(digits_for(bits)):
        if not value:
            return text + "_"
        value, digit = divmod(value, BASE)
        text += DIGITS[digit]
    return text


def encode_bytes(data: bytes) -> str:
    """Bytes, shortened where they end in zeros."""
    pieces: list[str] = []
    end = len(data.rstrip(b"\0"))
    for begin in range(0, len(data), 4):
        word = data[begin : begin + 4]
        last = begin + 4 >= len(data)
        value = int.from_bytes(word, "little")
        if _FULL <= value < _ONES:
            value, first = divmod(value, PAIR_BASE)
            value, second = divmod(value, PAIR_BASE)
            pieces.append(PAIRS[first] + PAIRS[second] + DIGITS[value])
            continue
        ones = (1 << 8 * len(word)) - 1
        for _ in range(len(word) + 1):
            if not value:
                if begin >= end or (last and len(word) < 4):
                    return "".join(pieces) + "`"
                pieces.append("_")
                break
            if value == ones:
                pieces.append("^")
                break
            value, digit = divmod(value, BASE)
            ones //= BASE
            pieces.append(DIGITS[digit])
    return "".join(pieces)


class _RowEncoder:
    """Rows of one struct as digits; v4 has no defaults, so a row of zeros has none."""

    def __init__(self, rows: np.ndarray | None, struct: Struct) -> None:
        self._size = packed(struct).dtype.itemsize if rows is not None else 0
        self._data = packed_rows(rows, struct).tobytes() if rows is not None else b""
        self._zero = bytes(self._size)
        self._cache = {self._zero: ""}

    def text(self, row: int) -> str:
        if not self._size:
            return ""
        data = self._data[row * self._size : (row + 1) * self._size]
        text = self._cache.get(data)
        if text is None:
            if len(self._cache) > MAX_CACHED:
                self._cache = {self._zero: ""}
            text = self._cache[data] = encode_bytes(data)
        return text


def instance(graph: Graph) -> Iterator[str]:
    """The ``GraphInstanceBase85`` element, in pieces."""
    yield start(graph, Form("v4"), "GraphInstanceBase85")
    yield "    <DeviceInstancesBase85>\n"
    yield from (_chunk(records) for records in device_chunks(graph))
    yield "    </DeviceInstancesBase85>\n    <EdgeInstancesBase85>\n"
    yield from (_chunk(records) for records in edge_chunks(graph))
    yield "    </EdgeInstancesBase85>\n  </GraphInstanceBase85>\n"


def _chunk(records: list[str]) -> str:
    lines: list[str] = []
    line: list[str] = []
    length = 0
    for record in records:
        if length + len(record) > LINE and line:
            lines.append("".join(line))
            line, length = [], 0
        line.append(record)
        length += len(record)
    lines.append("".join(line))
    # The alphabet has no ']', so nothing can end the section early.
    return "      <C><![CDATA[\n" + "\n".join(lines) + "\n]]></C>\n"


def device_chunks(graph: Graph) -> Iterator[list[str]]:
    """The records of the devices, a list a chunk."""
    devices, types = graph.devices, graph.type.device_types
    widths = Widths(graph.type, len(devices))
    properties = [
        _RowEncoder(rows, t.properties) for rows, t in zip(devices.properties, types, strict=True)
    ]
    states = [
        _RowEncoder(None if t.external else rows, t.state)
        for rows, t in zip(devices.state, types, strict=True)
    ]
    records: list[str] = []
    length, kind, previous = 0, 0, ""
    for name, new_kind, row in zip(
        devices.names, devices.type.tolist(), devices.row.tolist(), strict=True
    ):
        if length > CHUNK:
            yield records
            records, length, kind, previous = [], 0, 0, ""
        flags, text = 0, ""
        if new_kind != kind:
            flags |= NEW_TYPE
            text += encode_scalar(new_kind, widths.type)
            kind = new_kind
        if name != following(previous):
            flags |= NEW_ID
            text += name + "@"
        previous = name
        p, s = properties[kind].text(row), states[kind].text(row)
        flags |= (PROPERTIES if p else 0) | (STATE if s else 0)
        records.append(f"{DIGITS[flags]}{text}{p}{s}")
        length += len(records[-1])
    if records:
        yield records


def following(name: str) -> str | None:
    """The id that needs no writing after ``name``: its last character is the next one."""
    return name[:-1] + chr(ord(name[-1]) + 1) if name else None


def edge_chunks(graph: Graph) -> Iterator[list[str]]:
    """The records of the edges, a list a chunk."""
    edges, devices = graph.edges, graph.devices
    widths = Widths(graph.type, len(devices))
    tables = {
        (t, p): (
            _RowEncoder(edges.properties.get((t, p)), pin.properties),
            _RowEncoder(edges.state.get((t, p)), pin.state),
        )
        for t, device in enumerate(graph.type.device_types)
        for p, pin in enumerate(device.input_pins)
    }
    dsts = edges.dst.astype(np.uint64) << np.uint64(widths.dst_pin) | edges.dst_pin
    srcs = edges.src.astype(np.uint64) << np.uint64(widths.src_pin) | edges.src_pin
    records: list[str] = []
    length, dst, src = 0, 0, 0
    for new_dst, new_src, kind, pin, row, send_index in zip(
        dsts.tolist(),
        srcs.tolist(),
        devices.type[edges.dst].tolist(),
        edges.dst_pin.tolist(),
        edges.row.tolist(),
        edges.send_index.tolist(),
        strict=True,
    ):
        if length > CHUNK:
            yield records
            records, length, dst, src = [], 0, 0, 0
        flags = (NEW_DST if new_dst != dst else 0) | (NEW_SRC if new_src != src else 0)
        # Other readers refuse an edge without either, as the first of a chunk may be.
        flags = flags or NEW_DST
        dst, src = new_dst, new_src
        if flags == NEW_DST:
            text = encode_scalar(dst, widths.dst)
        elif flags == NEW_SRC:
            text = encode_scalar(src, widths.src)
        else:
            text = encode_scalar(dst << widths.src | src, widths.dst + widths.src)
        if send_index >= 0:
            flags |= SEND_INDEX
            text += encode_scalar(send_index, widths.device)
        properties, state = tables[kind, pin]
        p, s = properties.text(row), state.text(row)
        flags |= (PROPERTIES if p else 0) | (STATE if s else 0)
        records.append(f"{DIGITS[flags]}{text}{p}{s}")
        length += len(records[-1])
    if records:
        yield records
