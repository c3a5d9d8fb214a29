"""What is told about a graph."""

from __future__ import annotations

import json

import numpy as np
from hypothesis import HealthCheck, given, settings

from pstack_core.graph import Graph, GraphBuilder
from pstack_core.graph.info import Degrees, describe, describe_type
from tests.graph.strategies import graphs


def star() -> Graph:
    builder = GraphBuilder("star", properties="float gain = 0.5; uint8_t mask[2];")
    builder.message("m", "uint32_t a; uint8_t b;")
    hub = builder.device_type(
        "hub", properties="uint64_t x;", state="int16_t y;", on_init="a();\n\n  b();\n"
    )
    hub.input("in", "m", on_receive="one\ntwo\nthree", properties="float w;", state="double s;")
    hub.output("out", "m", on_send="one", indexed=True)
    builder.device_type("leaf", shared_code="int f();\nint g();").input("in", "m").output("o", "m")
    builder.device("h", "hub")
    leaves = builder.devices([f"l{i}" for i in range(4)], "leaf")
    builder.edges(leaves, "in", "h", "out")
    builder.edges(0, "in", leaves[:2], "o")
    builder.edge("h", "in", "h", "out")
    return builder.build()


def test_a_star():
    info = describe(star())
    hub, leaf = info.type.device_types
    assert (info.devices, info.edges, info.self_edges) == (5, 7, 1)
    assert info.in_degrees == Degrees(1, 7 / 5, 3)
    assert info.out_degrees == Degrees(0, 7 / 5, 5)
    assert info.properties == {"gain": 0.5, "mask": [0, 0]}
    assert info.type.properties_bytes == 6
    message = info.type.messages[0]
    assert (message.id, message.bytes, message.members) == ("m", 5, ("a", "b"))
    assert (hub.devices, hub.properties_bytes, hub.state_bytes, hub.bytes_per_device) == (
        1,
        8,
        2,
        10,
    )
    assert hub.handlers == {"OnInit": 2}
    assert (hub.inputs[0].lines, hub.inputs[0].edge_bytes, hub.inputs[0].edges) == (3, 12, 3)
    assert hub.inputs[0].degrees == Degrees(3, 3.0, 3)
    assert (hub.outputs[0].indexed, hub.outputs[0].degrees) == (True, Degrees(5, 5.0, 5))
    assert (leaf.devices, leaf.shared_code_lines, leaf.handlers) == (4, 2, {})
    assert leaf.outputs[0].degrees == Degrees(0, 0.5, 1)
    assert leaf.inputs[0].degrees == Degrees(1, 1.0, 1)


def test_a_type_alone_has_no_counts():
    info = describe_type(star().type)
    assert [kind.devices for kind in info.device_types] == [None, None]
    assert info.device_types[0].inputs[0].degrees is None
    assert info.supervisor is None


def test_json_gives_the_same_back():
    told = describe(star()).to_json()
    assert json.loads(json.dumps(told)) == told
    assert told["type"]["device_types"][0]["bytes_per_device"] == 10


@settings(max_examples=30, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(graphs())
def test_counts_add_up(graph: Graph):
    info = describe(graph)
    kinds = info.type.device_types
    assert sum(kind.devices or 0 for kind in kinds) == info.devices == len(graph.devices)
    for side in ("inputs", "outputs"):
        assert sum(pin.edges or 0 for kind in kinds for pin in getattr(kind, side)) == info.edges
    # Against a plain count, device by device.
    for kind, device in enumerate(kinds):
        for number, pin in enumerate(device.outputs):
            mine = graph.devices.of_type(kind)
            counts = [
                int(np.count_nonzero((graph.edges.src == d) & (graph.edges.src_pin == number)))
                for d in mine
            ]
            assert pin.degrees is not None
            assert pin.degrees.max == max(counts, default=0)
            assert pin.degrees.min == min(counts, default=0)
