"""Graph types of every version: what is read, and each sentence about what is wrong."""

from __future__ import annotations

from pathlib import Path

import pytest

from pstack_core.graph import embed as embed_module
from pstack_core.graph import graph_type as module
from pstack_core.graph.diagnostics import ApplicationError, Diagnostic
from pstack_core.graph.loading import check, load_types
from pstack_core.graph.model import Code, GraphType
from tests.graph.documents import device_type, graph_type, graphs


def one(text: str, *, strict: bool = False) -> GraphType:
    """The only graph type of a text that gives no warning."""
    found: list[Diagnostic] = []
    (only,) = load_types(text, strict=strict, warn=found.append)
    assert found == []
    return only


def errors(text: str, *, strict: bool = False) -> list[str]:
    with pytest.raises(ApplicationError) as caught:
        load_types(text, strict=strict)
    return [d.message for d in caught.value.diagnostics if d.severity == "error"]


def warnings(text: str) -> list[str]:
    found: list[Diagnostic] = []
    load_types(text, warn=found.append)
    return [d.message for d in found]


def v3(inside: str = "", **parts: str) -> str:
    return graphs("v3", graph_type(devices=inside, **parts))


def v4(inside: str = "", **parts: str) -> str:
    return graphs("v4", graph_type(devices=inside, **parts))


def text_of(code: Code | None) -> str:
    assert code is not None
    return code.text.strip()


HANDLERS = """
<SharedCode>int helper;</SharedCode>
<ReadyToSend>*readyToSend = 1;</ReadyToSend>
<OnInit>init();</OnInit>
<OnHardwareIdle>hardware();</OnHardwareIdle>
<OnDeviceIdle>device();</OnDeviceIdle>
"""


@pytest.mark.parametrize("version", ["v3", "v4"])
def test_handlers_pins_and_flags(version: str) -> None:
    devices = (
        f'<DeviceType id="d">{HANDLERS}'
        '<InputPin name="i" messageTypeId="m"><OnReceive>receive();</OnReceive></InputPin>'
        '<OutputPin name="a" messageTypeId="m"><OnSend>send();</OnSend></OutputPin>'
        '<OutputPin name="b" messageTypeId="m" indexed="true"><OnSend/></OutputPin>'
        '<OutputPin name="c" messageTypeId="m" indexed="0"><OnSend> </OnSend></OutputPin>'
        "</DeviceType>"
        '<ExternalType id="e"><InputPin name="i" messageTypeId="m"/>'
        '<OutputPin name="o" messageTypeId="m"/></ExternalType>'
    )
    found = one(graphs(version, graph_type(devices=devices)), strict=True)
    assert (found.version, found.id, list(found.messages)) == (version, "g", ["m"])
    device, external = found.device_types
    assert [text_of(code) for code in device.shared_code] == ["int helper;"]
    assert text_of(device.ready_to_send) == "*readyToSend = 1;"
    assert text_of(device.on_init) == "init();"
    assert text_of(device.on_hardware_idle) == "hardware();"
    assert text_of(device.on_device_idle) == "device();"
    assert text_of(device.input_pins[0].on_receive) == "receive();"
    assert text_of(device.output_pins[0].on_send) == "send();"
    assert [(pin.name, pin.indexed) for pin in device.output_pins] == [
        ("a", False),
        ("b", True),
        ("c", False),
    ]
    assert device.output_pins[1].on_send is None
    assert device.output_pins[2].on_send is None
    assert not device.external
    assert (external.id, external.external, external.input_pins[0].on_receive) == ("e", True, None)


# code and its lines


def test_code_begins_at_its_own_line() -> None:
    text = v3(
        device_type(
            inside="\n<OnInit>\n  <![CDATA[\nfirst();\n]]><!-- a\ncomment --><![CDATA[last();]]>"
            "</OnInit>\n<SharedCode>\n\n  int x;</SharedCode>"
        )
    )
    device = one(text).device_types[0]
    for code, words in (
        (device.on_init, ["first();", "last();"]),
        (device.shared_code[0], ["int"]),
    ):
        assert code is not None
        assert code.file == "<string>"
        for word in words:
            line = code.line + code.text[: code.text.index(word)].count("\n")
            assert word in text.split("\n")[line - 1]


