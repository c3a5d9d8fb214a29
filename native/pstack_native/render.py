"""Render a graph type as one C++ translation unit: names, handlers, kernel loop.

Names and layout are decided here; the template only writes them down.  Handler
text is data, never template.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pstack_core.graph.model import HALT_DEVICE_TYPE, SUPERVISOR_IN, SUPERVISOR_OUT
from pstack_native.handlers import DEFAULT_RETURN, Handler, codes_of, handlers_of, returns
from pstack_native.records import DeviceRecord, device_record, pin_tables
from pstack_native.structs import bytes_text, members_text

if TYPE_CHECKING:
    from pstack_core.graph.layout import Struct
    from pstack_core.graph.model import Code, DeviceType, GraphType

HERE = Path(__file__).parent
INCLUDE = HERE / "include"
TEMPLATE = HERE / "templates" / "type.cpp.jinja"

#: Routes into one input pin above which its handler is called rather than inlined everywhere.
INLINE_SITES = 6

_INCLUDE_LINE = re.compile(r"^[ \t]*#[ \t]*include[ \t]*<([^>\n]+)>", re.MULTILINE)


@dataclass(frozen=True)
class StructText:
    """A C++ struct with the other names it goes by."""

    name: str
    body: str
    size: int
    packed: bool
    aliases: tuple[str, ...] = ()


@dataclass(frozen=True)
class HandlerText:
    """A handler as a function: ``type`` and ``kind`` pick the parameters in the template."""

    name: str
    number: int
    void: bool
    default: int
    body: str
    label: str
    inline: bool = True


@dataclass
class DeviceText:
    """What the template needs of a device type."""

    index: int
    id: str
    device: DeviceType
    record: DeviceRecord
    properties: str
    state: str
    shared_code: list[Code]
    constants: list[tuple[str, str]]
    aliases: list[tuple[str, str]]
    handlers: dict[str, HandlerText] = field(default_factory=dict)
    receives: list[dict[str, object]] = field(default_factory=list)
    sends: list[dict[str, object]] = field(default_factory=list)
    supervisor_in: int = -1


class _Names:
    """Keeps the first use of every alias: a later clash is not worth a compile error."""

    def __init__(self) -> None:
        self.used: set[str] = set()

    def fresh(self, *names: str) -> tuple[str, ...]:
        kept = tuple(dict.fromkeys(name for name in names if name not in self.used))
        self.used.update(kept)
        return kept

    def own(self, first: str, *aliases: str) -> tuple[str, ...]:
        """A name that is this struct's alone, then the aliases that are still free.

        Type ``a`` with pin ``b`` and type ``a_b`` would share a name otherwise.
        """
        name, number = first, 1
        while name in self.used:
            number += 1
            name = f"{first}_{number}"
        return self.fresh(name, *aliases)


def render(graph_type: GraphType, level: int) -> str:
    """The translation unit of a graph type with log calls above ``level`` compiled out."""
    from jinja2 import Environment, FileSystemLoader, StrictUndefined

    environment = Environment(
        loader=FileSystemLoader(TEMPLATE.parent),
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
        autoescape=False,
    )
    return environment.get_template(TEMPLATE.name).render(_context(graph_type, level))


def _context(graph_type: GraphType, level: int) -> dict[str, object]:
    names = _Names()
    g = graph_type.id
    structs = [
        _struct(
            graph_type.properties,
            names.own(f"{g}_properties_t", "GRAPH_PROPERTIES_T", "global_props_t",
                        "GRAPH_TYPE_PROPERTIES_T"),
        )
    ]  # fmt: skip
    message_names: dict[str, str] = {}
    messages: list[dict[str, Any]] = []
    for message in graph_type.message_types:
        m = message.id
        struct = _struct(
            message.data, names.own(f"{g}_{m}_message_t", f"{m}_message_t", f"pkt_{m}_pyld_t")
        )
        structs.append(struct)
        message_names[m] = struct.name
        default = message.data.default
        messages.append({"struct": struct, "default": bytes_text(default) if any(default) else ""})

    numbered = handlers_of(graph_type)
    labels = {id(named.code): index for index, named in enumerate(codes_of(graph_type))}
    tables = pin_tables(graph_type)
    sites: dict[tuple[int, int], int] = {}
    for table in tables:
        for route in table.routes:
            sites[route.type, route.pin] = sites.get((route.type, route.pin), 0) + 1

    devices = []
    global_constants: list[tuple[str, str]] = []
    for index, device in enumerate(graph_type.device_types):
        if device.external:
            continue
        text = _device(graph_type, index, device, structs, names, message_names)
        for handler in numbered:
            if handler.type == index:
                _add_handler(text, handler, labels, sites)
        for pin_number, table in enumerate(tables):
            if table.type == index:
                pin = text.sends[table.pin]
                pin["table"] = table
                pin["number"] = pin_number
        for name, value in text.constants:
            fresh = names.fresh(_scoped(name, device.id))
            global_constants.extend((scoped, value) for scoped in fresh)
        devices.append(text)
    supervisor = None
    if graph_type.supervisor is not None:
        supervisor = {
            "type": graph_type.supervisor,
            "in_message": message_names.get(graph_type.supervisor.in_message, ""),
            "handlers": {
                h.kind: _handler_text(h, labels, inline=False) for h in numbered if h.type == -1
            },
        }
    halt = next((i for i, d in enumerate(graph_type.device_types) if d.id == HALT_DEVICE_TYPE), -1)
    reply_message = next(
        (r["message"] for d in devices for r in d.receives if r["name"] == SUPERVISOR_IN), ""
    )
    return {
        "graph": graph_type,
        "level": level,
        "label": lambda code: labels[id(code)],
        "includes": _includes(graph_type),
        "structs": structs,
        "messages": messages,
        "defaults": {m["struct"].name for m in messages if m["default"]},
        "strides": {d.index: d.record.stride for d in devices},
        "devices": devices,
        "constants": global_constants,
        "supervisor": supervisor,
        "reply_message": reply_message,
        "halt_type": halt,
        "type_count": len(graph_type.device_types),
        "pin_count": len(tables),
        "v2": graph_type.version == "v2",
        "orchestrator": graph_type.version == "orchestrator",
        "accessors": graph_type.version in ("v4", "orchestrator"),
        "supervisor_out": SUPERVISOR_OUT,
    }


def _struct(struct: Struct, names: tuple[str, ...]) -> StructText:
    return StructText(
        name=names[0],
        body=members_text(struct),
        size=struct.dtype.itemsize,
        packed=struct.packed,
        aliases=names[1:],
    )


def _device(
    graph_type: GraphType,
    index: int,
    device: DeviceType,
    structs: list[StructText],
    names: _Names,
    message_names: dict[str, str],
) -> DeviceText:
    g, d = graph_type.id, device.id
    properties = _struct(device.properties, names.own(f"{g}_{d}_properties_t", f"{d}_properties_t"))
    state = _struct(device.state, names.own(f"{g}_{d}_state_t", f"{d}_state_t"))
    structs += [properties, state]
    outputs = len(device.output_pins)
    constants = [
        ("INPUT_COUNT", str(len(device.input_pins))),
        ("OUTPUT_COUNT", str(outputs)),
        ("RTC_INDEX", "31"),
        ("RTC_FLAG", "0x80000000u"),
    ]
    for i, pin in enumerate(device.output_pins):
        for kind in ("RTS", "OUTPUT"):
            constants.append((f"{kind}_FLAG_{pin.name}", f"{1 << i:#x}u"))
            constants.append((f"{kind}_INDEX_{pin.name}", str(i)))
    if outputs and device.output_pins[-1].name == SUPERVISOR_OUT:
        constants.append(("RTS_SUPER_IMPLICIT_SEND_FLAG", f"{1 << (outputs - 1):#x}u"))
    for i, input_pin in enumerate(device.input_pins):
        constants.append((f"INPUT_FLAG_{input_pin.name}", f"{1 << min(i, 31):#x}u"))
        constants.append((f"INPUT_INDEX_{input_pin.name}", str(i)))
    text = DeviceText(
        index=index,
        id=d,
        device=device,
        record=device_record(device),
        properties=properties.name,
        state=state.name,
        shared_code=list(device.shared_code),
        constants=constants,
        aliases=[
            ("DEVICE_PROPERTIES_T", properties.name),
            ("DEVICE_STATE_T", state.name),
            ("DEVICE_TYPE_STATE_T", state.name),
        ],
        supervisor_in=device.input_index(SUPERVISOR_IN),
    )
    for i, input_pin in enumerate(device.input_pins):
        stem = f"{d}_{input_pin.name}"
        edge_properties = _struct(
            input_pin.properties,
            names.own(f"{g}_{stem}_properties_t", f"{stem}_properties_t"),
        )
        edge_state = _struct(input_pin.state, names.own(f"{g}_{stem}_state_t", f"{stem}_state_t"))
        structs += [edge_properties, edge_state]
        text.receives.append(
            {
                "index": i,
                "name": input_pin.name,
                "message": message_names[input_pin.message],
                "properties": edge_properties.name,
                "properties_size": edge_properties.size,
                "state": edge_state.name,
                "handler": None,
            }
        )
    for i, pin in enumerate(device.output_pins):
        text.sends.append(
            {
                "index": i,
                "name": pin.name,
                "message": message_names[pin.message],
                "size": graph_type.messages[pin.message].data.dtype.itemsize,
                "indexed": pin.indexed,
                "handler": None,
                "table": None,
                "number": 0,
            }
        )
    return text


def _add_handler(
    text: DeviceText,
    handler: Handler,
    labels: dict[int, int],
    sites: dict[tuple[int, int], int],
) -> None:
    if handler.kind == "receive":
        inline = sites.get((handler.type, handler.pin), 0) <= INLINE_SITES
        text.receives[handler.pin]["handler"] = _handler_text(handler, labels, inline)
    elif handler.kind == "send":
        text.sends[handler.pin]["handler"] = _handler_text(handler, labels)
    elif handler.code is not None:
        text.handlers[handler.kind] = _handler_text(handler, labels)


def _handler_text(handler: Handler, labels: dict[int, int], inline: bool = True) -> HandlerText:
    code = handler.code
    body = "" if code is None else code.text
    value, plain = returns(body)
    pin = f"_{handler.pin}" if handler.pin >= 0 else ""
    return HandlerText(
        name=f"{handler.kind}{pin}",
        number=handler.number,
        void=plain and not value,
        default=DEFAULT_RETURN.get(handler.kind, 0),
        body=body,
        label="<pstack: no handler>" if code is None else f"@{labels[id(code)]}",
        inline=inline,
    )


def _scoped(constant: str, device: str) -> str:
    """RTS_FLAG_out -> RTS_FLAG_cell_out; INPUT_COUNT -> INPUT_COUNT_cell."""
    if constant.endswith("_COUNT") or constant.startswith("RTC_"):
        return f"{constant}_{device}"
    kind, what, pin = constant.split("_", 2)
    return f"{kind}_{what}_{device}_{pin}"


#: The Orchestrator's supervisors have these without asking for them.
_SUPERVISOR_HEADERS = {
    "cerr": "iostream",
    "cout": "iostream",
    "ifstream": "fstream",
    "map": "map",
    "ofstream": "fstream",
    "ostringstream": "sstream",
    "setprecision": "iomanip",
    "setw": "iomanip",
    "stringstream": "sstream",
}
_STANDARD_NAME = re.compile(r"std::(\w+)")


def _includes(graph_type: GraphType) -> list[str]:
    """Headers that shared code includes: it sits in a namespace, so they must come first."""
    codes = list(graph_type.shared_code)
    for device in graph_type.device_types:
        codes += device.shared_code
    if graph_type.supervisor is not None:
        codes += graph_type.supervisor.code
    found: dict[str, None] = {}
    texts = [code.text for code in codes]
    for text in texts:
        found.update(dict.fromkeys(_INCLUDE_LINE.findall(text)))
    bodies = _bodies(graph_type)
    if graph_type.supervisor is not None:
        found.update(dict.fromkeys(("string", "vector", "algorithm")))
        for name in _STANDARD_NAME.findall("\n".join(texts + bodies)):
            if name in _SUPERVISOR_HEADERS:
                found[_SUPERVISOR_HEADERS[name]] = None
    if any("std::" in text for text in texts + bodies):
        found["algorithm"] = None
    return list(found)


def _bodies(graph_type: GraphType) -> list[str]:
    return [handler.code.text for handler in handlers_of(graph_type) if handler.code is not None]
