"""Reads a graph instance's sections through the native scanner into columns."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

import numpy as np

import pstack_scan
from pstack_core.graph.diagnostics import Place, Problems, fail, listed
from pstack_core.graph.dialects import ORCHESTRATOR_DIALECT, Dialect
from pstack_core.graph.encoding import encode, override_value
from pstack_core.graph.layout import Array, Scalar, Struct, TypedData
from pstack_core.graph.model import Code, Devices, Edges, GraphType
from pstack_core.graph.names import Names


def scan_layout(struct: Struct, default: bytes | None = None) -> tuple[Any, ...] | None:
    """A struct as the scanner takes it: ``(size, default, node)``; ``None`` where empty."""
    if not struct.dtype.itemsize:
        return None
    return struct.dtype.itemsize, default or struct.default, _node(struct)


def _node(data: TypedData) -> tuple[Any, ...]:
    if isinstance(data, Scalar):
        return "scalar", data.ctype
    if isinstance(data, Array):
        return "array", data.length, data.element.dtype.itemsize, _node(data.element)
    if isinstance(data, Struct):
        members = zip(data.members, data.offsets, strict=True)
        return "struct", [(member.name, offset, _node(member.data)) for member, offset in members]
    size = data.dtype.itemsize
    return "union", size, size - 1, [(member.name, _node(member.data)) for member in data.members]


def scan_types(graph_type: GraphType) -> list[tuple[Any, ...]]:
    """The device types as the scanner takes them."""
    return [
        (
            device.id,
            device.external,
            scan_layout(device.properties),
            None if device.external else scan_layout(device.state),
            [
                (pin.name, pin.message, scan_layout(pin.properties), scan_layout(pin.state))
                for pin in device.input_pins
            ],
            [(pin.name, pin.message, pin.indexed) for pin in device.output_pins],
        )
        for device in graph_type.device_types
    ]


def open_instance(graph_type: GraphType, dialect: Dialect, strict: bool) -> pstack_scan.Instance:
    """An empty instance of ``graph_type`` for the scanner to read rows into."""
    return pstack_scan.Instance(scan_types(graph_type), dialect.syntax, _exact(dialect, strict))


def _exact(dialect: Dialect, strict: bool) -> bool:
    """Whether values keep to the format's grammar; the Orchestrator takes C++ initialisers."""
    return strict and dialect is not ORCHESTRATOR_DIALECT


def report(
    instance: pstack_scan.Instance, file: str, problems: Problems, structure_only: bool = False
) -> None:
    """Hand on what the scanner found wrong.

    With ``structure_only``, for a type that has errors of its own, values and pins
    are left out: what is wrong with them may be the type's fault.
    """
    kept = instance.diagnostics
    for severity, line, column, element, message in kept:
        if structure_only and (message.startswith(("P: ", "S: ")) or " pin" in message):
            continue
        what, _, hint = message.partition("; ")
        problems.report(severity, Place(file, line, column, element), what, hint)
    if instance.diagnostic_count > len(kept):
        problems.report(
            "error" if any(d[0] == "error" for d in kept) else "warning",
            Place(file),
            f"{instance.diagnostic_count - len(kept)} more problems in the instance",
            "correct those above first",
        )


def columns(instance: pstack_scan.Instance, graph_type: GraphType) -> tuple[Devices, Edges]:
    """The rows that the scanner read, as arrays over its memory, which they keep alive."""

    def column(name: str, dtype: str) -> np.ndarray:
        return np.frombuffer(instance.column(name), dtype)

    def table(raw: Any, struct: Struct, rows: int) -> np.ndarray:
        if not struct.dtype.itemsize:
            return np.zeros(rows, struct.dtype)
        return np.frombuffer(raw, struct.dtype)

    types = column("device_type", "<u2")
    counts = np.bincount(types, minlength=len(graph_type.device_types))
    properties, state = [], []
    for index, device in enumerate(graph_type.device_types):
        rows = int(counts[index])
        properties.append(table(instance.device_properties(index), device.properties, rows))
        if device.external:
            state.append(np.zeros(rows, device.state.dtype))
        else:
            state.append(table(instance.device_state(index), device.state, rows))
    names = Names(bytes(instance.names_arena), np.frombuffer(instance.names_offsets, "<u8"))
    devices = Devices(names, types, column("device_row", "<u4"), properties, state)
    edges = Edges(
        column("edge_dst", "<u4"),
        column("edge_dst_pin", "<u2"),
        column("edge_src", "<u4"),
        column("edge_src_pin", "<u2"),
        column("edge_send_index", "<i4"),
        column("edge_row", "<u4"),
    )
    for t, device in enumerate(graph_type.device_types):
        for p, pin in enumerate(device.input_pins):
            if pin.properties.dtype.itemsize:
                raw = instance.edge_properties(t, p)
                edges.properties[t, p] = np.frombuffer(raw, pin.properties.dtype)
            if pin.state.dtype.itemsize:
                raw = instance.edge_state(t, p)
                edges.state[t, p] = np.frombuffer(raw, pin.state.dtype)
    return devices, edges


def graph_properties(
    struct: Struct, code: Code, element: str, dialect: Dialect, problems: Problems
) -> np.ndarray:
    """The graph's properties from their text: a structured array of shape ()."""
    image = struct.default
    if code.text.strip():
        image, found = pstack_scan.parse_value(
            scan_layout(struct), code.text, dialect.syntax, _exact(dialect, problems.strict)
        )
        for severity, offset, message in found:
            before = code.text[:offset]
            column = offset - before.rfind("\n")
            place = Place(code.file, code.line + before.count("\n"), column, element)
            what, _, hint = message.partition("; ")
            problems.report(severity, place, what, hint)
    return _scalar_of(struct, bytes(image or b""))


def override(
    values: np.ndarray, struct: Struct, settings: Mapping[str, Any], file: str
) -> np.ndarray:
    """The properties with some set anew; ``a.b`` and ``a[1]`` name parts.

    Raises:
        ApplicationError: a name is not known or a value does not fit.
    """
    image = bytearray(values.tobytes())
    for name, text in settings.items():
        value = override_value(text)
        for part in reversed(re.split(r"\.|\[", name.replace("]", ""))):
            value = {part: value}
        try:
            encode(struct, value, image)
        except ValueError as error:
            known = listed([member.name for member in struct.members])
            raise fail(
                Place(file),
                f"cannot set the graph property '{name}': {error}",
                f"the graph's properties are: {known}",
            ) from error
    return _scalar_of(struct, bytes(image))


def _scalar_of(struct: Struct, image: bytes) -> np.ndarray:
    if not struct.dtype.itemsize:
        return np.zeros((), struct.dtype)
    return np.frombuffer(image, struct.dtype).copy().reshape(())
