"""Reads supervisor types, whose handlers are host C++ around arbitrary members."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from pstack_core.graph.document import Element
from pstack_core.graph.layout import Array, Scalar, Struct, TypedData
from pstack_core.graph.model import Code, SupervisorType

if TYPE_CHECKING:
    from pstack_core.graph.graph_type import GraphTypeReader


def read_supervisor(element: Element, reader: GraphTypeReader) -> SupervisorType:
    """The supervisor type that ``element`` describes, in the words of any version."""
    name = element.attributes.get("id", "")
    what = f"supervisor type '{name}'"
    reader.check(element, "SupervisorType")
    inputs = list(element.all("SupervisorInPin", "InputPin"))
    outputs = list(element.all("SupervisorOutPin", "OutputPin"))
    for pin in (*inputs, *outputs):
        reader.check(pin, "CodelessPin" if pin.name in ("InputPin", "OutputPin") else "")
    for pins in (inputs, outputs):
        if len(pins) > 1:
            reader.problems.lax(
                pins[1].place,
                f"{what} has {len(pins)} {pins[1].name}s, of which only the first is used",
                "a supervisor has one pin for each direction",
            )
    for ignored in element.all("OnRTCL", "OnCTL"):
        reader.problems.lax(
            ignored.place, f"{what} has {ignored.name}, which no engine runs", "remove it"
        )
    into = inputs[0] if inputs else None
    out = outputs[0] if outputs else None
    return SupervisorType(
        name,
        reader.codes(element, "Code", "SharedCode"),
        reader.raw(element, "Properties"),
        reader.raw(element, "State"),
        reader.code(element, "OnInit"),
        _first(
            reader.code(element, "OnSupervisorIdle"),
            reader.code(element, "SupervisorCompute"),
            reader.code(element, "OnCompute"),
        ),
        reader.code(element, "OnStop"),
        reader.message_of(into, f"the input pin of {what}") if into is not None else "",
        reader.code(into, "OnReceive") if into is not None else None,
        reader.message_of(out, f"the output pin of {what}") if out is not None else "",
        reader.code(out, "OnSend") if out is not None else None,
    )


def _first(*codes: Code | None) -> Code | None:
    return next((code for code in codes if code is not None), None)


def members_as_code(struct: Struct, owner: Element) -> Code | None:
    """Typed data as C++ member declarations with their defaults."""
    if not struct.members:
        return None
    values = np.frombuffer(struct.default, struct.dtype)[0]
    lines = [
        f"{_declaration(member.name, member.data)}{_initialiser(member.data, values[member.name])};"
        for member in struct.members
    ]
    return Code("\n".join(lines), owner.file, owner.line)


def _declaration(name: str, data: TypedData) -> str:
    lengths = ""
    while isinstance(data, Array):
        lengths += f"[{data.length}]"
        data = data.element
    if isinstance(data, Scalar):
        return f"{data.ctype} {name}{lengths}"
    kind = "struct" if isinstance(data, Struct) else "union"
    inside = " ".join(f"{_declaration(m.name, m.data)};" for m in data.members)
    return f"{kind} {{ {inside} }} {name}{lengths}"


def _initialiser(data: TypedData, value: object) -> str:
    text = _literal(data, value)
    return f" = {text}" if text else "{}"


def _literal(data: TypedData, value: object) -> str:
    """A C++ initialiser, or '' where the value is zero or a union's."""
    if isinstance(data, Scalar):
        number = np.asarray(value).item()
        if number != number or number in (float("inf"), float("-inf")) or not number:
            return ""
        return repr(int(number)) if isinstance(number, int) else repr(number)
    if isinstance(data, Array):
        items = [_literal(data.element, item) or "{}" for item in np.asarray(value)]
    elif isinstance(data, Struct):
        items = [_literal(m.data, value[m.name]) or "{}" for m in data.members]  # type: ignore[index]
    else:
        return ""
    while items and items[-1] == "{}":
        items.pop()
    return "{" + ", ".join(items) + "}" if items else ""
