"""Feeding documents to the scanner, and the typed data that the tests use."""

from __future__ import annotations

import struct
from collections.abc import Sequence
from typing import Any

import pstack_scan

CTYPES = {
    "int8_t": "b",
    "uint8_t": "B",
    "int16_t": "h",
    "uint16_t": "H",
    "int32_t": "i",
    "uint32_t": "I",
    "int64_t": "q",
    "uint64_t": "Q",
    "float": "f",
    "double": "d",
    "half": "e",
    "char": "b",
    "bool": "?",
}


def scalar(ctype: str) -> tuple[int, Any]:
    return struct.calcsize("<" + CTYPES[ctype]), ("scalar", ctype)


def array(length: int, element: tuple[int, Any]) -> tuple[int, Any]:
    size, node = element
    return size * length, ("array", length, size, node)


def packed(**members: tuple[int, Any]) -> tuple[int, Any]:
    fields, end = [], 0
    for name, (size, node) in members.items():
        fields.append((name, end, node))
        end += size
    return end, ("struct", fields)


def union(**members: tuple[int, Any]) -> tuple[int, Any]:
    tag = max(size for size, _ in members.values())
    nodes = [(name, node) for name, (_, node) in members.items()]
    return tag + 1, ("union", tag + 1, tag, nodes)


def layout(data: tuple[int, Any], default: bytes | None = None) -> tuple[int, bytes, Any]:
    size, node = data
    return size, bytes(size) if default is None else default, node


def value_of(node: Any, data: bytes) -> Any:
    """A packed row as Python objects; a union as (name, value)."""
    kind = node[0]
    if kind == "scalar":
        return struct.unpack_from("<" + CTYPES[node[1]], data)[0]
    if kind == "array":
        _, length, stride, element = node
        return [value_of(element, data[i * stride :]) for i in range(length)]
    if kind == "union":
        name, member = node[3][data[node[2]]]
        return name, value_of(member, data)
    return {name: value_of(member, data[offset:]) for name, offset, member in node[1]}


#: The struct of the behaviour matrices in the format notes, with the default of each member.
MATRIX = layout(
    packed(
        a=scalar("uint32_t"),
        f=scalar("float"),
        arr=array(3, scalar("uint8_t")),
        s=packed(x=scalar("int16_t"), y=scalar("int32_t")),
    ),
    struct.pack("<If3Bhi", 11, 1.5, 21, 22, 23, 31, 32),
)
DEFAULT = {"a": 11, "f": 1.5, "arr": [21, 22, 23], "s": {"x": 31, "y": 32}}


def parse(
    text: str, syntax: str, strict: bool = False, data: Any = MATRIX
) -> tuple[Any, list[tuple[str, int, str]]]:
    image, problems = pstack_scan.parse_value(data, text, syntax, strict)
    return value_of(data[2], image), problems


def feed(scanner: pstack_scan.Scanner, data: bytes, mode: Any = "generic") -> None:
    """Feed a piece.  ``mode``: generic, skip, or the instance to read into."""
    while data:
        data = data[scanner.feed(data) :]
        if scanner.paused is not None:
            if isinstance(mode, pstack_scan.Instance):
                scanner.read_into(mode)
            else:
                getattr(scanner, mode)()


def scan(pieces: Sequence[bytes], mode: Any = "generic") -> list[Any]:
    """Events, with the error as the last one where there is one."""
    scanner = pstack_scan.Scanner()
    events: list[Any] = []
    try:
        for piece in pieces:
            feed(scanner, piece, mode)
            events += scanner.events()
        scanner.close()
        events += scanner.events()
    except pstack_scan.XMLError as error:
        events += scanner.events()
        events.append(("error", error.message, error.line, error.column))
    return events


def error_of(document: str | bytes) -> tuple[str, int, int]:
    """The sentence, line and column with which a document is refused."""
    data = document.encode() if isinstance(document, str) else document
    last = scan([data])[-1]
    assert last[0] == "error", f"accepted: {document!r}"
    return last[1:]
