"""The order in which processes start, and what limits it."""

from __future__ import annotations

import pytest

from pstack_spool import Claim, Engine, Outcome, Spool
from pstack_spool.claims import AGEING
from tests.spool.conftest import Clock, claim, submit


def claimed(spool: Spool, most: int | None = None, **arguments: object) -> list[int]:
    capacity = arguments.pop("capacity", {"local": 100})
    found = spool.claim("w", capacity, lease=30.0, most=most, **arguments)
    return [process.pid for process in found]


def test_higher_priority_first_then_first_come(spool: Spool, clock: Clock) -> None:
    pids = []
    for priority in (0, 1, -1, 1, 0):
        pids.append(submit(spool, priority=priority))
        clock.now += 1
    assert claimed(spool) == [pids[index] for index in (1, 3, 0, 4, 2)]


def test_what_has_waited_long_enough_overtakes_a_higher_priority(
    spool: Spool, clock: Clock
) -> None:
    old = submit(spool, priority=0)
    clock.now += 2 * AGEING - 1
    early = submit(spool, priority=2)
    clock.now += 2
    late = submit(spool, priority=2)
    assert claimed(spool) == [early, old, late]


def test_nothing_starves_below_a_stream_of_higher_priority(spool: Spool, clock: Clock) -> None:
    begin = clock.now
    submit(spool, priority=2)
    humble = submit(spool, priority=-3)
    before = []
    while (pid := claimed(spool, most=1)[0]) != humble:
        before.append(spool.get(pid).submitted)
        clock.now += AGEING / 10
        # They come twice as fast as they go.
        submit(spool, priority=2)
        submit(spool, priority=2)
        assert len(before) < 200
    # It let those pass that came while it waited for its five steps, and no later one.
    assert max(before) <= begin + 5 * AGEING


def test_no_more_than_the_worker_offers(spool: Spool) -> None:
    for _ in range(3):
        submit(spool)
    submit(spool, engine="other")
    assert claimed(spool, capacity={"local": 2, "other": 0}) == [1, 2]
    assert claimed(spool, capacity={"absent": 9}) == []


def test_slots_limit_all_workers_together(spool: Spool) -> None:
    spool.announce(Engine("local", slots=2))
    for _ in range(4):
        submit(spool)
    first = claim(spool, "w1")
    assert len(spool.claim("w2", {"local": 2}, lease=30.0)) == 1
    assert spool.claim("w3", {"local": 2}, lease=30.0) == []
    spool.release(first.claim)
    assert [process.pid for process in spool.claim("w3", {"local": 2}, lease=30.0)] == [first.pid]


def test_a_share_lets_others_pass(spool: Spool) -> None:
    for owner in ("ann", "ann", "ann", "bob"):
        submit(spool, owner=owner)
    assert claimed(spool, share=2) == [1, 2, 4]
    assert claimed(spool, share=2) == []
    assert claimed(spool, share=3) == [3]


def test_a_share_counts_regions_of_a_gang_once(spool: Spool) -> None:
    submit(spool, owner="ann", regions=["local", "local"])
    submit(spool, owner="ann")
    assert claimed(spool, share=2) == [1, 2]


def test_a_gang_starts_whole_or_not_at_all(spool: Spool) -> None:
    gang = submit(spool, regions=["a", "b", "b"])
    assert claimed(spool, capacity={"a": 1, "b": 1}) == []
    assert claimed(spool, capacity={"a": 1}) == []
    assert claimed(spool, capacity={"a": 1, "b": 2}) == [gang]
    assert spool.in_use() == {"a": 1, "b": 2}
    assert spool.tasks(gang) == ("a", "b", "b")


def test_nobody_behind_a_gang_takes_what_it_waits_for(spool: Spool) -> None:
    gang = submit(spool, regions=["a", "b"])
    behind = submit(spool, engine="a")
    elsewhere = submit(spool, engine="c")
    assert claimed(spool, capacity={"a": 1, "b": 0, "c": 1}) == [elsewhere]
    assert claimed(spool, capacity={"a": 1, "b": 1, "c": 0}) == [gang]
    assert claimed(spool, capacity={"a": 1, "b": 0}) == [behind]


def test_a_gang_that_can_never_fit_holds_nobody_up(spool: Spool) -> None:
    spool.announce(Engine("a", slots=1))
    submit(spool, regions=["a", "a"])
    behind = submit(spool, engine="a")
    assert claimed(spool, capacity={"a": 1}) == [behind]


@pytest.mark.parametrize("condition", ["after", "after_any"])
def test_after_waits_for_every_one(spool: Spool, condition: str) -> None:
    first, second = submit(spool), submit(spool)
    third = submit(spool, **{condition: [first, second]})
    assert [pid for pid, _ in spool.after(third)] == [first, second]
    held = spool.claim("w", {"local": 9}, lease=30.0)
    assert [process.pid for process in held] == [first, second]
    finish(spool, held[0].claim)
    assert claimed(spool) == []
    assert spool.why_waiting(third).after == ((second, "running"),)
    finish(spool, held[1].claim)
    assert claimed(spool) == [third]


def finish(spool: Spool, held: Claim) -> None:
    spool.end(held, Outcome(reason="exit", exit_code=0))


def test_why_it_waits(spool: Spool, clock: Clock) -> None:
    spool.announce(Engine("local", slots=1, detail="busy"))
    first, second, third = (submit(spool, priority=priority) for priority in (0, 0, 1))
    claim(spool)
    why = spool.why_waiting(second)
    assert (why.state, why.ahead, why.slots, why.in_use) == ("waiting", 1, 1, 1)
    assert spool.why_waiting(first).ahead == 0
    assert spool.get(third).state == "running"
    unknown = submit(spool, engine="nowhere")
    assert spool.why_waiting(unknown).slots is None
