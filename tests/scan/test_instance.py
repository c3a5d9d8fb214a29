"""Sections read into columns, and every check on the way."""

from __future__ import annotations

import json
import random
import struct
import threading
from itertools import pairwise
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

import pstack_scan
from tests.scan.documents import array, error_of, feed, layout, packed, scalar, scan

PROPERTIES = layout(
    packed(id=scalar("uint32_t"), w=array(2, scalar("uint8_t"))), struct.pack("<I2B", 7, 1, 2)
)
STATE = layout(packed(s=scalar("float")))
WEIGHT = layout(packed(w=scalar("int16_t")), struct.pack("<h", -1))
COUNT = layout(packed(n=scalar("uint8_t")))
TYPES = [
    (
        "node",
        False,
        PROPERTIES,
        STATE,
        [("in", "token", WEIGHT, COUNT), ("other", "tick", None, None)],
        [("out", "token", False), ("tick", "tick", False), ("ix", "token", True)],
    ),
    ("bare", False, None, None, [("in", "token", None, None)], []),
    ("ext", True, COUNT, None, [("in", "token", None, None)], [("out", "token", False)]),
]
FORMATS = {
    "device_type": "H",
    "device_row": "I",
    "device_line": "I",
    "edge_dst": "I",
    "edge_dst_pin": "H",
    "edge_src": "I",
    "edge_src_pin": "H",
    "edge_send_index": "i",
    "edge_row": "I",
    "edge_line": "I",
}
DEVICES = """<DevI id="a" type="node"/><DevI id="b" type="node"/><DevI id="c" type="bare"/>
<ExtI id="e" type="ext"/>"""


def read(
    devices: str, edges: str = "", syntax: str = "json", strict: bool = False, **options: Any
) -> pstack_scan.Instance:
    instance = pstack_scan.Instance(TYPES, syntax, strict, **options)
    document = (
        f"<g><DeviceInstances>{devices}</DeviceInstances>\n"
        f"<EdgeInstances>{edges}</EdgeInstances></g>"
    )
    events = scan([document.encode()], instance)
    assert [event[:2] for event in events if event[0] != "text"] == [
        ("start", "g"),
        ("start", "DeviceInstances"),
        ("end", "DeviceInstances"),
        ("start", "EdgeInstances"),
        ("end", "EdgeInstances"),
        ("end", "g"),
    ]
    return instance


def column(instance: pstack_scan.Instance, name: str) -> list[int]:
    return instance.column(name).cast("B").cast(FORMATS[name]).tolist()


def names(instance: pstack_scan.Instance) -> list[str]:
    arena = instance.names_arena
    offsets = instance.names_offsets.cast("B").cast("Q").tolist()
    return [arena[a:b].decode() for a, b in pairwise(offsets)]


def sentences(instance: pstack_scan.Instance) -> list[tuple[str, str, str]]:
    return [(severity, element, text) for severity, _, _, element, text in instance.diagnostics]


