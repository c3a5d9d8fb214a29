r"""Frames: a JSON object and some bytes, over any stream.

Sixteen bytes of header, network byte order: the magic ``b"pst\x01"``, the length
of the JSON text (uint32), the length of the payload (uint64); then the JSON
text, UTF-8, one object; then the payload.  Both lengths are bounded by whoever
reads, before anything is allocated.
"""

from __future__ import annotations

import asyncio
import json
import struct
from collections.abc import Callable
from typing import Any

MAGIC = b"pst\x01"
HEADER = struct.Struct(">4sIQ")

#: Bounds of what a reader takes unless it says otherwise, in bytes.
MOST_TEXT = 64 << 20
MOST_PAYLOAD = 1 << 30

Message = dict[str, Any]


class FrameError(Exception):
    """What came is no frame, or is larger than the reader takes; a sentence."""


def encode(message: Message, payload: bytes | memoryview = b"") -> bytes:
    """Header and JSON text, and a short payload; send a long payload by itself."""
    text = json.dumps(message, separators=(",", ":"), ensure_ascii=False).encode(
        "utf-8", "surrogatepass"
    )
    return b"".join((HEADER.pack(MAGIC, len(text), len(payload)), text, payload))


def lengths(header: bytes, most_text: int, most_payload: int) -> tuple[int, int]:
    """The two lengths in a header.  Raises FrameError."""
    magic, text, payload = HEADER.unpack(header)
    if magic != MAGIC:
        raise FrameError("this is not the protocol of pstack: a frame must begin with its magic")
    if text > most_text:
        raise FrameError(f"a request of {text} bytes is too large: at most {most_text} are taken")
    if payload > most_payload:
        raise FrameError(
            f"a payload of {payload} bytes is too large: at most {most_payload} are taken"
        )
    return text, payload


def decode(text: bytes) -> Message:
    """The object of a frame.  Raises FrameError."""
    try:
        message = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise FrameError(f"the request is not JSON: {error}") from None
    if not isinstance(message, dict):
        raise FrameError("the request is not a JSON object")
    return message


async def read(
    reader: asyncio.StreamReader, most_text: int = MOST_TEXT, most_payload: int = MOST_PAYLOAD
) -> tuple[Message, bytes] | None:
    """The next frame; None at the end of the stream.  Raises FrameError."""
    try:
        header = await reader.readexactly(HEADER.size)
    except asyncio.IncompleteReadError as error:
        if error.partial:
            raise FrameError("the stream ended within a frame") from None
        return None
    except OSError:
        return None
    text, payload = lengths(header, most_text, most_payload)
    try:
        message = decode(await reader.readexactly(text))
        return message, await reader.readexactly(payload) if payload else b""
    except (asyncio.IncompleteReadError, OSError):
        raise FrameError("the stream ended within a frame") from None


def receive(
    read_into: Callable[[memoryview], int],
    most_text: int = MOST_TEXT,
    most_payload: int = MOST_PAYLOAD,
) -> tuple[Message, bytes] | None:
    """The next frame of a blocking stream; ``read_into`` is a socket's ``recv_into``.

    None at the end of the stream.  Raises FrameError, and what ``read_into`` raises.
    """
    header = _exactly(read_into, HEADER.size, at_start=True)
    if header is None:
        return None
    text, payload = lengths(header, most_text, most_payload)
    message = decode(_exactly(read_into, text) or b"")
    return message, (_exactly(read_into, payload) or b"") if payload else b""


def _exactly(
    read_into: Callable[[memoryview], int], size: int, at_start: bool = False
) -> bytes | None:
    data = bytearray(size)
    view = memoryview(data)
    done = 0
    while done < size:
        got = read_into(view[done:])
        if not got:
            if at_start and not done:
                return None
            raise FrameError("the stream ended within a frame")
        done += got
    return bytes(data)
