"""What the spool keeps, as users see it: who may look, and sentences for why something waits."""

from __future__ import annotations

import json
import time
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING, Any

from pstack_core.runtime.service import ProcessInfo
from pstack_spool import State

if TYPE_CHECKING:
    from pstack_core.runtime.scheduler import Live
    from pstack_spool import Process, Waiting


@dataclass(frozen=True)
class Caller:
    """Who asks.  ``admin``: may act on everybody's processes."""

    uid: int
    name: str
    admin: bool = False

    def may_act(self, uid: int) -> bool:
        """Whether the caller may act on processes of a user."""
        return self.admin or uid == self.uid


@lru_cache(maxsize=1024)
def _options(text: str) -> dict[str, Any]:
    """Options as they are stored, to look at only: thousands of processes share theirs."""
    decoded: dict[str, Any] = json.loads(text)
    return decoded


def info(process: Process, live: Live | None = None, hidden: bool = False) -> ProcessInfo:
    """One process; ``hidden``: only that it exists and what it takes up."""
    options = _options(process.options_json)
    values: dict[str, Any] = {
        "pid": process.pid,
        "state": str(process.state),
        "name": "(private)" if hidden else process.name,
        "owner": process.owner,
        "uid": process.uid,
        "engine": process.engine,
        "priority": process.priority,
        "submitted": process.submitted,
        "started": process.started,
        "ended": process.ended,
        "private": bool(options.get("private")),
        "regions": process.regions,
        "attempt": process.attempt,
        "retries": process.retries,
    }
    if hidden:
        return ProcessInfo(**values)
    values |= {
        "label": process.label,
        "reason": process.reason if process.state.final else "",
        "detail": process.detail,
        "exit_code": process.exit_code,
        "exit_status": process.exit_status,
        "after": tuple(options.get("after", ())),
        "array_index": process.array_index,
        "array_value": process.array_value,
        "devices": process.devices,
        "edges": process.edges,
    }
    if live is not None:
        values |= {
            "sent": live.sent,
            "delivered": live.delivered,
            "rate": live.rate,
            "cpu_seconds": live.cpu_seconds,
            "memory_bytes": live.memory_bytes,
        }
        if values["devices"] is None:
            values |= {"devices": live.devices, "edges": live.edges}
    return ProcessInfo(**values)


def counted(process: ProcessInfo, metrics: Mapping[str, Any]) -> Mapping[str, Any]:
    """The counts of an ended process, from its metrics, under the names of ProcessInfo."""
    return {
        "delivered": metrics.get("Delivered messages"),
        "sent": metrics.get("Sent messages"),
        "rate": metrics.get("Deliveries per second"),
    }


def waiting_sentence(waiting: Waiting, scheduled: bool) -> str:
    """Why a process does not run yet; empty for one that is not waiting.

    ``scheduled``: whether a scheduler is at work.
    """
    if waiting.state is State.PAUSED:
        return "it is paused: 'pstack continue' lets it go on"
    if waiting.state is not State.WAITING:
        return ""
    if waiting.after:
        others = ", ".join(f"{pid} ({state})" for pid, state in waiting.after[:10])
        more = f" and {len(waiting.after) - 10} more" if len(waiting.after) > 10 else ""
        return f"it comes after {others}{more}"
    if waiting.slots is None and scheduled:
        return f"there is no engine {waiting.engine!r} here: see pstack engines"
    if not waiting.available:
        return f"engine {waiting.engine!r} is not available: {waiting.engine_detail}"
    left = waiting.not_before - time.time()
    if left > 0:
        return f"it failed and is tried again in {left:.0f} s"
    if not scheduled:
        return "no daemon runs: start one with 'pstack daemon start', or use 'pstack wait'"
    if waiting.slots is not None and waiting.in_use >= waiting.slots:
        return (
            f"engine {waiting.engine!r} is full ({waiting.in_use} of {waiting.slots} in use), "
            f"and {waiting.ahead} processes are before it"
        )
    return "it is about to start, or its owner has reached the share that one user may take"