def test_columns() -> None:
    instance = read(
        """
 <DevI id="a" type="node"><P>"id":5</P><S>"s":2.5</S></DevI>
 <!-- comment --> <x:DevI id='c' type='bare'></x:DevI>
 <ExtI id="e" type="ext"><P><![CDATA["n"]]>:<!-- c --><![CDATA[9]]></P></ExtI>
 <DevI id="b" type="node"><P>&quot;w&quot;:[3]</P></DevI>
""",
        """
 <EdgeI path="a:in-b:out"><P>"w":300</P><S>"n":4</S></EdgeI>
 <EdgeI path="b:in-b:ix" sendIndex="3"/>
 <EdgeI path='a:other-a:tick'/>
 <EdgeI path="c:in-e:out"/>""",
    )
    assert instance.diagnostics == []
    assert instance.diagnostic_count == 0
    assert (instance.device_count, instance.edge_count) == (4, 4)
    assert names(instance) == ["a", "c", "e", "b"]
    assert column(instance, "device_type") == [0, 1, 2, 0]
    assert column(instance, "device_row") == [0, 0, 0, 1]
    assert column(instance, "device_line") == [2, 3, 4, 5]
    assert column(instance, "edge_dst") == [0, 3, 0, 1]
    assert column(instance, "edge_dst_pin") == [0, 0, 1, 0]
    assert column(instance, "edge_src") == [3, 3, 0, 2]
    assert column(instance, "edge_src_pin") == [0, 2, 1, 0]
    assert column(instance, "edge_send_index") == [-1, 3, -1, -1]
    assert column(instance, "edge_row") == [0, 1, 0, 0]
    assert column(instance, "edge_line") == [8, 9, 10, 11]
    assert bytes(instance.device_properties(0)) == struct.pack("<I2BI2B", 5, 1, 2, 7, 3, 2)
    assert bytes(instance.device_state(0)) == struct.pack("<ff", 2.5, 0)
    assert bytes(instance.device_properties(1)) == b""
    assert bytes(instance.device_properties(2)) == b"\x09"
    assert bytes(instance.edge_properties(0, 0)) == struct.pack("<hh", 300, -1)
    assert bytes(instance.edge_state(0, 0)) == b"\x04\x00"
    assert bytes(instance.edge_properties(0, 1)) == b""
    with pytest.raises(IndexError):
        instance.edge_properties(0, 2)
    with pytest.raises(IndexError):
        instance.device_state(3)


def test_v4_attributes() -> None:
    instance = read(
        '<DevI id="a" type="node" P="{5,{3,4}}" S="{2.5f}"/><DevI id="b" type="node" P="" S="{}"/>',
        '<EdgeI path="a:in-b:out" P="{-5}" S="{4}"/>',
        "braces",
    )
    assert instance.diagnostics == []
    assert bytes(instance.device_properties(0)) == struct.pack("<I2BI2B", 5, 3, 4, 7, 1, 2)
    assert bytes(instance.device_state(0)) == struct.pack("<ff", 2.5, 0)
    assert bytes(instance.edge_properties(0, 0)) == struct.pack("<h", -5)
    assert bytes(instance.edge_state(0, 0)) == b"\x04"


def test_harmless_things_are_silent() -> None:
    instance = read(
        '<DevI id="a" type="node" application="1" x:y="2"><P/><S></S><M>any {thing</M></DevI>'
        '<DevI id="b" type="node"><Metadata key="k" value="v"/><MetaData><x><P>y</P></x></MetaData>'
        "<P> </P></DevI>",
        '<Documentation>d</Documentation><EdgeI path="a:in-b:out"><M>"dt10":1</M></EdgeI>',
    )
    assert instance.diagnostics == []
    assert instance.edge_count == 1


