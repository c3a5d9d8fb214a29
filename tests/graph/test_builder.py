"""GraphBuilder: columns, single calls, networkx, and a sentence for every mistake."""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pstack_core.graph import ApplicationError, GraphBuilder
from pstack_core.graph.compare import differences
from pstack_core.graph.model import SUPERVISOR_IN, SUPERVISOR_OUT


def ring_builder() -> GraphBuilder:
    builder = GraphBuilder("ring", id="ring_2", properties="uint32_t laps = 10; float gain;")
    builder.message("token", "uint32_t value = 3;")
    builder.message("tick")
    node = builder.device_type(
        "node",
        properties="uint32_t id; float w[3]; uint64_t big; int8_t tiny; double wide;",
        state="uint32_t count = 7; struct { uint8_t a; float b[2]; } part[2];",
        on_init="deviceState->count = 1;",
        ready_to_send="*readyToSend = 0;",
    )
    node.input("in", "token", on_receive="r", properties="float w = 0.5;", state="int16_t n;")
    node.output("out", "token", on_send="s").output("all", "token", indexed=True)
    builder.device_type("sink").input("in", "token").input("tick", "tick")
    return builder


def fails(call: Callable[[], object]) -> str:
    with pytest.raises(ApplicationError) as error:
        call()
    assert len(error.value.diagnostics) == 1
    assert str(error.value).startswith("<ring")
    return str(error.value)


def test_types_hold_what_was_declared():
    graph = ring_builder().build()
    node, sink = graph.type.device_types
    assert graph.id == "ring_2"
    assert graph.type.version == "v3"
    assert graph.type.messages["token"].data.default == b"\x03\0\0\0"
    assert graph.properties["laps"] == 10
    assert graph.properties.shape == ()
    assert node.on_init is not None
    assert (node.on_init.text, node.on_init.file) == (
        "deviceState->count = 1;",
        "<ring: node.on_init>",
    )
    assert node.on_device_idle is None
    assert [pin.indexed for pin in node.output_pins] == [False, True]
    assert sink.input_index("tick") == 1


def test_single_calls_and_columns_build_the_same():
    one, many = ring_builder(), ring_builder()
    names = [f"n{i}" for i in range(6)]
    for i, name in enumerate(names):
        assert one.device(name, "node", {"id": i, "w": [i, 0, 1]}, {"count": 2 * i}) == i
    for i in range(6):
        one.edge(names[(i + 1) % 6], "in", i, "out", {"w": i / 3}, {"n": -i})
        one.edge(0, "in", i, "all", send_index=0)
    index = np.arange(6)
    weights = np.zeros((6, 3))
    weights[:, 0], weights[:, 2] = index, 1
    got = many.devices(names, "node", {"id": index, "w": weights}, {"count": (2 * index).tolist()})
    assert got.tolist() == index.tolist()
    many.edges(np.roll(names, -1), "in", names, "out", {"w": index / 3}, {"n": -index})
    many.edges(0, "in", index, "all", send_index=[0] * 6)
    assert list(differences(one.build(), many.build())) == []


def test_one_value_serves_all_rows():
    builder = ring_builder()
    builder.devices(
        ["a", "b", "c"],
        "node",
        {"id": 4, "w": [1, 2, 3]},
        {"part": {"a": [9, 9], "b": [[1, 2], [1, 2]]}},
    )
    devices = builder.build().devices
    properties, state = devices.properties[0], devices.state[0]
    assert properties["id"].tolist() == [4, 4, 4]
    assert properties["w"].tolist() == [[1, 2, 3]] * 3
    assert state["part"]["a"].tolist() == [[9, 9]] * 3
    assert state["part"]["b"].tolist() == [[[1, 2], [1, 2]]] * 3
    assert state["count"].tolist() == [7, 7, 7]


def test_structs_come_from_mappings_lists_and_columns():
    builder = ring_builder()
    parts = [{"a": 1, "b": [2, 3]}, {"a": 4, "b": [5, 6]}]
    builder.device("one", "node", state={"part": parts})
    builder.devices(["x", "y"], "node", state={"part": {"a": [[1, 4], [7, 8]]}})
    state = builder.build().devices.state[0]
    assert state["part"]["a"].tolist() == [[1, 4], [1, 4], [7, 8]]
    assert state["part"]["b"][0].tolist() == [[2, 3], [5, 6]]


