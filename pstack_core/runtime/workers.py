"""Schedulers as the spool's workers: their names, and what dead ones have left behind."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from pstack_spool import LeaseLost, Outcome, State

if TYPE_CHECKING:
    from pstack_spool import Process, Spool

#: A process whose scheduler died so often while it ran is not run again.
MOST_DEATHS = 100


def worker_name() -> str:
    """A name for this process's scheduler that no other ever had: host, process id, start."""
    return _name(os.getpid())


def recover(spool: Spool) -> None:
    """Let what schedulers of this machine that died were running wait again.

    Its run did not come to an end, so it is run from the start.  That is no failure
    of the process, unless it happens again and again.
    """
    for worker in spool.workers():
        if _is_dead(worker):
            for process in spool.select(states=("running", "paused")):
                if process.worker == worker:
                    _requeue(spool, process)


def _requeue(spool: Spool, process: Process) -> None:
    try:
        if process.attempt - process.failures < MOST_DEATHS:
            spool.release(process.claim, "the service ended while it ran: it runs again")
        else:
            detail = f"the service ended {MOST_DEATHS} times while it ran"
            lost = Outcome(state=State.FAILED, reason="lost", detail=detail, exit_status=1)
            spool.end(process.claim, lost)
    except LeaseLost:
        pass  # another scheduler was quicker


def _is_dead(worker: str) -> bool:
    host, _, rest = worker.partition(":")
    pid = rest.partition(":")[0]
    if host != os.uname().nodename or not pid.isdecimal():
        return False  # nothing is known of other machines: its lease will run out
    try:
        return _name(int(pid)) != worker
    except OSError:
        return True


def _name(pid: int) -> str:
    with open(f"/proc/{pid}/stat", "rb") as stat:
        fields = stat.read().rpartition(b")")[2].split()
    state, start = fields[0].decode(), fields[19].decode()
    # A process that nobody has waited for yet is there by name only.
    return f"{os.uname().nodename}:{pid}:{start}" if state not in "ZX" else ""
