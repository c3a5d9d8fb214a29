"""Applications loaded from end to end: instances, references, overrides, hostile input."""

from __future__ import annotations

import gzip
import io
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pstack_core.graph import ApplicationError, Diagnostic, Graph, check, load, load_types
from pstack_core.graph import document as document_module
from pstack_core.graph import reader as reader_module
from tests.graph.documents import device_type, graph_type, graphs, instance

TOP = {
    "v3": '<Properties><Scalar name="n" type="uint32_t" default="3"/><Tuple name="t">'
    '<Scalar name="x" type="float"/><Array name="y" type="int8_t" length="3"/></Tuple>'
    "</Properties>",
    "v4": "<Properties>uint32_t n; struct { float x; int8_t y[3]; } t;</Properties>",
}
DEVICE = {
    "v3": '<Properties><Scalar name="id" type="uint16_t"/></Properties>'
    '<State><Scalar name="s" type="double" default="0.5"/></State>',
    "v4": "<Properties>uint16_t id;</Properties><State>double s;</State>",
}
EDGE = {
    "v3": '<Properties><Scalar name="w" type="float"/></Properties>'
    '<State><Scalar name="e" type="uint8_t" default="9"/></State>',
    "v4": "<Properties>float w;</Properties><State>uint8_t e;</State>",
}


def type_of(version: str, name: str = "g") -> str:
    pin = f'<InputPin name="i" messageTypeId="m">{EDGE[version]}<OnReceive/></InputPin>'
    devices = device_type(inside=DEVICE[version], inputs="")
    devices = devices.replace("</DeviceType>", f"{pin}</DeviceType>")
    devices += '<ExternalType id="e"><InputPin name="i" messageTypeId="m"/></ExternalType>'
    return graph_type(name=name, top=TOP[version], devices=devices)


V3_DEVICES = (
    '<DevI id="a" type="d"><P>"id": 1</P><S>"s": 2.5</S></DevI><ExtI id="x" type="e"/>'
    '<DevI id="b" type="d"/>'
)
V3_EDGES = (
    '<EdgeI path="b:i-a:o"><P>"w": 1.5</P></EdgeI><EdgeI path="x:i-a:o"/>'
    '<EdgeI path="a:i-b:o"><S>"e": 7</S></EdgeI>'
)
V4_DEVICES = (
    '<DevI id="a" type="d" P="{1}" S="{2.5}"/><ExtI id="x" type="e"/><DevI id="b" type="d"/>'
)
V4_EDGES = '<EdgeI path="b:i-a:o" P="{1.5}"/><EdgeI path="x:i-a:o"/><EdgeI path="a:i-b:o" S="{7}"/>'


def v3(instances: str = "") -> str:
    return graphs("v3", type_of("v3") + (instances or instance(V3_DEVICES, V3_EDGES)))


def plain(value: Any) -> Any:
    if isinstance(value, np.void):
        return tuple(plain(item) for item in value)
    if isinstance(value, np.ndarray):
        return [plain(item) for item in value] if value.ndim else plain(value[()])
    return value.item()


def contents(graph: Graph) -> dict[str, Any]:
    devices, edges = graph.devices, graph.edges
    return {
        "names": list(devices.names),
        "types": devices.type.tolist(),
        "rows": devices.row.tolist(),
        "properties": [plain(table) for table in devices.properties],
        "state": [plain(table) for table in devices.state],
        "edges": list(
            zip(
                edges.dst.tolist(),
                edges.dst_pin.tolist(),
                edges.src.tolist(),
                edges.src_pin.tolist(),
                edges.send_index.tolist(),
                edges.row.tolist(),
                strict=True,
            )
        ),
        "edge properties": {key: plain(table) for key, table in edges.properties.items()},
        "edge state": {key: plain(table) for key, table in edges.state.items()},
    }


def expected(state: float, edge: int) -> dict[str, Any]:
    return {
        "names": ["a", "x", "b"],
        "types": [0, 1, 0],
        "rows": [0, 0, 1],
        "properties": [[(1,), (0,)], [()]],
        "state": [[(2.5,), (state,)], [()]],
        "edges": [(2, 0, 0, 0, -1, 0), (1, 0, 0, 0, -1, 0), (0, 0, 2, 0, -1, 1)],
        "edge properties": {(0, 0): [(1.5,), (0.0,)]},
        "edge state": {(0, 0): [(edge,), (7,)]},
    }