@given(st.integers(-(2**63), 2**64 - 1), st.floats(width=32))
def test_numbers_are_exact_or_refused(whole: int, real: float):
    single, bulk = ring_builder(), ring_builder()
    calls = [
        lambda: single.device("d", "node", {"big": whole, "w": [real] * 3}),
        lambda: bulk.devices(["d"], "node", {"big": [whole], "w": [[real] * 3]}),
    ]
    for builder, call in zip((single, bulk), calls, strict=True):
        if whole < 0:
            assert f"'big' is {whole}; uint64_t holds 0 to" in fails(call)
            continue
        call()
        rows = builder.build().devices.properties[0]
        assert rows["big"].tolist() == [whole]
        assert np.array_equal(rows["w"], np.full((1, 3), real, "f4"), equal_nan=True)


def test_the_graph_owns_its_arrays():
    builder = ring_builder()
    builder.device("a", "node", {"id": 1})
    first = builder.build()
    builder.device("b", "node", {"id": 2})
    first.devices.properties[0]["id"] = 9
    second = builder.build()
    assert (len(first.devices), len(second.devices)) == (1, 2)
    assert second.devices.properties[0]["id"].tolist() == [1, 2]


def test_supervisor_and_external():
    builder = GraphBuilder("g")
    builder.message("m")
    outside = builder.external_type("outside", properties="uint32_t port;")
    outside.input("in", "m").output("out", "m")
    node = builder.device_type("node").input(SUPERVISOR_IN, "m", on_receive="x")
    node.output("out", "m").output(SUPERVISOR_OUT, "m")
    builder.supervisor("boss", code="int n;", on_stop="stop();", in_message="m", on_receive="y")
    builder.device("e", "outside", {"port": 80})
    graph = builder.build()
    assert graph.type.device_types[0].external
    assert graph.type.version == "v4"
    assert graph.type.supervisor is not None
    assert graph.type.supervisor.on_stop is not None
    assert graph.type.supervisor.on_send is None
    assert graph.devices.properties[0]["port"].tolist() == [80]


TYPE_MISTAKES: dict[str, tuple[Callable[[GraphBuilder], object], str]] = {
    "message twice": (lambda b: b.message("token"), "message 'token' exists already"),
    "type twice": (lambda b: b.device_type("node"), "device type 'node' exists already"),
    "not an identifier": (lambda b: b.device_type("1st"), "'1st' of a device type is not a C"),
    "keyword": (lambda b: b.message("float"), "'float' of a message is a C++ keyword"),
    "struct text": (lambda b: b.message("m", "uint32 x;"), "'uint32' is not a type"),
    "bad default": (
        lambda b: b.message("m", "uint8_t x = some();"),
        "<ring: message 'm'>:1:13: error: the initial value of 'x' cannot be read",
    ),
    "pin twice": (
        lambda b: b.find_device_type("node").input("in", "token"),
        "device type 'node' has an input pin 'in' already",
    ),
    "unknown message": (
        lambda b: b.find_device_type("node").output("o", "tokn"),
        "type 'node' uses unknown message 'tokn'; declared messages: token, tick",
    ),
    "too many outputs": (
        lambda b: [b.find_device_type("node").output(f"o{i}", "token") for i in range(31)],
        "device type 'node' has more than 32 output pins",
    ),
    "handler of an external": (
        lambda b: b.external_type("x").input("in", "token", on_receive="a"),
        "pin 'in' of external type 'x' has a handler",
    ),
    "pin after the supervisor's": (
        lambda b: b.device_type("x").output(SUPERVISOR_OUT, "token").output("o", "token"),
        "output pin 'o' after __SUP_OUT__",
    ),
    "supervisor's message": (
        lambda b: b.supervisor(in_message="x"),
        "the supervisor uses unknown message 'x'",
    ),
    "graph property": (
        lambda b: b.graph_properties(lap=3),
        "graph type 'ring' has no property 'lap' (it has laps, gain)",
    ),
    "graph property range": (
        lambda b: b.graph_properties(laps=-3),
        "graph properties: 'laps' is -3; uint32_t holds 0 to 4294967295",
    ),
}


@pytest.mark.parametrize(("call", "sentence"), TYPE_MISTAKES.values(), ids=TYPE_MISTAKES)
def test_mistakes_in_types(call: Callable[[GraphBuilder], object], sentence: str):
    builder = ring_builder()
    assert sentence in fails(lambda: call(builder))