def test_entities_and_cdata_are_decoded() -> None:
    device = one(v3(device_type(inside="<OnInit>a &lt; b &amp;&amp; <![CDATA[c<d]]></OnInit>")))
    assert text_of(device.device_types[0].on_init) == "a < b && c<d"


def test_headers_are_embedded_on_request(tmp_path: Path) -> None:
    (tmp_path / "shared.hpp").write_text("int one;\nint two;\n")
    text = v3(
        top="<Properties/><SharedCode>\nint before;\n#pragma POETS EMBED_HEADER\n"
        '#include "shared.hpp"\nint after;\n#include "other.hpp"\n</SharedCode>'
    )
    path = tmp_path / "app.xml"
    path.write_text(text)
    (only,) = load_types(path)
    lines = only.shared_code[0].text.split("\n")
    begin = lines.index(f'#line 1 "{tmp_path / "shared.hpp"}"')
    assert lines[begin + 1 : begin + 3] == ["int one;", "int two;"]
    after = lines.index("int after;")
    assert lines[after - 1] == f'#line 5 "{path}"'
    assert text.split("\n")[4] == "int after;"
    assert '#include "other.hpp"' in lines


def test_a_missing_header_is_named() -> None:
    text = v3(
        top="<Properties/><SharedCode>#pragma POETS EMBED_HEADER\n"
        '#include "none.hpp"\n</SharedCode>'
    )
    with pytest.raises(ApplicationError) as caught:
        load_types(text)
    (found,) = caught.value.diagnostics
    assert (found.line, found.message) == (2, "the header 'none.hpp' to embed is not found")


# versions


def test_v2_initialisation_becomes_on_init() -> None:
    text = graphs(
        "v2",
        graph_type(
            messages='<MessageType id="__init__"/><MessageType id="m"/>',
            devices=device_type(
                inside='<InputPin name="__init__" messageTypeId="__init__"><OnReceive>start();'
                "</OnReceive></InputPin><OnCompute>idle();</OnCompute>"
            ),
        ),
        ' formatMinorVersion="1"',
    )
    found = one(text)
    device = found.device_types[0]
    assert (found.version, list(found.messages)) == ("v2", ["m"])
    assert [pin.name for pin in device.input_pins] == ["i"]
    assert text_of(device.on_init) == "start();"
    assert text_of(device.on_device_idle) == "idle();"


def test_several_shared_codes_are_kept_in_order_where_the_version_has_them() -> None:
    twice = "<SharedCode>int a;</SharedCode><SharedCode>int b;</SharedCode>"
    found = one(v3(device_type(inside=twice), top=f"<Properties/>{twice}"))
    assert [text_of(code) for code in found.shared_code] == ["int a;", "int b;"]
    assert [text_of(c) for c in found.device_types[0].shared_code] == ["int a;", "int b;"]
    assert errors(v4(device_type(inside=twice))) == ["DeviceType holds a second SharedCode"]
    assert errors(v4(top=f"<Properties/>{twice}")) == ["GraphType holds a second SharedCode"]


@pytest.mark.parametrize("version", ["v2", "v3", "v4"])
@pytest.mark.parametrize("name", ["Properties", "State", "ReadyToSend", "OnInit"])
def test_other_parts_may_be_there_once(version: str, name: str) -> None:
    inside = device_type(inside=f"<{name}/><{name}/>")
    assert errors(graphs(version, graph_type(devices=inside))) == [
        f"DeviceType holds a second {name}"
    ]


def test_v4_struct_text_is_strict_or_extended() -> None:
    text = v4(top="<Properties>uint32_t x = 10;</Properties>")
    assert load_types(text)[0].properties.members[0].data.default == 10  # type: ignore[union-attr]
    assert warnings(text) == ["an initialiser in a v4 struct is an extension of the Orchestrator"]
    assert errors(text, strict=True) == ["an initialiser is not allowed in a v4 struct"]


