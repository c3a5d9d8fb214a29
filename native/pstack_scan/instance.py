"""A graph instance that the scanner fills natively."""

from __future__ import annotations

import os
import struct
from collections.abc import Sequence
from typing import Any

from pstack_scan._scan import ffi, lib
from pstack_scan.layouts import Layout, compile_layout, severity_of, syntax_code, text_of

#: ``(name, message id, edge properties, edge state)``.
Input = tuple[str, str, Layout | None, Layout | None]
#: ``(name, message id, indexed)``.
Output = tuple[str, str, bool]
#: ``(id, external, properties, state, inputs, outputs)``.
Type = tuple[str, bool, Layout | None, Layout | None, Sequence[Input], Sequence[Output]]
#: ``(severity, line, column, element, sentence)``.
Diagnostic = tuple[str, int, int, str, str]
#: ``("device" or "edge", index, line, element, attributes, text)``.
Metadata = tuple[str, int, int, str, dict[str, str], str]

COLUMNS = {
    "device_type": lib.PS_DEVICE_TYPE,
    "device_row": lib.PS_DEVICE_ROW,
    "device_line": lib.PS_DEVICE_LINE,
    "edge_dst": lib.PS_EDGE_DST,
    "edge_dst_pin": lib.PS_EDGE_DST_PIN,
    "edge_src": lib.PS_EDGE_SRC,
    "edge_src_pin": lib.PS_EDGE_SRC_PIN,
    "edge_send_index": lib.PS_EDGE_SEND_INDEX,
    "edge_row": lib.PS_EDGE_ROW,
    "edge_line": lib.PS_EDGE_LINE,
}

_METADATA = struct.Struct("=6I")
_PAIR = struct.Struct("=2I")
_MOST = 65534  # types, and pins of a type: indices are uint16