def errors(source: Any, **options: Any) -> list[str]:
    with pytest.raises(ApplicationError) as caught:
        load(source, **options)
    return [d.message for d in caught.value.diagnostics if d.severity == "error"]


# columns


def test_v3_columns() -> None:
    graph = load(
        v3(instance(V3_DEVICES, V3_EDGES, top='<Properties>"n": 7, "t": {"x": 2}</Properties>'))
    )
    assert contents(graph) == expected(0.5, 9)
    assert plain(graph.properties) == (7, (2.0, [0, 0, 0]))
    assert (graph.id, graph.type.id, graph.file) == ("x", "g", "<string>")


def test_v4_columns() -> None:
    text = graphs("v4", type_of("v4") + instance(V4_DEVICES, V4_EDGES))
    text = text.replace('graphTypeId="g"', 'graphTypeId="g" P="{7, {2, {1, 2, 3}}}"')
    graph = load(text, strict=True)
    assert contents(graph) == expected(0.0, 0)
    assert plain(graph.properties) == (7, (2.0, [1, 2, 3]))


def test_an_empty_instance() -> None:
    graph = load(v3(instance()))
    assert (len(graph.devices), len(graph.edges), list(graph.devices.names)) == (0, 0, [])
    assert plain(graph.properties) == (3, (0.0, [0, 0, 0]))


def test_sections_may_be_missing() -> None:
    graph = load(v3('<GraphInstance id="x" graphTypeId="g"/>'))
    assert (len(graph.devices), len(graph.edges)) == (0, 0)
    assert errors(v3('<GraphInstance id="x" graphTypeId="g"/>'), strict=True) == [
        "GraphInstance has no DeviceInstances",
        "GraphInstance has no EdgeInstances",
    ]


def swapped(text: str) -> str:
    devices = text[text.index("<DeviceInstances>") : text.index("<EdgeInstances>")]
    edges = text[text.index("<EdgeInstances>") : text.index("</GraphInstance>")]
    return text.replace(devices + edges, edges + devices)


@pytest.mark.parametrize("version", ["v3", "v4"])
def test_the_order_of_the_parts_does_not_matter(version: str) -> None:
    devices, edges = (V3_DEVICES, V3_EDGES) if version == "v3" else (V4_DEVICES, V4_EDGES)
    kind, inside = type_of(version), instance(devices, edges)
    wanted = contents(load(graphs(version, kind + inside)))
    for text in (inside + kind, kind + swapped(inside), swapped(inside) + kind):
        whole = graphs(version, text)
        assert contents(load(whole)) == wanted
        assert contents(load(io.BytesIO(gzip.compress(whole.encode())))) == wanted
        assert check(whole) == check(graphs(version, kind + inside))


def test_an_instance_without_namespace_may_come_first() -> None:
    inside = instance(V3_DEVICES, V3_EDGES, top='<Properties>"n": 1</Properties>')
    text = graphs("", inside + type_of("v3"))
    assert contents(load(text)) == expected(0.5, 9)
    assert check(text) == []


@settings(max_examples=30, deadline=None)
@given(st.integers(1, 2000))
def test_pieces_of_any_size_give_the_same(size: int) -> None:
    data = v3().encode()

    class Pieces(io.BytesIO):
        def read(self, _: int | None = -1) -> bytes:
            return super().read(size)

    assert contents(load(Pieces(data))) == expected(0.5, 9)


# several instances and types


def test_the_first_of_several_instances_is_used_with_a_warning() -> None:
    found: list[Diagnostic] = []
    text = v3(instance(V3_DEVICES, V3_EDGES) + instance(name="y"))
    assert len(load(text, warn=found.append).devices) == 3
    assert [d.message for d in found] == ["there are 2 graph instances; 'x' is used"]
    assert len(load(text, instance="y").devices) == 0
    assert errors(text, instance="z") == ["there is no graph instance 'z'"]


def test_an_instance_selects_its_type() -> None:
    text = graphs("v3", type_of("v3", "g") + type_of("v3", "h") + instance(graph_type="h"))
    assert load(text).type.id == "h"
    assert [each.id for each in load_types(text)] == ["g", "h"]