ORCHESTRATED = graph_type(
    top="<Properties>uint8_t n = N; uint32_t w;</Properties>"
    "<SharedCode>\n#define N 3\n</SharedCode>",
    messages='<MessageType id="m"><![CDATA[uint8_t a; uint32_t b;]]></MessageType>'
    '<MessageType id="token"/>',
    devices='<DeviceType id="d"><State>uint8_t a = N; double b;</State>'
    '<SupervisorOutPin messageTypeId="m"><OnSend>up();</OnSend></SupervisorOutPin>'
    '<OutputPin name="o" messageTypeId="m"/><SupervisorInPin messageTypeId="m"/>'
    '<InputPin name="i" messageTypeId="m"/><ReadyToSend/></DeviceType><DeviceType id="stub"/>'
    '<SupervisorType id="" SupervisorInPin="x"><Code>#include &lt;vector&gt;</Code>'
    "<Properties>std::string name;</Properties><State>std::vector&lt;int&gt; v = {1};</State>"
    "<OnInit>begin();</OnInit><OnSupervisorIdle>idle();</OnSupervisorIdle><OnStop>end();</OnStop>"
    '<SupervisorInPin id="" messageTypeId="m"><OnReceive>take();</OnReceive></SupervisorInPin>'
    '<SupervisorOutPin messageTypeId="token"><OnSend>tell();</OnSend></SupervisorOutPin>'
    "</SupervisorType>",
)


@pytest.mark.parametrize(
    "text",
    [
        ORCHESTRATED,
        graphs("", ORCHESTRATED, ' appname="a"'),
        graphs("", ORCHESTRATED),
        graphs("v4", ORCHESTRATED, ' appname="a"'),
    ],
)
def test_the_orchestrators_dialect(text: str) -> None:
    found = one(text, strict=True)
    assert found.version == "orchestrator"
    assert (found.properties.offsets, found.properties.default[:1]) == ((0, 4), b"\3")
    assert found.messages["m"].data.offsets == (0, 1)
    device, stub = found.device_types
    assert device.state.offsets == (0, 8)
    assert [pin.name for pin in device.input_pins] == ["i", "__SUP_IN__"]
    assert [pin.name for pin in device.output_pins] == ["o", "__SUP_OUT__"]
    assert text_of(device.output_pins[1].on_send) == "up();"
    assert (stub.input_pins, stub.on_init) == ((), None)
    supervisor = found.supervisor
    assert supervisor is not None
    assert [text_of(code) for code in supervisor.code] == ["#include <vector>"]
    assert text_of(supervisor.properties) == "std::string name;"
    assert text_of(supervisor.state) == "std::vector<int> v = {1};"
    assert text_of(supervisor.on_init) == "begin();"
    assert text_of(supervisor.on_idle) == "idle();"
    assert text_of(supervisor.on_stop) == "end();"
    assert (supervisor.in_message, text_of(supervisor.on_receive)) == ("m", "take();")
    assert (supervisor.out_message, text_of(supervisor.on_send)) == ("token", "tell();")


def test_the_orchestrator_lets_undeclared_messages_pass() -> None:
    text = graphs("", graph_type(messages="", devices=device_type()))
    found = load_types(text)[0]
    assert [(m.id, m.data.members) for m in found.message_types] == [("m", ())]
    assert warnings(text)[0].startswith(
        "input pin 'i' of device type 'd' has the message type 'm', which is not declared"
    )
    assert errors(text, strict=True) == warnings(text)


def test_supervisors_of_v3_have_typed_data() -> None:
    found = one(
        v3(
            '<SupervisorDeviceType id="s"><Code>int a;</Code><SharedCode>int b;</SharedCode>'
            '<State><Scalar name="x" type="uint8_t" default="2"/><Array name="y" length="2">'
            '<Tuple name="_"><Scalar name="z" type="float" default="0.5"/></Tuple></Array>'
            '<Union name="u"><Scalar name="p" type="int8_t"/></Union></State>'
            '<InputPin name="in" messageTypeId="m"><OnReceive>take();</OnReceive></InputPin>'
            "<SupervisorCompute>idle();</SupervisorCompute></SupervisorDeviceType>"
        )
    ).supervisor
    assert found is not None
    assert text_of(found.state) == (
        "uint8_t x = 2;\nstruct { float z; } y[2] = {{0.5}, {0.5}};\nunion { int8_t p; } u{};"
    )
    assert (found.in_message, text_of(found.on_receive), text_of(found.on_idle)) == (
        "m",
        "take();",
        "idle();",
    )
    assert [code.text for code in found.code] == ["int a;", "int b;"]


