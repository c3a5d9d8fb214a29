"""Mutated applications: a sentence or a graph, whatever happened to the file.

Every mutation is reproducible from its number.  The default suite takes a few
hundred; ``-m slow`` takes ten thousand.
"""

from __future__ import annotations

import random
import time
from pathlib import Path

import pytest

from pstack_core.engines.engine import EngineError
from pstack_core.graph import ApplicationError, load
from pstack_core.runtime.run import run
from tests.hostile.seeds import SEEDS

#: Longest that one small file may take to load, in seconds: generous, it finds hangs.
PATIENCE = 20.0
WORDS = [
    b"<", b">", b"/>", b"</", b"&", b"&amp;", b"&#0;", b"&#x110000;", b"<![CDATA[", b"]]>",
    b"<!--", b"-->", b'"', b"'", b"=", b"\x00", b"\xff", b"\xc0\x80", b"{", b"}", b"[", b"]", b",",
    b":", b"-", b"0", b"-1", b"4294967296", b"1e999", b"NaN", b"99999999999999999999999", b"DevI",
    b"EdgeI", b"<P>", b"<S>", b"<Array", b"<Tuple", b'length="1000000000"',
    b'<GraphType id="ring">', b"id", b'<?xml version="1.0" encoding="utf-16"?>', b"<!DOCTYPE x>",
    b"<!ENTITY", b'sendIndex="9"', b"uint32_t", b"struct {", b"x[99999999];", b"#if",
    b'#include "/etc/passwd"', b"\xef\xbb\xbf",
]  # fmt: skip


def mutate(number: int) -> bytes:
    """One to six edits of a seed, decided by the number alone."""
    rng = random.Random(number)
    data = bytearray(rng.choice(SEEDS))
    for _ in range(rng.choice((1, 1, 1, 2, 3, 6))):
        at = rng.randrange(len(data) + 1)
        size = rng.choice((1, 1, 2, 5, 20, 200))
        match rng.randrange(8):
            case 0:
                del data[at : at + size]
            case 1:
                data[at:at] = rng.choice(WORDS)
            case 2:
                data[at : at + size] = rng.choice(WORDS)
            case 3:
                data[at:at] = data[at : at + size] * rng.choice((1, 2, 50))
            case 4:
                other = rng.choice(SEEDS)
                start = rng.randrange(len(other))
                data[at:at] = other[start : start + size]
            case 5:
                for i in range(at, min(at + size, len(data))):
                    data[i] = rng.randrange(256)
            case 6:
                swap = rng.randrange(len(data) + 1)
                data[at : at + size], data[swap : swap + size] = (
                    data[swap : swap + size],
                    data[at : at + size],
                )
            case _:
                del data[at:]
    return bytes(data)


def sentence(error: Exception) -> bool:
    """Whether an error reads like one to a person: not empty, no Python in it, not endless."""
    text = str(error)
    return bool(text) and "Traceback" not in text and len(text) < 60_000


def attempt(number: int, started: bool) -> str:
    """Load one mutation, and run it where asked; what became of it."""
    data = mutate(number)
    begin = time.monotonic()
    try:
        graph = load(data)
    except ApplicationError as error:
        assert sentence(error), f"mutation {number}"
        assert error.diagnostics
        return "refused"
    finally:
        assert time.monotonic() - begin < PATIENCE, f"mutation {number} is too slow"
    if not started:
        return "loaded"
    try:
        result = run(graph, timeout=5, max_events=100_000, memory=500_000_000, level=0)
    except EngineError as error:
        assert sentence(error), f"mutation {number}"
        return "does not compile"
    return str(result.reason)


def survey(numbers: range, run_every: int) -> dict[str, int]:
    fates: dict[str, int] = {}
    for number in numbers:
        fate = attempt(number, number % run_every == 0)
        fates[fate] = fates.get(fate, 0) + 1
    return fates


def test_mutations() -> None:
    fates = survey(range(600), run_every=60)
    assert fates["refused"] > 100
    assert fates["loaded"] > 30


@pytest.mark.slow
@pytest.mark.timeout(1800)
def test_ten_thousand_mutations() -> None:
    fates = survey(range(1000, 11_000), run_every=50)
    assert fates["refused"] > 1000
    assert fates["loaded"] > 500


def test_seeds_are_good() -> None:
    for seed in SEEDS:
        load(seed)


def test_mutations_are_reproducible() -> None:
    assert mutate(17) == mutate(17)
    assert Path(__file__).with_name("seeds.py").exists()