class Instance:
    """Columns of devices and edges, and packed rows of their typed data.

    ``types`` are the device types of the graph, in order: indices into it, and into
    the pins of each, are what the columns hold.  ``syntax`` is that of the
    initialisers, ``"json"`` (v2, v3) or ``"braces"`` (v4).  Beyond ``memory_limit``
    bytes an error is reported and the rest is not read.

    Columns and rows may be asked for when all sections are read; from then on the
    instance takes no more.  They are memory views without a copy, and stay valid for
    as long as they are held.  ``device_type`` is 65535 where the type is unknown, which
    is an error among the ``diagnostics``.
    """

    def __init__(
        self,
        types: Sequence[Type],
        syntax: str,
        strict: bool = False,
        keep_metadata: bool = False,
        *,
        memory_limit: int = 8 << 30,
    ) -> None:
        seed = int.from_bytes(os.urandom(8), "little")
        handle = lib.ps_instance_new(syntax_code(syntax), strict, keep_metadata, memory_limit, seed)
        self._handle = _owned(handle, lib.ps_instance_free)
        self._layouts: list[Any] = []  # the instance points to them
        self._messages: dict[str, int] = {}
        self._inputs: list[int] = []
        self._sealed = False
        if len(types) > _MOST:
            raise ValueError(f"more than {_MOST} device types")
        for type_ in types:
            self._add_type(type_)

    def _add_type(self, type_: Type) -> None:
        identifier, external, properties, state, inputs, outputs = type_
        name = _name(identifier)
        if max(len(inputs), len(outputs)) > _MOST:
            raise ValueError(f"device type '{identifier}' has more than {_MOST} pins")
        added = lib.ps_instance_add_type(
            self._handle, name, len(name), external, self._layout(properties), self._layout(state)
        )
        _check(added, f"device type '{identifier}' is there twice")
        for pin, message, edge_properties, edge_state in inputs:
            name = _name(pin)
            added = lib.ps_instance_add_input(
                self._handle,
                name,
                len(name),
                self._message(message),
                self._layout(edge_properties),
                self._layout(edge_state),
            )
            _check(added, f"device type '{identifier}' has input pin '{pin}' twice")
        for pin, message, indexed in outputs:
            name = _name(pin)
            added = lib.ps_instance_add_output(
                self._handle, name, len(name), self._message(message), indexed
            )
            _check(added, f"device type '{identifier}' has output pin '{pin}' twice")
        self._inputs.append(len(inputs))

    def _layout(self, layout: Layout | None) -> Any:
        handle = compile_layout(layout)
        self._layouts.append(handle)
        return handle

    def _message(self, identifier: str) -> int:
        index = self._messages.setdefault(identifier, len(self._messages))
        if index == len(self._messages) - 1:
            name = _name(identifier)
            if not lib.ps_instance_add_message(self._handle, name, len(name)):
                raise MemoryError
        return index

    @property
    def device_count(self) -> int:
        return int(lib.ps_instance_devices(self._handle))

    @property
    def edge_count(self) -> int:
        return int(lib.ps_instance_edges(self._handle))

    @property
    def names_arena(self) -> bytes:
        """The device ids end to end, in UTF-8."""
        return bytes(self._column(lib.PS_NAMES_ARENA))

    @property
    def names_offsets(self) -> memoryview:
        """uint64[device_count + 1]: where each id begins in the arena."""
        return self._column(lib.PS_NAMES_OFFSETS)

    def column(self, name: str) -> memoryview:
        """Bytes of one column; a device's or edge's index is its place in the file.

        ``device_type`` uint16, ``device_row`` uint32 (among the devices of its type),
        ``device_line`` uint32, ``edge_dst`` uint32, ``edge_dst_pin`` uint16, ``edge_src``
        uint32, ``edge_src_pin`` uint16, ``edge_send_index`` int32 (-1 where not given),
        ``edge_row`` uint32 (among the edges into the same pin of the same type),
        ``edge_line`` uint32.
        """
        return self._column(COLUMNS[name])

    def device_properties(self, type_: int) -> memoryview:
        """Packed rows of the devices of one type."""
        return self._device_rows(type_, False)

    def device_state(self, type_: int) -> memoryview:
        """Packed rows of the devices of one type: the state before OnInit."""
        return self._device_rows(type_, True)

    def edge_properties(self, type_: int, pin: int) -> memoryview:
        """Packed rows of the edges into one pin of a type."""
        return self._edge_rows(type_, pin, False)

    def edge_state(self, type_: int, pin: int) -> memoryview:
        """Packed rows of the edges into one pin of a type."""
        return self._edge_rows(type_, pin, True)

    def metadata(self) -> list[Metadata]:
        """What M and Metadata elements held; empty unless ``keep_metadata``."""
        data = self._column(lib.PS_METADATA)
        found: list[Metadata] = []
        at = 0
        while at < len(data):
            kind, index, line, name_length, count, text_length = _METADATA.unpack_from(data, at)
            at += _METADATA.size
            name, at = _text(data, at, name_length)
            attributes, at = read_attributes(data, at, count)
            text, at = _text(data, at, text_length)
            found.append(("edge" if kind else "device", index, line, name, attributes, text))
        return found

    @property
    def diagnostic_count(self) -> int:
        """All problems found, also those which are not kept."""
        return int(lib.ps_problems_total(lib.ps_instance_problems(self._handle)))

    @property
    def diagnostics(self) -> list[Diagnostic]:
        """At most 100 problems, in document order; errors displace warnings."""
        problems = lib.ps_instance_problems(self._handle)
        found: list[Diagnostic] = []
        for index in range(lib.ps_problems_kept(problems)):
            problem = lib.ps_problems_get(problems, index)
            found.append(
                (
                    severity_of(problem.severity),
                    int(problem.line),
                    int(problem.column),
                    text_of(problem.element),
                    text_of(problem.message),
                )
            )
        return found

    @property
    def handle(self) -> Any:
        """For the scanner: the C instance, which must not be sealed yet."""
        if self._sealed:
            raise RuntimeError("columns of the instance have been taken: it reads no more")
        return self._handle

    def _column(self, code: int) -> memoryview:
        self._seal()
        size = ffi.new("size_t *")
        return self._view(lib.ps_instance_column(self._handle, code, size), size[0])

    def _device_rows(self, type_: int, state: bool) -> memoryview:
        if not 0 <= type_ < len(self._inputs):
            raise IndexError(type_)
        self._seal()
        size = ffi.new("size_t *")
        rows = lib.ps_instance_device_rows(self._handle, type_, state, size)
        return self._view(rows, size[0])

    def _edge_rows(self, type_: int, pin: int, state: bool) -> memoryview:
        if not (0 <= type_ < len(self._inputs) and 0 <= pin < self._inputs[type_]):
            raise IndexError((type_, pin))
        self._seal()
        size = ffi.new("size_t *")
        rows = lib.ps_instance_edge_rows(self._handle, type_, pin, state, size)
        return self._view(rows, size[0])

    def _seal(self) -> None:
        if not self._sealed:
            lib.ps_instance_seal(self._handle)
            self._sealed = True

    def _view(self, pointer: Any, size: int) -> memoryview:
        if not size:
            return memoryview(bytearray())
        # The view keeps this cdata, and through its destructor the instance, alive.
        handle = self._handle
        return memoryview(ffi.buffer(ffi.gc(pointer, lambda _: handle and None), size))


def read_attributes(data: memoryview | bytes, at: int, count: int) -> tuple[dict[str, str], int]:
    """Attributes as events.h records them, and where they end."""
    attributes = {}
    for _ in range(count):
        name_length, value_length = _PAIR.unpack_from(data, at)
        name, at = _text(data, at + _PAIR.size, name_length)
        attributes[name], at = _text(data, at, value_length)
    return attributes, at


def _text(data: memoryview | bytes, at: int, length: int) -> tuple[str, int]:
    return str(data[at : at + length], "utf-8"), at + length


def _owned(handle: Any, free: Any) -> Any:
    if not handle:
        raise MemoryError
    return ffi.gc(handle, free)


def _name(text: str) -> bytes:
    if "\0" in text:
        raise ValueError(f"a NUL in the name {text!r}")
    return text.encode()


def _check(added: bool, sentence: str) -> None:
    if not added:
        raise ValueError(sentence)
