"""Diagnostics: their sentences, and how many are kept."""

from __future__ import annotations

import pytest

from pstack_core.graph.diagnostics import (
    MAX_KEPT,
    ApplicationError,
    Diagnostic,
    Place,
    Problems,
    fail,
    listed,
)


def test_a_sentence_says_where_what_and_what_to_do() -> None:
    found = Diagnostic("error", "a.xml", 3, 5, "DevI", "the type is not known", "declare it")
    assert str(found) == "a.xml:3:5: error: the type is not known (in <DevI>); declare it"
    found = Diagnostic("warning", "a.xml", 0, 0, "", "it is odd")
    assert str(found) == "a.xml: warning: it is odd"


def test_an_error_is_its_sentences_without_warnings() -> None:
    problems = Problems()
    problems.warning(Place("a"), "odd")
    problems.raise_errors()
    problems.error(Place("a", 1, 2), "wrong", "mend it")
    problems.error(Place("a", 2, 2), "bad")
    with pytest.raises(ApplicationError) as caught:
        problems.raise_errors()
    assert str(caught.value) == "a:1:2: error: wrong; mend it\na:2:2: error: bad"
    assert len(caught.value.diagnostics) == 3
    assert str(fail(Place("b"), "gone")) == "b: error: gone"


def test_strict_makes_errors_of_lax_rules() -> None:
    for strict, severity in ((False, "warning"), (True, "error")):
        problems = Problems(strict)
        problems.lax(Place("a"), "rule")
        assert [found.severity for found in problems.found] == [severity]


def test_warnings_are_handed_on_once() -> None:
    heard: list[Diagnostic] = []
    problems = Problems(warn=heard.append)
    for _ in range(2):  # as when a file is read twice
        problems.warning(Place("a", 1, 1), "odd")
    problems.error(Place("a"), "wrong")
    assert [found.message for found in heard] == ["odd"]
    assert len(problems.found) == 2


def test_many_warnings_do_not_hide_an_error() -> None:
    problems = Problems()
    for line in range(10 * MAX_KEPT):
        problems.warning(Place("a", line, 1), "odd")
    for line in range(10 * MAX_KEPT):
        problems.error(Place("a", line, 1), "wrong")
    assert len(problems.found) == 2 * MAX_KEPT
    assert (problems.errors, problems.warnings) == (10 * MAX_KEPT, 10 * MAX_KEPT)


def test_lists_of_names_are_short() -> None:
    assert listed([]) == "none"
    assert listed(["a", "b"]) == "a, b"
    assert listed([str(n) for n in range(25)]).endswith("18, 19 and 5 more")
    assert len(listed(["x" * 10_000])) == 60
