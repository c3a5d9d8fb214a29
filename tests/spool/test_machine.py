"""The spool against a model: whatever users and workers do, in whatever order."""

from __future__ import annotations

import os
import shutil
import tempfile
from itertools import pairwise
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
)

from pstack_spool import (
    Claim,
    Engine,
    LeaseLost,
    NoSuchProcess,
    NotAllowed,
    Outcome,
    Spool,
    State,
    Submission,
)
from pstack_spool.transitions import TABLE
from tests.spool.model import FINAL, Model

LEASE = 10.0
WORKERS = ("w1", "w2")
SLOTS = {"a": 3, "b": 2}

#: Which of the processes, or of the claims, so far; counted from the latest.
which = st.integers(0, 4)
any_process = precondition(lambda self: self.pids)
any_claim = precondition(lambda self: self.claims)
any_held = precondition(lambda self: self.in_state("running") or self.in_state("paused"))


class SpoolMachine(RuleBasedStateMachine):
    """Users submit and act, workers claim, report, fall silent and come back late."""

    @initialize()
    def begin(self) -> None:
        self.now = 1_700_000_000.0
        # In memory where that is possible: every submission waits for the disk.
        memory = Path("/dev/shm")
        self.folder = Path(tempfile.mkdtemp(dir=memory if os.access(memory, os.W_OK) else None))
        self.spool = Spool(self.folder / "spool.db", clock=lambda: self.now)
        for name, slots in SLOTS.items():
            self.spool.announce(Engine(name, slots=slots))
        self.model = Model(SLOTS)
        self.pids: list[int] = []
        self.claims: list[Claim] = []
        self.allowed = {
            (before.state, after.state) for to in TABLE.values() for before, after in to.items()
        }

    def teardown(self) -> None:
        if hasattr(self, "spool"):
            assert self.spool.integrity() == []
            for pid in self.model.jobs:
                history = self.spool.history(pid)
                assert history[0].before is None
                for earlier, later in pairwise(history):
                    assert later.before == earlier.after
                    assert (later.before, later.after) in self.allowed
            self.spool.close()
            shutil.rmtree(self.folder)

    def in_state(self, state: str) -> bool:
        return any(job.state == state for job in self.model.jobs.values())

    def pid(self, number: int) -> int:
        return self.pids[-1 - number % len(self.pids)]

    def claimed(self, number: int) -> Claim:
        return self.claims[-1 - number % len(self.claims)]

    @rule(
        owner=st.sampled_from("xy"),
        priority=st.integers(-2, 2),
        engines=st.sampled_from(
            [("a",), ("a",), ("a",), ("b",), ("a", "b"), ("a", "a", "a"), ("b", "b", "b")]
        ),
        retries=st.integers(0, 2),
        after=st.one_of(
            st.just([]),
            st.just([]),
            st.lists(st.tuples(which, st.sampled_from(["ok", "any"])), max_size=2),
        ),
        count=st.integers(1, 3),
    )
    def submit(self, owner, priority, engines, retries, after, count):  # type: ignore[no-untyped-def]
        after = [(self.pid(number), kind) for number, kind in after if self.pids]
        condition: dict[int, str] = {}
        for pid, kind in after:
            # Named for both, the stricter counts.
            condition[pid] = "ok" if kind == "ok" else condition.get(pid, kind)
        one = Submission(
            application=f"<{owner}{priority}>".encode(),
            owner=owner,
            priority=priority,
            engine=engines[0],
            regions=engines if len(engines) > 1 else (),
            retries=retries,
            after=[pid for pid, kind in after if kind == "ok"],
            after_any=[pid for pid, kind in after if kind == "any"],
        )
        if set(condition) & self.model.removed:
            with pytest.raises(NoSuchProcess):
                self.spool.submit([one] * count)
            return
        arguments = (self.now, owner, priority, engines, retries, condition)
        expected = [self.model.submit(*arguments) for _ in range(count)]
        assert self.spool.submit([one] * count) == expected
        self.pids += expected

    @rule(seconds=st.sampled_from([0.5, 2.0, LEASE + 1, 1800.0, 2 * 3600.0]))
    def pass_time(self, seconds: float) -> None:
        self.now += seconds

    @precondition(lambda self: self.in_state("waiting"))
    @rule(
        worker=st.sampled_from(WORKERS),
        capacity=st.sampled_from([{"a": 3, "b": 3}, {"a": 2, "b": 1}, {"a": 1}, {"b": 2}]),
        share=st.sampled_from([None, 1, 2]),
        most=st.integers(1, 3),
    )
    def claim(self, worker, capacity, share, most):  # type: ignore[no-untyped-def]
        expected = self.model.claim(self.now, worker, capacity, LEASE, share, most)
        found = self.spool.claim(worker, capacity, lease=LEASE, share=share, most=most)
        assert [process.pid for process in found] == expected
        self.claims += [process.claim for process in found]

    @any_claim
    @rule(numbers=st.sets(which))
    def heartbeat(self, numbers: set[int]) -> None:
        claims = sorted({self.claimed(number) for number in numbers})
        orders = self.spool.heartbeat(claims, lease=LEASE)
        expected: dict[str, list[int]] = {"lost": [], "kill": [], "pause": [], "resume": []}
        for claim in claims:
            job = self.model.holds(*claim)
            if job is None:
                expected["lost"].append(claim.pid)
            else:
                job.lease = self.now + LEASE
                if job.request:
                    expected[job.request].append(job.pid)
        assert {name: list(pids) for name, pids in orders._asdict().items()} == expected

    @any_claim
    @rule(number=which, action=st.sampled_from(["pause", "resume"]))
    def obey(self, number: int, action: str) -> None:
        claim = self.claimed(number)
        report = {"pause": self.spool.paused, "resume": self.spool.resumed}[action]
        job = self.model.holds(*claim)
        if job is None:
            self.lost(report, claim)
            return
        job.request = "" if job.request == action else job.request
        job.state = {"pause": "paused", "resume": "running"}[action]
        assert report(claim) == job.state

    @any_claim
    @rule(number=which)
    def release(self, number: int) -> None:
        claim = self.claimed(number)
        job = self.model.holds(*claim)
        if job is None:
            self.lost(self.spool.release, claim)
            return
        if job.request == "kill":
            self.model.end(job, "killed", "killed")
        else:
            self.model.again(job, job.reason, job.not_before)
        assert self.spool.release(claim) == job.state

    # Of any claim so far: late and repeated reports must be refused.
    @any_claim
    @rule(
        number=which,
        state=st.sampled_from(["finished", "finished", "failed", "killed"]),
        code=st.integers(0, 1),
        retry=st.booleans(),
    )
    def end(self, number: int, state: str, code: int, retry: bool) -> None:
        claim = self.claimed(number)
        outcome = Outcome(
            state=State(state), reason=state, exit_code=code, retry=retry, metrics={"code": code}
        )
        job = self.model.holds(*claim)
        if job is None:
            self.lost(self.spool.end, claim, outcome)
            return
        if state == "failed":
            delay = 2.0**job.failures
            self.model.failed(job, self.now, "failed", delay, retry)
        else:
            job.exit_code = code
            job.finishes += 1
            self.model.end(job, state, state)
        if job.state == "failed":
            job.exit_code = code
        assert self.spool.end(claim, outcome) == job.state

    def lost(self, report, *arguments) -> None:  # type: ignore[no-untyped-def]
        with pytest.raises(LeaseLost):
            report(*arguments)

    @any_held
    @rule()
    def expire(self) -> None:
        self.vanish(lambda job: job.lease < self.now, self.spool.expire)

    @any_held
    @rule(worker=st.sampled_from(WORKERS))
    def abandon(self, worker: str) -> None:
        self.vanish(lambda job: job.worker == worker, lambda: self.spool.abandon(worker))

    def vanish(self, chosen, act) -> None:  # type: ignore[no-untyped-def]
        gone = [job for job in self.model.jobs.values() if job.worker and chosen(job)]
        for job in gone:
            self.model.failed(job, self.now, "lost", 0.0, True)
        assert act() == [(job.pid, job.state) for job in gone]

    @any_process
    @rule(number=which, action=st.sampled_from(["kill", "pause", "resume"]))
    def ask(self, number: int, action: str) -> None:
        pid = self.pid(number)
        call = {"kill": self.spool.kill, "pause": self.spool.pause, "resume": self.spool.resume}
        if pid in self.model.removed:
            error: type[Exception] | None = NoSuchProcess
        else:
            error = None if self.model.ask(pid, action) else NotAllowed
        if error is not None:
            with pytest.raises(error):
                call[action](pid)
        else:
            assert call[action](pid) == self.model.jobs[pid].state

    @any_process
    @rule(number=which)
    def rerun(self, number: int) -> None:
        pid = self.pid(number)
        old = self.model.jobs.get(pid)
        if old is None:
            with pytest.raises(NoSuchProcess):
                self.spool.rerun(pid)
            return
        arguments = (self.now, old.owner, old.priority, old.engines, old.retries, {})
        expected = self.model.submit(*arguments)
        assert self.spool.rerun(pid) == expected
        self.pids.append(expected)

    @any_process
    @rule(numbers=st.lists(which, min_size=1, max_size=2))
    def remove(self, numbers: list[int]) -> None:
        chosen = list(dict.fromkeys(self.pid(number) for number in numbers))
        error: type[Exception] | None = None
        for pid in chosen:
            if pid in self.model.removed:
                error = NoSuchProcess
                break
            if self.model.jobs[pid].state not in FINAL:
                error = NotAllowed
                break
        if error is not None:
            with pytest.raises(error):
                self.spool.remove(chosen)
            return
        self.spool.remove(chosen)
        for pid in chosen:
            del self.model.jobs[pid]
            self.model.removed.add(pid)

    @invariant()
    def agrees(self) -> None:
        if not hasattr(self, "spool"):
            return
        jobs = self.model.jobs
        found = self.spool.select()
        assert [process.pid for process in found] == sorted(jobs)
        for process in found:
            job = jobs[process.pid]
            told = {name: getattr(process, name) for name in COMPARED}
            assert told == {name: getattr(job, name) for name in COMPARED}, process.pid
            if job.state not in FINAL:
                assert process.unmet == len(job.after)
            assert job.finishes <= 1
        contents = {f"<{job.owner}{job.priority}>" for job in jobs.values()}
        assert self.spool.size().rows["applications"] == len(contents)


COMPARED = (
    "state",
    "reason",
    "exit_code",
    "worker",
    "attempt",
    "failures",
    "request",
    "not_before",
)

TestSpool = SpoolMachine.TestCase
TestSpool.settings = settings(
    max_examples=300,
    stateful_step_count=40,
    deadline=None,
    suppress_health_check=list(HealthCheck),
)
