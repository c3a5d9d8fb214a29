"""Where an application's bytes come from: a path, bytes, text or a stream.

A source can be read more than once and always gives UTF-8 without a byte order
mark or XML declaration (both are consumed here, blanks keep line numbers right).
Compressed input is recognised by content.  Memory stays bounded whatever the
input claims to be.
"""

from __future__ import annotations

import codecs
import io
import os
import re
import stat
from collections.abc import Iterator
from pathlib import Path
from typing import IO, Self

from pstack_core.graph.diagnostics import ApplicationError, Place, fail

#: What `load` and `check` take.
SourceLike = str | os.PathLike[str] | bytes | bytearray | memoryview | IO[bytes] | IO[str]

CHUNK = 1 << 20
#: Compressed data may expand freely to this size; beyond it, only below RATIO times.
FREE_EXPANSION = 64 << 20
RATIO = 200
#: A stream is kept in memory up to this size, then in a temporary file.
SPOOL = 16 << 20
#: The longest stream that is kept.
MAX_STREAM = 8 << 30

_BOMS = (
    (codecs.BOM_UTF8, "utf-8"),
    (codecs.BOM_UTF32_LE, "utf-32-le"),
    (codecs.BOM_UTF32_BE, "utf-32-be"),
    (codecs.BOM_UTF16_LE, "utf-16-le"),
    (codecs.BOM_UTF16_BE, "utf-16-be"),
)


