"""Two graphs mean the same only when nothing that matters differs."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from pstack_core.graph import Graph, GraphBuilder
from pstack_core.graph.compare import differences, same_meaning
from pstack_core.graph.layout import Member, Scalar, Struct, Union
from pstack_core.graph.packing import canonical_bytes


def make(
    *,
    properties: str = "uint32_t x; float f;",
    state: str = "uint8_t s;",
    message: str = "uint32_t v = 1;",
    on_init: str = "init",
    on_receive: str = "receive",
    on_send: str = "send",
    shared_code: str = "shared",
    outputs: tuple[str, ...] = ("o", "p"),
    inputs: tuple[str, ...] = ("i", "j"),
    names: tuple[str, ...] = ("a", "b", "c"),
    x: tuple[int, ...] = (1, 2, 3),
    f: float = float("nan"),
    edges: tuple[tuple[str, str, int], ...] = (("a", "b", 1), ("b", "a", 2), ("c", "a", 3)),
    send_index: tuple[int, ...] | None = None,
    laps: int = 3,
    other_first: bool = False,
    supervisor: str | None = "on stop",
) -> Graph:
    builder = GraphBuilder("g", id="n", properties="uint8_t laps;", shared_code=shared_code)
    builder.message("m", message)
    builder.graph_properties(laps=laps)
    if supervisor is not None:
        builder.supervisor("boss", on_stop=supervisor)
    if other_first:
        builder.external_type("e").input("i", "m")
    kind = builder.device_type("d", properties=properties, state=state, on_init=on_init)
    if not other_first:
        builder.external_type("e").input("i", "m")
    for name in inputs:
        kind.input(name, "m", on_receive=on_receive, properties="uint16_t w;")
    for name in outputs:
        kind.output(name, "m", on_send=on_send, indexed=name == "p")
    values: dict[str, object] = {"x": list(x)}
    if "float f" in properties:
        values["f"] = f
    builder.devices(names, "d", values)
    for dst, src, w in edges:
        builder.edge(dst, "i", src, "o", {"w": w})
    builder.edge("a", "j", "a", "p", send_index=send_index[0] if send_index else None)
    builder.edge("b", "j", "a", "p", send_index=send_index[1] if send_index else None)
    return builder.build()


SAME: dict[str, dict[str, object]] = {
    "nothing": {},
    "order of edges": {"edges": (("c", "a", 3), ("a", "b", 1), ("b", "a", 2))},
    "order of devices": {"names": ("c", "a", "b"), "x": (3, 1, 2)},
    "order of types": {"other_first": True},
    "order of inputs": {"inputs": ("j", "i")},
    "blank around a handler": {"on_init": "\n init "},
    "default of a property": {"properties": "uint32_t x = 9; float f;"},
    "send indices as they appear": {"send_index": (0, 1)},
}

DIFFERENT: dict[str, tuple[dict[str, object], str]] = {
    "handler": ({"on_init": "init2"}, "device type 'd': on_init differs"),
    "OnReceive": ({"on_receive": ""}, "device type 'd': the input pins differ"),
    "OnSend": ({"on_send": "x"}, "device type 'd': the output pins differ"),
    "shared code": ({"shared_code": "x"}, "the shared code differs"),
    "supervisor": ({"supervisor": None}, "only one has a supervisor"),
    "OnStop": ({"supervisor": "x"}, "on_stop of the supervisors differs"),
    "member type": (
        {"properties": "int32_t x; float f;"},
        "device type 'd': the members of the properties differ",
    ),
    "member order": (
        {"properties": "float f; uint32_t x;"},
        "device type 'd': the members of the properties differ",
    ),
    "state": ({"state": "uint8_t t;"}, "device type 'd': the members of the state differ"),
    "message": ({"message": "float v = 1;"}, "the members of message 'm' differ"),
    "message default": ({"message": "uint32_t v = 2;"}, "the default of message 'm' differs"),
    "order of outputs": ({"outputs": ("p", "o")}, "device type 'd': the output pins differ"),
    "graph property": ({"laps": 4}, "the graph properties differ"),
    "value": ({"x": (1, 2, 4)}, "the properties of device 'c' differ"),
    "sign of zero": ({"f": -0.0}, "the properties of device 'a' differ"),
    "ids": ({"names": ("a", "b", "d")}, "the device ids differ: c, d"),
    "edge": (
        {"edges": (("a", "b", 1), ("b", "a", 2), ("c", "b", 3))},
        "the paths of the edges differ",
    ),
    "fewer edges": ({"edges": (("a", "b", 1), ("b", "a", 2))}, "there are 5 or 4 edges"),
    "edge property": (
        {"edges": (("a", "b", 1), ("b", "a", 3), ("c", "a", 2))},
        "the properties of edges into 'd:i' differ",
    ),
    "send index": ({"send_index": (1, 0)}, "the send indices of the edges differ"),
}


@pytest.mark.parametrize("change", SAME.values(), ids=SAME)
def test_same(change: dict[str, object]):
    one, other = make(), make(**change)
    assert list(differences(one, other)) == []
    assert list(differences(other, one)) == []
    assert same_meaning(one, other)


@pytest.mark.parametrize(("change", "sentence"), DIFFERENT.values(), ids=DIFFERENT)
def test_different(change: dict[str, object], sentence: str):
    if "ids" in sentence:
        change = {**change, "edges": (("a", "b", 1),)}
    one = make() if "ids" not in sentence else make(edges=(("a", "b", 1),))
    assert sentence in list(differences(one, make(**change)))
    assert list(differences(make(**change), one)) != []
    assert not same_meaning(one, make(**change))


def test_a_device_of_another_type():
    graph = make(edges=())
    devices = replace(graph.devices, type=np.array([0, 0, 1], np.uint16))
    devices.row = np.array([0, 1, 0], np.uint32)
    devices.properties = [graph.devices.properties[0][:2], np.zeros(1, [])]
    devices.state = [graph.devices.state[0][:2], np.zeros(1, [])]
    found = list(differences(graph, replace(graph, devices=devices)))
    assert found == ["the type of device 'c' differs"]


def test_alignment_and_unused_bytes_do_not_matter():
    members = (
        Member("a", Scalar("uint8_t")),
        Member("b", Scalar("double")),
        Member("u", Union((Member("x", Scalar("uint8_t")), Member("y", Scalar("float"))), "u_tag")),
    )
    packed, aligned = Struct(members), Struct(members, packed=False)
    one, other = np.zeros(2, packed.dtype), np.zeros(2, aligned.dtype)
    for rows in (one, other):
        rows["a"], rows["b"] = [1, 2], [0.5, np.nan]
        rows["u"]["x"] = 7
    other.view(np.uint8).reshape(2, -1)[:, aligned.offsets[2] + 2] = 0xEE
    other["b"][1] = np.array([0xFFF8000000000001], np.uint64).view(np.float64)[0]
    assert aligned.dtype.itemsize != packed.dtype.itemsize
    assert np.array_equal(canonical_bytes(one, packed), canonical_bytes(other, aligned))
    other["u"]["u_tag"] = 1
    assert not np.array_equal(canonical_bytes(one, packed), canonical_bytes(other, aligned))
