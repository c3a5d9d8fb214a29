"""What a version of the format cannot say of a graph: what is lost, and what is refused."""

from __future__ import annotations

import re
from collections.abc import Iterator

from pstack_core.graph.diagnostics import Place, Problems
from pstack_core.graph.layout import Array, Scalar, Struct, TypedData, Union
from pstack_core.graph.model import SUPERVISOR_IN, SUPERVISOR_OUT, DeviceType, GraphType
from pstack_core.graph.write_v4 import STAND_INS

#: Scalar types without a name in a version, and the one of the same layout.
_STAND_INS = {"v3": {"bool": "uint8_t"}, "v4": STAND_INS}
_OWN_RTS = re.compile(r"\brts\b")
_WRITES = {
    name: re.compile(rf"\b{name}\s*->\s*[\w.\[\]]+\s*(?:[-+*/%&|^]?=(?!=)|\+\+|--)")
    for name in ("message", "deviceProperties")
}


def report(graph_type: GraphType, version: str, file: str, problems: Problems) -> None:
    """Report to ``problems`` what writing as ``version`` changes (warnings) or cannot (errors)."""
    place = Place(file)
    for owner, struct in structs(graph_type):
        _report_struct(owner, struct, version, place, problems)
    if version == "v3":
        _report_supervisor(graph_type, place, problems)
    else:
        for message in graph_type.message_types:
            if any(message.data.default):
                problems.error(
                    place,
                    f"message '{message.id}' has default values, which v4 cannot express",
                    "set them in the OnSend handlers, or write v3",
                )
    if graph_type.version == "orchestrator":
        problems.warning(
            place,
            f"structs that the Orchestrator aligns are packed in {version}",
            "values keep their names and types; only code that relies on offsets differs",
        )
    if graph_type.version == "v2":
        for device in graph_type.device_types:
            _report_v2(device, version, place, problems)


def _report_v2(device: DeviceType, version: str, place: Place, problems: Problems) -> None:
    """Warn of what handlers of v2 may do and those of later versions may not."""
    who = f"device type '{device.id}'"
    code = device.ready_to_send
    if code is not None and _OWN_RTS.search(code.text):
        problems.warning(
            place,
            f"ReadyToSend of {who} uses 'rts', a name of v2",
            f"assign *readyToSend before the handlers run elsewhere as {version}",
        )
    receives = [(f"OnReceive of pin '{p.name}'", p.on_receive) for p in device.input_pins]
    sends = [(f"OnSend of pin '{p.name}'", p.on_send) for p in device.output_pins]
    others = [("OnInit", device.on_init), ("OnDeviceIdle", device.on_device_idle)]
    for written, handlers in (
        ("message", receives),
        ("deviceProperties", [*receives, *sends, *others]),
    ):
        for name, handler in handlers:
            if handler is not None and _WRITES[written].search(handler.text):
                problems.warning(
                    place,
                    f"{name} of {who} writes to its {written}, which {version} does not allow",
                    "change a copy",
                )


def structs(graph_type: GraphType) -> Iterator[tuple[str, Struct]]:
    """Every struct of a graph type with what it belongs to."""
    yield "graph properties", graph_type.properties
    for message in graph_type.message_types:
        yield f"message '{message.id}'", message.data
    for device in graph_type.device_types:
        yield f"properties of device type '{device.id}'", device.properties
        yield f"state of device type '{device.id}'", device.state
        for pin in device.input_pins:
            where = f"input pin '{pin.name}' of device type '{device.id}'"
            yield f"properties of {where}", pin.properties
            yield f"state of {where}", pin.state


def _report_struct(
    owner: str, struct: Struct, version: str, place: Place, problems: Problems
) -> None:
    for path, data in _leaves(struct, ""):
        if isinstance(data, Union):
            if version == "v4":
                problems.error(
                    place,
                    f"'{path}' in the {owner} is a union, which v4 cannot express",
                    "use a struct, or write v3",
                )
            continue
        stand_in = _STAND_INS[version].get(data.ctype)
        if stand_in:
            problems.warning(
                place,
                f"'{path}' in the {owner} is written as {stand_in}, "
                f"because {version} has no {data.ctype}",
                "the bytes are the same",
            )


def _leaves(data: TypedData, path: str) -> Iterator[tuple[str, Scalar | Union]]:
    if isinstance(data, Array):
        yield from _leaves(data.element, path)
        return
    if isinstance(data, Scalar):
        yield path, data
        return
    if isinstance(data, Union):
        yield path, data
    for member in data.members:
        yield from _leaves(member.data, f"{path}.{member.name}" if path else member.name)


def _report_supervisor(graph_type: GraphType, place: Place, problems: Problems) -> None:
    if graph_type.supervisor is not None:
        problems.error(
            place,
            f"the supervisor '{graph_type.supervisor.id}' cannot be written: readers of v3 "
            "have no supervisors",
            "write v4",
        )
    for device in graph_type.device_types:
        if device.input_index(SUPERVISOR_IN) >= 0 or device.output_index(SUPERVISOR_OUT) >= 0:
            problems.error(
                place,
                f"device type '{device.id}' has a supervisor pin, which v3 cannot express",
                "write v4",
            )