def test_a_document_without_namespace_is_told_by_its_typed_data() -> None:
    v3_data = '<Properties><Scalar name="a" type="int8_t"/></Properties>'
    assert one(graphs("", graph_type(top=v3_data, messages=""))).version == "v3"
    assert one(graphs("", graph_type(top="<Properties>int8_t a;</Properties>"))).version == (
        "orchestrator"
    )
    assert load_types(graphs("v3", graph_type(messages="")), dialect="v4")[0].version == "v4"
    with pytest.raises(ValueError, match="the dialect 'v5' is not one of v2, v3, v4"):
        load_types("<a/>", dialect="v5")


def test_prefixed_names_are_understood() -> None:
    text = v3(device_type()).replace("<", "<p:").replace("<p:/", "</p:").replace("xmlns", "xmlns:p")
    assert one(text).device_types[0].id == "d"


@pytest.mark.parametrize(
    ("text", "sentence", "hint"),
    [
        (
            '<Graph xmlns="http://TODO.org/POETS/virtual-graph-schema-v0"/>',
            "this is a v0 graph, a legacy version that cannot be run",
            "convert it to v3",
        ),
        (
            '<Graphs xmlns="http://TODO.org/POETS/virtual-graph-schema-v1"/>',
            "this is a v1 graph, a legacy version that cannot be run",
            "convert it to v3",
        ),
        ("<Graph/>", "the root element is Graph, as in v0", "convert it to v3"),
        ("<html/>", "the root element is html, so this is not a POETS graph", "must be Graphs"),
        (
            '<Graphs xmlns="http://example.org/"/>',
            "the name space 'http://example.org/' is not that of a POETS graph",
            "virtual-graph-schema-v3",
        ),
        ("<p:Graphs/>", "the name space prefix 'p' is not declared", "xmlns:p"),
        (graphs("v3", ""), "the file has no graph type", "give one that has"),
        ("<Graphs>", "the XML is wrong", "correct the file"),
    ],
)
def test_files_that_are_no_graph(text: str, sentence: str, hint: str) -> None:
    with pytest.raises(ApplicationError) as caught:
        load_types(text)
    (found,) = caught.value.diagnostics
    assert found.message.startswith(sentence)
    assert hint in found.hint


# rules

READY = "<ReadyToSend/>"
PIN = '<{} name="{}" messageTypeId="{}"><{}/></{}>'


def pin(kind: str, name: str, message: str = "m") -> str:
    return PIN.format(kind, name, message, "OnReceive" if kind == "InputPin" else "OnSend", kind)


def device(inside: str) -> str:
    return f'<DeviceType id="d"><ReadyToSend/>{inside}</DeviceType>'


@pytest.mark.parametrize("version", ["v3", "v4"])
@pytest.mark.parametrize(
    ("devices", "sentence"),
    [
        (device(pin("InputPin", "a") * 2), "device type 'd' has two InputPins named 'a'"),
        (device(pin("OutputPin", "a") * 2), "device type 'd' has two OutputPins named 'a'"),
        (device("") * 2, "there are two device types 'd'"),
        (device("") + '<ExternalType id="d"/>', "there are two device types 'd'"),
        ('<SupervisorType id="a"/><SupervisorType id="b"/>', "there is a second supervisor type"),
        (
            device(pin("InputPin", "a", "none")),
            "input pin 'a' of device type 'd' has the message type 'none', which is not declared",
        ),
        (
            device(pin("OutputPin", "a", "none")),
            "output pin 'a' of device type 'd' has the message type 'none', which is not declared",
        ),
        (
            device("".join(pin("OutputPin", f"p{n}") for n in range(33))),
            "device type 'd' has 33 output pins; the ready-to-send word has bits for 32",
        ),
        (device(pin("InputPin", "a-b")), "the name 'a-b' of an input pin is not a C identifier"),
        (
            device('<InputPin name="a"><OnReceive/></InputPin>'),
            "InputPin has no attribute 'messageTypeId'",
        ),
        (
            device('<OutputPin messageTypeId="m"><OnSend/></OutputPin>'),
            "OutputPin has no attribute 'name'",
        ),
        ("<DeviceType><ReadyToSend/></DeviceType>", "DeviceType has no attribute 'id'"),
        (
            '<DeviceType id="1d"><ReadyToSend/></DeviceType>',
            "the name '1d' of a device type is not a C identifier",
        ),
        (
            device(pin("OutputPin", "a").replace(" name", ' indexed="maybe" name')),
            "the attribute indexed has the value 'maybe'",
        ),
        ('<deviceType id="d"/>', "deviceType does not belong in DeviceTypes"),
        (device("<Handler/>"), "Handler does not belong in DeviceType"),
        (device("<OnInit><b/></OnInit>"), "b does not belong in OnInit"),
    ],
)
def test_rules_of_device_types(version: str, devices: str, sentence: str) -> None:
    text = graphs(version, graph_type(devices=devices))
    assert errors(text) == [sentence]
    assert errors(text, strict=True) == [sentence]


