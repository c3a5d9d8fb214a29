"""Struct text: the v4 grammar, and what the Orchestrator's C++ adds to it."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pstack_core.graph.diagnostics import Problems
from pstack_core.graph.layout import Array, Member, Scalar, Struct
from pstack_core.graph.model import Code
from pstack_core.graph.preprocessor import Macros, preprocess, strip_comments
from pstack_core.graph.struct_text import StructReader

TYPES = [
    "int8_t",
    "uint8_t",
    "int16_t",
    "uint16_t",
    "int32_t",
    "uint32_t",
    "int64_t",
    "uint64_t",
    "float",
    "double",
]


def read(
    text: str,
    *,
    exact: bool = False,
    dialect: bool = True,
    macros: Macros | None = None,
    packed: bool = True,
) -> tuple[Struct, list[str]]:
    problems = Problems()
    reader = StructReader(problems, exact=exact, dialect=dialect)
    struct = reader.struct(Code(text, "app.xml", 10), "State", macros, packed)
    return struct, [str(found) for found in problems.found]


def clean(text: str, **options: Any) -> Struct:
    struct, found = read(text, **options)
    assert found == []
    return struct


def values(struct: Struct) -> dict[str, Any]:
    row = np.frombuffer(struct.default, struct.dtype)[0]
    return {name: plain(row[name]) for name in struct.dtype.names}


def plain(value: Any) -> Any:
    if isinstance(value, np.void):
        return tuple(plain(item) for item in value)
    if isinstance(value, np.ndarray):
        return [plain(item) for item in value]
    return value.item()


def one(text: str, **options: Any) -> str:
    _, found = read(text, **options)
    assert len(found) == 1
    return found[0]


# the grammar of the format

names = st.from_regex(r"[A-Za-z_][A-Za-z0-9_]{0,6}", fullmatch=True).map(lambda name: "m" + name)
data = st.recursive(
    st.sampled_from(TYPES).map(Scalar),
    lambda inner: st.one_of(
        st.builds(Array, st.integers(1, 3), inner),
        st.lists(
            st.tuples(names, inner), min_size=1, max_size=3, unique_by=lambda item: item[0]
        ).map(lambda items: Struct(tuple(Member(name, each) for name, each in items))),
    ),
    max_leaves=8,
)
structs = st.lists(st.tuples(names, data), max_size=4, unique_by=lambda item: item[0]).map(
    lambda items: Struct(tuple(Member(name, each) for name, each in items))
)
blank = st.sampled_from([" ", "\n", "\t ", " // x = 1;\n", " /* ; */ "])


def written(draw: Any, struct: Struct) -> str:
    pieces: list[str] = []
    for member in struct.members:
        lengths, inner = "", member.data
        while isinstance(inner, Array):
            lengths += f"[{draw(blank)}{inner.length}{draw(blank)}]"
            inner = inner.element
        if isinstance(inner, Scalar):
            base = inner.ctype
        else:
            assert isinstance(inner, Struct)
            base = f"struct{draw(blank)}{{{written(draw, inner)}}}"
        pieces.append(f"{draw(blank)}{base}{draw(blank)}{member.name}{lengths};")
    return "".join(pieces) + draw(blank)


@given(structs, st.data())
def test_written_structs_are_read_back(struct: Struct, source: st.DataObject) -> None:
    text = written(source.draw, struct)
    assert clean(text, exact=True) == struct
    assert clean(text) == struct


def test_the_first_length_is_the_outer_one() -> None:
    struct = clean("uint8_t x[2][3];", exact=True)
    assert struct.members[0].data == Array(2, Array(3, Scalar("uint8_t")))


def test_type_names_are_not_matched_by_prefix() -> None:
    assert [m.name for m in clean("float floaty; int8_t uint8_tx;", exact=True).members] == [
        "floaty",
        "uint8_tx",
    ]


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("uint8_t a = 1;", "an initialiser is not allowed in a v4 struct"),
        ("uint8_t a, b;", "a declaration of several members is not allowed in a v4 struct"),
        ("bool a;", "the type 'bool' is not allowed in a v4 struct"),
        ("char a;", "the type 'char' is not allowed in a v4 struct"),
        ("unsigned int a;", "the type 'unsigned int' is not allowed in a v4 struct"),
        ("const uint8_t a;", "'const' is not allowed in a v4 struct"),
        ("struct named { uint8_t a; } b;", "a named struct is not allowed in a v4 struct"),
        ("uint8_t a[0x2];", "the length of 'a' is not a positive decimal number"),
        ("uint8_t a[0];", "the length of 'a' is not a positive decimal number"),
        ("uint8_t a[N];", "the length of 'a' is not a positive decimal number"),
        ("std::string a;", "'std::string' is not a type for typed data"),
        ("x_t a;", "'x_t' is not a type for typed data"),
        ("uint8_t a : 3;", "bit-fields such as 'a' are not data"),
        ("uint8_t *a;", "the name of a member is missing before '*'"),
        ("uint8_t", "the name of a member is missing before the end of the text"),
        ("uint8_t a", "';' is missing before the end of the text"),
        ("struct { uint8_t a; b;", "'b' is not a type for typed data"),
        ("struct { uint8_t a;", "a struct is not closed"),
        ("uint8_t a[2;", "']' is missing before ';'"),
        ("uint8_t a; uint16_t a;", "there are two members 'a'"),
        ("uint8_t int;", "the name 'int' of a member is a C++ keyword"),
        ("uint8_t a[99999999];", "the data are larger than 16 MB"),
        ("uint64_t a[3000][3000];", "the data are larger than 16 MB"),
        ("struct {" * 40 + "}a;" * 40, "structs are nested more than 32 deep"),
        ("struct {} a;", "a struct within a struct has no members"),
        ("#define A", "'#' is not a type for typed data"),
        ("$", "'$' is not a type for typed data"),
    ],
)
def test_exact_grammar_refuses(text: str, sentence: str) -> None:
    assert sentence in one(text, exact=True)


def test_a_problem_has_its_place_and_the_rest_is_read() -> None:
    struct, found = read("uint8_t a;\n  std::string b; uint8_t c;\n  x d[", exact=True)
    assert found[0].startswith("app.xml:11:3: error: 'std::string' is not a type")
    assert found[1].startswith("app.xml:12:3: error: 'x' is not a type")
    assert [member.name for member in struct.members] == ["a", "c"]


@given(st.text(max_size=60))
def test_any_text_is_read_or_refused(text: str) -> None:
    for exact in (True, False):
        struct, _ = read(text, exact=exact)
        assert struct.dtype.itemsize == len(struct.default)


@given(
    st.lists(
        st.sampled_from(
            [
                "struct",
                "{",
                "}",
                ";",
                ",",
                "uint8_t",
                "a",
                "b",
                "[",
                "]",
                "2",
                "=",
                "-1",
                "(",
                "int",
                "#if\n",
            ]
        )
    )
)
def test_any_tokens_are_read_or_refused(tokens: list[str]) -> None:
    for exact in (True, False):
        read(" ".join(tokens), exact=exact)


# what C++ allows beside


def test_initialisers_are_defaults() -> None:
    struct = clean(
        "uint32_t a = 7; int64_t b = -1; float c = 0.5f, d{2}; bool e = true; char f = 'x';"
        "uint32_t g = int(1e6); uint32_t h = UINT32_MAX; double i = 1.0/4; uint8_t j = -1;"
        "uint16_t k = (1 << 4) | 0x0F; uint32_t l = static_cast<uint32_t>(2.9); int8_t m = ~0;"
        "uint32_t n = sizeless ? 1 : 2; int o = 010; unsigned long long p = 0b101ull;",
        macros={"sizeless": "0"},
    )
    assert values(struct) == {
        "a": 7,
        "b": -1,
        "c": 0.5,
        "d": 2.0,
        "e": True,
        "f": 120,
        "g": 1000000,
        "h": 4294967295,
        "i": 0.25,
        "j": 255,
        "k": 31,
        "l": 2,
        "m": -1,
        "n": 2,
        "o": 8,
        "p": 5,
    }
    assert [m.data.default for m in struct.members[:3]] == [7, -1, 0.5]  # type: ignore[union-attr]


def test_lists_initialise_arrays_and_structs() -> None:
    struct = clean(
        "float t[4] = {0.5f}; float u[2][2] = {{1, 2}, {3}}; struct { uint8_t x; int y[2]; } s[2]"
        " = {{1, {2, 3}}, {4}}; uint8_t z = {5}; uint8_t w[3] = {};"
    )
    assert values(struct) == {
        "t": [0.5, 0, 0, 0],
        "u": [[1, 2], [3, 0]],
        "s": [(1, [2, 3]), (4, [0, 0])],
        "z": 5,
        "w": [0, 0, 0],
    }


def test_a_default_that_is_not_constant_is_zero_with_a_warning() -> None:
    struct, found = read("uint16_t a = HCMAX_DEF; uint8_t b = 1;")
    assert values(struct) == {"a": 0, "b": 1}
    (sentence,) = found
    assert sentence == (
        "app.xml:10:14: warning: the initial value of 'a' cannot be read, so it starts as zero:"
        " 'HCMAX_DEF' is not a known constant (in <State>); write a constant"
    )


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("1/0", "it divides by zero"),
        ("1 << 99", "a shift by 99 is not possible"),
        ("{1, 2}", "takes one value"),
        ("1 +", "';' is not understood"),
        ("(1", "')' is missing"),
        ("1 2", "'2' is not understood"),
        ("1.5 % 2", "'%' needs whole numbers"),
        ("f(1)", "'f' is not a known constant"),
        ("M(1)", "the macro M takes arguments"),
        ("BOMB9", "the expression is too long"),
        ("LOOP", "the expression is nested too deep"),
        ("(" * 100 + "1" + ")" * 100, "nested too deep"),
        ("1.0 / 0", "inf is not a whole number"),
    ],
)
def test_expressions_that_are_not_understood(text: str, reason: str) -> None:
    macros: Macros = {"M": None, "LOOP": "LOOP", "BOMB0": "1"}
    macros |= {f"BOMB{n}": "+".join([f"BOMB{n - 1}"] * 8) for n in range(1, 10)}
    assert reason in one(f"uint32_t a = {text};", macros=macros)


def test_lengths_are_constant_expressions() -> None:
    struct = clean("#define N 4\nuint8_t a[N * 2]; uint8_t b[M][0x2];", macros={"M": "(N-1)"})
    assert struct.dtype.itemsize == 14
    assert "is not constant: 'K' is not a known constant" in one("uint8_t a[K];")
    assert "the length -1 of 'a' is not positive" in one("uint8_t a[-1];")
    assert "the length 1.5 of 'a' is not positive" in one("uint8_t a[1.5];")


def test_conditionals_follow_macros() -> None:
    text = (
        "#ifdef WIDE\nuint64_t x;\n#else\nuint32_t x;\n#endif\n"
        "#if defined(A) && A > 2 /* two */\nuint8_t a;\n#elif B\nuint16_t b;\n#else\nuint8_t c;\n"
        "#endif\n#ifndef NO\n#define SIZE \\\n 3\nuint8_t y[SIZE];\n#endif\n#undef NO"
    )
    assert clean(text).dtype.names == ("x", "c", "y")
    assert clean(text).dtype["x"] == np.uint32
    wide = clean(text, macros={"WIDE": "", "A": "3", "NO": ""})
    assert wide.dtype.names == ("x", "a")
    assert clean(text, macros={"B": "1"}).dtype.names == ("x", "b", "y")


def test_lines_are_right_after_conditionals() -> None:
    assert one("#if 0\nfoo\n#endif\nbar x;").startswith("app.xml:13:1: error: 'bar'")


def test_named_structs_can_be_used_again() -> None:
    struct = clean(
        "struct point { float x, y; }; struct point a; point b[2]; struct p { int z; } c;"
    )
    assert struct.dtype.itemsize == 8 + 16 + 4


def test_natural_alignment_is_that_of_cpp() -> None:
    struct = clean("uint8_t a; struct { uint8_t b; double c; } s; uint16_t d;", packed=False)
    assert (struct.offsets, struct.dtype.itemsize) == ((0, 8, 24), 32)


def test_extensions_are_warned_about_once_in_v4() -> None:
    _, found = read("uint8_t a = 1, b = 2; bool c = 0;", dialect=False)
    assert [line.partition(": warning: ")[2] for line in found] == [
        f"{what} in a v4 struct is an extension of the Orchestrator (in <State>);"
        " other tools refuse it"
        for what in ("an initialiser", "a declaration of several members", "the type 'bool'")
    ]


def test_all_structs_of_a_type_are_bounded_together() -> None:
    problems = Problems()
    reader = StructReader(problems, exact=True)
    for _ in range(5):
        reader.struct(Code("uint8_t a[16777216];"), "State")
    assert [found.message for found in problems.found] == ["the data are larger than 16 MB"]


def test_long_text_is_refused() -> None:
    assert "the struct text is longer than 1 MB" in one("uint8_t a;" * 200000)


def test_a_text_with_many_problems_is_given_up() -> None:
    _, found = read("x;" * 200_000)
    assert len(found) == 51
    assert "there are more problems" in found[-1]
    struct, found = read("uint8_t a = B;" + "".join(f"uint8_t m{n} = B;" for n in range(100)))
    assert (len(found), len(struct.members)) == (50, 101)
    struct, found = read("struct {" + "uint8_t a;" * 50_000 + "} b;")
    assert (len(found), struct.dtype.names) == (50, ("b",))


@pytest.mark.parametrize("piece", ['"\\', "'\\", '"', "'", "/*", "/", "\\\n", "#\n", "#if 1\n"])
def test_comments_and_strings_that_do_not_end_are_read_once(piece: str) -> None:
    strip_comments(piece * 200_000)
    macros: Macros = {}
    preprocess("#\n" + piece * 200_000, macros)
    assert macros == {}
