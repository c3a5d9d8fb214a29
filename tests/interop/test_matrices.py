"""Initialiser texts, through the whole loader: what is taken, and what only without --strict.

The struct has a uint32_t, a float, an array of three uint8_t and a nested struct.
Verdicts: ``ok`` (no error), ``warn`` (a warning and no error), ``error``.
"""

from __future__ import annotations

from xml.sax.saxutils import quoteattr

import pytest

from pstack_core.graph import check, load
from pstack_core.shell.main import main

V4 = """<Graphs xmlns="https://poets-project.org/schemas/virtual-graph-schema-v4">
<GraphType id="g"><Properties/><SharedCode/><MessageTypes/><DeviceTypes>
<DeviceType id="d"><Properties><![CDATA[
  uint32_t a; float f; uint8_t arr[3]; struct {{ int16_t x; int32_t y; }} s;
]]></Properties><State/><SharedCode/><ReadyToSend/><OnInit/></DeviceType>
</DeviceTypes></GraphType>
<GraphInstance id="i" graphTypeId="g" P="{{}}">
<DeviceInstances><DevI id="n" type="d"{0}/></DeviceInstances><EdgeInstances/>
</GraphInstance></Graphs>"""

V3 = """<Graphs xmlns="https://poets-project.org/schemas/virtual-graph-schema-v3">
<GraphType id="g"><Properties/><MessageTypes/><DeviceTypes>
<DeviceType id="d"><Properties>
  <Scalar name="a" type="uint32_t" default="3"/><Scalar name="f" type="float"/>
  <Array name="arr" type="uint8_t" length="3"/>
  <Tuple name="s"><Scalar name="x" type="int16_t"/>
    <Scalar name="y" type="int32_t" default="8"/></Tuple>
</Properties><ReadyToSend/></DeviceType>
</DeviceTypes></GraphType>
<GraphInstance id="i" graphTypeId="g">
<DeviceInstances><DevI id="n" type="d">{0}</DevI></DeviceInstances><EdgeInstances/>
</GraphInstance></Graphs>"""

# Text of P in version 4 (None: no attribute), verdict, verdict with --strict.
V4_ROWS = [
    (None, "ok", "ok"),
    ("", "ok", "ok"),
    ("{}", "ok", "error"),
    ("{1,2.5,{1,2,3},{-4,5}}", "ok", "ok"),
    (" { 1 , 2.5 ,{1, 2,3} , { -4,5 } } ", "ok", "ok"),
    ("{1,2.5}", "warn", "error"),
    ("{1,2.5,{1},{-4,5}}", "warn", "error"),
    ("{1,2.5,{1,2,3},{-4,5},9}", "error", "error"),
    ("{1,2.5,1,2,3,-4,5}", "error", "error"),
    ("{1u,2.5,{1,2,3},{-4,5}}", "ok", "ok"),
    ("{1,1e-3,{1,2,3},{-4,5}}", "ok", "ok"),
    ("{1,.5,{1,2,3},{-4,5}}", "ok", "ok"),
    ("{+1,2,{1,2,3},{-4,5}}", "ok", "ok"),
    ("{1,2.5f,{1,2,3},{-4,5}}", "ok", "error"),
    ("{0x10,2.5,{1,2,3},{-4,5}}", "ok", "error"),
    ("{1,nan,{1,2,3},{-4,5}}", "ok", "error"),
    ("{1,inf,{1,2,3},{-4,5}}", "ok", "error"),
    ("{1.0,2.5,{1,2,3},{-4,5}}", "warn", "error"),
    ("{-1,2.5,{1,2,3},{-4,5}}", "warn", "error"),
    ("{4294967296,2.5,{1,2,3},{-4,5}}", "error", "error"),
    ("{1,2.5,{1,300,3},{-4,5}}", "error", "error"),
    ("{1,2.5,{1,2,3},{-4,5},}", "ok", "error"),
    ("1", "ok", "error"),
    ("{1,2.5,{1,2,3},{-4,5}} // done", "ok", "ok"),
    ("{one,2.5,{1,2,3},{-4,5}}", "error", "error"),
    ("{1,2.5,{1,2,3},{-4,5}", "error", "error"),
]

