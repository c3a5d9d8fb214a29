"""Times, sizes and rates as people read them."""

from __future__ import annotations

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pstack_core.shell import people


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (None, "-"),
        (0, "0us"),
        (0.0000184, "18us"),
        (0.0009996, "1ms"),
        (0.0314, "31ms"),
        (0.9996, "1.0s"),
        (3.44, "3.4s"),
        (9.96, "10s"),
        (59.4, "59s"),
        (59.6, "1m00s"),
        (125, "2m05s"),
        (3599.6, "1h00m"),
        (3725, "1h02m"),
        (86399.6, "1d00h"),
        (86400 * 3 + 3600 * 4, "3d04h"),
    ],
)
def test_durations(seconds: float | None, text: str) -> None:
    assert people.duration(seconds) == text


@pytest.mark.parametrize(
    ("count", "text"),
    [
        (None, "-"),
        (0, "0B"),
        (1023, "1023B"),
        (1024, "1.00K"),
        (1536, "1.50K"),
        (10 << 20, "10.0M"),
        (512 << 20, "512M"),
        ((1 << 30) - 1, "1.00G"),
    ],
)
def test_sizes(count: int | None, text: str) -> None:
    assert people.size(count) == text


@pytest.mark.parametrize(
    ("count", "text"), [(None, "-"), (0.0, "0/s"), (999.6, "1.00k/s"), (5_648_920, "5.65M/s")]
)
def test_rates(count: float | None, text: str) -> None:
    assert people.rate(count) == text


@given(st.floats(0, 1e9))
def test_what_is_longer_never_reads_shorter(seconds: float) -> None:
    text = people.duration(seconds)
    assert len(text) <= 9
    assert text[0].isdigit()


def test_moments() -> None:
    now = time.mktime((2026, 11, 23, 14, 30, 0, 0, 0, -1))
    assert people.moment(now - 60, now) == "14:29:00"
    assert people.moment(now - 86400, now) == "Nov 22 14:30"
    assert people.moment(now - 400 * 86400, now) == "2025-10-19"
    assert people.moment(None, now) == "-"


def test_numbers_with_their_noun() -> None:
    assert people.many(1, "process", "processes") == "1 process"
    assert people.many(2000, "process", "processes") == "2,000 processes"