@pytest.mark.parametrize(
    ("devices", "severity", "element", "sentence"),
    [
        ("<DevI type='node'/>", "error", "DevI", "the device has no id"),
        ("<DevI id='' type='node'/>", "error", "DevI", "the device has no id"),
        ("<DevI id='x'/>", "error", "DevI 'x'", "the device has no type"),
        (
            "<DevI id='x' type='nod'/>",
            "error",
            "DevI 'x'",
            "there is no device type 'nod'; the types are: 'node', 'bare', 'ext'",
        ),
        (
            "<DevI id='a' type='bare'/>",
            "error",
            "DevI 'a'",
            "device id 'a' is used twice: first at line 1",
        ),
        ("<DevI id='x:y' type='bare'/>", "error", "DevI 'x:y'", "':' separates device and pin"),
        ("<DevI id='x-y' type='bare'/>", "warning", "DevI 'x-y'", "letters, digits and '_' only"),
        ("<DevI id='x' type='ext'/>", "warning", "DevI 'x'", "is an external type: write ExtI"),
        ("<ExtI id='x' type='bare'/>", "warning", "ExtI 'x'", "not an external type: write DevI"),
        (
            "<ExtI id='x' type='ext'><S/></ExtI>",
            "error",
            "ExtI 'x'",
            "an external has no state: remove S",
        ),
        (
            "<DevI id='x' type='node'><P/><P/></DevI>",
            "error",
            "DevI 'x'",
            "P is given twice",
        ),
        ("<DevI id='x' type='node' S=''><S/></DevI>", "error", "DevI 'x'", "S is given twice"),
        (
            "<DevI id='x' type='node'><P>\"id\":-1</P></DevI>",
            "error",
            "DevI 'x'",
            'P: member "id": -1 does not fit uint32_t (0..4294967295)',
        ),
        (
            "<DevI id='x' type='node'><S>\"q\":-1</S></DevI>",
            "warning",
            "DevI 'x'",
            'S: there is no member "q"; it is ignored',
        ),
        (
            "<DevI id='x' type='bare'><P>\"q\":-1</P></DevI>",
            "warning",
            "DevI 'x'",
            'P: there is no member "q"; it is ignored',
        ),
        (
            "<DevI id='x' type='node' nice='1'/>",
            "warning",
            "DevI 'x'",
            "attribute 'nice' of DevI is not known",
        ),
        (
            "<DevI id='x' type='node'><P k='1'/></DevI>",
            "warning",
            "DevI 'x'",
            "attribute 'k' of P is not known",
        ),
        (
            "<DevI id='x' type='node'><Props/></DevI>",
            "warning",
            "DevI 'x'",
            "element 'Props' is not expected in DevI: only P, S and metadata are",
        ),
        (
            "<DevI id='x' type='node'><P><b/></P></DevI>",
            "error",
            "DevI 'x'",
            "element 'b' is not expected in P, which holds text",
        ),
        (
            "<DevI id='x' type='node'><metadata/></DevI>",
            "warning",
            "DevI 'x'",
            "element 'metadata' is taken for metadata",
        ),
        ("<DevI id='x' type='node'>hello</DevI>", "warning", "DevI 'x'", "text 'hello' is ignored"),
        ("<DevI id='x' type='node'/> stray", "warning", "", "text 'stray' is ignored"),
        ("<Device/>", "error", "", "element 'Device' is not expected in DeviceInstances"),
        ("<EdgeI path='a:in-b:out'/>", "error", "", "'EdgeI' is not expected in DeviceInstances"),
    ],
)
def test_device_problems(devices: str, severity: str, element: str, sentence: str) -> None:
    instance = read(DEVICES + "\n  " + devices)
    assert len(instance.diagnostics) == 1
    found = instance.diagnostics[0]
    assert (found[0], found[3]) == (severity, element)
    assert sentence in found[4]
    assert found[1] == 3
    assert found[2] >= 3
    strict = read(DEVICES + "\n  " + devices, strict=True).diagnostics
    always = (
        "warning"
        if "ignored" in sentence or "known" in sentence or "taken" in sentence
        else "error"
    )
    assert [row[0] for row in strict] == ["error" if "member" in sentence else always]


