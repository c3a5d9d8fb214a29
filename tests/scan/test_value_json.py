"""Initialisers of v2 and v3, row by row of the behaviour matrix, and numbers in full."""

from __future__ import annotations

import json
import math
import struct
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pstack_scan import parse_value
from tests.scan.documents import (
    CTYPES,
    DEFAULT,
    array,
    layout,
    packed,
    parse,
    scalar,
    union,
    value_of,
)

ERROR, WARNING = ["error"], ["warning"]


def severities(text: str, strict: bool, data: Any = None) -> list[str]:
    _, problems = parse(text, "json", strict, *([data] if data else []))
    return [severity for severity, _, _ in problems]


@pytest.mark.parametrize("strict", [False, True])
@pytest.mark.parametrize(
    ("text", "changes"),
    [
        ("", {}),
        (" \n\t ", {}),
        ('"a":7', {"a": 7}),
        ('"f":2', {"f": 2.0}),
        ('"f":-62.5e-2, "a" : 4294967295 ', {"f": -0.625, "a": 4294967295}),
        ('"arr":[1]', {"arr": [1, 22, 23]}),
        ('"arr":[]', {}),
        ('"arr":{"2":9}', {"arr": [21, 22, 9]}),
        ('"arr":{"0":1, "1":2}', {"arr": [1, 2, 23]}),
        ('"s":{"x":1}', {"s": {"x": 1, "y": 32}}),
        ('"s":{}', {}),
        ('"\\u0061":7', {"a": 7}),
    ],
)
def test_accepted(text: str, changes: dict[str, Any], strict: bool) -> None:
    value, problems = parse(text, "json", strict)
    assert problems == []
    assert value == {**DEFAULT, **changes}


@pytest.mark.parametrize(
    ("text", "lenient", "strict"),
    [
        ('"zz":7', WARNING, ERROR),
        ('"zz":{"a":[1,"}"]}, "a":1', WARNING, ERROR),
        ('"arr":[1,2,3,4]', ERROR, ERROR),
        ('"arr":{"3":1}', ERROR, ERROR),
        ('"arr":{"x":1}', ERROR, ERROR),
        ('"arr":[300]', ERROR, ERROR),
        ('"a":-1', ERROR, ERROR),
        ('"a":4294967296', ERROR, ERROR),
        ('"a":99999999999999999999999', ERROR, ERROR),
        ('"a":1.0', ERROR, ERROR),
        ('"a":1.5', ERROR, ERROR),
        ('"a":1e2', ERROR, ERROR),
        ('"a":"5"', ERROR, ERROR),
        ('"a":true', ERROR, ERROR),
        ('"a":null', ERROR, ERROR),
        ('"a":NaN', ERROR, ERROR),
        ('"a":[1]', ERROR, ERROR),
        ('"f":NaN', [], ERROR),
        ('"f":-Infinity', [], ERROR),
        ('"f":nan', [], ERROR),
        ('"f":1e400', WARNING, ERROR),
        ('"f":1e39', WARNING, ERROR),
        ('"f":"1"', ERROR, ERROR),
        ('{"a":7}', [], ERROR),
        ('{"a":7} x', ERROR, [*ERROR, *ERROR]),
        ('"a":7,', ERROR, ERROR),
        ('"arr":[1,]', ERROR, ERROR),
        ('"a":0x10', ERROR, ERROR),
        ('"a":010', ERROR, ERROR),
        ('"a":+1', ERROR, ERROR),
        ('"f":.5', ERROR, ERROR),
        ('"f":1.', ERROR, ERROR),
        ('"f":1e', ERROR, ERROR),
        ('"a":7 "f":1', ERROR, ERROR),
        ('"a" 7', ERROR, ERROR),
        ('"a":', ERROR, ERROR),
        ("a:7", ERROR, ERROR),
        ('"a:7', ERROR, ERROR),
        ('"arr":[1', ERROR, ERROR),
        ('"s":{"x":1', ERROR, ERROR),
        ('"s":[1,2]', ERROR, ERROR),
        ('"arr":5', ERROR, ERROR),
        ('"s":5', ERROR, ERROR),
        ("[1,2]", ERROR, ERROR),
        ("7", ERROR, ERROR),
        ('"\\q":7', ERROR, ERROR),
        ('"zz":[}', [*WARNING, *ERROR], [*ERROR, *ERROR]),
        ('"zz":' + "[" * 300, [*WARNING, *ERROR], [*ERROR, *ERROR]),
    ],
)
def test_refused(text: str, lenient: list[str], strict: list[str]) -> None:
    assert severities(text, False) == lenient
    assert severities(text, True) == strict


