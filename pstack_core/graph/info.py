"""What a graph is made of: types, sizes and degrees, as ``pstack info`` shows them."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np

from pstack_core.graph.layout import Struct
from pstack_core.graph.model import Code, DeviceType, Graph, GraphType


@dataclass(frozen=True)
class Degrees:
    """Edges a device or pin has, over the devices that have the pin."""

    min: int
    mean: float
    max: int


@dataclass(frozen=True)
class MessageInfo:
    """A message type; ``bytes`` is the size of its struct, ``members`` their names."""

    id: str
    bytes: int
    members: tuple[str, ...]


@dataclass(frozen=True)
class PinInfo:
    """A pin; ``edges`` and ``degrees`` are None where only the type is known.

    ``lines`` counts the handler's lines that are not blank; ``edge_bytes`` the properties
    and state that each edge into an input pin has.
    """

    name: str
    message: str
    lines: int
    edge_bytes: int = 0
    indexed: bool = False
    edges: int | None = None
    degrees: Degrees | None = None


@dataclass(frozen=True)
class DeviceTypeInfo:
    """A device type; ``devices`` is None where only the type is known.

    ``handlers`` maps a handler's name to its lines, and holds those that there are.
    """

    id: str
    external: bool
    properties_bytes: int
    state_bytes: int
    bytes_per_device: int
    handlers: dict[str, int]
    shared_code_lines: int
    inputs: tuple[PinInfo, ...]
    outputs: tuple[PinInfo, ...]
    devices: int | None = None


@dataclass(frozen=True)
class GraphTypeInfo:
    """A graph type.  ``supervisor`` is its id, None where there is none."""

    id: str
    version: str
    documentation: str
    properties_bytes: int
    shared_code_lines: int
    messages: tuple[MessageInfo, ...]
    device_types: tuple[DeviceTypeInfo, ...]
    supervisor: str | None = None

    def to_json(self) -> dict[str, Any]:
        """Plain dicts, lists and numbers."""
        plain: dict[str, Any] = _plain(asdict(self))
        return plain


@dataclass(frozen=True)
class GraphInfo:
    """A graph instance.  Degrees are over all devices; ``bytes`` is that of all columns."""

    id: str
    file: str
    type: GraphTypeInfo
    devices: int
    edges: int
    self_edges: int
    in_degrees: Degrees
    out_degrees: Degrees
    properties: dict[str, Any]
    bytes: int

    def to_json(self) -> dict[str, Any]:
        """Plain dicts, lists and numbers."""
        plain: dict[str, Any] = _plain(asdict(self))
        return plain


def describe_type(graph_type: GraphType) -> GraphTypeInfo:
    """What a graph type is made of."""
    return GraphTypeInfo(
        id=graph_type.id,
        version=graph_type.version,
        documentation=graph_type.documentation,
        properties_bytes=_size(graph_type.properties),
        shared_code_lines=_lines(*graph_type.shared_code),
        messages=tuple(
            MessageInfo(m.id, _size(m.data), tuple(member.name for member in m.data.members))
            for m in graph_type.message_types
        ),
        device_types=tuple(_device_type(t, None, (), ()) for t in graph_type.device_types),
        supervisor=graph_type.supervisor.id if graph_type.supervisor else None,
    )


def describe(graph: Graph) -> GraphInfo:
    """What a graph is made of."""
    devices, edges, types = graph.devices, graph.edges, graph.type.device_types
    counts = np.bincount(devices.type, minlength=len(types)).tolist()
    type_info = describe_type(graph.type)
    ends = (
        _PinDegrees(graph, edges.dst, edges.dst_pin),
        _PinDegrees(graph, edges.src, edges.src_pin),
    )
    described = tuple(
        _device_type(
            device,
            counts[kind],
            [ends[0].of(kind, pin) for pin in range(len(device.input_pins))],
            [ends[1].of(kind, pin) for pin in range(len(device.output_pins))],
        )
        for kind, device in enumerate(types)
    )
    number = len(devices)
    return GraphInfo(
        id=graph.id,
        file=graph.file,
        type=GraphTypeInfo(**{**vars(type_info), "device_types": described}),
        devices=number,
        edges=len(edges),
        self_edges=int(np.count_nonzero(edges.dst == edges.src)),
        in_degrees=_degrees(np.bincount(edges.dst, minlength=number)),
        out_degrees=_degrees(np.bincount(edges.src, minlength=number)),
        properties=_row(graph.properties),
        bytes=_column_bytes(graph),
    )


#: Edges of a pin and the degrees of its devices; None where only the type is known.
Ends = tuple[int, Degrees] | tuple[None, None]


class _PinDegrees:
    """Edges at one end of each device of a type, by pin."""

    def __init__(self, graph: Graph, device: np.ndarray, pin: np.ndarray) -> None:
        self._devices = graph.devices
        self._device = device
        # Sorted once by (type, pin), each pin's edges are a slice.
        keys = graph.devices.type[device].astype(np.uint32) << 16 | pin
        self._order = np.argsort(keys, kind="stable")
        self._keys = keys[self._order]

    def of(self, kind: int, pin: int) -> tuple[int, Degrees]:
        key = kind << 16 | pin
        begin, end = np.searchsorted(self._keys, [key, key + 1]).tolist()
        rows = self._devices.row[self._device[self._order[begin:end]]]
        number = len(self._devices.properties[kind])
        return end - begin, _degrees(np.bincount(rows, minlength=number))


def _device_type(
    device: DeviceType,
    devices: int | None,
    inputs: Iterable[Ends],
    outputs: Iterable[Ends],
) -> DeviceTypeInfo:
    unknown: tuple[None, None] = (None, None)
    into = list(inputs) or [unknown] * len(device.input_pins)
    out = list(outputs) or [unknown] * len(device.output_pins)
    handlers = {
        "ReadyToSend": device.ready_to_send,
        "OnInit": device.on_init,
        "OnHardwareIdle": device.on_hardware_idle,
        "OnDeviceIdle": device.on_device_idle,
    }
    state_bytes = 0 if device.external else _size(device.state)
    return DeviceTypeInfo(
        id=device.id,
        external=device.external,
        properties_bytes=_size(device.properties),
        state_bytes=state_bytes,
        bytes_per_device=_size(device.properties) + state_bytes,
        handlers={name: _lines(code) for name, code in handlers.items() if code is not None},
        shared_code_lines=_lines(*device.shared_code),
        inputs=tuple(
            PinInfo(
                name=pin.name,
                message=pin.message,
                lines=_lines(pin.on_receive),
                edge_bytes=_size(pin.properties) + _size(pin.state),
                edges=count,
                degrees=degrees,
            )
            for pin, (count, degrees) in zip(device.input_pins, into, strict=True)
        ),
        outputs=tuple(
            PinInfo(
                name=pin.name,
                message=pin.message,
                lines=_lines(pin.on_send),
                indexed=pin.indexed,
                edges=count,
                degrees=degrees,
            )
            for pin, (count, degrees) in zip(device.output_pins, out, strict=True)
        ),
        devices=devices,
    )


def _size(struct: Struct) -> int:
    return struct.dtype.itemsize


def _lines(*codes: Code | None) -> int:
    """Lines of source that are not blank."""
    texts = (code.text for code in codes if code is not None)
    return sum(bool(line.strip()) for text in texts for line in text.splitlines())


def _degrees(counts: np.ndarray) -> Degrees:
    if not len(counts):
        return Degrees(0, 0.0, 0)
    return Degrees(int(counts.min()), float(counts.mean()), int(counts.max()))


def _row(row: np.ndarray) -> dict[str, Any]:
    """Members of a structured array of shape () by name, as Python values."""
    return {name: _value(row[name]) for name in row.dtype.names or ()}


def _value(value: np.ndarray) -> Any:
    if value.dtype.names is None:
        return value.tolist()
    if value.shape:
        return [_value(item) for item in value]
    return _row(value)


def _column_bytes(graph: Graph) -> int:
    devices, edges = graph.devices, graph.edges
    arrays = [devices.type, devices.row, devices.names.offsets, *devices.properties]
    arrays += [*devices.state, edges.dst, edges.dst_pin, edges.src, edges.src_pin]
    arrays += [edges.send_index, edges.row, *edges.properties.values(), *edges.state.values()]
    return len(devices.names.arena) + sum(array.nbytes for array in arrays)


def _plain(value: Any) -> Any:
    """Tuples as lists, so that the result equals what JSON gives back."""
    if isinstance(value, dict):
        return {key: _plain(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(item) for item in value]
    return value