def test_the_same_type_twice_is_accepted_and_a_different_one_is_not() -> None:
    assert load(graphs("v3", type_of("v3") + "\n" + type_of("v3") + instance())).type.id == "g"
    other = type_of("v3").replace('default="3"', 'default="4"')
    assert errors(graphs("v3", type_of("v3") + other + instance())) == [
        "there are two different graph types 'g'"
    ]


def test_edges_without_devices_are_checked() -> None:
    edges = f"<EdgeInstances>{V3_EDGES}</EdgeInstances>"
    text = v3(f'<GraphInstance id="x" graphTypeId="g">{edges}</GraphInstance>')
    assert errors(text)[0].startswith("there is no device 'b'")
    assert errors(text) == [d.message for d in check(text) if d.severity == "error"]


def test_a_second_section_is_not_read() -> None:
    devices = f"<DeviceInstances>{V3_DEVICES}</DeviceInstances>"
    text = v3(instance(V3_DEVICES, V3_EDGES).replace("<EdgeI", devices + "<EdgeI", 1))
    assert errors(text) == ["GraphInstance holds a second DeviceInstances"]


def test_blanks_before_the_declaration_are_only_tolerated() -> None:
    text = '\n<?xml version="1.0"?>' + v3()
    assert check(text) == []
    assert errors(text, strict=True) == ["there are blanks before the XML declaration"]


def test_sentences_about_what_is_missing() -> None:
    assert errors(graphs("v3", type_of("v3"))) == [
        "there is a graph type ('g') but no graph instance"
    ]
    assert errors(graphs("v3", "")) == ["there is neither a graph type nor a graph instance"]
    assert errors(graphs("v3", instance())) == [
        "the graph type 'g' of instance 'x' is not in the file"
    ]
    assert errors(v3(instance() + instance())) == ["there are two graph instances 'x'"]
    assert errors(graphs("v3", type_of("v3") + "<Nonsense/>" + instance())) == [
        "Nonsense does not belong in Graphs"
    ]


def test_an_instance_of_a_misnamed_type_is_of_the_only_one() -> None:
    text = v3(instance().replace('graphTypeId="g"', 'graphTypeId="h"'))
    warnings: list[Diagnostic] = []
    assert load(text, warn=warnings.append).type.id == "g"
    assert [d.message for d in warnings] == [
        "the graph type 'h' of instance 'x' is not in the file; 'g', the only one there, is used"
    ]
    assert errors(text, strict=True) == ["the graph type 'h' of instance 'x' is not in the file"]


# references


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "types").mkdir()
    (tmp_path / "types" / "g.xml").write_text(graphs("v3", type_of("v3")))
    return tmp_path


def reference(src: str, name: str = "g") -> str:
    return f'<GraphTypeReference id="{name}" src="{src}"/>'


def test_a_type_may_be_in_another_file(folder: Path) -> None:
    path = folder / "app.xml"
    path.write_text(graphs("v3", reference("types/g.xml") + instance(V3_DEVICES, V3_EDGES)))
    assert contents(load(path)) == expected(0.5, 9)
    path.write_text(graphs("v3", instance(V3_DEVICES, V3_EDGES) + reference("types/g.xml") * 2))
    assert contents(load(path)) == expected(0.5, 9)
    assert load(path).type.device_types[0].id == "d"
    assert check(path) == []


def test_an_instance_may_be_in_another_file(folder: Path) -> None:
    other = folder / "types" / "inst.xml"
    other.write_text(graphs("v3", reference("g.xml") + instance(V3_DEVICES, V3_EDGES)))
    path = folder / "app.xml"
    path.write_text(graphs("v3", '<GraphInstanceReference id="x" src="types/inst.xml"/>'))
    assert contents(load(path)) == expected(0.5, 9)


def test_metadata_patches_are_passed_over() -> None:
    patch = (
        '<GraphInstanceMetadataPatch id="x"><DeviceInstances><DevI id="none"><M>bad {</M></DevI>'
        '</DeviceInstances><EdgeInstances><EdgeI path="?"/></EdgeInstances>'
        "</GraphInstanceMetadataPatch>"
    )
    assert contents(load(v3(patch + instance(V3_DEVICES, V3_EDGES)))) == expected(0.5, 9)