def test_a_member_given_twice() -> None:
    value, problems = parse('"a":1,"a":2', "json")
    assert (value["a"], problems) == (
        2,
        [("warning", 6, 'member "a": given twice; the last one counts')],
    )
    assert severities('"a":1,"a":2', True) == ERROR
    assert severities('"s":{"x":1},"arr":[1,2,3]', True) == []


def test_special_reals() -> None:
    assert math.isnan(parse('"f":NaN', "json")[0]["f"])
    assert parse('"f":-inf', "json")[0]["f"] == -math.inf
    assert parse('"f":1e400', "json")[0]["f"] == math.inf


def test_problems_name_the_member_and_the_place() -> None:
    nested = layout(packed(é=array(2, packed(y=scalar("int8_t")))))
    text = '"é": [{"y":1}, {"y":300}]'
    assert parse(text, "json", data=nested)[1] == [
        ("error", 20, 'member "é"[1]."y": 300 does not fit int8_t (-128..127)')
    ]
    assert parse('"arr":[1,2,300]', "json")[1] == [
        ("error", 11, 'member "arr"[2]: 300 does not fit uint8_t (0..255)')
    ]
    assert parse('"a":1, "b":2', "json")[1] == [
        ("warning", 7, 'there is no member "b"; it is ignored')
    ]
    assert parse('"a":', "json")[1] == [
        ("error", 4, 'member "a": the text ends where a value was expected')
    ]


def test_other_members_are_read_after_an_error() -> None:
    value, problems = parse('"arr":[300,2],"a":-1,"f":2.5', "json")
    assert value == {**DEFAULT, "arr": [21, 2, 23], "f": 2.5}
    assert len(problems) == 2


def test_problems_are_bounded() -> None:
    wide = layout(array(1000, scalar("uint8_t")))
    _, problems = parse(f"[{','.join(['300'] * 1000)}]", "json", data=wide)
    assert len(problems) == 21
    assert problems[-1][2].startswith("too many problems")


def test_bool_char_and_text() -> None:
    data = layout(
        packed(b=scalar("bool"), c=scalar("char"), t=array(4, scalar("char"))), b"\0\0zzzz"
    )
    value, problems = parse('"b":true,"c":"x","t":"a\\n"', "json", data=data)
    assert (value, problems) == ({"b": True, "c": ord("x"), "t": [97, 10, 0, 0]}, [])
    assert parse('"b":1,"c":-3,"t":[1,2]', "json", data=data)[0]["t"] == [1, 2, 122, 122]
    assert severities('"b":2', False, data) == ERROR
    assert severities('"c":"xy"', False, data) == ERROR
    assert severities('"t":"12345"', False, data) == ERROR


def test_union() -> None:
    data = layout(packed(u=union(i=scalar("int16_t"), d=scalar("double"))))
    assert parse("", "json", data=data)[0] == {"u": ("i", 0)}
    assert parse('"u":{"d":2.5}', "json", data=data)[0] == {"u": ("d", 2.5)}
    assert parse('"u":{"i":-2}', "json", data=data)[0] == {"u": ("i", -2)}
    assert severities('"u":{"z":-2}', False, data) == WARNING


