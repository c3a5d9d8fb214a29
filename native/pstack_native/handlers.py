"""The handlers of a graph type, numbered, with names for people.

The numbers are what a compiled type writes into ``pstack_control.current``; both
sides take them from :func:`handlers_of`.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable

    from pstack_core.graph.layout import Member
    from pstack_core.graph.model import Code, DeviceType, GraphType

#: What a handler returns when its body falls off the end: OnInit and an idle handler ask for
#: ReadyToSend to be evaluated, as the Orchestrator's documentation has it.
DEFAULT_RETURN = {"init": 1, "device_idle": 1, "hardware_idle": 1}

#: Kind of handler to the element that holds it.
ELEMENTS = {
    "init": "OnInit",
    "ready": "ReadyToSend",
    "hardware_idle": "OnHardwareIdle",
    "device_idle": "OnDeviceIdle",
    "receive": "OnReceive",
    "send": "OnSend",
    "supervisor_init": "OnInit",
    "supervisor_idle": "OnSupervisorIdle",
    "supervisor_stop": "OnStop",
    "supervisor_receive": "OnReceive",
}

#: Type index of supervisor handlers.
SUPERVISOR = -1


@dataclass(frozen=True)
class Handler:
    """One handler.  ``type`` is a device type's index or SUPERVISOR; ``pin`` is -1 without one."""

    number: int
    kind: str
    type: int
    pin: int
    owner: str
    pin_name: str
    code: Code | None

    @property
    def title(self) -> str:
        """For messages: ``OnReceive of pin in of device type cell``."""
        pin = f" of pin {self.pin_name}" if self.pin >= 0 else ""
        owner = "the supervisor" if self.type == SUPERVISOR else f"device type {self.owner}"
        return f"{ELEMENTS[self.kind]}{pin} of {owner}"


def handlers_of(graph_type: GraphType) -> list[Handler]:
    """Every handler that may run, in the order of their numbers."""
    found: list[Handler] = []

    def add(kind: str, type_index: int, owner: str, code: Code | None, pin: int = -1) -> None:
        name = ""
        if pin >= 0:
            device = graph_type.device_types[type_index]
            name = (device.input_pins if kind == "receive" else device.output_pins)[pin].name
        found.append(Handler(len(found), kind, type_index, pin, owner, name, code))

    for index, device in enumerate(graph_type.device_types):
        if device.external:
            continue
        for kind, code in device_handlers(device):
            add(kind, index, device.id, code)
        for pin, input_pin in enumerate(device.input_pins):
            add("receive", index, device.id, input_pin.on_receive, pin)
        for pin, output_pin in enumerate(device.output_pins):
            add("send", index, device.id, output_pin.on_send, pin)
    if graph_type.supervisor is not None:
        supervisor = graph_type.supervisor
        for kind, code in (
            ("supervisor_init", supervisor.on_init),
            ("supervisor_idle", supervisor.on_idle),
            ("supervisor_stop", supervisor.on_stop),
            ("supervisor_receive", supervisor.on_receive),
        ):
            add(kind, SUPERVISOR, supervisor.id, code)
    return found


def device_handlers(device: DeviceType) -> tuple[tuple[str, Code | None], ...]:
    """The handlers of a device type that belong to no pin."""
    return (
        ("init", device.on_init),
        ("ready", device.ready_to_send),
        ("hardware_idle", device.on_hardware_idle),
        ("device_idle", device.on_device_idle),
    )


#: Comments and literals of C++.
TRIVIA = re.compile(r'//[^\n]*|/\*.*?\*/|"(?:\\.|[^"\\\n])*"|\'(?:\\.|[^\'\\\n])*\'', re.DOTALL)
_TOKEN = re.compile(r"\breturn\b\s*(;?)|\]\s*(?:\([^()]*\))?\s*(?:mutable\b)?[^;{}()]*\{|[{}]")


def returns(body: str) -> tuple[bool, bool]:
    """Whether a handler's body has ``return VALUE;`` and ``return;`` of its own.

    Returns inside lambdas are not the handler's.  A heuristic over tokens: the
    compiler has the last word.
    """
    value = plain = False
    lambdas: list[bool] = []  # for each open brace, whether a lambda's body begins there
    for token in _TOKEN.finditer(TRIVIA.sub(" ", body)):
        text = token.group()
        if text.startswith("return"):
            if not any(lambdas):
                plain |= bool(token.group(1))
                value |= not token.group(1)
        elif text == "}":
            if lambdas:
                lambdas.pop()
        else:
            lambdas.append(text != "{")
    return value, plain


_HAZARDS = re.compile(
    r"\bmem(?:cpy|set|move)\b|\bstr(?:n?cpy|n?cat)\b|\bs?n?printf\b|[^&]&\s*deviceState\b"
    r"|\bdeviceState\b(?!\s*->)|\bDEVICESTATE\b|\*\s*\("
)


def may_overrun(device: DeviceType) -> bool:
    """Whether some handler of the type could write past its state.

    Only such types pay for a guard word that is checked after every handler:
    those with an array in their state, or code that takes addresses.
    """
    if not device.state.members:
        return False
    if _has_array(device.state.members):
        return True
    codes = [code for _, code in device_handlers(device)]
    codes += [pin.on_receive for pin in device.input_pins]
    codes += [pin.on_send for pin in device.output_pins]
    return any(code is not None and _HAZARDS.search(TRIVIA.sub(" ", code.text)) for code in codes)


def _has_array(members: Iterable[Member]) -> bool:
    from pstack_core.graph.layout import Array, Scalar

    for member in members:
        if isinstance(member.data, Array):
            return True
        if not isinstance(member.data, Scalar) and _has_array(member.data.members):
            return True
    return False


@dataclass(frozen=True)
class NamedCode:
    """A piece of the application's text and what to call it in messages."""

    code: Code
    title: str


def codes_of(graph_type: GraphType) -> list[NamedCode]:
    """Every piece of text that is compiled; its index is its name (``@INDEX``) for the compiler.

    So a compiled type does not depend on the file, or the line, that its text came from.
    """
    found = [NamedCode(code, "shared code of the graph type") for code in graph_type.shared_code]
    for device in graph_type.device_types:
        if not device.external:
            title = f"shared code of device type {device.id}"
            found += [NamedCode(code, title) for code in device.shared_code]
    supervisor = graph_type.supervisor
    if supervisor is not None:
        found += [NamedCode(code, "code of the supervisor") for code in supervisor.code]
        for part, code in (("properties", supervisor.properties), ("state", supervisor.state)):
            if code is not None:
                found.append(NamedCode(code, f"{part} of the supervisor"))
    found += [
        NamedCode(handler.code, handler.title)
        for handler in handlers_of(graph_type)
        if handler.code is not None
    ]
    return found
