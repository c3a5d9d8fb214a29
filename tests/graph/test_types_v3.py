"""Typed data of v2 and v3: elements, type definitions and defaults."""

from __future__ import annotations

from typing import Any
from xml.sax.saxutils import quoteattr

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pstack_core.graph.diagnostics import ApplicationError
from pstack_core.graph.layout import SCALARS, Array, Member, Scalar, Struct, TypedData, Union
from pstack_core.graph.loading import load_types
from tests.graph.documents import graph_type, graphs


def document(members: str, types: str = "") -> str:
    types = f"<Types>{types}</Types>" if types else ""
    return graphs("v3", graph_type(top=f"{types}<Properties>{members}</Properties>"))


def struct(members: str, types: str = "") -> Struct:
    return load_types(document(members, types))[0].properties


def sentence(members: str, types: str = "") -> str:
    with pytest.raises(ApplicationError) as caught:
        struct(members, types)
    assert len(caught.value.diagnostics) == 1
    return str(caught.value)


def values(data: Struct) -> dict[str, Any]:
    return {
        name: plain(np.frombuffer(data.default, data.dtype)[0][name]) for name in data.dtype.names
    }


def plain(value: Any) -> Any:
    if isinstance(value, np.void):
        return tuple(plain(item) for item in value)
    if isinstance(value, np.ndarray):
        return [plain(item) for item in value]
    return value.item()


names = st.from_regex(r"[A-Za-z_][A-Za-z0-9_]{0,5}", fullmatch=True).map(lambda name: "m" + name)


def number_of(ctype: str) -> st.SearchStrategy[int | float]:
    dtype = np.dtype(SCALARS[ctype])
    if dtype.kind == "f":
        return st.floats(width=8 * dtype.itemsize, allow_nan=False)  # type: ignore[arg-type]
    if dtype.kind == "b":
        return st.integers(0, 1)
    return st.integers(int(np.iinfo(dtype).min), int(np.iinfo(dtype).max))


scalars = st.sampled_from(sorted(set(SCALARS) - {"bool"})).flatmap(
    lambda ctype: st.builds(Scalar, st.just(ctype), number_of(ctype))
)


def members_of(inner: st.SearchStrategy[TypedData], least: int) -> Any:
    return st.lists(
        st.builds(Member, names, inner, st.sampled_from(["", "what it is", "a < b & c"])),
        min_size=least,
        max_size=3,
        unique_by=lambda member: member.name,
    ).map(tuple)


data = st.recursive(
    scalars,
    lambda inner: st.one_of(
        st.builds(Array, st.integers(1, 3), inner),
        st.builds(Struct, members_of(inner, 1)),
        st.builds(Union, members_of(inner, 1), st.just("which")),
    ),
    max_leaves=6,
)


def written(name: str, data: TypedData, documentation: str = "") -> str:
    text = documentation.replace("&", "&amp;").replace("<", "&lt;")
    inside = f"<Documentation>{text}</Documentation>" if text else ""
    attributes = f"name={quoteattr(name)}"
    if isinstance(data, Scalar):
        attributes += f' type="{data.ctype}"'
        if data.default or str(data.default).startswith("-"):
            attributes += f' default="{data.default!r}"'
        return f"<Scalar {attributes}>{inside}</Scalar>"
    if isinstance(data, Array):
        element = written("_", data.element)
        return f'<Array {attributes} length="{data.length}">{element}{inside}</Array>'
    inside += "".join(written(m.name, m.data, m.documentation) for m in data.members)
    if isinstance(data, Union):
        return f'<Union {attributes} tagName="{data.tag_name}">{inside}</Union>'
    return f"<Tuple {attributes}>{inside}</Tuple>"


def without_images(data: TypedData) -> TypedData:
    if isinstance(data, Array):
        return Array(data.length, without_images(data.element))
    if isinstance(data, Scalar):
        return data
    members = tuple(Member(m.name, without_images(m.data), m.documentation) for m in data.members)
    return Struct(members) if isinstance(data, Struct) else Union(members, data.tag_name)


@given(st.builds(Struct, members_of(data, 0)))
def test_written_data_are_read_back(expected: Struct) -> None:
    text = "".join(written(m.name, m.data, m.documentation) for m in expected.members)
    got = struct(text)
    assert without_images(got) == expected
    assert got.dtype == expected.dtype
    assert got.default == expected.default


