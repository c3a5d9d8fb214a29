"""Initialisers of v4 and the Orchestrator, row by row of the behaviour matrix."""

from __future__ import annotations

import math
import struct
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pstack_scan import parse_value
from tests.scan.documents import (
    DEFAULT,
    array,
    layout,
    packed,
    parse,
    scalar,
    union,
    value_of,
)
from tests.scan.test_value_json import types, values_for

ERROR, WARNING = ["error"], ["warning"]
FULL = {"a": 1, "f": 2.5, "arr": [1, 2, 3], "s": {"x": -4, "y": 5}}


def severities(text: str, strict: bool, data: Any = None) -> list[str]:
    _, problems = parse(text, "braces", strict, *([data] if data else []))
    return [severity for severity, _, _ in problems]


@pytest.mark.parametrize("strict", [False, True])
@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("", DEFAULT),
        ("  ", DEFAULT),
        ("{1,2.5,{1,2,3},{-4,5}}", FULL),
        (" { 1 ,\n2.5, { 1,2 ,3 } ,{ -4 , 5 } } ", FULL),
        ("{1,2.5,{1,2,3},{-4,5}} // done", FULL),
        ("{1,/* f */2.5,{1,2,3}, // next\n {-4,5}}", FULL),
        ("{1u,25e-1,{+1,2,3},{-4,5}}", FULL),
        ("{1ull,2.5,{1U,2ul,3L},{-4ll,5}}", FULL),
        ("{1,2,{1,2,3},{-4,5}}", {**FULL, "f": 2.0}),
        ("{1,.5,{1,2,3},{-4,5}}", {**FULL, "f": 0.5}),
        ("{1,5.,{1,2,3},{-4,5}}", {**FULL, "f": 5.0}),
    ],
)
def test_accepted(text: str, expected: Any, strict: bool) -> None:
    assert parse(text, "braces", strict) == (expected, [])


@pytest.mark.parametrize(
    ("text", "lenient", "strict", "expected"),
    [
        ("{}", [], ERROR, DEFAULT),
        ("{1,2.5,{},{}}", [], [*ERROR, *ERROR], {**DEFAULT, "a": 1, "f": 2.5}),
        ("{1}", WARNING, ERROR, {**DEFAULT, "a": 1}),
        ("{1,2.5,{1},{-4,5}}", WARNING, ERROR, {**FULL, "arr": [1, 22, 23]}),
        ("{1,2.5,{1,2,3},{-4,5},6}", ERROR, ERROR, None),
        ("{1,2.5,{1,2,3,4},{-4,5}}", ERROR, ERROR, None),
        ("{1,2.5,1,2,3,-4,5}", ERROR, ERROR, None),
        ("{1,2.5f,{0x1,2,0x03},{-0x4,5}}", [], ERROR, FULL),
        ("{1,nan,{1,2,3},{-4,5}}", [], ERROR, None),
        ("{1,-INFINITY,{1,2,3},{-4,5}}", [], ERROR, {**FULL, "f": -math.inf}),
        ("{inf,2.5,{1,2,3},{-4,5}}", ERROR, ERROR, None),
        ("{1.0,2.5,{1,2,3},{-4,5}}", WARNING, ERROR, FULL),
        ("{1.5,2.5,{1,2,3},{-4,5}}", ERROR, ERROR, None),
        ("{-1,2.5,{1,2,3},{-4,5}}", WARNING, ERROR, {**FULL, "a": 0xFFFFFFFF}),
        ("{1,2.5,{-1,2,3},{-4,5}}", WARNING, ERROR, {**FULL, "arr": [255, 2, 3]}),
        ("{1,2.5,{-129,2,3},{-4,5}}", ERROR, ERROR, None),
        ("{4294967296,2.5,{1,2,3},{-4,5}}", ERROR, ERROR, None),
        ("{1,2.5,{300,2,3},{-4,5}}", ERROR, ERROR, None),
        ("{1,2.5,{1,2,3},{40000,5}}", ERROR, ERROR, None),
        ("{1,2.5,{1,2,3},{-4,5},}", [], ERROR, FULL),
        ("{1,2.5,{1,2,3,},{-4,5}}", [], ERROR, FULL),
        ("{1,,2}", ERROR, ERROR, None),
        ("{,}", ERROR, ERROR, None),
        ("1", WARNING, ERROR, {**DEFAULT, "a": 1}),
        ("{{1},2.5,{{1},2,3},{-4,5}}", [], ERROR, FULL),
        ("{1,2.5,{1,2,3},{-4,5}", ERROR, ERROR, None),
        ("{1,2.5,{1,2,3},{-4,5}} x", ERROR, ERROR, None),
        ("{1,2.5,{1,2,3},{-4,5}};", ERROR, ERROR, None),
        ("{1 2}", ERROR, ERROR, None),
        ("{1,1e400,{1,2,3},{-4,5}}", WARNING, ERROR, {**FULL, "f": math.inf}),
        ("{.a=1}", ERROR, ERROR, None),
        ("{1,2.5,{1,2,3},{-4,5}} /* open", ERROR, ERROR, None),
        ("{1x}", ERROR, ERROR, None),
        ("{1uu}", ERROR, ERROR, None),
        ("{1f}", ERROR, ERROR, None),
        ("{0x}", ERROR, ERROR, None),
        ("{e5}", ERROR, ERROR, None),
        ("{- -1,2.5,{1,2,3},{-4,5}}", [], ERROR, FULL),
        ("{99999999999999999999,2.5,{1,2,3},{-4,5}}", ERROR, ERROR, None),
    ],
)
def test_matrix(text: str, lenient: list[str], strict: list[str], expected: Any) -> None:
    value, problems = parse(text, "braces")
    assert [severity for severity, _, _ in problems] == lenient
    assert severities(text, True) == strict
    if expected is not None:
        assert value == expected