def test_an_input_and_an_output_may_have_the_same_name() -> None:
    assert one(v3(device(pin("InputPin", "a") + pin("OutputPin", "a")))).device_types


def test_rules_of_message_types() -> None:
    assert errors(v3(messages='<MessageType id="m"/><MessageType id="m"/>')) == [
        "there are two message types 'm'"
    ]
    assert errors(v3(messages='<MessageType id="m m"/>')) == [
        "the name 'm m' of a message type is not a C identifier"
    ]


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        (graphs("v3", '<GraphType id="g"/>'), "GraphType has no MessageTypes"),
        (v3('<DeviceType id="d"/>'), "DeviceType has no ReadyToSend"),
        (v4('<DeviceType id="d"/>'), "DeviceType has no ReadyToSend"),
        (v3(device('<InputPin name="a" messageTypeId="m"/>')), "InputPin has no OnReceive"),
        (v4(device('<OutputPin name="a" messageTypeId="m"/>')), "OutputPin has no OnSend"),
        (v4(top=""), "GraphType has no Properties"),
        (v4(messages='<MessageType id="m"/>'), "MessageType has no Message"),
        (
            v4(
                '<SupervisorType id="s"><SupervisorInPin messageTypeId="m"><OnReceive/>'
                '</SupervisorInPin><SupervisorInPin messageTypeId="m"><OnReceive/>'
                "</SupervisorInPin></SupervisorType>"
            ),
            "supervisor type 's' has 2 SupervisorInPins, of which only the first is used",
        ),
        (
            v4('<SupervisorType id="s"><OnCTL/></SupervisorType>'),
            "supervisor type 's' has OnCTL, which no engine runs",
        ),
    ],
)
def test_rules_that_only_strict_keeps(text: str, sentence: str) -> None:
    assert sentence in warnings(text)
    assert sentence in errors(text, strict=True)


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        (
            v3(device("").replace("<DeviceType", '<DeviceType colour="red"')),
            "the attribute 'colour' of DeviceType is not known and is ignored",
        ),
        (v3(device("stray words")), "text in DeviceType is ignored: 'stray words'"),
        (
            v3(device("<OnThreadIdle>x();</OnThreadIdle>")),
            "device type 'd' has OnThreadIdle, which no engine runs",
        ),
        (
            v3(device("<OnCompute>x();</OnCompute><OnDeviceIdle>y();</OnDeviceIdle>")),
            "device type 'd' has both OnDeviceIdle and OnCompute; OnCompute is ignored",
        ),
        (
            v3(f'<ExternalType id="e">{pin("InputPin", "a")}</ExternalType>').replace(
                "<OnReceive/>", "<OnReceive>x();</OnReceive>"
            ),
            "OnReceive of external type 'e' is ignored, as externals have no code",
        ),
        (
            graphs("", graph_type(devices=device(pin("OutputPin", "o")).replace(READY, ""))),
            "device type 'd' has output pins but no ReadyToSend, so it never sends",
        ),
    ],
)
def test_warnings(text: str, sentence: str) -> None:
    assert warnings(text) == [sentence]


