"""The push scanner."""

from __future__ import annotations

import struct
from typing import Any

from pstack_scan._scan import ffi, lib
from pstack_scan.instance import Instance, read_attributes
from pstack_scan.layouts import text_of

#: ``("start", name, {attribute: value}, line, column)``, ``("text", text, line, column)``
#: or ``("end", name, line, column)``.
Event = tuple[Any, ...]

_HEADER = struct.Struct("=5I")
_START, _END = 1, 2


class XMLError(ValueError):
    """The document is not well formed.  ``line`` and ``column`` count from 1."""

    def __init__(self, message: str, line: int, column: int) -> None:
        super().__init__(message, line, column)
        self.message = message
        self.line = line
        self.column = column

    def __str__(self) -> str:
        return f"line {self.line} column {self.column}: {self.message}"


class Scanner:
    """Reads a document in pieces and checks that it is well formed.

    It pauses after the start tag of each outermost DeviceInstances or EdgeInstances;
    then one of :meth:`read_into`, :meth:`skip` and :meth:`generic` says what to do with
    the section, and the rest of the data is fed.  The document has to be UTF-8:
    :attr:`encoding` is what its declaration says, which is not acted upon.  One thread at
    a time may use a scanner, and the instance that it reads into.
    """

    def __init__(self) -> None:
        handle = lib.ps_scanner_new()
        if not handle:
            raise MemoryError
        self._handle = ffi.gc(handle, lib.ps_scanner_free)
        self._consumed = ffi.new("size_t *")
        self._instance: Instance | None = None  # alive while C points to it

    def feed(self, data: bytes | bytearray | memoryview) -> int:
        """Read a piece of the document; how many bytes were consumed.

        That is all of them unless the scanner paused.  XMLError for what is ill-formed,
        now and in every later call.
        """
        if self.paused is not None:
            raise RuntimeError("the scanner is paused: call read_into, skip or generic first")
        with ffi.from_buffer(data) as buffer:
            status = lib.ps_scanner_feed(self._handle, buffer, len(buffer), self._consumed)
        self._check(status)
        return int(self._consumed[0])

    def close(self) -> None:
        """End of the document; XMLError when it is cut short."""
        if self.paused is not None:
            raise RuntimeError("the scanner is paused: call read_into, skip or generic first")
        self._check(lib.ps_scanner_close(self._handle))

    @property
    def paused(self) -> str | None:
        """``DeviceInstances`` or ``EdgeInstances`` (without a prefix) while paused there."""
        section = lib.ps_scanner_section(self._handle)
        return text_of(section) if section else None

    @property
    def encoding(self) -> str | None:
        """The encoding that the XML declaration names."""
        return text_of(lib.ps_scanner_encoding(self._handle)) or None

    def read_into(self, instance: Instance) -> None:
        """Read this section's rows into ``instance``; only its end is an event."""
        handle = instance.handle
        self._instance = instance
        self._choose(lib.PS_READ, handle)

    def skip(self) -> None:
        """Only check this section's content; only its end is an event."""
        self._choose(lib.PS_SKIP, ffi.NULL)

    def generic(self) -> None:
        """Report this section's content as events."""
        self._choose(lib.PS_GENERIC, ffi.NULL)

    def _choose(self, mode: int, instance: Any) -> None:
        if self.paused is None:
            raise RuntimeError("the scanner is not paused")
        self._check(lib.ps_scanner_choose(self._handle, mode, instance))

    def events(self) -> list[Event]:
        """Events since the last call.

        Adjacent text, CDATA and text after a comment are events of their own; places
        are those of the first character of the content.
        """
        size = ffi.new("size_t *")
        start = lib.ps_scanner_events(self._handle, size)
        if not size[0]:
            return []
        data = bytes(ffi.buffer(start, size[0]))
        lib.ps_scanner_clear_events(self._handle)
        return _decode(data)

    def _check(self, status: int) -> None:
        if status in (lib.PS_OK, lib.PS_PAUSED):
            return
        if status == lib.PS_NO_MEMORY:
            raise MemoryError
        line, column = ffi.new("uint32_t *"), ffi.new("uint32_t *")
        message = text_of(lib.ps_scanner_error(self._handle, line, column))
        raise XMLError(message, int(line[0]), int(column[0]))


def _decode(data: bytes) -> list[Event]:
    events: list[Event] = []
    at = 0
    while at < len(data):
        kind, line, column, length, count = _HEADER.unpack_from(data, at)
        at += _HEADER.size
        text = str(data[at : at + length], "utf-8")
        at += length
        if kind == _START:
            attributes, at = read_attributes(data, at, count)
            events.append(("start", text, attributes, line, column))
        else:
            events.append(("end" if kind == _END else "text", text, line, column))
    return events