@pytest.mark.parametrize(
    ("data", "text", "expected"),
    [
        (array(3, scalar("int8_t")), "[1,-2]", [1, -2, 0]),
        (array(3, scalar("int8_t")), '"0":4,"2":5', [4, 0, 5]),
        (array(3, scalar("int8_t")), '{"1":4}', [0, 4, 0]),
        (array(2, array(2, scalar("int8_t"))), "[[1,2],[3]]", [[1, 2], [3, 0]]),
        (array(2, array(2, scalar("int8_t"))), '"1":{"1":7}', [[0, 0], [0, 7]]),
        (array(2, packed(x=scalar("int8_t"))), '[{"x":1},{}]', [{"x": 1}, {"x": 0}]),
        (scalar("int64_t"), " -5 ", -5),
        (array(3, scalar("char")), '"ab"', [97, 98, 0]),
    ],
)
def test_other_roots(data: Any, text: str, expected: Any) -> None:
    assert parse(text, "json", data=layout(data)) == (expected, [])


def test_wide_structs_find_members_in_any_order() -> None:
    inner = packed(**{f"m{i}": scalar("uint16_t") for i in range(300)})
    data = layout(packed(**{f"m{i}": scalar("uint16_t") for i in range(300)}, inner=inner))
    order = [i * 7 % 300 for i in range(300)]
    body = ",".join(f'"m{i}":{i}' for i in order)
    value, problems = parse(f'"inner":{{{body}}},"x":1,{body}', "json", data=data)
    expected = {f"m{i}": i for i in range(300)}
    assert value == {**expected, "inner": expected}
    assert [severity for severity, _, _ in problems] == WARNING


def test_nothing_declared() -> None:
    assert parse_value(None, "", "json", True) == (b"", [])
    assert [problem[0] for problem in parse_value(None, '"a":1', "json")[1]] == WARNING


@pytest.mark.parametrize("ctype", sorted(set(CTYPES) - {"float", "double", "half", "bool"}))
def test_integers_at_their_limits(ctype: str) -> None:
    size = struct.calcsize(CTYPES[ctype]) * 8
    signed = CTYPES[ctype].islower()
    least, greatest = (-(1 << size - 1), (1 << size - 1) - 1) if signed else (0, (1 << size) - 1)
    data = layout(scalar(ctype))
    for value in (least, greatest, least + 1, greatest - 1, 0):
        assert parse(str(value), "json", data=data) == (value, [])
    for value in (least - 1, greatest + 1, -(1 << 64), 1 << 64, 1 << 200):
        assert severities(str(value), False, data) == ERROR


decimals = st.one_of(
    st.floats(allow_nan=False, allow_infinity=False).map(repr),
    st.floats(allow_nan=False, allow_infinity=False, width=32).map(repr),
    st.decimals(allow_nan=False, allow_infinity=False, min_value=-(10**30), max_value=10**30).map(
        lambda value: f"{value:f}"
    ),
    st.tuples(st.integers(-(10**25), 10**25), st.integers(-340, 310)).map(
        lambda t: f"{t[0]}e{t[1]}"
    ),
    st.integers(-(10**25), 10**25).map(str),
)


@given(decimals)
def test_doubles_are_rounded_correctly(text: str) -> None:
    image, _ = parse_value(layout(scalar("double")), text, "json")
    assert image == struct.pack("<d", float(text))


def nearest_float(text: str) -> bytes:
    """The float nearest to a decimal, ties to even, by exact arithmetic."""
    from fractions import Fraction

    exact = Fraction(text)
    try:
        middle = struct.unpack("<I", struct.pack("<f", abs(float(exact))))[0]
    except OverflowError:
        middle = 0x7F7FFFFF
    sign = 0x80000000 if text.startswith("-") else 0
    best = min(
        (code for code in range(max(middle - 1, 0), min(middle + 1, 0x7F7FFFFF) + 1)),
        key=lambda code: (
            abs(Fraction(struct.unpack("<f", struct.pack("<I", code))[0]) - abs(exact)),
            code & 1,
        ),
    )
    if abs(exact) >= Fraction(2) ** 128 - Fraction(2) ** 103:
        best = 0x7F800000
    return struct.pack("<I", sign | best)


