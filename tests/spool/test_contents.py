"""Logs, results, applications and engines."""

from __future__ import annotations

import os

import pytest

from pstack_spool import Engine, LogBound, NoSuchProcess, Outcome, Spool, SpoolError
from pstack_spool.logs import LONGEST_LINE
from pstack_spool.results import PART
from tests.spool.conftest import Clock, claim, submit


def lines(first: int, last: int, text: str = "line {}") -> list[tuple[float, int, str, int, str]]:
    return [(float(n), 0, f"n{n}", 1, text.format(n)) for n in range(first, last + 1)]


def test_logs_come_back_in_order(spool: Spool) -> None:
    pid, other = submit(spool), submit(spool)
    assert spool.logs(pid) == []
    assert spool.append_logs(pid, lines(1, 3)) == 3
    spool.append_logs(other, lines(7, 7))
    assert spool.append_logs(pid, [(4.5, 2, "d", 3, "ünï\udcff")]) == 4
    assert [line.number for line in spool.logs(pid)] == [1, 2, 3, 4]
    assert spool.logs(pid)[3] == (4, 4.5, 2, "d", 3, "ünï?")
    assert [line.text for line in spool.logs(pid, after=1, limit=2)] == ["line 2", "line 3"]
    assert spool.logs(pid, after=4) == []
    assert (spool.last_log(pid), spool.last_log(other), spool.last_log(99)) == (4, 1, 0)
    with pytest.raises(NoSuchProcess):
        spool.append_logs(99, lines(1, 1))


@pytest.mark.parametrize("batch", [1, 7, 1000])
def test_a_log_beyond_its_bound_keeps_both_ends(spool: Spool, batch: int) -> None:
    pid = submit(spool)
    bound = LogBound(lines=100)
    for begin in range(1, 1001, batch):
        spool.append_logs(pid, lines(begin, min(begin + batch - 1, 1000)), bound)
    kept = spool.logs(pid)
    (gap,) = [index for index, line in enumerate(kept) if not line.device]
    assert [line.number for line in kept[:gap]] == list(range(1, 51))
    tail = [line.number for line in kept[gap + 1 :]]
    assert tail == list(range(tail[0], 1001))
    assert 50 <= len(tail) <= 63
    missing = 1000 - 50 - len(tail)
    assert kept[gap].text == f"{missing} lines left out here: the log reached its bound"
    assert kept[gap].number == tail[0] - 1
    # Read in pieces it is the same.
    pieces, after = [], 0
    while piece := spool.logs(pid, after=after, limit=10):
        pieces += piece
        after = piece[-1].number
    assert pieces == kept


def test_a_reader_that_fell_behind_is_told(spool: Spool) -> None:
    pid = submit(spool)
    bound = LogBound(lines=10)
    spool.append_logs(pid, lines(1, 8), bound)
    spool.append_logs(pid, lines(9, 100), bound)
    late = spool.logs(pid, after=8)
    assert late[0].text.endswith("the log reached its bound")
    assert [line.number for line in late[1:]] == [96, 97, 98, 99, 100]


def test_a_log_is_bounded_in_bytes(spool: Spool) -> None:
    pid = submit(spool)
    bound = LogBound(bytes=10_000)
    for begin in range(1, 1001, 10):
        spool.append_logs(pid, lines(begin, begin + 9, "é" * 50), bound)
    kept = [line for line in spool.logs(pid) if line.device]
    assert kept[0].number == 1
    assert kept[-1].number == 1000
    assert 8_000 <= 100 * len(kept) <= 12_500


def test_a_long_line_is_cut(spool: Spool) -> None:
    pid = submit(spool)
    spool.append_logs(pid, [(0.0, 0, "d", 1, "é" * LONGEST_LINE)])
    (line,) = spool.logs(pid)
    assert line.text.endswith("é…")
    assert LONGEST_LINE - 2 <= len(line.text.encode()) <= LONGEST_LINE


@pytest.mark.parametrize("size", [0, 1, PART - 1, PART, PART + 1, 3 * PART + 5])
def test_states_of_any_size_stream(spool: Spool, size: int) -> None:
    pid = submit(spool)
    states = os.urandom(size)
    spool.end(claim(spool).claim, Outcome(metrics={"n": [1, 2.5]}, states=states))
    assert spool.result(pid) == (pid, {"n": [1, 2.5]}, size)
    pieces = list(spool.states(pid))
    assert max((len(piece) for piece in pieces), default=0) <= PART
    assert b"".join(pieces) == states


def test_a_process_without_states(spool: Spool) -> None:
    pid = submit(spool)
    assert spool.result(pid) is None
    assert list(spool.states(pid)) == []
    spool.end(claim(spool).claim, Outcome(metrics={}))
    assert spool.result(pid).states_size is None
    assert list(spool.states(pid)) == []


def test_a_result_removed_while_it_is_read(spool: Spool) -> None:
    pid = submit(spool)
    spool.end(claim(spool).claim, Outcome(states=b"x" * (PART + 1)))
    pieces = spool.states(pid)
    next(pieces)
    spool.remove([pid])
    with pytest.raises(SpoolError, match="was removed while it was read"):
        next(pieces)


@pytest.mark.parametrize("content", [b"", b"<x/>", os.urandom(5000), b"<a/>" * (2 << 20)])
def test_applications_come_back(spool: Spool, content: bytes) -> None:
    pid = submit(spool, application=content)
    assert spool.application(spool.get(pid).application) == content


def test_a_compressible_application_is_kept_small(spool: Spool) -> None:
    submit(spool, application=b"<DevI id='n'/>" * 100_000)
    assert spool.size().bytes < 400_000


def test_an_application_that_is_not_there(spool: Spool) -> None:
    with pytest.raises(SpoolError, match="there is no application abc"):
        spool.application("abc")


def test_a_damaged_application_is_noticed(spool: Spool) -> None:
    pids = [submit(spool, application=b"<x/>" * 9), submit(spool, application=b"<y/>")]
    with spool.batch() as connection:
        connection.execute("UPDATE applications SET data = x'00'")
    for pid in pids:
        with pytest.raises(SpoolError, match="is damaged"):
            spool.application(spool.get(pid).application)


def test_engines_are_announced_anew(spool: Spool, clock: Clock) -> None:
    spool.announce(Engine("local", kind="native", slots=2, features=("threads", "stop")))
    spool.announce(Engine("box", host="far", available=False, detail="unplugged"))
    clock.now += 5
    spool.announce(Engine("local", kind="native", slots=4))
    box, local = spool.engines()
    assert (box.host, box.available, box.detail, box.seen) == (
        "far",
        False,
        "unplugged",
        clock.now - 5,
    )
    assert (local.slots, local.features, local.seen) == (4, (), clock.now)
    spool.forget_engine("box")
    assert [engine.name for engine in spool.engines()] == ["local"]