@pytest.mark.parametrize(
    ("edge", "severity", "element", "sentence"),
    [
        ("<EdgeI/>", "error", "EdgeI", "the edge has no path"),
        ("<EdgeI path=''/>", "error", "EdgeI", "malformed path ''"),
        ("<EdgeI path='a:in'/>", "error", "EdgeI 'a:in'", "malformed path 'a:in'"),
        ("<EdgeI path='a:in-b'/>", "error", "EdgeI 'a:in-b'", "malformed path"),
        ("<EdgeI path='a-b:in:out'/>", "error", "EdgeI 'a-b:in:out'", "malformed path"),
        ("<EdgeI path='a:in-b:out:x'/>", "error", "EdgeI 'a:in-b:out:x'", "malformed path"),
        ("<EdgeI path='a:in-b:out-x'/>", "error", "EdgeI 'a:in-b:out-x'", "malformed path"),
        (
            "<EdgeI path='z:in-b:out'/>",
            "error",
            "EdgeI 'z:in-b:out'",
            "there is no device 'z', which the path names as destination",
        ),
        (
            "<EdgeI path='a:in-z:out'/>",
            "error",
            "EdgeI 'a:in-z:out'",
            "there is no device 'z', which the path names as source",
        ),
        (
            "<EdgeI path='a:inn-b:out'/>",
            "error",
            "EdgeI 'a:inn-b:out'",
            "device 'a' of type 'node' has no input pin 'inn'; its input pins: 'in', 'other'",
        ),
        (
            "<EdgeI path='a:in-c:out'/>",
            "error",
            "EdgeI 'a:in-c:out'",
            "device 'c' of type 'bare' has no output pin 'out'; its output pins: none",
        ),
        (
            "<EdgeI path='a:out-b:out'/>",
            "error",
            "EdgeI 'a:out-b:out'",
            "has no input pin 'out' (that is an output pin)",
        ),
        (
            "<EdgeI path='b:out-a:in'/>",
            "error",
            "EdgeI 'b:out-a:in'",
            "the path is reversed: the destination comes first, so write 'a:in-b:out'",
        ),
        (
            "<EdgeI path='a:in-b:tick'/>",
            "error",
            "EdgeI 'a:in-b:tick'",
            "pin 'tick' sends message type 'tick', but pin 'in' receives 'token'",
        ),
        (
            "<EdgeI path='b:in-a:out'/>",
            "error",
            "EdgeI 'b:in-a:out'",
            "the same edge is given twice: first at line 5",
        ),
        (
            "<EdgeI path='a:in-b:out' sendIndex='1'/>",
            "error",
            "EdgeI 'a:in-b:out'",
            "sendIndex is given, but the output pin is not indexed",
        ),
        (
            "<EdgeI path='a:in-b:ix' sendIndex='-1'/>",
            "error",
            "EdgeI 'a:in-b:ix'",
            "sendIndex '-1' is not a number",
        ),
        (
            "<EdgeI path='a:in-b:ix' sendIndex='99999999999'/>",
            "error",
            "EdgeI 'a:in-b:ix'",
            "sendIndex '99999999999' is not a number",
        ),
        (
            "<EdgeI path='a:in-b:ix' sendIndex=''/>",
            "error",
            "EdgeI 'a:in-b:ix'",
            "sendIndex '' is not a number",
        ),
        ("<EdgeI path=':in-:out'/>", "error", "EdgeI ':in-:out'", "the path names no device"),
        (
            "<EdgeI path='z:in-:out'/>",
            "error",
            "EdgeI 'z:in-:out'",
            "there is no device 'z'",
        ),
        (
            "<EdgeI path='a:in-b:out'><P>\"w\":1e9</P></EdgeI>",
            "error",
            "EdgeI 'a:in-b:out'",
            'P: member "w": 1e9 is not an integer, as int16_t needs',
        ),
        ("<DevI id='x' type='node'/>", "error", "", "'DevI' is not expected in EdgeInstances"),
    ],
)
def test_edge_problems(edge: str, severity: str, element: str, sentence: str) -> None:
    instance = read(DEVICES, f"\n\n<EdgeI path='b:in-a:out'/>\n {edge}")
    assert len(instance.diagnostics) == 1
    found = instance.diagnostics[0]
    assert (found[0], found[3]) == (severity, element)
    assert sentence in found[4]
    assert found[1] == 6
    assert found[2] >= 2


def test_supervisor_edges_are_dropped_with_one_note() -> None:
    edges = "<EdgeI path='a:in-:out'><P>junk</P></EdgeI>\n<EdgeI path=':in-b:'/>"
    for strict in (False, True):
        instance = read(DEVICES, edges, strict=strict)
        assert instance.edge_count == 0
        ((severity, element, text),) = sentences(instance)
        assert (severity, element) == ("warning", "")
        assert text.startswith("2 edges to or from the supervisor (an empty device in the path)")