DEVICE_MISTAKES: dict[str, tuple[str, object, str]] = {
    "unknown property": ("prop", 1, "device type 'node' has no property 'prop' (it has id, w,"),
    "negative": ("id", -1, "'id' is -1; uint32_t holds 0 to 4294967295"),
    "large": ("tiny", 128, "'tiny' is 128; int8_t holds -128 to 127"),
    "fraction": ("id", 1.5, "'id' is 1.5; uint32_t needs an integer"),
    "text": ("id", "5", "'id' is '5'; uint32_t needs an integer"),
    "None": ("wide", None, "'wide' is None; double needs a number"),
    "too long": ("w", [1, 2, 3, 4], "'w' is given as shape [4]; it needs numbers of shape [3]"),
    "ragged": ("w", [1, [2], 3], "'w' is not a number or a regular array of numbers"),
    "overflow": ("w", [0, 1e39, 0], "'w[1]' is 1e+39; that is too large for a float"),
    "huge": ("wide", 10**400, "'wide' is not a number that a double holds"),
}


@pytest.mark.parametrize(
    ("name", "value", "sentence"), DEVICE_MISTAKES.values(), ids=DEVICE_MISTAKES
)
def test_mistakes_in_values(name: str, value: object, sentence: str):
    builder = ring_builder()
    assert f"device 'a': {sentence}" in fails(lambda: builder.device("a", "node", {name: value}))
    column = [0, value] if name != "w" else [[0, 0, 0], value]
    if name == "prop":
        column = [0, 0]
    error = fails(lambda: builder.devices(["b", "c"], "node", {name: column}))
    if "is given as" not in sentence and "regular" not in sentence:
        assert sentence.partition(" is ")[0] in error
    builder.device("a", "node", {"id": 5})
    built = builder.build().devices
    assert (list(built.names), built.properties[0]["id"].tolist()) == (["a"], [5])


def test_mistakes_in_bulk_name_the_device():
    builder = ring_builder()
    error = fails(lambda: builder.devices(["b", "c", "d"], "node", {"tiny": [1, 2, 300]}))
    assert "device 'd': 'tiny' is 300; int8_t holds -128 to 127" in error
    error = fails(lambda: builder.devices(["b", "c"], "node", {"id": [1, 2, 3]}))
    assert "devices: 'id' is given as shape [3]; it needs one number, or a column" in error


def test_mistakes_in_state():
    builder = ring_builder()
    assert "has no state member 'cnt'" in fails(
        lambda: builder.device("a", "node", state={"cnt": 1})
    )
    assert "'part' has no member 'z' (its members: a, b)" in fails(
        lambda: builder.device("a", "node", state={"part": {"z": 1}})
    )
    assert "'part' is a struct: give a mapping" in fails(
        lambda: builder.device("a", "node", state={"part": 1})
    )
    builder.external_type("outside")
    assert "external type 'outside' has no state" in fails(
        lambda: builder.device("a", "outside", state={"x": 1})
    )


def test_mistakes_in_ids():
    builder = ring_builder()
    builder.device("n0", "node")
    assert "device 'n0' exists already" in fails(lambda: builder.device("n0", "node"))
    assert "device 'n0' exists already" in fails(lambda: builder.devices(["a", "n0"], "node"))
    assert "device 'a' exists already" in fails(lambda: builder.devices(["a", "a"], "node"))
    assert "devices() needs a list of ids, not 'n1'" in fails(lambda: builder.devices("n1", "node"))
    assert "'a-b' is not a device id" in fails(lambda: builder.device("a-b", "node"))
    assert "'a:b' is not a device id" in fails(lambda: builder.devices(["c", "a:b"], "node"))
    assert "'7' is not a device id" in fails(lambda: builder.devices([7], "node"))
    assert "'7' is not a device id" in fails(lambda: builder.device(7, "node"))
    assert "there is no device type 'nod'; declared device types: node, sink" in fails(
        lambda: builder.device("x", "nod")
    )
    assert len(builder.build().devices) == 1


