"""Typed data as C++ text."""

from __future__ import annotations

from pstack_core.graph.layout import Array, Member, Scalar, Struct, TypedData, Union


def members_text(struct: Struct) -> str:
    """The members of a struct, one a line, for use inside ``struct NAME { ... };``."""
    return "\n".join(f"    {_declare(member)}" for member in struct.members)


def _declare(member: Member) -> str:
    data, dimensions = member.data, ""
    while isinstance(data, Array):
        dimensions += f"[{data.length}]"
        data = data.element
    return f"{_type_text(data)} {member.name}{dimensions};"


def _type_text(data: TypedData) -> str:
    if isinstance(data, Scalar):
        # A half has no arithmetic type in C++17; handlers see its bits.
        return "uint16_t" if data.ctype == "half" else data.ctype
    if isinstance(data, Struct):
        return "struct {" + " ".join(_declare(member) for member in data.members) + "}"
    if isinstance(data, Union):
        alternatives = " ".join(_declare(member) for member in data.members)
        return f"struct {{ union {{{alternatives}}}; uint8_t {data.tag_name}; }}"
    raise TypeError(f"no C++ text for {data!r}")


def bytes_text(data: bytes) -> str:
    """Bytes as a C initialiser list."""
    return ",".join(str(byte) for byte in data)
