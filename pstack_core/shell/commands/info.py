"""``pstack info``: what an application is made of."""

from __future__ import annotations

import argparse
from typing import TYPE_CHECKING

from pstack_core.shell.arguments import (
    add_application,
    add_instance,
    add_json,
    add_strict,
    application,
    reading,
)
from pstack_core.shell.context import Context

if TYPE_CHECKING:
    from pstack_core.graph.info import Degrees, DeviceTypeInfo, GraphInfo, GraphTypeInfo, PinInfo

SUMMARY = "Show what an application is made of: types, pins, messages, counts and degrees."
EXAMPLES = """\
Nothing is compiled or run.  Degrees are the smallest, mean and largest number of
edges over the devices that have the pin.

example:
  pstack info ring.xml
  pstack info ring.xml --json
  pstack info library.xml --types
"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Arguments of ``pstack info``."""
    add_application(parser)
    add_instance(parser)
    parser.add_argument(
        "--types", action="store_true", help="only the graph types; instances are not read"
    )
    add_strict(parser)
    add_json(parser, "the same")


def run(context: Context, arguments: argparse.Namespace) -> int:
    """Describe the application."""
    from pstack_core.graph import load, load_types
    from pstack_core.graph.info import describe, describe_type
    from pstack_core.shell.problems import Warnings

    as_json = arguments.json or context.json
    app, options = application(context, arguments.app), reading(arguments)
    with Warnings(context, arguments.app) as warn:
        if arguments.types:
            options.pop("instance")
            types = [describe_type(found) for found in load_types(app, warn=warn, **options)]
            if as_json:
                context.write_json({"types": [found.to_json() for found in types]})
            else:
                for found in types:
                    _print_type(context, found)
            return 0
        graph = load(app, warn=warn, **options)
    info = describe(graph)
    if as_json:
        context.write_json(info.to_json())
    else:
        _print_instance(context, info)
        _print_type(context, info.type)
    return 0


def _print_instance(context: Context, info: GraphInfo) -> None:
    properties = ", ".join(f"{name} = {value}" for name, value in info.properties.items())
    rows = [
        ("file", info.file),
        ("devices", f"{info.devices:,}"),
        ("edges", f"{info.edges:,}" + (f" ({info.self_edges:,} to self)" * (info.self_edges > 0))),
        ("edges into a device", _degrees(info.in_degrees)),
        ("edges out of a device", _degrees(info.out_degrees)),
        ("properties", properties or "none"),
        ("memory", f"{info.bytes:,} bytes"),
    ]
    context.table(("graph instance", info.id), rows)


def _print_type(context: Context, info: GraphTypeInfo) -> None:
    rows = [
        ("format", info.version),
        ("properties", f"{info.properties_bytes} bytes"),
        ("shared code", f"{info.shared_code_lines} lines"),
        ("supervisor", info.supervisor or "none"),
    ]
    context.table(("graph type", info.id), rows)
    context.table(
        ("device type", "devices", "properties", "state", "handlers", "shared code"),
        [_device_row(device) for device in info.device_types],
    )
    context.table(
        ("pin", "direction", "message", "edge data", "edges", "degree", "handler"),
        [
            _pin_row(device, pin, direction)
            for device in info.device_types
            for direction, pins in (("in", device.inputs), ("out", device.outputs))
            for pin in pins
        ],
    )
    context.table(
        ("message", "size", "members"),
        [(m.id, f"{m.bytes} bytes", ", ".join(m.members)) for m in info.messages],
    )


def _device_row(device: DeviceTypeInfo) -> tuple[str, ...]:
    return (
        device.id + (" (external)" if device.external else ""),
        "" if device.devices is None else f"{device.devices:,}",
        f"{device.properties_bytes} bytes",
        f"{device.state_bytes} bytes",
        ", ".join(f"{name} {lines}" for name, lines in device.handlers.items()),
        str(device.shared_code_lines),
    )


def _pin_row(device: DeviceTypeInfo, pin: PinInfo, direction: str) -> tuple[str, ...]:
    return (
        f"{device.id}:{pin.name}" + (" (indexed)" if pin.indexed else ""),
        direction,
        pin.message,
        f"{pin.edge_bytes} bytes" if direction == "in" else "",
        "" if pin.edges is None else f"{pin.edges:,}",
        "" if pin.degrees is None else _degrees(pin.degrees),
        f"{pin.lines} lines",
    )


def _degrees(degrees: Degrees) -> str:
    if degrees.min == degrees.max:
        return f"{degrees.min}"
    return f"{degrees.min} to {degrees.max}, mean {degrees.mean:.3g}"