def test_an_error_in_a_device_does_not_cascade_to_its_edges() -> None:
    instance = read(
        DEVICES + "<DevI id='x' type='nope'/>", "<EdgeI path='x:in-a:out'><P>z</P></EdgeI>"
    )
    assert len(instance.diagnostics) == 1
    assert instance.edge_count == 0
    assert column(instance, "device_type")[-1] == 0xFFFF


def test_an_edge_does_not_inherit_from_the_one_before() -> None:
    instance = read(
        DEVICES,
        '<EdgeI path="a:in-b:out"><P>"w":3</P><S>"n":4</S></EdgeI><EdgeI path="b:in-a:out"/>',
    )
    assert bytes(instance.edge_properties(0, 0)) == struct.pack("<hh", 3, -1)
    assert bytes(instance.edge_state(0, 0)) == b"\x04\x00"


def test_places_within_text() -> None:
    instance = read('<DevI id="x" type="node"><P>\n "id":1,\n  "w":[1,\n 300]</P></DevI>')
    assert instance.diagnostics[0][1:3] == (4, 2)
    instance = read('<DevI id="é" type="node"><P>"é":1</P></DevI>', strict=True)
    assert [row[1:3] for row in instance.diagnostics] == [(1, 21), (1, 49)]


def test_every_error_is_counted_and_the_list_is_bounded() -> None:
    devices = "<DevI id='x-y' type='bare' odd='1'/>" * 2 + "<DevI/>\n" * 500
    instance = read(devices)
    assert instance.diagnostic_count == 503
    assert len(instance.diagnostics) == 100
    many = read("stray <M/>" * 200 + "<DevI/>" * 3)
    assert len(many.diagnostics) == 100
    assert [row[0] for row in many.diagnostics[-3:]] == ["error"] * 3
    assert many.diagnostic_count == 203


def test_memory_is_bounded() -> None:
    big = layout(array(1 << 20, scalar("uint8_t")))
    types = [("t", False, big, None, [], [])]
    instance = pstack_scan.Instance(types, "json", memory_limit=10 << 20)
    devices = "".join(f"<DevI id='d{i}' type='t'/>" for i in range(50))
    scan([f"<g><DeviceInstances>{devices}</DeviceInstances></g>".encode()], instance)
    assert instance.device_count == 9
    assert sentences(instance) == [
        (
            "error",
            "DevI 'd9'",
            "the instance needs more than the 10 MiB of memory allowed; the rest is not read",
        )
    ]


def test_metadata() -> None:
    devices = (
        '<DevI id="a" type="node"><M>"x":1 <![CDATA[&]]></M></DevI>\n'
        '<DevI id="b" type="node"><Metadata key="k" value="ü"/><M>z</M></DevI>'
    )
    edges = (
        '<EdgeI path="a:in-:x"><M>dropped</M></EdgeI>'
        '<EdgeI path="a:in-b:out"/><EdgeI path="b:in-a:out"><M>e</M><P>"w":2</P></EdgeI>'
    )
    instance = read(devices, edges, keep_metadata=True)
    assert instance.metadata() == [
        ("device", 0, 1, "M", {}, '"x":1 &'),
        ("device", 1, 2, "Metadata", {"key": "k", "value": "ü"}, ""),
        ("device", 1, 2, "M", {}, "z"),
        ("edge", 1, 3, "M", {}, "e"),
    ]
    assert bytes(instance.edge_properties(0, 0)) == struct.pack("<hh", -1, 2)
    assert read(devices, edges).metadata() == []


def test_views_outlive_the_instance_and_seal_it() -> None:
    instance = read(DEVICES, '<EdgeI path="a:in-b:out"/>')
    view = instance.column("edge_src")
    scanner = pstack_scan.Scanner()
    scanner.feed(b"<g><DeviceInstances>")
    with pytest.raises(RuntimeError, match="columns of the instance have been taken"):
        scanner.read_into(instance)
    assert scanner.paused == "DeviceInstances"
    del instance
    assert list(view.cast("B").cast("I")) == [1]


