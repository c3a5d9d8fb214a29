"""What the readers of typed data share: names, bounds and default images."""

from __future__ import annotations

import re
from dataclasses import replace
from typing import NamedTuple

import numpy as np

from pstack_core.graph.diagnostics import Place, Problems
from pstack_core.graph.layout import Array, Member, Scalar, Struct, TypedData, Union, default_of

#: Bounds of one typed data specification.
MAX_BYTES = 16 << 20
MAX_NODES = 50_000
MAX_DEPTH = 32

_IDENTIFIER = re.compile(r"[A-Za-z_][A-Za-z0-9_]*\Z")

_KEYWORDS = (
    "alignas alignof and and_eq asm auto bitand bitor bool break case catch char char16_t"
    " char32_t class compl const constexpr const_cast continue decltype default delete do double"
    " dynamic_cast else enum explicit export extern false float for friend goto if inline int"
    " long mutable namespace new noexcept not not_eq nullptr operator or or_eq private protected"
    " public register reinterpret_cast return short signed sizeof static static_assert"
    " static_cast struct switch template this thread_local throw true try typedef typeid"
    " typename union unsigned using virtual void volatile wchar_t while xor xor_eq"
)
#: Words that cannot name a member in C++.
KEYWORDS = frozenset(_KEYWORDS.split())


class Field(NamedTuple):
    """Typed data with the bytes of its default and its extent."""

    data: TypedData
    image: bytes
    nodes: int = 1
    depth: int = 0


def scalar(ctype: str, default: float = 0) -> Field:
    """A scalar field."""
    data = Scalar(ctype, default)
    return Field(data, default_of(data))


def is_identifier(name: str) -> bool:
    """Whether C takes the text as a name."""
    return len(name) <= 1024 and _IDENTIFIER.match(name) is not None


def check_name(
    problems: Problems, place: Place, name: str, what: str, *, member: bool = True
) -> bool:
    """Report a name that the generated C++ cannot use; true where it can.

    Names of members stand alone in C++; others only as parts of identifiers.
    """
    if member and name in KEYWORDS:
        problems.error(
            place, f"the name '{name}' of {_a(what)} is a C++ keyword", "choose another name"
        )
    elif not is_identifier(name):
        problems.error(
            place,
            f"the name '{name[:60]}' of {_a(what)} is not a C identifier",
            "use letters, digits and underscores, and begin with a letter",
        )
    else:
        return True
    return False


def _a(noun: str) -> str:
    return f"{'an' if noun[0] in 'aeiou' else 'a'} {noun}"


class Limits:
    """Keeps typed data within bounds; one object serves one graph type."""

    def __init__(self, problems: Problems) -> None:
        self._problems = problems
        self._total = 0

    def array(self, element: Field, length: int, place: Place) -> Field | None:
        """``length`` elements, or ``None`` (reported) where that is too much."""
        if length * max(len(element.image), 1) > MAX_BYTES:
            self._too_large(place)
            return None
        if element.depth >= MAX_DEPTH:
            self._too_deep(place)
            return None
        return Field(
            Array(length, element.data), element.image * length, element.nodes, element.depth + 1
        )

    def struct(
        self, members: list[tuple[Member, Field]], place: Place, packed: bool = True
    ) -> Field | None:
        """A struct of the members, or ``None`` (reported) where that is too much."""
        nodes = 1 + sum(field.nodes for _, field in members)
        depth = 1 + max((field.depth for _, field in members), default=0)
        if depth > MAX_DEPTH:
            self._too_deep(place)
            return None
        if nodes > MAX_NODES:
            self._problems.error(
                place, f"the data have more than {MAX_NODES} members", "use arrays"
            )
            return None
        if sum(len(field.image) for _, field in members) > MAX_BYTES:
            self._too_large(place)
            return None
        struct = Struct(tuple(member for member, _ in members), packed)
        image = bytearray(struct.dtype.itemsize)
        for (_, field), offset in zip(members, struct.offsets, strict=True):
            image[offset : offset + len(field.image)] = field.image
        if bytes(image) != struct.default:
            struct = replace(struct, default_bytes=bytes(image))
        return Field(struct, bytes(image), nodes, depth)

    def union(
        self, members: list[tuple[Member, Field]], tag_name: str, place: Place
    ) -> Field | None:
        """A union of the members, tag last, or ``None`` (reported) where that is too much."""
        field = self.struct(members, place)
        if field is None:
            return None
        data = Union(tuple(member for member, _ in members), tag_name)
        image = bytearray(data.dtype.itemsize)
        image[: len(members[0][1].image)] = members[0][1].image
        return Field(data, bytes(image), field.nodes, field.depth)

    def owned(self, field: Field | None, place: Place) -> Struct:
        """The struct of an owner; all structs of a graph type together are bounded too."""
        if field is None:
            return Struct()
        self._total += len(field.image)
        if self._total > 4 * MAX_BYTES:
            self._too_large(place)
            return Struct()
        assert isinstance(field.data, Struct)
        return field.data

    def _too_large(self, place: Place) -> None:
        self._problems.error(
            place, f"the data are larger than {MAX_BYTES >> 20} MB", "make the arrays shorter"
        )

    def _too_deep(self, place: Place) -> None:
        self._problems.error(
            place, f"the data are nested more than {MAX_DEPTH} deep", "nest fewer structs"
        )


def with_default(field: Field, image: bytes) -> Field:
    """The same data with another default."""
    data = field.data
    if isinstance(data, Struct) and image != data.default:
        data = replace(data, default_bytes=image)
    elif isinstance(data, Scalar):
        data = Scalar(data.ctype, np.frombuffer(image, data.dtype)[0].item())
    return field._replace(data=data, image=image)
