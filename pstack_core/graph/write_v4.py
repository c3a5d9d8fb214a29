"""Graph types as XML of format version 4."""

from __future__ import annotations

import json
from collections.abc import Iterator

from pstack_core.graph.layout import Array, Scalar, Struct, TypedData
from pstack_core.graph.model import (
    SUPERVISOR_IN,
    SUPERVISOR_OUT,
    Code,
    DeviceType,
    GraphType,
    InputPin,
    OutputPin,
    SupervisorType,
)
from pstack_core.graph.write_v3 import handler, shared_code
from pstack_core.graph.xml_text import attribute, cdata, check_characters

NAMESPACE = "https://poets-project.org/schemas/virtual-graph-schema-v4"

#: Scalar types without a name in v4, and the one of the same layout.
STAND_INS = {"bool": "uint8_t", "char": "int8_t"}


def graph_type(graph_type: GraphType) -> Iterator[str]:
    """The ``GraphType`` element, in pieces."""
    yield f'  <GraphType id="{attribute(graph_type.id)}">\n'
    yield _struct(4, "Properties", graph_type.properties)
    yield metadata(4, graph_type.metadata)
    yield _shared(4, graph_type.shared_code)
    yield "    <MessageTypes>\n"
    for message in graph_type.message_types:
        yield f'      <MessageType id="{attribute(message.id)}">\n'
        yield _struct(8, "Message", message.data)
        yield "      </MessageType>\n"
    yield "    </MessageTypes>\n    <DeviceTypes>\n"
    for device in graph_type.device_types:
        yield from _device_type(device)
    if graph_type.supervisor is not None:
        yield from _supervisor(graph_type.supervisor)
    yield "    </DeviceTypes>\n  </GraphType>\n"


def _device_type(device: DeviceType) -> Iterator[str]:
    tag = "ExternalType" if device.external else "DeviceType"
    yield f'      <{tag} id="{attribute(device.id)}">\n'
    yield _struct(8, "Properties", device.properties)
    if not device.external:
        yield _struct(8, "State", device.state)
        yield _shared(8, device.shared_code)
    yield metadata(8, device.metadata)
    for pin in device.input_pins:
        yield _input_pin(device, pin)
    for output in device.output_pins:
        yield _output_pin(device, output)
    if not device.external:
        yield handler(8, "ReadyToSend", device.ready_to_send, required=True)
        yield handler(8, "OnInit", device.on_init)
        yield handler(8, "OnHardwareIdle", device.on_hardware_idle)
        yield handler(8, "OnDeviceIdle", device.on_device_idle)
    yield f"      </{tag}>\n"


def _input_pin(device: DeviceType, pin: InputPin) -> str:
    if pin.name == SUPERVISOR_IN:
        code = handler(10, "OnReceive", pin.on_receive, required=True)
        return (
            f'        <SupervisorInPin messageTypeId="{attribute(pin.message)}">\n'
            f"{code}        </SupervisorInPin>\n"
        )
    start = (
        f'        <InputPin name="{attribute(pin.name)}" '
        f'messageTypeId="{attribute(pin.message)}">\n'
    )
    if device.external:
        return f"{start}        </InputPin>\n"
    return (
        start
        + _struct(10, "Properties", pin.properties)
        + _struct(10, "State", pin.state)
        + handler(10, "OnReceive", pin.on_receive, required=True)
        + "        </InputPin>\n"
    )


def _output_pin(device: DeviceType, pin: OutputPin) -> str:
    code = "" if device.external else handler(10, "OnSend", pin.on_send, required=True)
    if pin.name == SUPERVISOR_OUT:
        return (
            f'        <SupervisorOutPin messageTypeId="{attribute(pin.message)}">\n'
            f"{code}        </SupervisorOutPin>\n"
        )
    indexed = ' indexed="true"' if pin.indexed else ""
    return (
        f'        <OutputPin name="{attribute(pin.name)}" '
        f'messageTypeId="{attribute(pin.message)}"{indexed}>\n{code}        </OutputPin>\n'
    )


def _supervisor(supervisor: SupervisorType) -> Iterator[str]:
    yield f'      <SupervisorType id="{attribute(supervisor.id)}">\n'
    yield handler(8, "Properties", supervisor.properties)
    yield handler(8, "State", supervisor.state)
    yield shared_code(8, supervisor.code, "Code")
    yield handler(8, "OnInit", supervisor.on_init)
    yield handler(8, "OnSupervisorIdle", supervisor.on_idle)
    yield handler(8, "OnStop", supervisor.on_stop)
    if supervisor.in_message:
        yield (
            f'        <SupervisorInPin id="" messageTypeId="{attribute(supervisor.in_message)}">\n'
        )
        yield handler(10, "OnReceive", supervisor.on_receive, required=True)
        yield "        </SupervisorInPin>\n"
    if supervisor.out_message:
        yield f'        <SupervisorOutPin messageTypeId="{attribute(supervisor.out_message)}">\n'
        yield handler(10, "OnSend", supervisor.on_send, required=True)
        yield "        </SupervisorOutPin>\n"
    yield "      </SupervisorType>\n"


def _shared(indent: int, codes: tuple[Code, ...]) -> str:
    """The one ``SharedCode`` element that v4 allows, of all pieces in order."""
    text = "\n".join(code.text for code in codes)
    where = codes[0].file if codes else ""
    return f"{' ' * indent}<SharedCode>{cdata(text, where)}</SharedCode>\n"


def metadata(indent: int, text: str) -> str:
    """``Metadata`` elements of the members of a JSON object body; other text has no place."""
    try:
        values = json.loads("{" + text + "}")
    except ValueError:
        return ""
    pieces = []
    for key, value in values.items():
        shown = value if isinstance(value, str) else json.dumps(value)
        check_characters(key + shown, "metadata")
        pieces.append(
            f'{" " * indent}<Metadata key="{attribute(key)}" value="{attribute(shown)}"/>\n'
        )
    return "".join(pieces)


def _struct(indent: int, tag: str, struct: Struct) -> str:
    pad = " " * indent
    if not struct.members:
        return f"{pad}<{tag}/>\n"
    return f"{pad}<{tag}>\n{struct_text(indent + 2, struct)}{pad}</{tag}>\n"


def struct_text(indent: int, struct: Struct) -> str:
    """Members in the C grammar of v4, without their defaults."""
    return "".join(_member(indent, member.name, member.data) for member in struct.members)


def _member(indent: int, name: str, data: TypedData) -> str:
    pad = " " * indent
    lengths = ""
    while isinstance(data, Array):
        lengths += f"[{data.length}]"
        data = data.element
    if isinstance(data, Scalar):
        return f"{pad}{STAND_INS.get(data.ctype, data.ctype)} {name}{lengths};\n"
    if not isinstance(data, Struct):
        raise TypeError(f"'{name}' is a union, which v4 has not")  # refused before writing
    return f"{pad}struct {{\n{struct_text(indent + 2, data)}{pad}}} {name}{lengths};\n"