@pytest.mark.parametrize(
    ("elements", "sentence"),
    [
        (reference("none.xml"), "cannot read the file: No such file or directory"),
        (reference("types/g.xml", "h"), "the file 'types/g.xml' has no graph type 'h'"),
        (reference("http://example.org/g.xml"), "'http://example.org/g.xml' is on a network"),
        (reference("app.xml"), "the reference to 'app.xml' leads back to itself"),
        ('<GraphTypeReference id="g"/>', "the graph type 'g' is referred to but not in the file"),
        ('<GraphTypeReference src="a"/>', "GraphTypeReference has no attribute 'id'"),
        ('<GraphInstanceReference id="x" src="app.xml"/>', "leads back to itself"),
    ],
)
def test_references_that_lead_nowhere(folder: Path, elements: str, sentence: str) -> None:
    path = folder / "app.xml"
    path.write_text(graphs("v3", elements))
    assert any(sentence in message for message in errors(path))


def test_errors_of_a_file_referred_to_name_that_file(folder: Path) -> None:
    (folder / "types" / "g.xml").write_text(graphs("v3", "<GraphType"))
    path = folder / "app.xml"
    path.write_text(graphs("v3", reference("types/g.xml") + instance()))
    found = [d for d in check(path) if d.severity == "error"]
    assert found[0].file == str(folder / "types" / "g.xml")
    assert found[0].message.startswith("the XML is wrong")


# properties of the graph


def test_properties_can_be_overridden() -> None:
    graph = load(v3(), properties={"n": "12", "t.x": "0.25", "t.y": "{1, 2}"})
    assert plain(graph.properties) == (12, (0.25, [1, 2, 0]))
    graph = load(v3(), properties={"n": 13, "t": {"x": 1}, "t.y[2]": 4})
    assert plain(graph.properties) == (13, (1.0, [0, 0, 4]))
    graph = load(v3(), properties={"n": "0x10", "t.x": "inf", "t.y": np.array([5, 6, 7])})
    assert plain(graph.properties) == (16, (float("inf"), [5, 6, 7]))


@pytest.mark.parametrize(
    ("name", "value", "sentence"),
    [
        ("m", "1", "cannot set the graph property 'm': there is no member 'm' (members: n, t)"),
        ("t.z", "1", "there is no member 't.z' (members: x, y)"),
        ("n", "-1", "-1 is out of range for 'n', a uint32_t"),
        ("n", "1.5", "'n' is a uint32_t, so 1.5 must be a whole number"),
        ("n", "many", "'n' is a uint32_t, so its value must be a number"),
        ("t.y", "[1,2,3,4]", "'t.y' has 3 elements, so 3 is out of range"),
        ("n.x", "1", "'n' is a uint32_t, so its value must be a number"),
        ("", "1", "there is no member ''"),
    ],
)
def test_overrides_that_do_not_fit(name: str, value: str, sentence: str) -> None:
    (message,) = errors(v3(), properties={name: value})
    assert sentence in message


def test_values_of_the_graph_are_checked() -> None:
    top = '<Properties>\n "n": 1,\n "q": 2</Properties>'
    found = check(v3(instance(top=top)))
    assert [(d.severity, d.line, d.element) for d in found] == [("warning", 3, "Properties")]
    assert [d.severity for d in check(v3(instance(top=top)), strict=True)] == ["error"]
    found = check(v3(instance(top='<Properties>"n": -1</Properties>')))
    assert [d.severity for d in found] == ["error"]
    assert check(v3(instance(top="<Properties><n/></Properties>")))[0].message == (
        "the Properties of a GraphInstance hold elements"
    )


# check


def test_check_finds_everything_at_once() -> None:
    text = graphs(
        "v3",
        "\n" + type_of("v3").replace('type="double"', 'type="quad"') + "\n"
        + instance('<DevI id="a" type="d"/>\n<DevI id="a" type="d"/>\n<DevI id="b" type="z"/>',
                   '\n<EdgeI path="a:i-c:o"/><EdgeI path="a"/>')
        + instance('\n<DevI id="a" type="q"/>', name="y"),
    )  # fmt: skip
    found = [d for d in check(text) if d.severity == "error"]
    assert [d.line for d in found] == [2, 4, 5, 6, 6, 7]
    assert [d.message.split(":")[0] for d in found] == [
        "the type 'quad' of 's' is not known",
        "device id 'a' is used twice",
        "there is no device type 'z'",
        "there is no device 'c', which the path names as source",
        "malformed path 'a'",
        "there is no device type 'q'",
    ]
    with pytest.raises(ApplicationError) as caught:
        load(text)
    assert len(caught.value.diagnostics) >= 5


