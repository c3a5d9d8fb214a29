"""Tables that fit."""

from __future__ import annotations

import re

from hypothesis import given
from hypothesis import strategies as st

from pstack_core.shell.columns import Column, cell_width, cut, printable, table

Row = tuple[str, str, str]

COLUMNS = [
    Column[Row]("pid", lambda row: row[0], 10, right=True),
    Column[Row]("name", lambda row: row[1], 8, least=4, style=lambda row: "32"),
    Column[Row]("label", lambda row: row[2], 3),
]


def test_everything_where_there_is_room() -> None:
    rows = [("1", "ring.xml", "night"), ("12", "a", "")]
    assert table(COLUMNS, rows) == ["PID  NAME      LABEL", "  1  ring.xml  night", " 12  a"]


def test_the_least_important_column_goes_first() -> None:
    rows = [("1", "ring.xml", "night")]
    assert table(COLUMNS, rows, 19) == ["PID  NAME     LABEL", "  1  ring.x…  night"]
    assert table(COLUMNS, rows, 15) == ["PID  NAME", "  1  ring.xml"]
    assert table(COLUMNS, rows, 9) == ["PID  NAME", "  1  rin…"]
    assert table(COLUMNS, rows, 6) == ["PID", "  1"]


def test_colour_is_around_the_cell_and_no_wider() -> None:
    plain = table(COLUMNS, [("1", "a", "b")], 40)
    coloured = table(COLUMNS, [("1", "a", "b")], 40, colour=True)
    assert coloured != plain
    assert "\x1b[32ma   \x1b[0m" in coloured[1]
    assert [re.sub(r"\x1b\[[0-9;]*m", "", line) for line in coloured] == plain


text = st.text(max_size=30)


@given(st.lists(st.tuples(text, text, text), max_size=5), st.integers(1, 60))
def test_no_line_is_wider_than_the_terminal(rows: list[Row], width: int) -> None:
    lines = table(COLUMNS, rows, width)
    assert len(lines) == len(rows) + 1
    assert all(cell_width(line) <= width for line in lines)
    assert all(line.isprintable() for line in lines)


def test_wide_characters_take_two_cells() -> None:
    assert cell_width("図a") == 3
    assert cut("図図図", 5) == "図図…"
    assert cut("図図図", 4) == "図…"
    assert cut("abc", 3) == "abc"
    assert cell_width("e\u0301") == 1


def test_what_others_named_cannot_move_the_cursor() -> None:
    assert printable("a\x1b[2Jb\n") == "a\\x1b[2Jb\\n"
