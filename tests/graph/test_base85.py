"""The base85 encoding: the published vector, random graphs, and damaged text."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from pstack_core.graph import ApplicationError, Graph, GraphBuilder
from pstack_core.graph.base85 import (
    DIGITS,
    device_chunks,
    digits_for,
    edge_chunks,
    encode_bytes,
    encode_scalar,
    instance,
)
from pstack_core.graph.compare import differences
from pstack_core.graph.layout import Array, Member, Scalar, Struct
from pstack_core.graph.read_base85 import read_base85
from tests.graph.strategies import graphs

RANDOM = settings(max_examples=30, deadline=None, suppress_health_check=[HealthCheck.too_slow])


def vector() -> Graph:
    builder = GraphBuilder("g", properties="uint32_t p;")
    builder.message("m")
    first = builder.device_type("d", properties="uint32_t x;", state="float y; uint8_t z[3];")
    first.input("i", "m", properties="uint16_t w;")
    first.output("o", "m")
    builder.device_type("e").input("i", "m")
    builder.graph_properties(p=7)
    builder.device("n0", "d", {"x": 258}, {"y": 1.5, "z": [1, 2, 3]})
    builder.device("n1", "d")
    builder.device("zz", "e")
    builder.edge("n1", "i", "n0", "o", {"w": 9})
    builder.edge("zz", "i", "n0", "o")
    builder.edge("n0", "i", "n1", "o")
    return builder.build()


DEVICES, EDGES = "on0@dd_awXPugyB`adbzz@", "fcj`bedc"


def test_the_reference_encoder_writes_the_same():
    graph = vector()
    assert ["".join(chunk) for chunk in device_chunks(graph)] == [DEVICES]
    assert ["".join(chunk) for chunk in edge_chunks(graph)] == [EDGES]


def test_the_vector_is_read():
    graph = vector()
    devices, edges = read_base85(graph.type, [f"\n{DEVICES}\n"], [EDGES])
    assert list(devices.names) == ["n0", "n1", "zz"]
    assert devices.properties[0]["x"].tolist() == [258, 0]
    assert devices.state[0]["y"].tolist() == [1.5, 0.0]
    assert edges.properties[0, 0]["w"].tolist() == [9, 0]
    assert list(differences(graph, replace(graph, devices=devices, edges=edges))) == []


@given(st.integers(1, 70).flatmap(lambda b: st.tuples(st.just(b), st.integers(0, 2**b - 1))))
def test_a_scalar_has_enough_digits_and_no_more(case: tuple[int, int]):
    bits, value = case
    text = encode_scalar(value, bits)
    assert 85 ** digits_for(bits) > 2**bits >= 85 ** (digits_for(bits) - 1)
    assert 1 <= len(text) <= digits_for(bits)
    digits = [DIGITS.index(character) for character in text if character != "_"]
    assert sum(digit * 85**place for place, digit in enumerate(digits)) == value


@given(st.binary(max_size=40))
@pytest.mark.parametrize("tail", [b"", bytes(9), b"\xff" * 7, b"\xff\xff\0\0\1"])
def test_bytes_come_back(tail: bytes, data: bytes):
    data += tail
    text = encode_bytes(data)
    assert not set(text) & set("&[]{}~\n ")
    if data:
        struct = Struct((Member("a", Array(len(data), Scalar("uint8_t"))),))
        kind = replace(vector().type.device_types[1], properties=struct)
        assert _one(kind, text).tobytes() == data


def _one(kind, text: str) -> np.ndarray:
    """The properties of one device with that text; the record after it must be whole."""
    graph_type = replace(vector().type, device_types=(kind,))
    devices, _ = read_base85(graph_type, [f"gn@{text}cm@"], [])
    assert list(devices.names) == ["n", "m"]
    return devices.properties[0][:1]


@RANDOM
@given(graphs())
def test_random_instances_come_back(graph: Graph):
    bare = replace(graph, type=_without_defaults(graph))
    chunks = [
        ["\n".join(records) for records in make(bare)] for make in (device_chunks, edge_chunks)
    ]
    devices, edges = read_base85(bare.type, *chunks)
    assert list(differences(bare, replace(bare, devices=devices, edges=edges))) == []


def _without_defaults(graph: Graph):
    def plain(kind):
        pins = tuple(
            replace(p, properties=_plain(p.properties), state=_plain(p.state))
            for p in kind.input_pins
        )
        return replace(
            kind, properties=_plain(kind.properties), state=_plain(kind.state), input_pins=pins
        )

    return replace(graph.type, device_types=tuple(map(plain, graph.type.device_types)))


def _plain(struct: Struct) -> Struct:
    return replace(struct, default_bytes=None)


def test_long_instances_are_several_chunks_of_short_lines():
    builder = GraphBuilder("g")
    builder.message("m")
    node = builder.device_type("d", properties="uint32_t x;")
    node.input("i", "m", properties="uint64_t w;")
    node.output("o", "m", indexed=True)
    count = 9000
    every = builder.devices([f"n{i}" for i in range(count)], "d", {"x": np.arange(count)})
    builder.edges(every, "i", every[::-1], "o", {"w": np.arange(count) << 40}, send_index=0)
    graph = builder.build()
    text = "".join(instance(graph))
    assert text.count("<C>") > 2
    assert max(map(len, text.splitlines())) <= 1100
    chunks = [part.partition("]]>")[0] for part in text.split("<C><![CDATA[")[1:]]
    split = sum("<C>" in line for line in text.partition("<EdgeInst")[0].splitlines())
    devices, edges = read_base85(graph.type, chunks[:split], chunks[split:])
    assert list(differences(graph, replace(graph, devices=devices, edges=edges))) == []


@pytest.mark.parametrize(
    ("devices", "edges", "sentence"),
    [
        ("on0@dd_awXPugyB`~", "", "device 2 (in chunk 1) cannot be read: '~' is not a digit"),
        ("on0@dd", "", "its line ends early"),
        ("on0", "", "its id is empty, too long or not closed"),
        ("a", "", "it has no id"),
        ("dzn@", "", "the device type 25 is out of range"),
        ("ddn@", "", "there is no device type number 3"),
        ("q", "", "it has no id"),
        ("cn@cn@", "", "there are two devices 'n'"),
        ("hbn@b", "", "it has values where none are declared"),
        (DEVICES, "bg", "there is no device number 3"),
        (DEVICES, "ba", "it joins"),
        (DEVICES, "fcj`c", "its line ends early"),
        (DEVICES, "fcj`8", "its flags are 60"),
        (DEVICES, "bcaa", "there are two edges n1:i-n0:o"),
        (DEVICES, "ce", "has no output pin number 0"),
    ],
)
def test_damage_is_reported(devices: str, edges: str, sentence: str):
    graph_type = vector().type
    if sentence == "it joins":
        other = replace(graph_type.device_types[0].input_pins[0], message="n")
        kind = replace(graph_type.device_types[0], input_pins=(other,))
        graph_type = replace(graph_type, device_types=(kind, graph_type.device_types[1]))
    with pytest.raises(ApplicationError) as error:
        read_base85(graph_type, [devices], [edges], "a.xml")
    assert sentence in str(error.value)
    assert str(error.value).startswith("a.xml: error: ")


@given(st.text("ab_^`@dn0o~ \n", max_size=60), st.text("abcdef_^`8", max_size=40))
def test_any_text_gives_columns_or_a_sentence(devices: str, edges: str):
    with suppress(ApplicationError):
        read = read_base85(vector().type, [devices], [edges])
        assert len(read[0]) <= len(devices)
        assert len(read[1]) <= len(edges)


def test_records_cannot_stand_for_more_memory_than_is_sensible(monkeypatch):
    monkeypatch.setattr("pstack_core.graph.read_base85.MAX_BYTES", 100)
    with pytest.raises(ApplicationError, match=r"device 10 .* take more than"):
        read_base85(vector().type, ["cn@" + "a" * 60], [])
