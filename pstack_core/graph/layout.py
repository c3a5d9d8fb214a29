"""Typed data: the members of properties, state and messages, and their C layout.

A :class:`Struct` is what the formats call a typed data specification.  v2, v3
and v4 lay members out packed, in declaration order, little endian; the
Orchestrator's dialect aligns device properties and state as C++ does
(``packed=False``).  The layout is known to NumPy as :attr:`Struct.dtype` and to
the compiler as the text that ``pstack_native`` renders from the same tree.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cached_property

import numpy as np

#: C scalar types of the format and their NumPy codes (little endian).
SCALARS: dict[str, str] = {
    "int8_t": "<i1",
    "uint8_t": "<u1",
    "int16_t": "<i2",
    "uint16_t": "<u2",
    "int32_t": "<i4",
    "uint32_t": "<u4",
    "int64_t": "<i8",
    "uint64_t": "<u8",
    "float": "<f4",
    "double": "<f8",
    "half": "<f2",
    "char": "<i1",
    "bool": "?",
}
#: The same for Python's ``struct``, which checks ranges and needs no NumPy array for one value.
PACK_CODES: dict[str, str] = {
    "int8_t": "<b",
    "uint8_t": "<B",
    "int16_t": "<h",
    "uint16_t": "<H",
    "int32_t": "<i",
    "uint32_t": "<I",
    "int64_t": "<q",
    "uint64_t": "<Q",
    "float": "<f",
    "double": "<d",
    "half": "<e",
    "char": "<b",
    "bool": "<?",
}


@dataclass(frozen=True)
class Scalar:
    """One number.  ``default`` is a Python int or float."""

    ctype: str
    default: int | float = 0

    @cached_property
    def dtype(self) -> np.dtype:
        return np.dtype(SCALARS[self.ctype])

    @property
    def alignment(self) -> int:
        return self.dtype.itemsize


@dataclass(frozen=True)
class Array:
    """``length`` >= 1 elements, contiguous.  A nested array's outer one comes first in C."""

    length: int
    element: TypedData

    @cached_property
    def dtype(self) -> np.dtype:
        return np.dtype((self.element.dtype, (self.length,)))

    @property
    def alignment(self) -> int:
        return self.element.alignment


@dataclass(frozen=True)
class Member:
    """A named member of a struct."""

    name: str
    data: TypedData
    documentation: str = ""


@dataclass(frozen=True)
class Struct:
    """Members in declaration order; the empty struct has itemsize 0.

    ``default_bytes`` overrides the members' own defaults when the format gives
    a default for the whole (an array's or a tuple's ``Default`` element).
    """

    members: tuple[Member, ...] = ()
    packed: bool = True
    default_bytes: bytes | None = field(default=None, repr=False)

    @cached_property
    def offsets(self) -> tuple[int, ...]:
        offsets, end = [], 0
        for member in self.members:
            if not self.packed:
                end = -(-end // member.data.alignment) * member.data.alignment
            offsets.append(end)
            end += member.data.dtype.itemsize
        return tuple(offsets)

    @property
    def alignment(self) -> int:
        if self.packed:
            return 1
        return max((member.data.alignment for member in self.members), default=1)

    @cached_property
    def dtype(self) -> np.dtype:
        """Structured dtype with the exact C offsets and size."""
        size = 0
        if self.members:
            size = self.offsets[-1] + self.members[-1].data.dtype.itemsize
            size = -(-size // self.alignment) * self.alignment
        return np.dtype(
            {
                "names": [member.name for member in self.members],
                "formats": [member.data.dtype for member in self.members],
                "offsets": list(self.offsets),
                "itemsize": size,
            }
        )

    @cached_property
    def default(self) -> bytes:
        """The bytes of a value with every member at its default."""
        if self.default_bytes is not None:
            return self.default_bytes
        image = bytearray(self.dtype.itemsize)
        for member, offset in zip(self.members, self.offsets, strict=True):
            value = default_of(member.data)
            image[offset : offset + len(value)] = value
        return bytes(image)


@dataclass(frozen=True)
class Union:
    """Alternatives that share their bytes, then a tag byte (uint8) after the largest.

    The first alternative is the default.  In C the tag is the member
    ``tag_name`` of the enclosing struct's union wrapper.
    """

    members: tuple[Member, ...]
    tag_name: str

    @cached_property
    def dtype(self) -> np.dtype:
        largest = max(member.data.dtype.itemsize for member in self.members)
        return np.dtype(
            {
                "names": [*(member.name for member in self.members), self.tag_name],
                "formats": [*(member.data.dtype for member in self.members), "<u1"],
                "offsets": [*(0 for _ in self.members), largest],
                "itemsize": largest + 1,
            }
        )

    @property
    def alignment(self) -> int:
        return 1


TypedData = Scalar | Array | Struct | Union


def default_of(data: TypedData) -> bytes:
    """Bytes of the default value of any typed data."""
    if isinstance(data, Scalar):
        return np.array(data.default, dtype=data.dtype).tobytes()
    if isinstance(data, Array):
        return default_of(data.element) * data.length
    if isinstance(data, Union):
        image = bytearray(data.dtype.itemsize)
        first = default_of(data.members[0].data)
        image[: len(first)] = first
        return bytes(image)
    return data.default