@pytest.mark.parametrize(
    "open_tags", ["", "<EdgeI path='b:in-a:out'>", "<EdgeI path='b:in-a:out'><P>"]
)
def test_columns_taken_within_a_section_end_its_rows(open_tags: str) -> None:
    instance = pstack_scan.Instance(TYPES, "json", keep_metadata=True)
    scanner = pstack_scan.Scanner()
    start = f"<g><DeviceInstances>{DEVICES}</DeviceInstances><EdgeInstances>{open_tags}"
    feed(scanner, start.encode(), instance)
    assert len(instance.column("edge_dst")) == 0
    end = "".join(f"</{tag}>" for tag in ("P", "EdgeI") if f"<{tag}" in open_tags)
    rest = '"w":1' * ("<P>" in open_tags) + end + "<EdgeI path='a:in-b:out'><M>m</M></EdgeI>" * 200
    feed(scanner, f"{rest}</EdgeInstances></g>".encode(), instance)
    scanner.close()
    assert instance.edge_count == 0
    assert instance.diagnostics == []


def test_several_sections_go_into_one_instance() -> None:
    instance = pstack_scan.Instance(TYPES, "json")
    document = (
        "<g><DeviceInstances><DevI id='a' type='node'/></DeviceInstances>"
        "<DeviceInstances><DevI id='b' type='node'/></DeviceInstances>"
        "<EdgeInstances><EdgeI path='a:in-b:out'/></EdgeInstances>"
        "<EdgeInstances><EdgeI path='b:in-b:out'/><EdgeI path='a:in-b:out'/></EdgeInstances></g>"
    )
    scan([document.encode()], instance)
    assert names(instance) == ["a", "b"]
    assert [text for _, _, text in sentences(instance)] == [
        "the same edge is given twice: first at line 1"
    ]


def test_ill_formed_xml_inside_a_section() -> None:
    instance = pstack_scan.Instance(TYPES, "json")
    events = scan([b"<g><DeviceInstances>\n<DevI id='a' type='node'></Dev>"], instance)
    assert events[-1][0] == "error"
    assert events[-1][2:] == (2, 26)
    assert error_of("<g><EdgeInstances>")[0].startswith("the document ends inside element")


@pytest.mark.parametrize(
    ("types", "sentence"),
    [
        ([("t", False, None, None, [], [])] * 2, "device type 't' is there twice"),
        (
            [("t", False, None, None, [("p", "m", None, None)] * 2, [])],
            "device type 't' has input pin 'p' twice",
        ),
        (
            [("t", False, None, None, [], [("p", "m", False)] * 2)],
            "device type 't' has output pin 'p' twice",
        ),
        (
            [
                (
                    "t",
                    False,
                    (3, b"abc", ("struct", [("a", 0, ("scalar", "uint32_t"))])),
                    None,
                    [],
                    [],
                )
            ],
            "a scalar does not fit in its place",
        ),
        (
            [("t", False, (4, b"abc", ("scalar", "uint32_t")), None, [], [])],
            "default bytes do not have the layout's size",
        ),
        (
            [("t", False, (4, b"abcd", ("array", 5, 1, ("scalar", "int8_t"))), None, [], [])],
            "does not fit in its place",
        ),
        (
            [("t", False, (4, b"abcd", ("array", 4, 0, ("scalar", "char"))), None, [], [])],
            "elements overlap",
        ),
        ([("t\0", False, None, None, [], [])], "NUL"),
    ],
)
def test_inconsistent_types_are_refused(types: Any, sentence: str) -> None:
    with pytest.raises(ValueError, match=sentence):
        pstack_scan.Instance(types, "json")
    with pytest.raises(ValueError, match="unknown syntax"):
        pstack_scan.Instance([], "yaml")


