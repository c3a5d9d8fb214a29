"""Whether two graphs mean the same, however they are written.

Types are compared by id, structs by members (not by alignment or documentation), handlers
by text (not by place), edges as a set.  The default of a property or of state has no meaning
where every row is there; that of a message has, because OnSend begins with it.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np

from pstack_core.graph.layout import Array, Scalar, Struct, TypedData, Union
from pstack_core.graph.model import Code, DeviceType, Edges, Graph, GraphType
from pstack_core.graph.packing import canonical_bytes


def same_meaning(a: Graph, b: Graph) -> bool:
    """True where running either graph is running the other."""
    return next(differences(a, b), None) is None


def differences(a: Graph, b: Graph) -> Iterator[str]:
    """What differs in meaning, as sentences; types first, values only between equal types."""
    found = False
    for sentence in type_differences(a.type, b.type):
        found = True
        yield sentence
    if found:
        return
    if a.id != b.id:
        yield f"the instance is '{a.id}' or '{b.id}'"
    if _values(a.properties, a.type.properties) != _values(b.properties, b.type.properties):
        yield "the graph properties differ"
    names = set(a.devices.names), set(b.devices.names)
    if names[0] != names[1] or len(a.devices) != len(b.devices):
        odd = sorted(names[0] ^ names[1])[:5]
        yield f"the device ids differ: {', '.join(odd)}"
        return
    yield from _device_differences(a, b)
    yield from _edge_differences(a, b)


def type_differences(a: GraphType, b: GraphType) -> Iterator[str]:
    """What differs in meaning between two graph types."""
    if a.id != b.id:
        yield f"the graph type is '{a.id}' or '{b.id}'"
    if shape(a.properties) != shape(b.properties):
        yield "the members of the graph properties differ"
    if source(a.shared_code) != source(b.shared_code):
        yield "the shared code differs"
    if set(a.messages) != set(b.messages):
        yield f"the messages differ: {', '.join(sorted(set(a.messages) ^ set(b.messages)))}"
    for id in a.messages.keys() & b.messages.keys():
        one, other = a.messages[id].data, b.messages[id].data
        if shape(one) != shape(other):
            yield f"the members of message '{id}' differ"
        elif _default(one) != _default(other):
            yield f"the default of message '{id}' differs"
    if set(a.device_index) != set(b.device_index):
        odd = sorted(set(a.device_index) ^ set(b.device_index))
        yield f"the device types differ: {', '.join(odd)}"
    for id in a.device_index.keys() & b.device_index.keys():
        pair = a.device_types[a.device_index[id]], b.device_types[b.device_index[id]]
        for sentence in _device_type_differences(*pair):
            yield f"device type '{id}': {sentence}"
    yield from _supervisor_differences(a, b)


def _device_type_differences(a: DeviceType, b: DeviceType) -> Iterator[str]:
    if a.external != b.external:
        yield "only one is external"
    for kind in ("properties", "state"):
        if shape(getattr(a, kind)) != shape(getattr(b, kind)):
            yield f"the members of the {kind} differ"
    for name in ("ready_to_send", "on_init", "on_hardware_idle", "on_device_idle"):
        if _text(getattr(a, name)) != _text(getattr(b, name)):
            yield f"{name} differs"
    if source(a.shared_code) != source(b.shared_code):
        yield "the shared code differs"
    # The order of output pins is that of the ready-to-send bits.
    outputs = [
        [(p.name, p.message, p.indexed, _text(p.on_send)) for p in t.output_pins] for t in (a, b)
    ]
    if outputs[0] != outputs[1]:
        yield "the output pins differ"
    inputs = [
        {
            p.name: (p.message, _text(p.on_receive), shape(p.properties), shape(p.state))
            for p in t.input_pins
        }
        for t in (a, b)
    ]
    if inputs[0] != inputs[1]:
        yield "the input pins differ"


def _supervisor_differences(a: GraphType, b: GraphType) -> Iterator[str]:
    one, other = a.supervisor, b.supervisor
    if (one is None) != (other is None):
        yield "only one has a supervisor"
    if one is None or other is None:
        return
    if (one.id, one.in_message, one.out_message) != (other.id, other.in_message, other.out_message):
        yield "the supervisors' pins differ"
    if source(one.code) != source(other.code):
        yield "the supervisors' code differs"
    for name in ("properties", "state", "on_init", "on_idle", "on_stop", "on_receive", "on_send"):
        if _text(getattr(one, name)) != _text(getattr(other, name)):
            yield f"{name} of the supervisors differs"


def shape(data: TypedData) -> object:
    """Names and types of members, in order; equal where the C members are."""
    if isinstance(data, Scalar):
        return data.ctype
    if isinstance(data, Array):
        return (data.length, shape(data.element))
    kind = data.tag_name if isinstance(data, Union) else "struct"
    return (kind, tuple((member.name, shape(member.data)) for member in data.members))


def source(codes: Sequence[Code]) -> str:
    """Pieces of source text as the compiler sees them: one after another."""
    return "\n".join(code.text for code in codes).strip()


def _text(code: Code | None) -> str:
    return code.text.strip() if code is not None else ""


def _default(struct: Struct) -> bytes:
    if not struct.dtype.itemsize:
        return b""
    return _values(np.frombuffer(struct.default, struct.dtype), struct)


def _values(rows: np.ndarray, struct: Struct) -> bytes:
    return canonical_bytes(rows, struct).tobytes()


def _device_differences(a: Graph, b: Graph) -> Iterator[str]:
    to_b = _device_map(a, b)
    types = a.type.device_types
    kinds = np.array([b.type.device_index[t.id] for t in types], np.int64)
    if len(a.devices):
        wrong = np.flatnonzero(kinds[a.devices.type] != b.devices.type[to_b])
        if len(wrong):
            yield f"the type of device '{a.devices.names[int(wrong[0])]}' differs"
            return
    for kind, device in enumerate(types):
        other = int(kinds[kind])
        its = b.type.device_types[other]
        mine = np.flatnonzero(a.devices.type == kind)
        rows_a, rows_b = a.devices.row[mine], b.devices.row[to_b[mine]]
        tables = [
            (
                "properties",
                device.properties,
                its.properties,
                a.devices.properties[kind],
                b.devices.properties[other],
            ),
        ]
        if not device.external:
            tables.append(
                ("state", device.state, its.state, a.devices.state[kind], b.devices.state[other])
            )
        for what, struct_a, struct_b, table_a, table_b in tables:
            one = canonical_bytes(table_a[rows_a], struct_a)
            two = canonical_bytes(table_b[rows_b], struct_b)
            wrong = np.flatnonzero((one != two).any(axis=1))
            if len(wrong):
                yield f"the {what} of device '{a.devices.names[int(mine[wrong[0]])]}' differ"


def _device_map(a: Graph, b: Graph) -> np.ndarray:
    """Index in ``b`` of each device of ``a``."""
    index = b.devices.names.index_of
    return np.fromiter((index[name] for name in a.devices.names), np.int64, len(a.devices))


def _edge_differences(a: Graph, b: Graph) -> Iterator[str]:
    if len(a.edges) != len(b.edges):
        yield f"there are {len(a.edges)} or {len(b.edges)} edges"
        return
    if not len(a.edges):
        return
    # Output pins have equal indices in equal types; input pins are found by name.
    to_a = _device_map(b, a)
    one = _keys(a.edges.dst, a.edges.dst_pin, a.edges)
    kinds_b = b.devices.type[b.edges.dst]
    two = _keys(to_a[b.edges.dst], _input_map(b.type, a.type)[kinds_b, b.edges.dst_pin], b.edges)
    two[2] = to_a[two[2]]
    order_a, order_b = np.lexsort(one[::-1]), np.lexsort(two[::-1])
    if any((x[order_a] != y[order_b]).any() for x, y in zip(one, two, strict=True)):
        yield "the paths of the edges differ"
        return
    if (send_indices(a)[order_a] != send_indices(b)[order_b]).any():
        yield "the send indices of the edges differ"
    kinds, pins = a.devices.type[a.edges.dst[order_a]], a.edges.dst_pin[order_a]
    for kind, device in enumerate(a.type.device_types):
        other = b.type.device_index[device.id]
        its = b.type.device_types[other]
        for index, pin in enumerate(device.input_pins):
            chosen = np.flatnonzero((kinds == kind) & (pins == index))
            its_index = its.input_index(pin.name)
            its_pin = its.input_pins[its_index]
            rows_a, rows_b = a.edges.row[order_a[chosen]], b.edges.row[order_b[chosen]]
            if not len(chosen):
                continue
            for what, struct_a, struct_b, tables_a, tables_b in (
                (
                    "properties",
                    pin.properties,
                    its_pin.properties,
                    a.edges.properties,
                    b.edges.properties,
                ),
                ("state", pin.state, its_pin.state, a.edges.state, b.edges.state),
            ):
                if not struct_a.dtype.itemsize:
                    continue
                mine = canonical_bytes(tables_a[kind, index][rows_a], struct_a)
                theirs = canonical_bytes(tables_b[other, its_index][rows_b], struct_b)
                if (mine != theirs).any():
                    yield f"the {what} of edges into '{device.id}:{pin.name}' differ"


def _keys(dst: np.ndarray, dst_pin: np.ndarray, edges: Edges) -> list[np.ndarray]:
    columns = (dst, dst_pin, edges.src, edges.src_pin)
    return [column.astype(np.int64) for column in columns]


def _input_map(of: GraphType, to: GraphType) -> np.ndarray:
    """Index in ``to`` of each (device type, input pin) of ``of``."""
    most = max((len(t.input_pins) for t in of.device_types), default=0)
    result = np.full((len(of.device_types), max(most, 1)), -1, np.int64)
    for kind, device in enumerate(of.device_types):
        other = to.device_types[to.device_index[device.id]]
        for index, pin in enumerate(device.input_pins):
            result[kind, index] = other.input_index(pin.name)
    return result


def send_indices(graph: Graph) -> np.ndarray:
    """The place of each edge among those of its indexed pin: int64[e], -1 for other pins.

    Without ``sendIndex`` an edge's place is that of its appearance.
    """
    edges, types = graph.edges, graph.type.device_types
    result = edges.send_index.astype(np.int64)
    indexed = np.zeros((len(types), 1 + max((len(t.output_pins) for t in types), default=0)), bool)
    for kind, device in enumerate(types):
        for index, pin in enumerate(device.output_pins):
            indexed[kind, index] = pin.indexed
    implicit = indexed[graph.devices.type[edges.src], edges.src_pin] & (result < 0)
    chosen = np.flatnonzero(implicit)
    if not len(chosen):
        return result
    ends = edges.src[chosen].astype(np.int64) << 16 | edges.src_pin[chosen]
    order = np.argsort(ends, kind="stable")
    ends = ends[order]
    starts = np.flatnonzero(np.r_[True, ends[1:] != ends[:-1]])
    lengths = np.diff(np.r_[starts, len(ends)])
    result[chosen[order]] = np.arange(len(ends)) - np.repeat(starts, lengths)
    return result