@given(decimals)
def test_floats_are_rounded_once(text: str) -> None:
    image, _ = parse_value(layout(scalar("float")), text, "json")
    assert image == nearest_float(text)


@pytest.mark.parametrize(
    "text",
    [
        "1.000000059604644775390625",  # halfway between two floats, exactly
        "1.00000005960464477539062500000000000000000001",
        "1.00000005960464477539062499999999999999999999",
        "7.00649232162408535461864791644958065640130970938257885878534141944895541342930300743e-46",
        "7.0064923216240853546e-46",
        "1.4012984643e-45",
        "16777217",
        "340282356779733661637539395458142568447",
        "340282356779733661637539395458142568448",
        "1" + "0" * 38,
        "0." + "0" * 50 + "1",
    ],
)
def test_halfway_floats(text: str) -> None:
    image, _ = parse_value(layout(scalar("float")), text, "json")
    assert image == nearest_float(text)


@given(st.floats(width=16, allow_nan=False), st.floats(-70000, 70000))
def test_half(exact: float, near: float) -> None:
    data = layout(scalar("half"))
    assert parse_value(data, repr(exact).replace("inf", "Infinity"), "json")[0] == struct.pack(
        "<e", exact
    )
    try:
        expected = struct.pack("<e", near)
    except OverflowError:
        expected = struct.pack("<e", math.copysign(math.inf, near))
    assert parse_value(data, repr(near), "json")[0] == expected


def test_the_locale_does_not_matter(monkeypatch: pytest.MonkeyPatch) -> None:
    import locale

    before = locale.setlocale(locale.LC_NUMERIC)
    for name in ("de_DE.UTF-8", "fr_FR.UTF-8", "C.UTF-8"):
        try:
            locale.setlocale(locale.LC_NUMERIC, name)
        except locale.Error:
            continue
        try:
            text = "0.1234567890123456789012345"
            assert parse_value(layout(scalar("double")), text, "json")[0] == struct.pack(
                "<d", float(text)
            )
        finally:
            locale.setlocale(locale.LC_NUMERIC, before)


types = st.recursive(
    st.sampled_from(sorted(set(CTYPES) - {"char", "half"})).map(scalar),
    lambda inner: st.one_of(
        st.tuples(st.integers(1, 3), inner).map(lambda t: array(*t)),
        st.lists(inner, max_size=3).map(
            lambda ts: packed(**{f"m{i}": t for i, t in enumerate(ts)})
        ),
    ),
    max_leaves=6,
)


def values_for(node: Any) -> st.SearchStrategy[Any]:
    if node[0] == "array":
        return st.lists(values_for(node[3]), min_size=node[1], max_size=node[1])
    if node[0] == "struct":
        return st.fixed_dictionaries({name: values_for(member) for name, _, member in node[1]})
    code = CTYPES[node[1]]
    if code == "?":
        return st.booleans()
    if code in "fd":
        return st.floats(width=32, allow_nan=False, allow_infinity=False)
    size = struct.calcsize(code) * 8
    return (
        st.integers(-(1 << size - 1), (1 << size - 1) - 1)
        if code.islower()
        else (st.integers(0, (1 << size) - 1))
    )


@given(st.data())
def test_round_trip(data: st.DataObject) -> None:
    members = data.draw(st.lists(types, max_size=4))
    declared = layout(packed(**{f"m{i}": t for i, t in enumerate(members)}))
    value = data.draw(values_for(declared[2]))
    text = json.dumps(value)[1:-1]
    image, problems = parse_value(declared, text, "json", True)
    assert problems == []
    assert value_of(declared[2], image) == value


@given(st.text(alphabet='{}[]:,"\\ \n0123456789.eE+-aufsxyrINtn', max_size=40), st.booleans())
def test_any_text_is_read_or_refused(text: str, strict: bool) -> None:
    parse(text, "json", strict)
    parse('"s":{' + text, "json", strict)
    parse('"arr":[' + text, "json", strict)
