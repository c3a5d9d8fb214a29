"""What is saved and loaded again means the same, in every version."""

from __future__ import annotations

import io
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings

from pstack_core.graph import Diagnostic, Graph, GraphBuilder, load, load_types, save
from pstack_core.graph.compare import differences, type_differences
from tests.graph.strategies import COMMON, graphs

RANDOM = settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.too_slow])
EXAMPLES = Path(__file__).parents[2] / "docs" / "examples"


def saved(graph: Graph, version: str) -> bytes:
    file = io.BytesIO()
    save(graph, file, version)
    return file.getvalue()


def returns(graph: Graph, version: str, strict: bool = False) -> list[str]:
    """What differs once the graph was saved and loaded."""
    found: list[Diagnostic] = []
    again = load(saved(graph, version), strict=strict, warn=found.append)
    return [*differences(graph, again), *map(str, found)]


# v3 names half and char as well; its readers here also take bool, which is written uint8_t.
@RANDOM
@given(graphs((*COMMON, "char", "half"), unions=True, message_defaults=True))
def test_v3(graph: Graph):
    assert returns(graph, "v3") == []


@RANDOM
@given(graphs(supervisor=True))
def test_v4(graph: Graph):
    assert returns(graph, "v4") == []


@RANDOM
@given(graphs(supervisor=True))
def test_base85(graph: Graph):
    assert returns(graph, "base85") == []


@settings(RANDOM, max_examples=25)
@given(graphs(message_defaults=True, finite=True), graphs(supervisor=True, finite=True))
def test_what_is_written_is_strict(third: Graph, fourth: Graph):
    assert returns(third, "v3", strict=True) == []
    assert returns(fourth, "v4", strict=True) == []
    assert returns(fourth, "base85", strict=True) == []


@settings(RANDOM, max_examples=20)
@given(graphs(COMMON))
def test_one_version_after_the_other(graph: Graph):
    step = graph
    for version in ("v4", "v3", "base85", "v4"):
        step = load(saved(step, version))
    assert list(differences(graph, step)) == []


def test_numbers_at_their_limits_are_strict_v3_and_v4():
    builder = GraphBuilder("g")
    builder.message("m")
    builder.device_type(
        "d",
        properties="int64_t a; uint64_t b; float f; double d; int8_t t[2];",
        state="struct { struct { uint16_t u[2][3]; } inner[2]; } outer;",
        ready_to_send="",
    ).input("i", "m").output("o", "m")
    builder.device("least", "d", {"a": -(2**63), "f": 1e-45, "d": 5e-324, "t": [-128, 127]})
    builder.device("most", "d", {"a": 2**63 - 1, "b": 2**64 - 1, "f": 3.4028234e38, "d": -0.0})
    builder.device(
        "tenth", "d", {"f": 0.1, "d": 0.1}, {"outer": {"inner": {"u": [[[1] * 3] * 2] * 2}}}
    )
    graph = builder.build()
    for version in ("v3", "v4"):
        assert returns(graph, version, strict=True) == []


def test_large_instances():
    builder = GraphBuilder("g")
    builder.message("m")
    node = builder.device_type("d", properties="uint32_t x;", state="float s = 1;")
    node.input("i", "m", properties="double w;").output("o", "m")
    builder.device_type("e").output("o", "m")
    count = 40_000
    names = [f"n{i}" for i in range(count)]
    first = builder.devices(names[::2], "d", {"x": range(count // 2)})
    other = builder.devices(names[1::2], "e")
    builder.edges(first, "i", other, "o", {"w": [i / 7 for i in range(count // 2)]})
    builder.edges(first, "i", first[::-1], "o")
    graph = builder.build()
    for version in ("v3", "v4", "base85"):
        assert returns(graph, version) == []


@pytest.mark.parametrize("path", sorted(EXAMPLES.glob("*.xml")), ids=lambda path: path.stem)
def test_examples(path: Path):
    graph = load(path)
    for version in ("v3", "v4", "base85"):
        assert list(differences(graph, load(saved(graph, version)))) == []


def test_a_type_comes_back_alone():
    builder = GraphBuilder("g", properties="float p = 2.5;", documentation="What it is <&>.")
    builder.message("m", "uint8_t hop[2];")
    builder.device_type("d", documentation="A device.").input("i", "m", documentation="A pin.")
    graph_type = builder.build().type
    for version in ("v3", "v4"):
        file = io.StringIO()
        save(graph_type, file, version)
        (again,) = load_types(file.getvalue())
        assert list(type_differences(graph_type, again)) == []
    file = io.StringIO()
    save(graph_type, file, "v3")
    (again,) = load_types(file.getvalue())
    assert again.documentation == "What it is <&>."
    assert again.device_types[0].input_pins[0].documentation == "A pin."


def test_metadata_comes_back():
    builder = GraphBuilder("g")
    builder.message("m")
    builder.device_type("d")
    graph = builder.build()
    graph.metadata = '"loc": [1, 2], "name": "a\\"b"'
    kind = replace(graph.type.device_types[0], metadata='"hull": "x"')
    graph.type = replace(graph.type, device_types=(kind,), metadata='"k": 1')
    again = load(saved(graph, "v3"))
    assert again.metadata == graph.metadata
    assert again.type.metadata == '"k": 1'
    for version in ("v4", "base85"):
        again = load(saved(graph, version))
        assert again.metadata == '"loc": "[1, 2]", "name": "a\\"b"'
    assert again.type.metadata == '"k": "1"'
    assert again.type.device_types[0].metadata == '"hull": "x"'


def test_orchestrator_graphs_keep_values_types_and_edges():
    text = """
      <Graphs xmlns="" appname="a">
       <GraphType id="g"><Properties><![CDATA[uint8_t a; double b;]]></Properties>
        <MessageTypes><MessageType id="m"><Message>uint32_t v;</Message></MessageType>
        </MessageTypes>
        <DeviceTypes><DeviceType id="d">
          <Properties>uint8_t x; uint32_t y = 7;</Properties>
          <State>uint16_t n; int64_t z[2];</State>
          <InputPin name="i" messageTypeId="m"><Properties>uint8_t k; float w;</Properties>
            <OnReceive>;</OnReceive></InputPin>
          <OutputPin name="o" messageTypeId="m"><OnSend>;</OnSend></OutputPin>
          <ReadyToSend>*readyToSend = 0;</ReadyToSend>
        </DeviceType></DeviceTypes></GraphType>
       <GraphInstance id="n" graphTypeId="g" P="{1, 2.5}">
        <DeviceInstances><DevI id="p" type="d" P="{3, 4}" S="{5, {6, -7}}"/>
         <DevI id="q" type="d"/></DeviceInstances>
        <EdgeInstances><EdgeI path="q:i-p:o" P="{8, 0.5}"/></EdgeInstances>
       </GraphInstance>
      </Graphs>"""
    graph = load(text)
    assert graph.type.version == "orchestrator"
    assert graph.type.device_types[0].properties.dtype.itemsize == 8
    for version in ("v3", "v4", "base85"):
        again = load(saved(graph, version))
        assert list(differences(graph, again)) == []
        assert again.type.device_types[0].properties.dtype.itemsize == 5
        assert again.devices.properties[0]["y"].tolist() == [4, 7]
