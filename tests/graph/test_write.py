"""Where and how graphs are saved, and what is refused."""

from __future__ import annotations

import gzip
import io
import os
import xml.etree.ElementTree as ET
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pstack_core.graph import ApplicationError, Diagnostic, Graph, GraphBuilder, save
from pstack_core.graph.compare import send_indices
from pstack_core.graph.layout import Array, Member, Scalar, Struct, Union
from pstack_core.graph.model import Code, GraphType
from pstack_core.graph.names import Names
from pstack_core.graph.row_text import RowText, numbers
from pstack_core.graph.write import xml

NAMESPACE = "{https://poets-project.org/schemas/virtual-graph-schema-"


def small(**more: str) -> Graph:
    builder = GraphBuilder("g", properties="uint32_t p;", shared_code=more.get("shared_code", ""))
    builder.message("m", more.get("message", "uint32_t v;"))
    node = builder.device_type(
        "d",
        properties=more.get("properties", "uint32_t x = 5;"),
        state=more.get("state", ""),
        on_init=more.get("on_init", "init"),
        ready_to_send=more.get("ready_to_send", ""),
    )
    node.input("i", "m", on_receive=more.get("on_receive", ""), properties="float w;")
    node.output("o", "m", indexed=True)
    builder.devices(["a", "b"], "d", {"x": [5, 6]} if "properties" not in more else None)
    builder.edge("a", "i", "b", "o", {"w": 0.1}, send_index=0)
    builder.edge("b", "i", "a", "o")
    return builder.build()


def text(graph: Graph | GraphType, version: str) -> str:
    return "".join(xml(graph, version))


def test_values_at_the_default_are_left_out_of_v3():
    root = ET.fromstring(text(small(), "v3"))
    devices = root.findall(f".//{NAMESPACE}v3}}DevI")
    assert [[child.text for child in device] for device in devices] == [[], ['"x":6']]
    edges = root.findall(f".//{NAMESPACE}v3}}EdgeI")
    assert [(edge.get("path"), edge.get("sendIndex")) for edge in edges] == [
        ("a:i-b:o", "0"),
        ("b:i-a:o", None),
    ]
    assert edges[0][0].text == '"w":0.1'
    scalar = root.find(f".//{NAMESPACE}v3}}DeviceType/{NAMESPACE}v3}}Properties/")
    assert scalar is not None
    assert scalar.attrib == {"name": "x", "type": "uint32_t", "default": "5"}


def test_v4_has_no_defaults_so_every_value_is_written():
    root = ET.fromstring(text(small(), "v4"))
    devices = root.findall(f".//{NAMESPACE}v4}}DevI")
    assert [device.get("P") for device in devices] == ["{5}", "{6}"]
    assert "= 5" not in text(small(), "v4")


def test_a_type_is_written_alone():
    assert "GraphInstance" not in text(small().type, "v3")
    assert text(small(), "v3").startswith(text(small().type, "v3").removesuffix("</Graphs>\n"))


def test_the_version_is_that_of_the_graph():
    graph = small()
    for version, expected in (("v2", "v3"), ("v3", "v3"), ("v4", "v4"), ("orchestrator", "v3")):
        as_read = replace(graph, type=replace(graph.type, version=version))
        assert f"schema-{expected}" in "".join(xml(as_read))


def test_targets(tmp_path: Path):
    graph, binary, texts = small(), io.BytesIO(), io.StringIO()
    plain, packed = tmp_path / "a.xml", tmp_path / "a.xml.gz"
    for target in (str(plain), packed, binary, texts):
        save(graph, target, "v3")
    expected = text(graph, "v3")
    assert plain.read_text() == gzip.decompress(packed.read_bytes()).decode() == expected
    assert binary.getvalue().decode() == texts.getvalue() == expected
    again = tmp_path / "b.xml.gz"
    save(graph, again, "v3")
    assert again.read_bytes() == packed.read_bytes()
    assert sorted(os.listdir(tmp_path)) == ["a.xml", "a.xml.gz", "b.xml.gz"]


def test_a_pipe_is_written_not_replaced(tmp_path: Path):
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    reader = os.open(pipe, os.O_RDONLY | os.O_NONBLOCK)
    try:
        save(small(), pipe, "v4")
        assert os.read(reader, 1 << 16).decode() == text(small(), "v4")
    finally:
        os.close(reader)
    assert pipe.is_fifo()


def test_what_was_there_stays_when_writing_fails(tmp_path: Path):
    target = tmp_path / "a.xml"
    target.write_text("precious")
    target.chmod(0o640)
    with pytest.raises(ApplicationError, match=r"U\+0007 cannot be written"):
        save(small(on_init="ring \a"), target)
    assert target.read_text() == "precious"
    assert os.listdir(tmp_path) == ["a.xml"]
    save(small(), target)
    assert target.read_text() == text(small(), "v3")
    assert target.stat().st_mode & 0o777 == 0o640


def refusal(graph: Graph, version: str) -> str:
    with pytest.raises(ApplicationError) as error:
        xml(graph, version)
    return str(error.value)


def test_what_a_version_cannot_say_is_refused():
    assert "cannot write version 'v2'; write one of v3, v4, base85" in refusal(small(), "v2")
    defaults = small(message="uint32_t v = 1;")
    assert "message 'm' has default values, which v4 cannot express" in refusal(defaults, "v4")
    assert 'default="1"' in text(defaults, "v3")
    builder = GraphBuilder("g")
    builder.message("m")
    builder.device_type("d").output("__SUP_OUT__", "m")
    builder.supervisor("boss")
    sentences = refusal(builder.build(), "v3")
    assert "the supervisor 'boss' cannot be written" in sentences
    assert "device type 'd' has a supervisor pin, which v3 cannot express" in sentences
    assert '<SupervisorType id="boss">' in text(builder.build(), "v4")
    union = Struct((Member("u", Union((Member("n", Scalar("int32_t")),), "u_tag")),))
    graph = small()
    kind = replace(graph.type.device_types[0], state=union)
    graph.type = replace(graph.type, device_types=(kind,))
    assert "'u' in the state of device type 'd' is a union, which v4" in refusal(graph, "base85")


