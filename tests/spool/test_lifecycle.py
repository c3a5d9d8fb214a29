"""What users ask of processes and what workers report."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from pstack_spool import (
    BadSubmission,
    LeaseLost,
    NoSuchProcess,
    NotAllowed,
    Outcome,
    Process,
    Spool,
    State,
    Submission,
)
from pstack_spool.lifecycle import LONGEST_RETRY_DELAY
from pstack_spool.transitions import TABLE, Action, Situation
from tests.spool.conftest import Clock, claim, submit

FAILED = Outcome(state=State.FAILED, reason="crash", detail="signal 11")
DONE = Outcome(reason="exit", exit_code=0, exit_status=0)


def test_a_life(spool: Spool, clock: Clock) -> None:
    pid = submit(spool, name="ring.xml", owner="ann", uid=1000, options={"seed": 7}, private=True)
    process = spool.get(pid)
    assert (process.state, process.submitted) == ("waiting", clock.now)
    assert (process.owner, process.uid, process.name) == ("ann", 1000, "ring.xml")
    assert (process.options, process.private) == ({"seed": 7}, True)
    with pytest.raises(ValueError, match="nobody holds it"):
        process.claim  # noqa: B018
    clock.now += 5
    held = claim(spool)
    assert (held.state, held.started, held.worker, held.attempt) == ("running", clock.now, "w", 1)
    clock.now += 5
    spool.started(held.claim, devices=4, edges=8)
    spool.heartbeat([held.claim], lease=30.0, stats={pid: {"delivered": 12}})
    assert spool.get(pid).stats == {"delivered": 12}
    assert spool.get(pid).lease == clock.now + 30.0
    clock.now += 5
    outcome = Outcome(
        reason="exit",
        detail="handler_exit(3)",
        exit_code=3,
        exit_status=3,
        stats={"delivered": 99},
        metrics={"delivered": 99},
        states=b"npz",
    )
    assert spool.end(held.claim, outcome) == "finished"
    process = spool.get(pid)
    assert (process.reason, process.detail, process.exit_code) == ("exit", "handler_exit(3)", 3)
    assert (process.devices, process.edges, process.stats) == (4, 8, {"delivered": 99})
    assert (process.started, process.ended) == (clock.now - 5, clock.now)
    assert spool.result(pid).metrics == {"delivered": 99}
    assert b"".join(spool.states(pid)) == b"npz"
    history = [(change.before, change.after, change.worker) for change in spool.history(pid)]
    assert history == [
        (None, "waiting", None),
        ("waiting", "running", "w"),
        ("running", "finished", "w"),
    ]
    assert spool.last_change() == spool.changes()[-1].number
    assert spool.counts()[State.FINISHED] == 1


@pytest.mark.parametrize("action", list(Action))
def test_the_table_moves_between_situations_that_exist(action: Action) -> None:
    real = {Situation(state, held) for state in State for held in (False, True)}
    real -= {Situation(State.WAITING, True), Situation(State.RUNNING, False)}
    for before, after in TABLE[action].items():
        assert {before, after} <= real
        assert not before.state.final
        assert not (after.state.final and after.held)


def test_the_drawing_shows_the_table() -> None:
    text = (Path(__file__).parents[2] / "docs" / "spool.md").read_text()
    rows = re.findall(r"^\| `(\w+)` \| (.+?) \| (.+?) \|", text, re.MULTILINE)
    said = {
        (action, before.strip(), after)
        for action, befores, after in rows
        if action in set(Action)
        for before in befores.split(",")
    }
    names = {True: " (held)", False: ""}

    def name(situation: Situation) -> str:
        return situation.state + (names[situation.held] if situation.state == "paused" else "")

    table = {
        (str(action), name(before), name(after))
        for action, moves in TABLE.items()
        for before, after in moves.items()
    }
    assert said == table


def test_a_failure_is_tried_again_later_and_later(spool: Spool, clock: Clock) -> None:
    pid = submit(spool, retries=2)
    for delay in (1.0, 2.0):
        held = claim(spool)
        assert spool.end(held.claim, FAILED) == "waiting"
        waiting = spool.get(pid)
        assert (waiting.reason, waiting.started, waiting.worker) == ("crash", None, None)
        assert waiting.not_before == clock.now + delay
        assert spool.claim("w", {"local": 1}, lease=30.0) == []
        clock.now += delay
    assert spool.end(claim(spool).claim, FAILED) == "failed"
    assert (spool.get(pid).failures, spool.get(pid).attempt) == (3, 3)


def test_the_wait_before_a_retry_is_bounded(spool: Spool, clock: Clock) -> None:
    pid = submit(spool, retries=2000)
    for _ in range(1200):  # 2.0 ** 1100 would be too much for a float
        clock.now += LONGEST_RETRY_DELAY
        spool.end(claim(spool).claim, FAILED)
    assert spool.get(pid).not_before == clock.now + LONGEST_RETRY_DELAY


def test_a_failure_that_would_come_again_is_not_tried_again(spool: Spool) -> None:
    submit(spool, retries=2)
    outcome = Outcome(state=State.FAILED, reason="error", retry=False)
    assert spool.end(claim(spool).claim, outcome) == "failed"


def test_a_late_report_changes_nothing(spool: Spool, clock: Clock) -> None:
    pid = submit(spool, retries=1)
    late = claim(spool, "w").claim
    clock.now += 31
    assert spool.expire() == [(pid, "waiting")]
    again = claim(spool, "w").claim  # by the very same worker
    result = Outcome(metrics={"late": True})
    for report in (
        lambda: spool.end(late, result),
        lambda: spool.started(late),
        lambda: spool.paused(late),
        lambda: spool.release(late),
    ):
        with pytest.raises(LeaseLost, match=f"process {pid} is no longer run by w"):
            report()
    assert spool.heartbeat([late], lease=30.0).lost == (pid,)
    assert spool.result(pid) is None
    assert spool.end(again, DONE) == "finished"
    with pytest.raises(LeaseLost):
        spool.end(again, DONE)


def test_a_late_report_counts_while_nobody_took_the_process(spool: Spool, clock: Clock) -> None:
    submit(spool)
    held = claim(spool).claim
    clock.now += 1000
    assert spool.end(held, DONE) == "finished"
    assert spool.expire() == []


def test_a_lost_process_fails_without_retries(spool: Spool, clock: Clock) -> None:
    pid = submit(spool)
    claim(spool, "host:7")
    clock.now += 30
    assert spool.expire() == []
    clock.now += 1
    assert spool.expire() == [(pid, "failed")]
    assert (spool.get(pid).reason, spool.get(pid).detail) == ("lost", "its worker host:7 vanished")


def test_abandon_takes_the_processes_of_one_worker(spool: Spool) -> None:
    pids = [submit(spool, retries=1) for _ in range(3)]
    claim(spool, "dead")
    claim(spool, "alive")
    claim(spool, "dead")
    assert spool.workers() == {"dead": 2, "alive": 1}
    assert spool.abandon("dead") == [(pids[0], "waiting"), (pids[2], "waiting")]
    assert spool.workers() == {"alive": 1}


def test_release_is_no_failure(spool: Spool) -> None:
    pid = submit(spool)
    held = claim(spool)
    assert spool.release(held.claim, "the service was stopped") == "waiting"
    assert (spool.get(pid).failures, spool.get(pid).started) == (0, None)
    assert claim(spool).attempt == 2


def test_kill_of_a_waiting_process_is_immediate(spool: Spool) -> None:
    pid = submit(spool)
    assert spool.kill(pid) == "killed"
    with pytest.raises(NotAllowed, match=f"process {pid} is killed: it has ended"):
        spool.kill(pid)


def test_kill_of_a_running_process_goes_through_its_worker(spool: Spool) -> None:
    pid = submit(spool, retries=3)
    held = claim(spool)
    assert spool.kill(pid) == "running"
    assert spool.pause(pid) == "running"  # nothing else is wanted of it any more
    assert spool.heartbeat([held.claim], lease=30.0).kill == (pid,)
    assert spool.end(held.claim, Outcome(state=State.KILLED, reason="killed")) == "killed"


@pytest.mark.parametrize("gone", ["expire", "abandon", "release", "failed"])
def test_a_process_that_was_to_be_killed_never_runs_again(
    spool: Spool, clock: Clock, gone: str
) -> None:
    pid = submit(spool, retries=3)
    held = claim(spool)
    spool.kill(pid)
    clock.now += 31
    if gone == "expire":
        spool.expire()
    elif gone == "abandon":
        spool.abandon("w")
    elif gone == "release":
        spool.release(held.claim)
    else:
        spool.end(held.claim, FAILED)
    assert spool.get(pid).state == ("failed" if gone == "failed" else "killed")


def test_pause_and_resume_of_a_waiting_process(spool: Spool) -> None:
    pid = submit(spool)
    assert spool.pause(pid) == "paused"
    with pytest.raises(NotAllowed, match="only a waiting or running process can be paused"):
        spool.pause(pid)
    assert spool.claim("w", {"local": 1}, lease=30.0) == []
    assert spool.resume(pid) == "waiting"
    with pytest.raises(NotAllowed, match="only a paused process can go on"):
        spool.resume(pid)
    assert claim(spool).pid == pid


def test_pause_and_resume_of_a_running_process(spool: Spool) -> None:
    pid = submit(spool)
    held = claim(spool)
    assert spool.pause(pid) == "running"
    assert spool.heartbeat([held.claim], lease=30.0).pause == (pid,)
    assert spool.paused(held.claim) == "paused"
    assert spool.heartbeat([held.claim], lease=30.0).pause == ()
    assert spool.get(pid).claim == held.claim
    assert spool.resume(pid) == "paused"
    assert spool.heartbeat([held.claim], lease=30.0).resume == (pid,)
    assert spool.resumed(held.claim) == "running"
    assert spool.end(held.claim, DONE) == "finished"


def test_a_resume_that_crosses_a_pause_is_not_lost(spool: Spool) -> None:
    pid = submit(spool)
    held = claim(spool)
    spool.pause(pid)
    assert spool.heartbeat([held.claim], lease=30.0).pause == (pid,)
    spool.resume(pid)  # before the worker says that it has stopped it
    assert spool.paused(held.claim) == "paused"
    assert spool.heartbeat([held.claim], lease=30.0).resume == (pid,)
    assert spool.resumed(held.claim) == "running"
    assert spool.get(pid).request == ""


@pytest.mark.parametrize("obeyed", [True, False])
def test_a_paused_process_stays_paused_when_its_worker_vanishes(spool: Spool, obeyed: bool) -> None:
    pid = submit(spool, retries=1)
    held = claim(spool)
    spool.pause(pid)
    if obeyed:
        spool.paused(held.claim)
    assert spool.abandon("w") == [(pid, "paused")]
    assert spool.resume(pid) == "waiting"


def test_a_resumed_process_waits_when_its_worker_vanishes(spool: Spool) -> None:
    pid = submit(spool, retries=1)
    held = claim(spool)
    spool.pause(pid)
    spool.paused(held.claim)
    spool.resume(pid)
    assert spool.abandon("w") == [(pid, "waiting")]


def ended(spool: Spool, pid: int) -> Process:
    process = spool.get(pid)
    assert process.state.final
    return process


def test_what_comes_after_a_failure_fails_all_the_way(spool: Spool) -> None:
    first = submit(spool)
    second = submit(spool, after=[first])
    third = submit(spool, after=[second])
    anyway = submit(spool, after_any=[second])
    spool.pause(third)
    spool.kill(first)
    assert ended(spool, second).reason == "dependency"
    assert ended(spool, second).detail == "it was to run after process 1, which was killed"
    assert ended(spool, third).detail == "it was to run after process 2, which failed"
    assert claim(spool).pid == anyway


def test_an_exit_code_is_no_success_to_come_after(spool: Spool) -> None:
    first = submit(spool)
    second = submit(spool, after=[first])
    spool.end(claim(spool).claim, Outcome(reason="exit", exit_code=3))
    detail = "it was to run after process 1, which finished with exit code 3"
    assert ended(spool, second).detail == detail


def test_coming_after_what_has_ended_already(spool: Spool) -> None:
    good = submit(spool)
    spool.end(claim(spool).claim, DONE)
    bad = submit(spool)
    spool.kill(bad)
    fine, late = submit(spool, after=[good]), submit(spool, after=[good, bad])
    assert spool.get(fine).unmet == 0
    assert ended(spool, late).reason == "dependency"
    assert spool.get(submit(spool, after=[good, good], after_any=[good, bad])).unmet == 0


def test_coming_after_what_is_not_there_submits_nothing(spool: Spool) -> None:
    with pytest.raises(NoSuchProcess, match="there is no process 9"):
        submit(spool, after=[9])
    with pytest.raises(NoSuchProcess):
        submit(spool, after=[1])  # itself
    assert spool.select() == []


def test_rerun_is_the_same_again(spool: Spool) -> None:
    pid = submit(
        spool, name="a", owner="ann", uid=5, priority=3, label="l", options={"x": 1}, private=True
    )
    gang = submit(spool, regions=["a", "b"], after=[pid])
    spool.kill(pid)
    again = spool.get(spool.rerun(pid, owner="bob", uid=6))
    assert again.rerun_of == pid
    assert (again.owner, again.uid, again.state) == ("bob", 6, "waiting")
    old = spool.get(pid)
    for name in ("name", "priority", "label", "options", "application", "private", "engine"):
        assert getattr(again, name) == getattr(old, name)
    copy = spool.get(spool.rerun(gang))
    assert (copy.regions, copy.unmet, spool.tasks(copy.pid)) == (2, 0, ("a", "b"))


def test_selection(spool: Spool, clock: Clock) -> None:
    for owner, label in (("ann", "x"), ("bob", "x"), ("ann", "y"), ("cid", "y")):
        submit(spool, owner=owner, label=label, engine=f"on-{owner}")
    spool.kill(1)
    clock.now += 10
    spool.kill(2)

    def pids(**conditions: object) -> list[int]:
        return [process.pid for process in spool.select(**conditions)]

    assert pids() == [1, 2, 3, 4]
    assert pids(owners=["ann", "cid"]) == [1, 3, 4]
    assert pids(owners=["ann"], labels=["y"]) == [3]
    assert pids(states=["killed"]) == pids(states={State.KILLED}) == [1, 2]
    assert pids(engines=["on-bob"]) == [2]
    assert pids(ended_before=clock.now) == [1]
    assert pids(pids=[4, 1, 77]) == [1, 4]
    assert pids(limit=2) == [3, 4]
    assert pids(states=[]) == []
    assert pids(pids=range(5000)) == [1, 2, 3, 4]


def test_remove_takes_everything_along(spool: Spool) -> None:
    first, second = submit(spool), submit(spool, application=b"<other/>")
    held = claim(spool)
    spool.append_logs(first, [(0.0, 0, "n0", 1, "hello")])
    spool.end(held.claim, Outcome(metrics={}, states=b"x"))
    with pytest.raises(NotAllowed, match=f"process {second} is waiting: kill it before"):
        spool.remove([first, second])
    key = spool.get(first).application
    spool.remove([first])
    for look in (spool.get, spool.history, lambda pid: spool.remove([pid]), spool.rerun):
        with pytest.raises(NoSuchProcess, match=f"there is no process {first}"):
            look(first)
    assert spool.result(first) is None
    assert spool.logs(first) == []
    assert spool.size().rows == {
        "processes": 1,
        "applications": 1,
        "results": 0,
        "history": 1,
        "logs": 0,
    }
    assert submit(spool) == 3  # a PID is never given twice
    assert spool.get(3).application == key


def test_clean_forgets_what_has_ended(spool: Spool, clock: Clock) -> None:
    pids = [submit(spool, owner=owner) for owner in ("ann", "ann", "bob", "ann")]
    for pid in pids[:3]:
        clock.now += 1
        spool.kill(pid)
    assert spool.clean(owners=["ann"], ended_before=clock.now - 1) == [pids[0]]
    assert spool.clean(states=["finished"]) == []
    assert spool.clean() == pids[1:3]
    assert [process.pid for process in spool.select()] == [pids[3]]


def test_an_array_keeps_its_application_once(spool: Spool) -> None:
    content = b"<Graphs/>" * 1000
    pids = spool.submit(
        [
            Submission(application=content, array_index=index, array_value=str(index * 2))
            for index in range(100)
        ]
    )
    assert pids == list(range(1, 101))
    assert spool.size().rows["applications"] == 1
    assert spool.get(50).array_value == "98"
    assert spool.application(spool.get(50).application) == content


@pytest.mark.parametrize(
    ("fields", "sentence"),
    [
        ({"priority": 1001}, "priority 1001 is not between -1000 and 1000"),
        ({"retries": -1}, "retries -1 is not between"),
        ({"memory": 1 << 70}, "memory .* is not between"),
        ({"options": {"x": object()}}, "the options of application cannot be kept"),
        ({"options": {"x": float("nan")}}, "the options of application cannot be kept"),
    ],
)
def test_bad_submissions_are_refused_whole(
    spool: Spool, fields: dict[str, object], sentence: str
) -> None:
    bad = Submission(application=b"<Graphs/>", **fields)
    with pytest.raises(BadSubmission, match=sentence):
        spool.submit([Submission(application=b"good"), bad])
    assert spool.size().rows["processes"] == spool.size().rows["applications"] == 0


def test_names_that_are_not_unicode(spool: Spool) -> None:
    pid = submit(spool, name="caf\udce9.xml", label="\x00", owner="ö")
    process = spool.get(pid)
    assert (process.name, process.label, process.owner) == ("caf?.xml", "\x00", "ö")


def test_changes_can_be_followed(spool: Spool) -> None:
    begin = spool.last_change()
    first, second = submit(spool), submit(spool)
    spool.kill(second)
    seen = spool.changes(begin)
    assert [(change.pid, change.after) for change in seen] == [
        (first, "waiting"),
        (second, "waiting"),
        (second, "killed"),
    ]
    assert spool.changes(seen[-1].number) == []
    assert spool.changes(begin, limit=1) == seen[:1]


def test_calls_in_a_batch_happen_together_or_not(spool: Spool) -> None:
    pid = submit(spool)

    def fail() -> None:
        with spool.batch(durable=True):
            submit(spool)
            spool.kill(pid)
            raise RuntimeError

    with pytest.raises(RuntimeError):
        fail()
    assert [process.state for process in spool.select()] == ["waiting"]
    with spool.batch(durable=True):
        with pytest.raises(NoSuchProcess):
            submit(spool, after=[99])  # undone alone
        other = submit(spool)
    assert [process.pid for process in spool.select()] == [pid, other]
    with spool.batch(), pytest.raises(RuntimeError, match="needs a durable batch"):
        submit(spool)
