"""What a spool should do, said once more, slowly and in plain Python."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field

HOUR = 3600.0
FINAL = ("finished", "failed", "killed")


@dataclass
class Job:
    """A process."""

    pid: int
    owner: str
    priority: int
    submitted: float
    engines: tuple[str, ...]
    retries: int
    after: dict[int, str]  # PID: condition
    state: str = "waiting"
    reason: str = ""
    exit_code: int | None = None
    worker: str | None = None
    attempt: int = 0
    failures: int = 0
    lease: float = 0.0
    not_before: float = 0.0
    request: str = ""
    finishes: int = 0  # how often it ran to completion

    @property
    def place(self) -> tuple[float, int]:
        return self.submitted - HOUR * self.priority, self.pid


@dataclass
class Model:
    """A spool with announced slots."""

    slots: dict[str, int]
    jobs: dict[int, Job] = field(default_factory=dict)
    removed: set[int] = field(default_factory=set)
    next_pid: int = 1

    def submit(
        self,
        now: float,
        owner: str,
        priority: int,
        engines: tuple[str, ...],
        retries: int,
        after: dict[int, str],
    ) -> int:
        pid = self.next_pid
        self.next_pid += 1
        self.jobs[pid] = Job(pid, owner, priority, now, engines, retries, dict(after))
        self.settle()
        return pid

    def settle(self) -> None:
        """Fail what came after something that did not go well, until nothing changes."""
        changed = True
        while changed:
            changed = False
            for job in self.jobs.values():
                if job.state in FINAL:
                    continue
                for pid, condition in list(job.after.items()):
                    other = self.jobs.get(pid)
                    if other is None or other.state not in FINAL:
                        continue
                    del job.after[pid]
                    if condition == "ok" and not (
                        other.state == "finished" and not other.exit_code
                    ):
                        self.leave(job, "failed", "dependency")
                        changed = True
                        break

    def leave(self, job: Job, state: str, reason: str) -> None:
        job.state, job.reason = state, reason
        job.worker, job.request = None, ""

    def end(self, job: Job, state: str, reason: str) -> None:
        self.leave(job, state, reason)
        self.settle()

    def again(self, job: Job, reason: str, not_before: float) -> None:
        stopped = job.state == "paused"
        if job.request:
            stopped = job.request == "pause"
        self.leave(job, "paused" if stopped else "waiting", reason)
        job.not_before = not_before

    def claim(
        self,
        now: float,
        worker: str,
        capacity: dict[str, int],
        lease: float,
        share: int | None,
        most: int,
    ) -> list[int]:
        used = Counter(e for job in self.jobs.values() if job.worker for e in job.engines)
        held = Counter(job.owner for job in self.jobs.values() if job.worker)
        free = {e: min(n, self.slots[e] - used[e]) for e, n in capacity.items()}
        taken = []
        for job in sorted(self.jobs.values(), key=lambda job: job.place):
            if job.state != "waiting" or job.after or job.not_before > now:
                continue
            if len(taken) == most:
                break
            if share is not None and held[job.owner] >= share:
                continue
            wanted = Counter(job.engines)
            if all(free.get(e, 0) >= n for e, n in wanted.items()):
                taken.append(job.pid)
                job.state, job.worker, job.lease = "running", worker, now + lease
                job.attempt += 1
                held[job.owner] += 1
                for e, n in wanted.items():
                    free[e] -= n
            elif len(job.engines) > 1 and all(
                e in capacity and n <= self.slots[e] for e, n in wanted.items()
            ):
                for e in wanted:
                    free[e] = 0
        return taken

    def ask(self, pid: int, action: str) -> bool:
        """A user's wish; whether it is allowed."""
        job = self.jobs[pid]
        if job.state in FINAL:
            return False
        if job.worker is None:
            if action == "kill":
                self.end(job, "killed", "killed")
            elif action == "pause" and job.state == "waiting":
                job.state = "paused"
            elif action == "resume" and job.state == "paused":
                job.state = "waiting"
            else:
                return False
            return True
        if job.request == "kill":
            return True
        allowed = {
            "kill": True,
            "pause": job.state == "running" or job.request == "resume",
            "resume": job.state == "paused" or job.request == "pause",
        }[action]
        if allowed:
            job.request = action
        return allowed

    def holds(self, pid: int, attempt: int, worker: str) -> Job | None:
        job = self.jobs.get(pid)
        if job is None or (job.worker, job.attempt) != (worker, attempt):
            return None
        return job

    def failed(self, job: Job, now: float, reason: str, delay: float, retry: bool) -> None:
        job.failures += 1
        if job.request == "kill" and reason == "lost":
            job.failures -= 1
            self.end(job, "killed", "killed")
        elif retry and job.failures <= job.retries and job.request != "kill":
            self.again(job, reason, now + delay)
        else:
            self.end(job, "failed", reason)