def test_arrays_of_arrays_have_the_outer_length_first() -> None:
    inner = '<Array name="_" length="3" type="int8_t"/>'
    got = struct(f'<Array name="a" length="2">{inner}</Array>')
    assert got.members[0].data == Array(2, Array(3, Scalar("int8_t")))


def test_type_definitions_are_resolved_by_structure() -> None:
    types = (
        '<TypeDef id="t1"><Scalar name="_" type="uint32_t" default="3"/></TypeDef>'
        '<TypeDef id="t2"><Tuple name="_"><Scalar name="a" type="t1"/>'
        '<Scalar name="b" type="float"/></Tuple></TypeDef>'
        '<TypeDef id="t3"><Array name="_" type="t2" length="2"/></TypeDef>'
    )
    got = struct(
        '<Scalar name="x" type="t3"/><Scalar name="y" type="t1" default="4"/>'
        '<Array name="z" type="t1" length="2"/><Scalar name="w" type="t2"><Default>"b": 1.5'
        "</Default></Scalar>",
        types,
    )
    assert values(got) == {
        "x": [(3, 0.0), (3, 0.0)],
        "y": 4,
        "z": [3, 3],
        "w": (3, 1.5),
    }


def test_defaults_of_every_form() -> None:
    got = struct(
        '<Scalar name="a" type="uint32_t" default="7"/>'
        '<Scalar name="b" type="float" default="-6.301e-3"/>'
        '<Scalar name="c" type="int16_t"><Default> 5 </Default></Scalar>'
        '<Array name="d" type="uint8_t" length="4" default="2"/>'
        '<Array name="e" type="uint8_t" length="8" default="Type 0"/>'
        '<Array name="f" type="uint8_t" length="4"><Default>[1, 2]</Default></Array>'
        '<Array name="g" type="int32_t" length="6"><Default>"0": 1, "5": -2</Default></Array>'
        '<Array name="h" length="2"><Tuple name="_"><Scalar name="x" type="uint8_t" default="9"/>'
        '<Scalar name="y" type="uint8_t"/></Tuple><Default>{"1": {"y": 3}}</Default></Array>'
        '<Tuple name="i"><Scalar name="x" type="int8_t"/><Array name="y" type="int8_t" length="2"/>'
        '<Default>"x": -1, "y": [4]</Default></Tuple>'
        '<Scalar name="j" type="uint64_t" default="18446744073709551615"/>'
        '<Array name="k" length="2"><Array name="_" type="uint8_t" length="2"/>'
        "<Default>[[1, 2], [3]]</Default></Array>"
    )
    assert values(got) == {
        "a": 7,
        "b": float(np.float32(-6.301e-3)),
        "c": 5,
        "d": [2, 2, 2, 2],
        "e": [*b"Type 0", 0, 0],
        "f": [1, 2, 0, 0],
        "g": [1, 0, 0, 0, 0, -2],
        "h": [(9, 0), (9, 3)],
        "i": (-1, [4, 0]),
        "j": 2**64 - 1,
        "k": [[1, 2], [3, 0]],
    }


def test_a_default_chooses_a_union_alternative() -> None:
    got = struct(
        '<Union name="u"><Scalar name="a" type="double" default="1"/>'
        '<Scalar name="b" type="float"/><Default>"b": 2.5</Default></Union>'
    )
    row = np.frombuffer(got.default, got.dtype)[0]["u"]
    assert (row["u_tag"], row["b"], got.dtype.itemsize) == (1, 2.5, 9)


