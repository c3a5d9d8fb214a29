"""What ``submit`` makes of its arguments."""

from __future__ import annotations

import argparse

import pytest

from pstack_core.shell.submission import After, Array, after, array


@pytest.mark.parametrize(
    ("given", "values"),
    [
        ("laps=1..3", ("1", "2", "3")),
        ("laps=3..1", ("3", "2", "1")),
        ("laps=0..10..5", ("0", "5", "10")),
        ("laps=-1..1", ("-1", "0", "1")),
        ("laps=7..7", ("7",)),
        ("laps=fast, slow", ("fast", "slow")),
        ("laps=0.5", ("0.5",)),
    ],
)
def test_arrays(given: str, values: tuple[str, ...]) -> None:
    assert array(given) == Array("laps", values)


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ("laps", "is not NAME=FIRST..LAST"),
        ("=1..2", "is not NAME=FIRST..LAST"),
        ("laps=", "is not NAME=FIRST..LAST"),
        ("laps=1..9..0", "a step of 0"),
        ("laps=1..99999999999", "more than 100,000 values"),
    ],
)
def test_bad_arrays(given: str, message: str) -> None:
    with pytest.raises(argparse.ArgumentTypeError, match=message):
        array(given)


def test_after() -> None:
    assert after("17") == After(17, False)
    assert after("17:any") == After(17, True)
    for bad in ("0", "x", "17:all", "-1", ""):
        with pytest.raises(argparse.ArgumentTypeError, match="is not a PID"):
            after(bad)
