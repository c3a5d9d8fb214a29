"""The application model: a graph type (code) and a graph instance (columns).

A :class:`GraphType` holds what is compiled: the typed data of messages, pins
and devices, and the handlers.  A :class:`Graph` holds an instance of it in
columns (NumPy arrays), never as one Python object per device or edge, so that a
million devices cost megabytes.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np

from pstack_core.graph.layout import Struct

if TYPE_CHECKING:
    from pstack_core.graph.names import Names

#: Names that the format gives to the implicit supervisor pins of a device type.
SUPERVISOR_IN = "__SUP_IN__"
SUPERVISOR_OUT = "__SUP_OUT__"

#: The external device type whose message ends a run.
HALT_DEVICE_TYPE = "__halt_device_type__"
HALT_DEVICE = "__halt__"

#: The ready-to-send word has 32 bits.
MAX_OUTPUT_PINS = 32


@dataclass(frozen=True)
class Code:
    """Handler or shared source text, with where it starts, for ``#line``."""

    text: str
    file: str = "<string>"
    line: int = 1


@dataclass(frozen=True)
class MessageType:
    """What goes over edges: an id and its members."""

    id: str
    data: Struct = Struct()
    documentation: str = ""


@dataclass(frozen=True)
class InputPin:
    """``message`` is a message type id.  Edge properties and state belong to the input pin."""

    name: str
    message: str
    on_receive: Code | None = None
    properties: Struct = Struct()
    state: Struct = Struct()
    documentation: str = ""


@dataclass(frozen=True)
class OutputPin:
    """``message`` is a message type id; an ``indexed`` pin picks one of its edges a send."""

    name: str
    message: str
    on_send: Code | None = None
    indexed: bool = False
    documentation: str = ""


@dataclass(frozen=True)
class DeviceType:
    """Handlers and pins of one kind of device.

    A supervisor pin is an ordinary pin here, named ``__SUP_IN__`` or
    ``__SUP_OUT__``; the latter is the last output pin.  An external has pins
    without handlers.
    """

    id: str
    properties: Struct = Struct()
    state: Struct = Struct()
    input_pins: tuple[InputPin, ...] = ()
    output_pins: tuple[OutputPin, ...] = ()
    shared_code: tuple[Code, ...] = ()
    ready_to_send: Code | None = None
    on_init: Code | None = None
    on_hardware_idle: Code | None = None
    on_device_idle: Code | None = None
    external: bool = False
    documentation: str = ""
    metadata: str = ""

    def input_index(self, name: str) -> int:
        """Index of an input pin; -1 where there is none of that name."""
        return next((i for i, pin in enumerate(self.input_pins) if pin.name == name), -1)

    def output_index(self, name: str) -> int:
        """Index of an output pin, which is its ready-to-send bit; -1 where there is none."""
        return next((i for i, pin in enumerate(self.output_pins) if pin.name == name), -1)


@dataclass(frozen=True)
class SupervisorType:
    """Handlers that run on the host.  ``properties`` and ``state`` are arbitrary C++ members."""

    id: str
    code: tuple[Code, ...] = ()
    properties: Code | None = None
    state: Code | None = None
    on_init: Code | None = None
    on_idle: Code | None = None
    on_stop: Code | None = None
    in_message: str = ""
    on_receive: Code | None = None
    out_message: str = ""
    on_send: Code | None = None


@dataclass(frozen=True)
class GraphType:
    """What is compiled.  ``version`` is ``v2``, ``v3``, ``v4`` or ``orchestrator``."""

    id: str
    version: str = "v3"
    properties: Struct = Struct()
    shared_code: tuple[Code, ...] = ()
    message_types: tuple[MessageType, ...] = ()
    device_types: tuple[DeviceType, ...] = ()
    supervisor: SupervisorType | None = None
    documentation: str = ""
    metadata: str = ""

    @cached_property
    def messages(self) -> dict[str, MessageType]:
        return {message.id: message for message in self.message_types}

    @cached_property
    def device_index(self) -> dict[str, int]:
        return {device.id: index for index, device in enumerate(self.device_types)}


@dataclass
class Devices:
    """Device columns.  ``d`` is a device's index in the file, ``t`` its type's index.

    ========== ============================ =============================================
    names      Names, length d              ids, in file order
    type       uint16[d]                    index into ``GraphType.device_types``
    row        uint32[d]                    index among the devices of the same type
    properties list over t of structured[n] dtype ``device_types[t].properties.dtype``
    state      list over t of structured[n] dtype ``device_types[t].state.dtype``; before OnInit
    ========== ============================ =============================================
    """

    names: Names
    type: np.ndarray
    row: np.ndarray
    properties: list[np.ndarray]
    state: list[np.ndarray]

    def __len__(self) -> int:
        return len(self.type)

    def of_type(self, index: int) -> np.ndarray:
        """Device indices of one type, ordered by row: uint32[n]."""
        return np.flatnonzero(self.type == index).astype(np.uint32)


@dataclass
class Edges:
    """Edge columns, in file order.

    ========== =============================== ==========================================
    dst        uint32[e]                       receiving device
    dst_pin    uint16[e]                       index into its type's ``input_pins``
    src        uint32[e]                       sending device
    src_pin    uint16[e]                       index into its type's ``output_pins``
    send_index int32[e]                        ``sendIndex``; -1 where not given
    row        uint32[e]                       row in the tables of (dst type, dst pin)
    properties dict (type, pin) -> structured  one row an edge into that pin; only non-empty
    state      dict (type, pin) -> structured  likewise
    ========== =============================== ==========================================
    """

    dst: np.ndarray
    dst_pin: np.ndarray
    src: np.ndarray
    src_pin: np.ndarray
    send_index: np.ndarray
    row: np.ndarray
    properties: dict[tuple[int, int], np.ndarray] = field(default_factory=dict)
    state: dict[tuple[int, int], np.ndarray] = field(default_factory=dict)

    def __len__(self) -> int:
        return len(self.dst)


@dataclass(repr=False)
class Graph:
    """A graph instance.  ``properties`` is a structured array of shape ()."""

    id: str
    type: GraphType
    properties: np.ndarray
    devices: Devices
    edges: Edges
    file: str = "<string>"
    metadata: str = ""

    def __repr__(self) -> str:
        counts = f"{len(self.devices)} devices, {len(self.edges)} edges"
        return f"<Graph {self.id} of type {self.type.id}: {counts}>"