@pytest.mark.parametrize(
    ("members", "expected"),
    [
        ('<Scalar type="float"/>', "the name '' of a member is not a C identifier"),
        ('<Scalar name="a-b" type="float"/>', "the name 'a-b' of a member is not a C identifier"),
        ('<Scalar name="if" type="float"/>', "the name 'if' of a member is a C++ keyword"),
        ('<Scalar name="a"/>', "Scalar 'a' has no attribute 'type'"),
        ('<Scalar name="a" type="quad"/>', "the type 'quad' of 'a' is not known"),
        (
            '<Scalar name="a" type="int8_t"/><Scalar name="a" type="int8_t"/>',
            "there are two members 'a'",
        ),
        ('<Array name="a" type="float"/>', "the length '' of array 'a' is not a positive number"),
        (
            '<Array name="a" type="float" length="0"/>',
            "the length '0' of array 'a' is not a positive number",
        ),
        (
            '<Array name="a" type="float" length="{{n}}"/>',
            "the length '{{n}}' of array 'a' is not a positive number",
        ),
        ('<Array name="a" length="2"/>', "array 'a' needs one element type"),
        (
            '<Array name="a" length="99999999" type="float"/>',
            "the data are larger than 16 MB",
        ),
        ("uint32_t a;", "Properties holds text ('uint32_t a;') where this version has elements"),
        ('<Tuple name="a"/>', "tuple 'a' has no members"),
        ('<Union name="a"/>', "union 'a' needs alternatives of different names"),
        (
            '<Union name="a" tagName="b"><Scalar name="b" type="float"/></Union>',
            "none of them the tag 'b'",
        ),
        (
            '<Scalar name="a" type="int8_t"><Tuple name="b"/></Scalar>',
            "Tuple does not belong in Scalar",
        ),
        (
            '<Scalar name="a" type="uint8_t" default="256"/>',
            "the default of 'a' is wrong: 256 is out of range for 'a', a uint8_t",
        ),
        (
            '<Scalar name="a" type="uint8_t" default="1.5"/>',
            "1.5 must be a whole number",
        ),
        ('<Scalar name="a" type="uint8_t" default="{{n}}"/>', "'{{n}}' is not a number"),
        (
            '<Scalar name="a" type="float" default="1e60"/>',
            "1e+60 is out of range for 'a', a float",
        ),
        (
            '<Array name="a" type="int8_t" length="2"><Default>[1,2,3]</Default></Array>',
            "'a' has 2 elements, so 2 is out of range",
        ),
        (
            '<Array name="a" type="int8_t" length="2"><Default>"x": 1</Default></Array>',
            "'a' is an array, so 'x' must be an index",
        ),
        (
            '<Array name="a" type="int8_t" length="2"><Default>[1,</Default></Array>',
            "the default of 'a' is wrong: Expecting value",
        ),
        (
            '<Tuple name="a"><Scalar name="b" type="int8_t"/><Default>"c": 1</Default></Tuple>',
            "there is no member 'a.c' (members: b)",
        ),
        (
            '<Tuple name="a" default="1"><Scalar name="b" type="int8_t"/></Tuple>',
            "'a' has members, so one number is not enough",
        ),
        (
            '<Union name="a"><Scalar name="b" type="int8_t"/><Default>"c": 1</Default></Union>',
            "there is no alternative 'a.c' (alternatives: b)",
        ),
        (
            f'<Scalar name="a" type="int8_t"><Default>{"[" * 9999}</Default></Scalar>',
            "is not a number",
        ),
        (
            f'<Array name="a" type="int8_t" length="1"><Default>{"[" * 99999}</Default></Array>',
            "the JSON is nested too deep",
        ),
        (
            '<Array name="a" length="1">' * 40
            + '<Scalar name="b" type="float"/>'
            + "</Array>" * 40,
            "the data are nested more than 32 deep",
        ),
    ],
)
def test_sentences(members: str, expected: str) -> None:
    assert expected in sentence(members)


@pytest.mark.parametrize(
    ("types", "expected"),
    [
        ('<TypeDef id="t"/>', "the type 't' has 0 members"),
        ('<TypeDef id="float"><Scalar name="_" type="int8_t"/></TypeDef>', "is defined twice"),
        (
            '<TypeDef id="t"><Scalar name="_" type="t"/></TypeDef>',
            "the type 't' of '_' is not known",
        ),
    ],
)
def test_sentences_of_type_definitions(types: str, expected: str) -> None:
    assert expected in sentence("", types)


def test_type_definitions_cannot_explode() -> None:
    wide = "".join(f'<Scalar name="m{n}" type="t{{}}"/>' for n in range(10))
    types = '<TypeDef id="t0"><Scalar name="_" type="uint8_t"/></TypeDef>'
    for level in range(1, 10):
        inside = wide.format(*[level - 1] * 10)
        types += f'<TypeDef id="t{level}"><Tuple name="_">{inside}</Tuple></TypeDef>'
    with pytest.raises(ApplicationError, match="the data have more than 50000 members"):
        struct("", types)


def test_a_problem_has_its_place() -> None:
    text = document('\n\n  <Scalar name="a" type="quad"/>')
    with pytest.raises(ApplicationError) as caught:
        load_types(text)
    (found,) = caught.value.diagnostics
    assert (found.file, found.line, found.column, found.element) == ("<string>", 3, 3, "Scalar")
    assert "define it in Types first" in found.hint
