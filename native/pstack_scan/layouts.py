"""Typed data layouts for C, and values parsed into them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from pstack_scan._scan import ffi, lib

#: ``("scalar", ctype)``, ``("array", length, stride, node)``,
#: ``("struct", [(name, offset, node), ...])`` or
#: ``("union", size, tag_offset, [(name, node), ...])``.
Node = Sequence[Any]
#: ``(size in bytes, default bytes, root node)``; None for no members at all.
Layout = tuple[int, bytes, Node]
#: ``(severity, offset in the text, sentence)``.
Problem = tuple[str, int, str]

MAX_NESTING = 200
SYNTAXES = {"json": lib.PS_JSON, "braces": lib.PS_BRACES}

#: C types in the order of ``ps_ctype`` in number.h, with their sizes.
CTYPES = {
    "int8_t": (0, 1),
    "uint8_t": (1, 1),
    "int16_t": (2, 2),
    "uint16_t": (3, 2),
    "int32_t": (4, 4),
    "uint32_t": (5, 4),
    "int64_t": (6, 8),
    "uint64_t": (7, 8),
    "float": (8, 4),
    "double": (9, 8),
    "half": (10, 2),
    "char": (11, 1),
    "bool": (12, 1),
}


class _Table:
    """Nodes laid out breadth first, so that the children of each are adjacent."""

    def __init__(self, root: Node, size: int) -> None:
        self.nodes: list[list[int]] = []
        self.names = bytearray()
        pending: list[tuple[int, Node, int, int]] = [(self._new(), root, size, 0)]
        for index, node, room, depth in pending:
            if depth > MAX_NESTING:
                raise ValueError(f"typed data is nested more than {MAX_NESTING} deep")
            pending += [
                (child, data, left, depth + 1)
                for child, data, left in self._fill(index, node, room)
            ]

    def _new(self) -> int:
        self.nodes.append([0] * 9)
        return len(self.nodes) - 1

    def _place(self, index: int, offset: int, name: str) -> None:
        encoded = name.encode()
        self.nodes[index][2] = offset
        self.nodes[index][7:9] = len(self.names), len(encoded)
        self.names += encoded

    def _fill(self, index: int, node: Node, room: int) -> list[tuple[int, Node, int]]:
        """Write a node that has ``room`` bytes; its children with the bytes each has."""
        row = self.nodes[index]
        kind = node[0]
        children: list[tuple[int, Node, int]] = []
        if kind == "scalar":
            code, size = CTYPES[node[1]]
            _check(size <= room, "a scalar does not fit in its place")
            row[0:2] = lib.PS_SCALAR, code
            return children
        row[5] = len(self.nodes)
        if kind == "array":
            _, length, stride, element = node
            _check(length >= 1 and stride >= 0, "an array has no elements")
            _check((length - 1) * stride <= room, "an array does not fit in its place")
            _check(element[0] != "scalar" or stride >= CTYPES[element[1]][1], "elements overlap")
            row[0], row[3], row[4], row[6] = lib.PS_ARRAY, length, stride, 1
            children.append((self._new(), element, room - (length - 1) * stride))
        elif kind == "struct":
            row[0], row[6] = lib.PS_STRUCT, len(node[1])
            for name, offset, data in node[1]:
                _check(0 <= offset <= room, "a member does not fit in its struct")
                child = self._new()
                self._place(child, offset, name)
                children.append((child, data, room - offset))
        elif kind == "union":
            _, size, tag, members = node
            _check(0 <= tag < size <= room and len(members) <= 256, "malformed union")
            row[0], row[3], row[6] = lib.PS_UNION, tag, len(members)
            _check(len(members) > 0, "a union has no members")
            for name, data in members:
                child = self._new()
                self._place(child, 0, name)
                children.append((child, data, tag))
        else:
            raise ValueError(f"unknown kind of typed data {kind!r}")
        return children


def _check(condition: bool, sentence: str) -> None:
    if not condition:
        raise ValueError(sentence)


def compile_layout(layout: Layout | None) -> Any:
    """The C form of a layout, or NULL for None.  ValueError for one that is inconsistent."""
    if layout is None:
        return ffi.NULL
    size, defaults, root = layout
    _check(len(defaults) == size, "the default bytes do not have the layout's size")
    table = _Table(root, size)
    nodes = ffi.new("ps_node[]", table.nodes)
    handle = lib.ps_layout_new(
        nodes,
        len(table.nodes),
        ffi.from_buffer(table.names),
        len(table.names),
        ffi.from_buffer(defaults),
        size,
    )
    if not handle:
        raise MemoryError
    return ffi.gc(handle, lib.ps_layout_free, size + 64 * len(table.nodes))


EMPTY: Layout = (0, b"", ("struct", []))


def syntax_code(syntax: str) -> int:
    """C's number of a syntax; ValueError for an unknown one."""
    try:
        code: int = SYNTAXES[syntax]
    except KeyError:
        raise ValueError(f"unknown syntax {syntax!r}: 'json' or 'braces'") from None
    return code


def text_of(pointer: Any) -> str:
    """A C string of ours, where a quotation may have been cut within a character."""
    text: str = ffi.string(pointer).decode("utf-8", "replace")
    return text


def severity_of(code: int) -> str:
    """``error`` or ``warning``."""
    return "error" if code == lib.PS_ERROR else "warning"


def parse_value(
    layout: Layout | None, text: str, syntax: str = "json", strict: bool = False
) -> tuple[bytes, list[Problem]]:
    """Parse one initialiser over the layout's default bytes.

    ``syntax`` is ``"json"`` (the inside of a JSON object, as in v2 and v3; a list,
    an object or a number where the root is not a struct) or ``"braces"`` (v4).
    Returns the bytes and the problems in order; with an error among them the bytes
    hold whatever was read.  Offsets count characters of ``text``.
    """
    size, defaults, _ = layout = layout or EMPTY
    handle = compile_layout(layout)
    data = text.encode("utf-8", "replace")
    row = bytearray(defaults) or bytearray(1)
    problems = ffi.gc(lib.ps_problems_new(), lib.ps_problems_free)
    if not problems or not lib.ps_value_parse(
        handle, data, len(data), syntax_code(syntax), strict, ffi.from_buffer(row), problems
    ):
        raise MemoryError
    found: list[Problem] = []
    for index in range(lib.ps_problems_kept(problems)):
        problem = lib.ps_problems_get(problems, index)
        offset = len(data[: problem.line].decode("utf-8", "ignore"))
        found.append((severity_of(problem.severity), offset, text_of(problem.message)))
    return bytes(row[:size]), found
