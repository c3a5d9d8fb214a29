"""The judge notices what is not as expected, on examples of our own."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from tests.interop.expectations import Row
from tests.interop.judge import judge
from tests.interop.table import cell

EXAMPLES = Path(__file__).parents[2] / "docs" / "examples"
RING = EXAMPLES / "ring.xml"
EXPECTED = Row(
    path="ring.xml",
    format="v3",
    end="exit",
    devices=4,
    edges=4,
    sent=40,
    delivered=40,
    tolerance=0,
    states={"flips": 10},
    recipe=(),
    note="",
)


def test_as_expected():
    outcome = judge(EXPECTED, RING)
    assert outcome.faults == []
    assert outcome.text == "exit 0, 40 sent, 40 delivered"


@pytest.mark.parametrize(
    ("change", "fault"),
    [
        ({"end": "idle"}, "expected idle, got exit 0"),
        ({"end": "reject"}, "expected reject, got exit 0"),
        ({"end": "external"}, "expected external, got exit 0"),
        ({"devices": 5}, "4 devices, expected 5"),
        ({"edges": 5}, "4 edges, expected 5"),
        ({"sent": 41}, "40 sent, expected 41"),
        ({"delivered": 45, "tolerance": 4}, "40 delivered, expected 45 within 4"),
        ({"states": {"flips": 9}}, "n0.flips is 10, expected 9"),
    ],
)
def test_faults(change, fault):
    assert fault in " ".join(judge(replace(EXPECTED, **change), RING).faults)


def test_a_few_may_differ_within_the_tolerance():
    assert judge(replace(EXPECTED, delivered=43, tolerance=3), RING).faults == []


def test_type_only():
    assert judge(replace(EXPECTED, end="type", devices=None), RING).faults == []
    assert judge(replace(EXPECTED, end="type-tinsel", devices=None), RING).faults
    assert judge(replace(EXPECTED, end="reject-compile", devices=None), RING).faults


def test_refusals(tmp_path):
    broken = tmp_path / "broken.xml"
    broken.write_text("<Graphs>")
    assert judge(replace(EXPECTED, end="reject"), broken).faults == []
    assert judge(EXPECTED, broken).faults
    assert judge(replace(EXPECTED, end="external"), broken).faults


def test_cells_have_no_paths_of_the_machine():
    text = cell("refused: /home/me/checkouts/a/b.xml:3: bad | <x>\nmore")
    assert text == "refused: b.xml:3: bad \\| &lt;x>"