# Content of DevI in version 3, verdict, verdict with --strict.
V3_ROWS = [
    ("", "ok", "ok"),
    ("<P> </P>", "ok", "ok"),
    ("<P/>", "ok", "ok"),
    ('<P><![CDATA["a":1]]></P>', "ok", "ok"),
    ('<P>"a":1</P>', "ok", "ok"),
    ("<P>&quot;a&quot;:1</P>", "ok", "ok"),
    ('<P>"arr":[1]</P>', "ok", "ok"),
    ('<P>"arr":{"2":9}</P>', "ok", "ok"),
    ('<P>"s":{"x":1}</P>', "ok", "ok"),
    ('<P>"nobody":1</P>', "warn", "error"),
    ('<P>"arr":[1,2,3,4]</P>', "error", "error"),
    ('<P>"arr":[300]</P>', "error", "error"),
    ('<P>"a":-1</P>', "error", "error"),
    ('<P>"a":4294967296</P>', "error", "error"),
    ('<P>"a":1.5</P>', "error", "error"),
    ('<P>"a":"5"</P>', "error", "error"),
    ('<P>"a":true</P>', "error", "error"),
    ('<P>"a":null</P>', "error", "error"),
    ('<P>"f":NaN</P>', "ok", "error"),
    ('<P>{"a":7}</P>', "ok", "error"),
    ('<P>"a":7,</P>', "error", "error"),
    ('<P>"a":0x10</P>', "error", "error"),
    ("<P/><P/>", "error", "error"),
    ("<M>anything { at all</M>", "ok", "ok"),
    ("<P ></P><Curious/>", "warn", "error"),
    ('<P odd="1"></P>', "warn", "warn"),
]


def verdict(text: str, strict: bool) -> str:
    severities = {found.severity for found in check(text, strict=strict)}
    return "error" if "error" in severities else "warn" if severities else "ok"


def agrees(found: str, expected: str) -> bool:
    """A text that is taken may still be warned of; a warning that is due must come."""
    return found == expected or (expected == "ok" and found == "warn")


def four(text: str | None) -> str:
    return V4.format("" if text is None else f" P={quoteattr(text)}")


@pytest.mark.parametrize(("text", "lenient", "strict"), V4_ROWS)
def test_version_4(text, lenient, strict):
    assert agrees(verdict(four(text), strict=False), lenient)
    assert agrees(verdict(four(text), strict=True), strict)


@pytest.mark.parametrize(("content", "lenient", "strict"), V3_ROWS)
def test_version_3(content, lenient, strict):
    assert agrees(verdict(V3.format(content), strict=False), lenient)
    assert agrees(verdict(V3.format(content), strict=True), strict)


@pytest.mark.parametrize(
    ("document", "expected"),
    [
        (four(None), (0, 0.0, [0, 0, 0], (0, 0))),
        (four("{}"), (0, 0.0, [0, 0, 0], (0, 0))),
        (four("{1,2.5,{1,2,3},{-4,5}}"), (1, 2.5, [1, 2, 3], (-4, 5))),
        (four("{1,2.5,{1}}"), (1, 2.5, [1, 0, 0], (0, 0))),
        (four("{0x10,2.5f,{1,2,3},{-4,5},}"), (16, 2.5, [1, 2, 3], (-4, 5))),
        (four("{-1}"), (0xFFFFFFFF, 0.0, [0, 0, 0], (0, 0))),
        (four("7"), (7, 0.0, [0, 0, 0], (0, 0))),
        (V3.format(""), (3, 0.0, [0, 0, 0], (0, 8))),
        (V3.format('<P>"s":{"x":1}</P>'), (3, 0.0, [0, 0, 0], (1, 8))),
        (V3.format('<P>"arr":{"2":9},"f":1</P>'), (3, 1.0, [0, 0, 9], (0, 8))),
        (V3.format('<P>{"a":7}</P>'), (7, 0.0, [0, 0, 0], (0, 8))),
    ],
)
def test_values(document, expected):
    (row,) = load(document).devices.properties[0]
    assert (row["a"], row["f"], row["arr"].tolist(), tuple(row["s"].item())) == expected


@pytest.mark.parametrize(
    ("text", "strict", "status"),
    [
        ("{1,2.5,{1,2,3},{-4,5}}", True, 0),
        ("{1,2.5}", False, 0),
        ("{1,2.5}", True, 3),
        ("{1,2.5,{1,2,3},{-4,5},9}", False, 3),
    ],
)
def test_the_command_says_the_same(text, strict, status, tmp_path, capsys):
    path = tmp_path / "app.xml"
    path.write_text(four(text))
    assert main(["check", str(path), *(["--strict"] if strict else [])]) == status
    shown = "".join(capsys.readouterr())
    assert (f"{path}:8:" in shown) == (text != "{1,2.5,{1,2,3},{-4,5}}")
