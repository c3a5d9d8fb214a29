"""Graph instances as XML of versions 3 and 4, in batches of devices and edges."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from pstack_core.graph.layout import Struct
from pstack_core.graph.model import Graph
from pstack_core.graph.names import Names
from pstack_core.graph.row_text import RowText
from pstack_core.graph.write_v4 import metadata
from pstack_core.graph.xml_text import attribute, check_characters, escaped

#: Devices or edges formatted at a time.
BATCH = 1 << 14

_WORD = bytes(
    set(range(ord("A"), ord("Z") + 1))
    | set(range(ord("a"), ord("z") + 1))
    | set(range(ord("0"), ord("9") + 1))
    | {ord("_")}
)


@dataclass(frozen=True)
class Form:
    """How a version writes values: as child elements of JSON, or as attributes of braces."""

    version: str

    def rows(self, struct: Struct, tag: str) -> RowText:
        """Formats rows as the element or attribute ``tag``; a row of defaults is left out."""
        if self.version == "v3":
            return RowText(struct, "json", struct.default, f"<{tag}>", f"</{tag}>")
        # Struct text of v4 has no defaults: what is left out is zero.
        zero = bytes(struct.dtype.itemsize)
        return RowText(struct, "braces", zero, f' {tag}="', '"')

    def line(self, start: str, name: str, values: str) -> str:
        """An element whose start is ``start`` with its values."""
        if self.version == "v3" and values:
            return f"{start}>{values}</{name}>\n"
        return f"{start}{values}/>\n"


def instance(graph: Graph, version: str) -> Iterator[str]:
    """The ``GraphInstance`` element, in pieces."""
    form = Form(version)
    yield start(graph, form, "GraphInstance")
    yield "    <DeviceInstances>\n"
    names = xml_names(graph.devices.names)
    yield from _devices(graph, form, names)
    yield "    </DeviceInstances>\n    <EdgeInstances>\n"
    yield from _edges(graph, form, names)
    yield "    </EdgeInstances>\n  </GraphInstance>\n"


def start(graph: Graph, form: Form, tag: str) -> str:
    """The instance's start tag with the graph's properties and metadata."""
    ids = f'id="{attribute(graph.id)}" graphTypeId="{attribute(graph.type.id)}"'
    tag_of_values = "Properties" if form.version == "v3" else "P"
    values = form.rows(graph.type.properties, tag_of_values).one(graph.properties)
    if form.version == "v3":
        properties = f"    {values}\n" if values else ""
        check_characters(graph.metadata, "metadata")
        meta = f"    <MetaData>{escaped(graph.metadata)}</MetaData>\n" if graph.metadata else ""
        return f"  <{tag} {ids}>\n{properties}{meta}"
    return f"  <{tag} {ids}{values}>\n{metadata(4, graph.metadata)}"


def xml_names(names: Names) -> list[str]:
    """Device names as attribute text."""
    if not names.arena.translate(None, _WORD):
        return list(names)
    for name in names:
        check_characters(name, "device id")
    return [attribute(name) for name in names]


def _devices(graph: Graph, form: Form, names: list[str]) -> Iterator[str]:
    devices, types = graph.devices, graph.type.device_types
    starts = [
        (f'      <{"ExtI" if t.external else "DevI"} id="', f'" type="{attribute(t.id)}"')
        for t in types
    ]
    ends = ["ExtI" if t.external else "DevI" for t in types]
    properties = [form.rows(t.properties, "P") for t in types]
    state = [form.rows(t.state, "S") for t in types]
    for begin in range(0, len(devices), BATCH):
        kinds = devices.type[begin : begin + BATCH]
        rows = devices.row[begin : begin + BATCH]
        values = [""] * len(kinds)
        for kind in np.unique(kinds).tolist():
            chosen = np.flatnonzero(kinds == kind)
            at = rows[chosen]
            first = properties[kind].texts(devices.properties[kind][at])
            second = [""] * len(at)
            if not types[kind].external:
                second = state[kind].texts(devices.state[kind][at])
            for index, p, s in zip(chosen.tolist(), first, second, strict=True):
                values[index] = p + s
        yield "".join(
            form.line(f"{starts[kind][0]}{name}{starts[kind][1]}", ends[kind], text)
            for name, kind, text in zip(
                names[begin : begin + BATCH], kinds.tolist(), values, strict=True
            )
        )


def _edges(graph: Graph, form: Form, names: list[str]) -> Iterator[str]:
    edges, types = graph.edges, graph.type.device_types
    inputs = [[f":{attribute(pin.name)}-" for pin in t.input_pins] for t in types]
    outputs = [[f':{attribute(pin.name)}"' for pin in t.output_pins] for t in types]
    formats = {
        (t, p): (form.rows(pin.properties, "P"), form.rows(pin.state, "S"))
        for t, device in enumerate(types)
        for p, pin in enumerate(device.input_pins)
    }
    for begin in range(0, len(edges), BATCH):
        batch = slice(begin, begin + BATCH)
        dst, src = edges.dst[batch], edges.src[batch]
        dst_pin, src_pin = edges.dst_pin[batch], edges.src_pin[batch]
        dst_type, src_type = graph.devices.type[dst], graph.devices.type[src]
        values = [""] * len(dst)
        keys = dst_type.astype(np.uint32) << 16 | dst_pin
        for key in np.unique(keys).tolist():
            pin = key >> 16, key & 0xFFFF
            chosen = np.flatnonzero(keys == key)
            at = edges.row[batch][chosen]
            for table, text in zip((edges.properties, edges.state), formats[pin], strict=True):
                if pin not in table:
                    continue
                for index, one in zip(chosen.tolist(), text.texts(table[pin][at]), strict=True):
                    values[index] += one
        numbers = edges.send_index[batch]
        indices = [""] * len(dst)
        for index in np.flatnonzero(numbers >= 0).tolist():
            indices[index] = f' sendIndex="{numbers[index]}"'
        yield "".join(
            form.line(
                f'      <EdgeI path="{names[d]}{inputs[dt][dp]}{names[s]}{outputs[st][sp]}{i}',
                "EdgeI",
                text,
            )
            for d, dt, dp, s, st, sp, i, text in zip(
                dst.tolist(),
                dst_type.tolist(),
                dst_pin.tolist(),
                src.tolist(),
                src_type.tolist(),
                src_pin.tolist(),
                indices,
                values,
                strict=True,
            )
        )