def test_check_of_a_good_file_is_empty() -> None:
    assert check(v3()) == []
    assert check(v3(), strict=True) == []
    (found,) = check(graphs("v3", ""))
    assert found.message == "the file has neither a graph type nor a graph instance"


def test_check_of_an_ill_formed_file_tells_what_was_found_before() -> None:
    text = graphs("v3", graph_type(devices=device_type() * 2) + "</Oops>")
    first, second = check(text)
    assert first.message == "there are two device types 'd'"
    assert second.message.startswith("the XML is wrong")


def test_the_sentence_has_place_element_and_hint() -> None:
    (found,) = check(graphs("v3", graph_type(devices=device_type() * 2)))
    assert str(found) == (
        f"<string>:1:{found.column}: error: there are two device types 'd' (in <DeviceType>);"
        " rename one of them"
    )


def test_edges_of_the_supervisor_are_dropped() -> None:
    kind = graph_type(
        top="", devices='<DeviceType id="d"><OutputPin name="o" messageTypeId="m"/></DeviceType>'
    )
    inside = instance('<DevI id="a" type="d"/>', '<EdgeI path=":-a:o"/>')
    assert len(load(graphs("", kind + inside)).edges) == 0


def test_base85_instances() -> None:
    kind = graph_type(
        top="<Properties>uint32_t n;</Properties>",
        devices='<DeviceType id="d"><Properties>uint32_t x;</Properties><State>float y;'
        'uint8_t z[3];</State><ReadyToSend/><InputPin name="i" messageTypeId="m"><Properties>'
        'uint16_t w;</Properties><OnReceive/></InputPin><OutputPin name="o" messageTypeId="m">'
        '<OnSend/></OutputPin></DeviceType><DeviceType id="e"><ReadyToSend/>'
        '<InputPin name="i" messageTypeId="m"><OnReceive/></InputPin></DeviceType>',
    )
    text = graphs(
        "v4",
        f'{kind}<GraphInstanceBase85 id="x" graphTypeId="g" P="{{7}}"><DeviceInstancesBase85>'
        "<C><![CDATA[on0@dd_awXPugyB`adbzz@]]></C></DeviceInstancesBase85>"
        "<EdgeInstancesBase85><C><![CDATA[fcj`bedc]]></C></EdgeInstancesBase85>"
        "</GraphInstanceBase85>",
    )
    graph = load(text, strict=True)
    assert list(graph.devices.names) == ["n0", "n1", "zz"]
    assert plain(graph.devices.properties[0]) == [(258,), (0,)]
    assert plain(graph.devices.state[0]) == [(1.5, [1, 2, 3]), (0.0, [0, 0, 0])]
    assert list(zip(graph.edges.dst, graph.edges.src, strict=True)) == [(1, 0), (2, 0), (0, 1)]
    assert plain(graph.properties) == (7,)
    assert check(text) == []
    assert any("cannot be read" in message for message in errors(text.replace("zz@", "&amp;")))


def test_many_problems_of_an_instance_are_counted() -> None:
    devices = "".join(f'<DevI id="a{n}" type="z"/>' for n in range(150))
    found = errors(v3(instance(devices)))
    assert len(found) == 101
    assert found[-1] == "50 more problems in the instance"


def test_base85_data_are_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(reader_module, "_MAX_BASE85", 1000)
    chunk = f"<C>{'a' * 600}</C>"
    text = graphs(
        "v4",
        type_of("v4") + '<GraphInstanceBase85 id="x" graphTypeId="g"><DeviceInstancesBase85>'
        f"{chunk * 2}</DeviceInstancesBase85></GraphInstanceBase85>",
    )
    assert errors(text) == ["the base85 data are too large"]


# hostile input