def test_base85_has_no_room_for_large_send_indices():
    builder = GraphBuilder("g")
    builder.message("m")
    node = builder.device_type("d").output("o", "m", indexed=True)
    node.input("i", "m")
    builder.devices(["a", "b"], "d")
    builder.edge("a", "i", "a", "o", send_index=85)
    sentence = "base85 cannot express send indices above 84 among 2 devices; write v4"
    assert sentence in refusal(builder.build(), "base85")


def test_what_is_lost_is_told():
    found: list[Diagnostic] = []
    flags = small(state="bool flag[2]; struct { char c; } s;")
    assert "uint8_t flag[2];" in "".join(xml(flags, "v4", warn=found.append))
    assert [d.message for d in found] == [
        "'flag' in the state of device type 'd' is written as uint8_t, because v4 has no bool",
        "'s.c' in the state of device type 'd' is written as int8_t, because v4 has no char",
    ]
    found.clear()
    xml(flags, "v3", warn=found.append)
    assert [d.severity for d in found] == ["warning"]
    graph = small(ready_to_send="rts = 1;")
    found.clear()
    xml(replace(graph, type=replace(graph.type, version="v2")), "v3", warn=found.append)
    assert "ReadyToSend of device type 'd' uses 'rts'" in found[0].message
    graph = small(on_init="deviceProperties->x = 3;", on_receive="message->v++; n = message->v;")
    found.clear()
    xml(replace(graph, type=replace(graph.type, version="v2")), "v4", warn=found.append)
    assert [d.message for d in found] == [
        "OnReceive of pin 'i' of device type 'd' writes to its message, which v4 does not allow",
        "OnInit of device type 'd' writes to its deviceProperties, which v4 does not allow",
    ]
    graph = small(on_init="y = deviceProperties->x == 3;", on_receive="n = message->v <= 2;")
    found.clear()
    xml(replace(graph, type=replace(graph.type, version="v2")), "v4", warn=found.append)
    assert found == []
    xml(replace(graph, type=replace(graph.type, version="orchestrator")), "v3", warn=found.append)
    assert "structs that the Orchestrator aligns are packed in v3" in found[0].message


@given(st.text(st.characters(exclude_categories=("Cs",)), max_size=20))
def test_handler_text_survives_any_xml_reader(source: str):
    graph = small()
    kind = replace(graph.type.device_types[0], on_init=Code(source))
    graph_type = replace(graph.type, device_types=(kind,))
    holds = all(c.isprintable() or c in "\t\n\r" or ord(c) > 126 for c in source)
    for version in ("v3", "v4"):
        if not holds or set(source) & {"\ufffe", "\uffff"}:
            with pytest.raises(ApplicationError, match="cannot be written to XML"):
                text(graph_type, version)
            continue
        root = ET.fromstring(text(graph_type, version))
        found = root.find(f".//{NAMESPACE}{version}}}OnInit")
        assert found is not None
        assert (found.text or "") == source


def test_names_are_escaped():
    graph = small()
    graph.devices.names = Names.of(['<a&"', "b\n\t"])
    for version in ("v3", "v4"):
        root = ET.fromstring(text(graph, version))
        ids = [device.get("id") for device in root.findall(f".//{NAMESPACE}{version}}}DevI")]
        assert ids == ['<a&"', "b\n\t"]


@given(st.lists(st.floats(width=32), max_size=20), st.lists(st.floats(), max_size=20))
def test_floats_come_back_bit_for_bit(singles: list[float], doubles: list[float]):
    for values in (np.array(singles, "f4"), np.array(doubles, "f8")):
        for style in ("json", "braces"):
            texts = numbers(values, style)
            back = np.array([float(item) for item in texts], "f8").astype(values.dtype)
            good = ~np.isnan(values)
            assert back[good].tobytes() == values[good].tobytes()
            assert np.isnan(back[~good]).all()


def test_a_float_that_rounds_twice_gets_more_digits():
    # 7.038531e-26 as a double is halfway between two floats, and the other one is even.
    value = np.array([np.uint32(0x15AE43FD)]).view("f4")
    assert np.array(float(str(value[0]))).astype("f4") != value[0]
    assert np.array(float(numbers(value, "json")[0])).astype("f4") == value[0]


def test_texts_do_not_depend_on_how_often_rows_occur():
    struct = Struct((Member("a", Scalar("int16_t")), Member("b", Array(2, Scalar("float")))))
    rows = np.zeros(5000, struct.dtype)
    rows["a"] = np.arange(5000) % 7
    for count in (1, 5, 5000):
        writer = RowText(struct, "json", struct.default, "<P>", "</P>")
        texts = writer.texts(rows[:count]) + writer.texts(rows[:count])
        expected = [f'<P>"a":{i % 7},"b":[0.0,0.0]</P>' if i % 7 else "" for i in range(count)]
        assert texts == expected * 2


def test_send_indices_without_numbers_are_in_order_of_appearance():
    builder = GraphBuilder("g")
    builder.message("m")
    builder.device_type("d").input("i", "m").output("o", "m", indexed=True).output("p", "m")
    builder.devices(list("abc"), "d")
    builder.edges(list("abcab"), "i", list("aabbc"), "o")
    builder.edge("c", "i", "c", "p")
    assert send_indices(builder.build()).tolist() == [0, 1, 0, 1, 0, -1]