EDGE_MISTAKES: dict[str, tuple[tuple[object, ...], dict[str, object], str]] = {
    "device": (("n9", "in", "n0", "out"), {}, "there is no device 'n9' for an edge"),
    "index": ((0, "in", 7, "out"), {}, "no device of index 7; there are 3 devices"),
    "input": (("n0", "inn", "n0", "out"), {}, "no input pin 'inn'; its input pins: in"),
    "output": (("n0", "in", "z", "out"), {}, "'sink' has no output pin 'out'; its output pins: no"),
    "messages": (("z", "tick", "n0", "out"), {}, "which sends 'token', to input pin 'tick'"),
    "half a device": ((0.5, "in", 0, "out"), {}, "ids or"),
    "half an index": (("z", "in", "n0", "all"), {"send_index": 0.5}, "send_index needs whole"),
    "not indexed": (("z", "in", "n0", "out"), {"send_index": 0}, "the pin is not indexed"),
    "send index": (("z", "in", "n0", "all"), {"send_index": -1}, "is out of range"),
    "property": (("n0", "in", "n1", "out"), {"properties": {"v": 1}}, "has no property 'v'"),
    "state": (("n0", "in", "n1", "out"), {"state": {"n": 40000}}, "'n' is 40000; int16_t holds"),
}


@pytest.mark.parametrize(("ends", "more", "sentence"), EDGE_MISTAKES.values(), ids=EDGE_MISTAKES)
def test_mistakes_in_edges(ends: tuple[object, ...], more: dict[str, object], sentence: str):
    builder = ring_builder()
    builder.devices(["n0", "n1"], "node")
    builder.device("z", "sink")
    assert sentence in fails(lambda: builder.edge(*ends, **more))
    to, pin, via, out = ends
    assert sentence in fails(lambda: builder.edges([to], pin, [via], out, **more))
    assert len(builder.build().edges) == 0


def test_edges_in_bulk_between_several_types():
    builder = ring_builder()
    builder.devices(["n0", "n1"], "node")
    builder.device("z", "sink")
    builder.edges(["z", "n1", "n0"], "in", "n0", "out")
    edges = builder.build().edges
    assert edges.row.tolist() == [0, 0, 1]
    assert len(edges.properties[0, 0]) == 2
    assert edges.properties[0, 0]["w"].tolist() == [0.5, 0.5]
    assert "several device types cannot share columns" in fails(
        lambda: builder.edges(["z", "n1"], "in", "n1", "out", {"w": 1})
    )
    assert "2 receiving and 3 sending devices" in fails(
        lambda: builder.edges([0, 1], "in", [0, 1, 0], "out")
    )
    assert "ids or indices" in fails(lambda: builder.edges([0.5], "in", [0], "out"))


def test_two_edges_of_one_path_are_refused_when_built():
    builder = ring_builder()
    builder.devices(["n0", "n1"], "node")
    builder.edges([1, 0, 1], "in", [0, 1, 0], "out")
    assert "there are two edges n1:in-n0:out" in fails(builder.build)


def test_networkx():
    networkx = pytest.importorskip("networkx")
    grid = networkx.grid_2d_graph(2, 3)
    grid.nodes[0, 1].update(id=5, colour="red")
    grid.nodes[1, 2]["type"] = "sink"
    grid.edges[(0, 0), (0, 1)]["w"] = math.pi
    builder = ring_builder()
    with pytest.raises(ApplicationError, match="'sink' has no output pin 'out'"):
        builder.from_networkx(grid, "node", "in", "out", both_directions=True)
    del grid.nodes[1, 2]["type"]
    builder = ring_builder()
    builder.from_networkx(grid, "node", "in", "out", both_directions=True)
    graph = builder.build()
    assert list(graph.devices.names) == ["0_0", "0_1", "0_2", "1_0", "1_1", "1_2"]
    assert graph.devices.properties[0]["id"].tolist() == [0, 5, 0, 0, 0, 0]
    assert len(graph.edges) == 2 * grid.number_of_edges()
    assert np.count_nonzero(graph.edges.properties[0, 0]["w"] == np.float32(math.pi)) == 2

    builder = ring_builder()
    directed = networkx.DiGraph([(1, 2), (2, 2)])
    builder.from_networkx(directed, "node", "in", "out", name=lambda node: f"v{node}")
    graph = builder.build()
    names = graph.devices.names
    edges = zip(graph.edges.src.tolist(), graph.edges.dst.tolist(), strict=True)
    assert [(names[s], names[d]) for s, d in edges] == [("v1", "v2"), ("v2", "v2")]
    with pytest.raises(ApplicationError, match="has a direction for each edge already"):
        builder.from_networkx(directed, "node", "in", "out", both_directions=True)