def test_old_attributes_and_metadata_are_no_reason_to_warn() -> None:
    text = v3(
        '<DeviceType id="d"><Documentation>a\n b</Documentation><MetaData>"x": broken</MetaData>'
        '<HashDigest type="a" hash="b"/><Properties cTypeName="t"/><OnThreadIdle> </OnThreadIdle>'
        '<ReadyToSend/><InputPin application="yes" name="i" messageTypeId="m"><OnReceive/>'
        '</InputPin><OutputPin priority="1" name="o" messageTypeId="m"><OnSend/></OutputPin>'
        "</DeviceType>"
        '<SupervisorType id="s" requiresLocalEdgeEndpoints="no"/>',
        top="<Properties/><MetaData>words</MetaData><HashDigest/>",
    )
    found = one(text, strict=True)
    assert (found.metadata, found.device_types[0].metadata) == ("words", '"x": broken')
    assert found.device_types[0].documentation == "a\n b"
    found = one(v4(top='<Properties/><Metadata key="a" value="b"/><Metadata key="c"/>'))
    assert found.metadata == '"a": "b", "c": ""'


def test_every_error_of_a_type_is_found_in_one_go() -> None:
    text = v3(
        device('<State><Scalar name="a" type="quad"/></State><Nope/>')
        + '<ExternalType id="d"/>'
        + device_type("e", outputs="o o"),
        messages='<MessageType id="m"/><MessageType id="m"/>',
    )
    found = check(text)
    assert [d.message for d in found if d.severity == "error"] == [
        "there are two message types 'm'",
        "the type 'quad' of 'a' is not known",
        "Nope does not belong in DeviceType",
        "there are two device types 'd'",
        "device type 'e' has two OutputPins named 'o'",
    ]
    assert all(d.line == 1 and d.column > 1 and d.hint for d in found)


def test_indices_have_16_bits(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "MAX_INDEX", 10)
    pins = "".join(pin("InputPin", f"p{n}") for n in range(12))
    assert errors(v3(device(pins))) == ["device type 'd' has more than 10 pins"]
    types = "".join(device_type(f"d{n}") for n in range(12))
    assert set(errors(v3(types))) == {"there are more than 10 device types"}


def test_a_large_header_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(embed_module, "MAX_HEADER", 1 << 20)
    (tmp_path / "big.hpp").write_text("//" * (1 << 20))
    lines = '#pragma POETS EMBED_HEADER\n#include "big.hpp"\n'
    (tmp_path / "app.xml").write_text(v3(top=f"<Properties/><SharedCode>{lines}</SharedCode>"))
    with pytest.raises(ApplicationError, match=r"'big.hpp' to embed is larger than 1 MB"):
        load_types(tmp_path / "app.xml")


def test_many_headers_are_refused_quickly() -> None:
    lines = '#pragma POETS EMBED_HEADER\n#include "none.hpp"\n' * 10_000
    found = errors(v3(top=f"<Properties/><SharedCode>{lines}</SharedCode>"))
    assert len(found) == 101
    assert found[-1] == "more than 100 headers are to be embedded"


def test_macros_of_the_orchestrators_structs_hold_in_its_handlers() -> None:
    text = graphs(
        "",
        graph_type(
            top="<Properties>\n#define G 1\n</Properties>",
            messages='<MessageType id="m">\nint8_t a;\n#define M \\\n 2 // two\n</MessageType>',
            devices='<DeviceType id="d"><State>\n#ifndef N\n#define N 4\n#endif\nfloat x[N];'
            "</State><SharedCode>int y[N];</SharedCode></DeviceType>",
        ),
    )
    found = one(text)
    assert [code.text.split() for code in found.shared_code] == [
        ["#define", "G", "1"],
        ["#define", "M", "\\", "2"],
    ]
    device = found.device_types[0]
    assert device.state.dtype.itemsize == 16
    macros, shared = device.shared_code
    assert macros.text.split() == ["#ifndef", "N", "#define", "N", "4", "#endif"]
    assert shared.text == "int y[N];"
    lines = text.split("\n")
    for code in (*found.shared_code, macros):
        for offset, line in enumerate(code.text.split("\n")):
            assert lines[code.line - 1 + offset].startswith(line.rstrip())