class Source:
    """Re-readable input.  ``file`` names it in messages; ``folder`` resolves its references."""

    def __init__(self, source: SourceLike) -> None:
        self.folder = Path()
        self.leading_blanks = False
        self._decoded = False
        self._path: Path | None = None
        self._stream: IO[bytes] | None = None
        self._input: IO[bytes] | IO[str] | None = None  # what _stream is a copy of, so far
        self._owned: IO[bytes] | None = None
        if isinstance(source, str) and source.lstrip("\ufeff \t\r\n").startswith("<"):
            self.file = "<string>"
            self._decoded = True
            self._stream = io.BytesIO(source.encode("utf-8", "surrogatepass"))
        elif isinstance(source, str | os.PathLike):
            self._path = Path(source)
            self.file = str(source)
            self.folder = self._path.parent
            self._spool_pipe(self._path)
        elif isinstance(source, bytes | bytearray | memoryview):
            self.file = "<bytes>"
            self._stream = io.BytesIO(source)
        else:
            self._spool(source)

    def _spool_pipe(self, path: Path) -> None:
        """Keep what can be read only once, such as ``/dev/stdin`` or a shell's ``<(...)``."""
        try:
            mode = path.stat().st_mode
            if stat.S_ISREG(mode) or stat.S_ISDIR(mode):
                return
            self._owned = path.open("rb")
        except (OSError, ValueError) as error:
            raise self._unreadable(error) from error
        self._keep(self._owned)
        self._path = None

    def _spool(self, source: IO[bytes] | IO[str]) -> None:
        name = getattr(source, "name", None)
        if isinstance(name, str) and name not in ("", "<stdin>"):
            self.file = name
            self.folder = Path(name).parent
        else:
            self.file = "<stdin>" if name in (0, "<stdin>") else "<stream>"
        self._keep(source)

    def _keep(self, stream: IO[bytes] | IO[str]) -> None:
        """Copy a stream as it is read, in memory while it is small.

        Only as it is read: a stream without end is refused at its first mistake.
        """
        import tempfile  # slow to import, and rarely needed

        self._input = stream
        self._stream = tempfile.SpooledTemporaryFile(max_size=SPOOL)  # noqa: SIM115 -- see __exit__
        self._kept = 0
        try:
            self._pull()  # so that _decoded is known
        except BaseException:
            self.__exit__()
            raise

    def _pull(self) -> bytes:
        """The next piece of the stream, added to the copy; empty at its end."""
        if self._input is None:
            return b""
        assert self._stream is not None
        try:
            chunk = self._input.read(CHUNK)
        except (OSError, ValueError) as error:  # UnicodeError is a ValueError
            raise self._unreadable(error) from error
        if isinstance(chunk, str):
            self._decoded = True
            chunk = chunk.encode("utf-8", "surrogatepass")
        if not chunk:
            self._input = None
        self._kept += len(chunk)
        if self._kept > MAX_STREAM:
            raise fail(
                Place(self.file),
                f"the stream is longer than {MAX_STREAM >> 20} MB",
                "save it to a file first",
            )
        self._stream.seek(0, io.SEEK_END)
        self._stream.write(chunk)
        return chunk

    def _unreadable(self, error: Exception) -> ApplicationError:
        reason = getattr(error, "strerror", None) or getattr(error, "reason", None) or str(error)
        return fail(Place(self.file), f"cannot read the file: {reason}", "check its path")

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        """Close what was opened for this source; a caller's stream stays open."""
        for stream in (self._stream, self._owned):
            if stream is not None:
                stream.close()

    def chunks(self) -> Iterator[bytes]:
        """UTF-8 text from the beginning; each call is a new pass.

        Raises:
            ApplicationError: the input cannot be read, decompressed or decoded.
        """
        pieces = self._plain(self._raw())
        head = _gather(pieces, b"", 4)
        if not self._decoded:
            pieces, head = self._as_utf8(pieces, head)
        elif head.startswith(codecs.BOM_UTF8):
            head = head[len(codecs.BOM_UTF8) :]
        head = _gather(pieces, head, 1, strip=True)
        if not head.strip():
            raise fail(Place(self.file), "the file is empty", "give a POETS graph in XML")
        yield self._without_declaration(_gather(pieces, head, 1024))
        yield from pieces

    def _raw(self) -> Iterator[bytes]:
        if self._path is None:
            assert self._stream is not None
            position = 0
            while True:
                self._stream.seek(position)
                chunk = self._stream.read(CHUNK) or self._pull()
                if not chunk:
                    return
                position += len(chunk)
                yield chunk
        try:
            with self._path.open("rb") as stream:
                yield from iter(lambda: stream.read(CHUNK), b"")
        except (OSError, ValueError) as error:
            raise self._unreadable(error) from error

    def _plain(self, pieces: Iterator[bytes]) -> Iterator[bytes]:
        """Decompress where the data begin as gzip does."""
        head = _gather(pieces, b"", 2)
        if not head.startswith(b"\x1f\x8b"):
            if head:
                yield head
            yield from pieces
            return
        yield from self._gunzip(head, pieces)

    def _gunzip(self, head: bytes, pieces: Iterator[bytes]) -> Iterator[bytes]:
        import zlib

        place = Place(self.file)
        consumed = produced = 0
        member = zlib.decompressobj(wbits=31)
        data: bytes | None = head
        started = False
        while data:
            consumed += len(data)
            while data:
                if member.eof:  # another member may follow; padding may not be data
                    if started and not data.startswith(b"\x1f"):
                        return
                    member = zlib.decompressobj(wbits=31)
                started = True
                try:
                    plain = member.decompress(data, CHUNK)
                except zlib.error as error:
                    raise fail(
                        place, f"the gzip data are damaged: {error}", "compress the file again"
                    ) from error
                produced += len(plain)
                data = member.unused_data if member.eof else member.unconsumed_tail
                if produced > FREE_EXPANSION and produced > RATIO * (consumed - len(data)):
                    raise fail(
                        place,
                        f"the gzip data expand more than {RATIO} times",
                        "decompress the file yourself if you trust it",
                    )
                if plain:
                    yield plain
            data = next(pieces, None)
        if not member.eof:
            yield member.flush()
        if not member.eof:
            raise fail(place, "the gzip data end early", "fetch or compress the file again")

    def _as_utf8(self, pieces: Iterator[bytes], head: bytes) -> tuple[Iterator[bytes], bytes]:
        encoding = ""
        for bom, name in _BOMS:
            if head.startswith(bom):
                head, encoding = head[len(bom) :], name
                break
        else:
            if head[:4] == b"<\0?\0":
                encoding = "utf-16-le"
            elif head[:4] == b"\0<\0?":
                encoding = "utf-16-be"
            else:
                head = _gather(pieces, head, 1024)
                declared = re.match(
                    rb"\s*<\?xml[^>]*?\sencoding\s*=\s*[\"']([^\"']{1,64})[\"']", head
                )
                if declared:
                    encoding = declared[1].decode("ascii", "replace")
        if encoding.lower().replace("_", "-") in ("", "utf-8", "utf8", "ascii", "us-ascii"):
            return pieces, head
        try:
            codec = codecs.lookup(encoding)
            if not getattr(codec, "_is_text_encoding", True):
                raise LookupError
            decoder = codec.incrementaldecoder("strict")
        except (LookupError, TypeError, ValueError) as error:
            raise fail(
                Place(self.file, 1, 1),
                f"the encoding '{encoding}' is not known",
                "save the file as UTF-8",
            ) from error
        return self._transcode(pieces, head, decoder, encoding), b""

    def _transcode(
        self,
        pieces: Iterator[bytes],
        head: bytes,
        decoder: codecs.IncrementalDecoder,
        encoding: str,
    ) -> Iterator[bytes]:
        line = 1
        data: bytes | None = head
        try:
            while data is not None:
                text = decoder.decode(data)
                line += text.count("\n")
                if text:
                    yield text.encode("utf-8", "surrogatepass")
                data = next(pieces, None)
            decoder.decode(b"", True)
        except UnicodeError as error:
            raise fail(
                Place(self.file, line, 1),
                f"the text is not valid {encoding}",
                "save the file as UTF-8",
            ) from error

    def _without_declaration(self, head: bytes) -> bytes:
        """Blank out ``<?xml ...?>``, which must not follow blank lines but sometimes does."""
        begin = len(head) - len(head.lstrip(b" \t\r\n"))
        match = re.compile(rb"<\?xml(?:\s+[a-z]+\s*=\s*(?:\"[^\"<&]*\"|'[^'<&]*'))*\s*\?>").match(
            head, begin
        )
        if match is None:
            return head
        self.leading_blanks = begin > 0
        blank = re.sub(rb"[^\r\n]", b" ", match[0])
        return head[:begin] + blank + head[match.end() :]


def _gather(pieces: Iterator[bytes], head: bytes, size: int, strip: bool = False) -> bytes:
    """Extend ``head`` until it has ``size`` bytes (not counting blanks where ``strip``)."""
    while len(head.lstrip() if strip else head) < size and len(head) <= 4 * CHUNK:
        piece = next(pieces, None)
        if piece is None:
            break
        head += piece
    return head