@pytest.mark.parametrize(
    ("ctype", "text", "expected"),
    [
        ("bool", "true", True),
        ("bool", "false", False),
        ("uint8_t", "true", 1),
        ("uint32_t", "0xFFFFFFFFu", 0xFFFFFFFF),
        ("uint8_t", "0b101", 5),
        ("int32_t", "(-5)", -5),
        ("int32_t", "-(5)", -5),
        ("int32_t", "- - 5", 5),
        ("int32_t", "int(1e6)", 1000000),
        ("int32_t", "(int)1e6", 1000000),
        ("int32_t", "static_cast<int>( 2.9 )", 2),
        ("uint8_t", "uint8_t(300)", 44),
        ("int32_t", "std::int8_t(200)", -56),
        ("uint64_t", "(unsigned long long)-1", 2**64 - 1),
        ("uint32_t", "unsigned(-1)", 2**32 - 1),
        ("int64_t", "INT64_MIN", -(2**63)),
        ("uint64_t", "UINT64_MAX", 2**64 - 1),
        ("uint64_t", "18446744073709551615ull", 2**64 - 1),
        ("int64_t", "-9223372036854775808", -(2**63)),
        ("int32_t", "1+2*3", 7),
        ("int32_t", "(1+2)*3 - 10/4", 7),
        ("int32_t", "7/2", 3),
        ("int32_t", "-7/2", -3),
        ("double", "7/2", 3.0),
        ("double", "7/2.0", 3.5),
        ("double", "0.1f", struct.unpack("<f", struct.pack("<f", 0.1))[0]),
        ("double", "0.1", 0.1),
        ("double", "1.0/3", 1 / 3),
        ("double", "-inf", -math.inf),
        ("double", "2.5L", 2.5),
        ("float", "FLT_MAX", struct.unpack("<I", b"\xff\xff\x7f\x7f")[0] and 3.4028234663852886e38),
        ("float", "16777217", 16777216.0),
        ("char", "'A'", 65),
        ("char", "'\\n'", 10),
        ("char", "'\\x41'", 65),
        ("char", "'\\''", 39),
        ("uint32_t", "(uint32_t)(int)(3)", 3),
    ],
)
def test_constants(ctype: str, text: str, expected: Any) -> None:
    data = layout(packed(m=scalar(ctype)))
    assert parse("{" + text + "}", "braces", data=data) == ({"m": expected}, [])
    assert parse(text, "braces", data=data) == ({"m": expected}, [])
    if text not in ("18446744073709551615ull", "-9223372036854775808", "0.1", "16777217"):
        assert severities("{" + text + "}", True, data) == ERROR


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("1/0", "division by zero"),
        ("UINT64_MAX*UINT64_MAX", "the result does not fit 64 bits"),
        ("18446744073709551615*2", "the result does not fit 64 bits"),
        ("int8_t(1e9)", "does not fit int8_t"),
        ("sizeof(int)", "expected a constant, not 'sizeof(int)'"),
        ("(1", "the text ends where ')' was expected"),
        ("int", "the text ends where '(' was expected"),
        ("static_cast<foo>(1)", "expected the name of an arithmetic type"),
        ("'", "closing quote"),
        ("'ab'", "expected a closing quote"),
        ("'\\q'", "a known escape"),
        ("(" * 100 + "1", "an expression that is less deep"),
        ("(int)" * 100 + "1", "an expression that is less deep"),
        ("1 + ", "the text ends where a number was expected"),
        ("nan", "is not an integer"),
    ],
)
def test_refused_constants(text: str, sentence: str) -> None:
    _, problems = parse(text, "braces", data=layout(packed(m=scalar("int64_t"))))
    assert [severity for severity, _, _ in problems] == ERROR
    assert sentence in problems[0][2]


