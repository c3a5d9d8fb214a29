"""Where things lie in the image: one device record a type, one edge record an output pin.

The renderer writes these numbers into the compiled type and the image builder
lays out the instance by them; see ``include/pstack_kernel.h``.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

from pstack_core.graph.model import HALT_DEVICE_TYPE, SUPERVISOR_IN, SUPERVISOR_OUT
from pstack_native.handlers import may_overrun

if TYPE_CHECKING:
    from pstack_core.graph.model import DeviceType, GraphType

GUARD_SIZE = 4


@dataclass(frozen=True)
class DeviceRecord:
    """Offsets in bytes; ``guard`` is -1 for types that cannot overrun their state."""

    stride: int
    state_size: int
    guard: int
    properties: int
    properties_size: int


@dataclass(frozen=True)
class Route:
    """An input pin that an output pin can reach."""

    type: int
    pin: int
    properties_size: int
    state_size: int


@dataclass(frozen=True)
class PinTable:
    """The edges of one output pin: routes in order, and the record that fits them all."""

    type: int
    pin: int
    indexed: bool
    routes: tuple[Route, ...]

    @cached_property
    def shift(self) -> int:
        """``target >> shift`` is the route; 32 where there is at most one."""
        return 32 - max(len(self.routes) - 1, 0).bit_length()

    @cached_property
    def stride(self) -> int:
        payload = max((r.properties_size + r.state_size for r in self.routes), default=0)
        return -(-(4 + payload) // 4) * 4


def device_record(device: DeviceType) -> DeviceRecord:
    """Where a device's state and properties lie in its record."""
    state = device.state.dtype.itemsize
    guard = -(-state // 4) * 4 if may_overrun(device) else -1
    end = state if guard < 0 else guard + GUARD_SIZE
    alignment = max(4, device.properties.alignment)
    properties = -(-end // alignment) * alignment
    size = properties + device.properties.dtype.itemsize
    return DeviceRecord(
        stride=max(8, -(-size // 8) * 8),
        state_size=state,
        guard=guard,
        properties=properties,
        properties_size=device.properties.dtype.itemsize,
    )


def pin_tables(graph_type: GraphType) -> list[PinTable]:
    """One table an output pin of a non-external type, in the order of types and pins."""
    return [
        PinTable(
            index,
            pin_index,
            pin.indexed,
            () if pin.name == SUPERVISOR_OUT else tuple(_routes(graph_type, pin.message)),
        )
        for index, device in enumerate(graph_type.device_types)
        if not device.external
        for pin_index, pin in enumerate(device.output_pins)
    ]


def _routes(graph_type: GraphType, message: str) -> list[Route]:
    return [
        Route(index, pin_index, pin.properties.dtype.itemsize, pin.state.dtype.itemsize)
        for index, device in enumerate(graph_type.device_types)
        if not device.external or device.id == HALT_DEVICE_TYPE
        for pin_index, pin in enumerate(device.input_pins)
        if pin.message == message and pin.name != SUPERVISOR_IN
    ]