def model(seed: int, v4: bool) -> tuple[bytes, dict[str, Any]]:
    """A random valid instance, and the columns that it should give."""
    generator = random.Random(seed)
    ids = [f"d{i}" * generator.choice((1, 1, 1, 9)) for i in range(generator.randrange(1, 30))]
    values = [(generator.randrange(2**32), generator.randrange(256)) for _ in ids]
    pairs = [(a, b, generator.choice((0, 2))) for a in range(len(ids)) for b in range(len(ids))]
    edges = generator.sample(pairs, generator.randrange(len(pairs) + 1))
    weights = [generator.randrange(-(2**15), 2**15) for _ in edges]
    outputs = ("out", "tick", "ix")

    def filler() -> str:
        return generator.choice(("", "", "\n", "  ", "<!-- -->", "<?p?>"))

    def data(body: dict[str, Any], text: str) -> str:
        if v4:
            return f' P="{text}"/>'
        escaped = json.dumps(body)[1:-1].replace('"', "&quot;")
        return f"><P>{filler()}{escaped}</P></"

    parts = ["<g><DeviceInstances>"]
    for name, (number, byte) in zip(ids, values, strict=True):
        body = data({"id": number, "w": [byte, 2]}, f"{{{number},{{{byte},2}}}}")
        parts += [filler(), f"<DevI id='{name}' type='node'{body}", "" if v4 else "DevI>"]
    parts.append("</DeviceInstances><EdgeInstances>")
    for (a, b, pin), weight in zip(edges, weights, strict=True):
        body = data({"w": weight}, f"{{{weight}}}")
        path = f"{ids[a]}:in-{ids[b]}:{outputs[pin]}"
        parts += [filler(), f"<EdgeI path='{path}'{body}", "" if v4 else "EdgeI>"]
    parts.append("</EdgeInstances></g>")
    return "".join(parts).encode(), {
        "names": ids,
        "edge_dst": [a for a, _, _ in edges],
        "edge_src": [b for _, b, _ in edges],
        "edge_src_pin": [pin for _, _, pin in edges],
        "edge_row": list(range(len(edges))),
        "properties": b"".join(struct.pack("<I2B", number, byte, 2) for number, byte in values),
        "weights": struct.pack(f"<{len(edges)}h", *weights),
    }


@given(st.integers(0, 2**32), st.booleans(), st.lists(st.integers(1, 200), max_size=8))
def test_random_instances(seed: int, v4: bool, sizes: list[int]) -> None:
    document, expected = model(seed, v4)
    instance = pstack_scan.Instance(TYPES, "braces" if v4 else "json", True)
    scanner = pstack_scan.Scanner()
    for size in sizes:
        feed(scanner, document[:size], instance)
        document = document[size:]
    feed(scanner, document, instance)
    scanner.close()
    assert instance.diagnostics == []
    assert names(instance) == expected["names"]
    for name in ("edge_dst", "edge_src", "edge_src_pin", "edge_row"):
        assert column(instance, name) == expected[name]
    assert bytes(instance.device_properties(0)) == expected["properties"]
    assert bytes(instance.edge_properties(0, 0)) == expected["weights"]


def test_many_devices_and_edges() -> None:
    count = 20000
    devices = "".join(f"<DevI id='some_long_device_{i}' type='node'/>" for i in range(count))
    edges = "".join(
        f"<EdgeI path='some_long_device_{i * 7 % count}:in-some_long_device_{i}:out'/>"
        for i in range(count)
    )
    instance = read(devices, edges + "<EdgeI path='some_long_device_0:in-some_long_device_0:out'/>")
    assert [text for _, _, text in sentences(instance)] == [
        "the same edge is given twice: first at line 2"
    ]
    assert column(instance, "edge_dst")[:count] == [i * 7 % count for i in range(count)]
    assert column(instance, "edge_src")[:count] == list(range(count))


def test_scanners_run_in_threads() -> None:
    document, expected = model(3, True)
    wrong: list[Any] = []

    def work() -> None:
        for _ in range(50):
            instance = pstack_scan.Instance(TYPES, "braces")
            scan([document], instance)
            if bytes(instance.edge_properties(0, 0)) != expected["weights"]:
                wrong.append(instance.diagnostics)

    threads = [threading.Thread(target=work) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert wrong == []