def bomb() -> str:
    entities = '<!ENTITY a "aaaaaaaaaa">' + "".join(
        f'<!ENTITY {chr(98 + n)} "{f"&{chr(97 + n)};" * 10}">' for n in range(12)
    )
    return f"<!DOCTYPE Graphs [{entities}]><Graphs>&m;</Graphs>"


@pytest.mark.parametrize(
    ("source", "sentence"),
    [
        (bomb(), "the XML is wrong"),
        ("<Graphs>" + "<a>" * 300, "elements are nested more than 200 deep"),
        (b"<Graphs>\xff</Graphs>", "the XML is wrong"),
        (b"\0" * 100, "the XML is wrong"),
        (gzip.compress(b"<Graphs/>")[:-4], "the gzip data end early"),
        (b"", "the file is empty"),
    ],
)
def test_hostile_input_gets_a_sentence(source: str | bytes, sentence: str) -> None:
    (message,) = errors(source)
    assert sentence in message
    assert any(sentence in found.message for found in check(source))


class Endless(io.RawIOBase):
    """A stream of one piece, repeated; ``served`` counts the bytes."""

    def __init__(self, head: bytes, piece: bytes, total: int) -> None:
        self.head, self.piece, self.total, self.served = head, piece, total, 0

    def readable(self) -> bool:
        return True

    def read(self, _: int = -1) -> bytes:
        if self.served >= self.total:
            return b""
        data = self.head if not self.served else self.piece
        self.served += len(data)
        return data


@pytest.mark.parametrize(
    ("head", "piece", "sentence"),
    [
        (b"<Graphs>", b"<a>" * 20_000, "elements are nested"),
        (
            b"<Graphs><GraphType><SharedCode>",
            b"<![CDATA[" + b"x" * 65536 + b"]]>",
            "is larger than 1 MB",
        ),
        (b"<Graphs>", b"<a/>" * 20_000, "is larger than 1 MB"),
        (b"<Graphs>", b"<a b='" + b"c" * 60_000 + b"'/>", "is larger than 1 MB"),
    ],
)
def test_the_tree_is_bounded(
    head: bytes, piece: bytes, sentence: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(document_module, "MAX_TEXT", 1 << 20)
    stream = Endless(head, piece, 8 << 20)
    (message,) = errors(stream)
    assert sentence in message


def mutations(data: bytes) -> st.SearchStrategy[bytes]:
    def apply(edits: list[tuple[int, int, bytes]]) -> bytes:
        text = bytearray(data)
        for at, length, new in edits:
            at %= len(text) + 1
            text[at : at + length] = new
        return bytes(text)

    pieces = [b"", b"<", b">", b"&", b"]]>", b"<!--", b"<![CDATA[", b'"', b"/", b"\0", b"\xff"]
    pieces += [b"</DevI>", b"<DevI/>", b"<P>", b"id", b"-1", b"99999999999", b"{", b"[", b"\n"]
    edit = st.tuples(st.integers(0, 1 << 16), st.integers(0, 40), st.sampled_from(pieces))
    return st.lists(edit, min_size=1, max_size=4).map(apply)


V4 = graphs("v4", type_of("v4") + instance(V4_DEVICES, V4_EDGES))


@settings(max_examples=300, deadline=None)
@given(st.one_of(mutations(v3().encode()), mutations(V4.encode())))
def test_damaged_files_load_or_get_sentences(data: bytes) -> None:
    wrong = [found for found in check(data) if found.severity == "error"]
    if wrong:
        with pytest.raises(ApplicationError) as caught:
            load(data)
        assert str(caught.value)
        assert all(d.message and d.file for d in caught.value.diagnostics)
    else:
        graph = load(data)
        assert len(graph.devices.names) == len(graph.devices)


def modules_after(code: str) -> Iterator[str]:
    script = f"import sys\n{code}\nprint(*sys.modules)"
    done = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, check=True
    )
    yield from done.stdout.split()


def test_loading_imports_only_what_it_needs() -> None:
    loaded = set(modules_after(f"from pstack_core.graph import load\nload({v3()!r})"))
    assert "pstack_core.graph.loading" in loaded
    heavy = {"networkx", "jinja2", "rich", "json", "tempfile", "xml", "pstack_core.graph.builder"}
    assert heavy & loaded == set()