def test_octal_is_read_as_decimal_with_a_warning() -> None:
    data = layout(packed(m=scalar("int32_t")))
    value, problems = parse("{010}", "braces", data=data)
    assert value == {"m": 10}
    assert [severity for severity, _, _ in problems] == WARNING
    assert parse("{07}", "braces", data=data) == ({"m": 7}, [])


def test_problems_name_the_member_and_the_place() -> None:
    assert parse("{1,2.5,{1,2,300},{-4,5}}", "braces")[1] == [
        ("error", 12, 'member "arr"[2]: 300 does not fit uint8_t (0..255)')
    ]
    assert parse("{1,2}", "braces")[1] == [
        ("warning", 4, "2 values given for 4; the rest keeps its default")
    ]
    assert parse("{1,2.5,{1,2,3},{-4}}", "braces")[1] == [
        ("warning", 18, 'member "s": 1 value given for 2; the rest keeps its default')
    ]
    assert parse("{-1,2.5,{1,2,3},{-4,5}}", "braces")[1] == [
        ("warning", 1, 'member "a": -1 is stored in uint32_t as 4294967295')
    ]


def test_text_for_char_arrays() -> None:
    data = layout(packed(t=array(4, scalar("char"))), b"zzzz")
    for text in ('{"ab"}', '{{"ab"}}'):
        assert parse(text, "braces", data=data) == ({"t": [97, 98, 0, 0]}, [])
    assert severities('{"abcde"}', False, data) == ERROR
    assert severities('{"ab', False, data) == ERROR
    assert severities('{"ab"}', True, data) == ERROR


def test_union_takes_its_first_alternative() -> None:
    data = layout(packed(u=union(i=scalar("int16_t"), d=scalar("double"))), b"\x01" * 9)
    assert parse("{{7}}", "braces", data=data)[0] == {"u": ("i", 7)}
    assert severities("{{7,8}}", False, data) == ERROR


def test_nothing_declared() -> None:
    for text in ("", "{}", " { } "):
        assert parse_value(None, text, "braces", True) == (b"", [])
    for text in ("{1}", "0"):
        assert [problem[0] for problem in parse_value(None, text, "braces")[1]] == ERROR


def braces(value: Any) -> str:
    if isinstance(value, dict):
        return "{" + ", ".join(braces(value[name]) for name in sorted(value)) + "}"
    if isinstance(value, list):
        return "{" + ",".join(braces(item) for item in value) + "}"
    return str(int(value)) if isinstance(value, bool) else repr(value)


@given(st.data())
def test_round_trip(data: st.DataObject) -> None:
    members = data.draw(st.lists(types, max_size=4))
    declared = layout(packed(**{f"m{i}": t for i, t in enumerate(members)}))
    value = data.draw(values_for(declared[2]))
    image, problems = parse_value(declared, braces(value), "braces", True)
    assert problems == []
    assert value_of(declared[2], image) == value


@given(st.text(alphabet="{}(),+-*/'\"\\ \n0123456789.eEfuxlintoas_<>:", max_size=40), st.booleans())
def test_any_text_is_read_or_refused(text: str, strict: bool) -> None:
    parse(text, "braces", strict)
    parse("{1,2,{" + text, "braces", strict)
    parse("{" + text, "braces", strict)
