"""Graph types as XML of format version 3."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from pstack_core.graph.layout import Array, Scalar, Struct, TypedData, Union
from pstack_core.graph.model import Code, DeviceType, GraphType, InputPin, OutputPin
from pstack_core.graph.row_text import numbers, render
from pstack_core.graph.xml_text import attribute, cdata, check_characters, escaped

NAMESPACE = "https://poets-project.org/schemas/virtual-graph-schema-v3"


def graph_type(graph_type: GraphType) -> Iterator[str]:
    """The ``GraphType`` element, in pieces."""
    yield f'  <GraphType id="{attribute(graph_type.id)}">\n'
    yield _documentation(4, graph_type.documentation)
    yield _struct(4, "Properties", graph_type.properties)
    yield _metadata(4, graph_type.metadata)
    yield shared_code(4, graph_type.shared_code)
    yield "    <MessageTypes>\n"
    for message in graph_type.message_types:
        yield f'      <MessageType id="{attribute(message.id)}">\n'
        yield _documentation(8, message.documentation)
        yield _struct(8, "Message", message.data)
        yield "      </MessageType>\n"
    yield "    </MessageTypes>\n    <DeviceTypes>\n"
    for device in graph_type.device_types:
        yield from _device_type(device)
    yield "    </DeviceTypes>\n  </GraphType>\n"


def _device_type(device: DeviceType) -> Iterator[str]:
    tag = "ExternalType" if device.external else "DeviceType"
    yield f'      <{tag} id="{attribute(device.id)}">\n'
    yield _documentation(8, device.documentation)
    yield shared_code(8, device.shared_code)
    yield _struct(8, "Properties", device.properties)
    if not device.external:
        yield _struct(8, "State", device.state)
    yield _metadata(8, device.metadata)
    yield handler(8, "OnInit", device.on_init)
    for pin in device.input_pins:
        yield from _input_pin(device, pin)
    for output in device.output_pins:
        yield _output_pin(device, output)
    if not device.external:
        yield handler(8, "ReadyToSend", device.ready_to_send, required=True)
        yield handler(8, "OnHardwareIdle", device.on_hardware_idle)
        yield handler(8, "OnDeviceIdle", device.on_device_idle)
    yield f"      </{tag}>\n"


def _input_pin(device: DeviceType, pin: InputPin) -> Iterator[str]:
    yield _pin_start("InputPin", pin.name, pin.message)
    yield _documentation(10, pin.documentation)
    yield _struct(10, "Properties", pin.properties)
    yield _struct(10, "State", pin.state)
    if not device.external:
        yield handler(10, "OnReceive", pin.on_receive, required=True)
    yield "        </InputPin>\n"


def _output_pin(device: DeviceType, pin: OutputPin) -> str:
    start = _pin_start("OutputPin", pin.name, pin.message, pin.indexed)
    code = "" if device.external else handler(10, "OnSend", pin.on_send, required=True)
    return f"{start}{_documentation(10, pin.documentation)}{code}        </OutputPin>\n"


def _pin_start(tag: str, name: str, message: str, indexed: bool = False) -> str:
    extra = ' indexed="true"' if indexed else ""
    return f'        <{tag} name="{attribute(name)}" messageTypeId="{attribute(message)}"{extra}>\n'


def handler(indent: int, tag: str, code: Code | None, required: bool = False) -> str:
    """A handler's element; nothing for one that is absent and may be."""
    if code is None:
        return f"{' ' * indent}<{tag}/>\n" if required else ""
    return f"{' ' * indent}<{tag}>{cdata(code.text, code.file)}</{tag}>\n"


def shared_code(indent: int, codes: tuple[Code, ...], tag: str = "SharedCode") -> str:
    """Pieces of source text, an element each."""
    return "".join(handler(indent, tag, code) for code in codes)


def _documentation(indent: int, text: str) -> str:
    if not text:
        return ""
    check_characters(text, "documentation")
    return f"{' ' * indent}<Documentation>{escaped(text)}</Documentation>\n"


def _metadata(indent: int, text: str) -> str:
    if not text:
        return ""
    check_characters(text, "metadata")
    return f"{' ' * indent}<MetaData>{escaped(text)}</MetaData>\n"


def _struct(indent: int, tag: str, struct: Struct) -> str:
    pad = " " * indent
    if not struct.members:
        return f"{pad}<{tag}/>\n"
    return f"{pad}<{tag}>\n{_members(indent + 2, struct, struct.default)}{pad}</{tag}>\n"


def _members(indent: int, struct: Struct, image: bytes) -> str:
    pieces = []
    for member, offset in zip(struct.members, struct.offsets, strict=True):
        part = image[offset : offset + member.data.dtype.itemsize]
        pieces.append(_member(indent, member.name, member.data, part, member.documentation))
    return "".join(pieces)


def _member(indent: int, name: str, data: TypedData, image: bytes, documentation: str = "") -> str:
    """One member; its default is ``image``, whatever it was made of."""
    pad = " " * indent
    inner = _documentation(indent + 2, documentation)
    start = f'name="{name}"'
    if isinstance(data, Scalar):
        tag = "Scalar"
        start += f' type="{type_name(data)}"'
        if any(image):
            value = numbers(np.frombuffer(image, data.dtype), "json")[0]
            start += f' default="{value}"'
    elif isinstance(data, Array):
        tag = "Array"
        start += f' length="{data.length}"'
        if isinstance(data.element, Scalar):
            start += f' type="{type_name(data.element)}"'
        else:
            inner += _member(indent + 2, "_", data.element, bytes(data.element.dtype.itemsize))
        inner += _default(indent + 2, data, image)
    elif isinstance(data, Union):
        tag = "Union"
        start += f' tagName="{data.tag_name}"'
        inner += "".join(
            _member(indent + 2, m.name, m.data, bytes(m.data.dtype.itemsize), m.documentation)
            for m in data.members
        )
        inner += _default(indent + 2, data, image)
    else:
        tag = "Tuple"
        inner += _members(indent + 2, data, image)
    if not inner:
        return f"{pad}<{tag} {start}/>\n"
    return f"{pad}<{tag} {start}>\n{inner}{pad}</{tag}>\n"


def type_name(data: Scalar) -> str:
    """The format's name of a scalar type; ``bool`` is none and has the layout of ``uint8_t``."""
    return "uint8_t" if data.ctype == "bool" else data.ctype


def _default(indent: int, data: TypedData, image: bytes) -> str:
    if not any(image):
        return ""
    value = np.frombuffer(image, np.dtype([("value", data.dtype)]))["value"]
    text = render(value, data, "json")[0]
    if not isinstance(data, Array):
        text = text[1:-1]
    return f"{' ' * indent}<Default>{text}</Default>\n"
