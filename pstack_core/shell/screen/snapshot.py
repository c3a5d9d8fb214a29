"""What ``top`` shows, as it was at one moment."""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pstack_core.runtime.service import EngineStatus, ProcessInfo, Service, ServiceStatus

#: Waiting and ended processes that are fetched: a screen shows no more, and 10,000 take time.
MOST_WAITING = 500
MOST_ENDED = 200


@dataclass(frozen=True)
class Snapshot:
    """Engines, processes, and how many processes there are in each state."""

    time: float
    status: ServiceStatus
    engines: list[EngineStatus]
    processes: list[ProcessInfo]
    counts: Mapping[str, int] = field(default_factory=dict)


def take(service: Service, ended: bool = False) -> Snapshot:
    """Ask the service.  Raises ServiceError."""
    from pstack_core.runtime.service import FINAL, Query

    processes = service.processes(Query(states=("running", "paused")))
    processes += service.processes(Query(states=("waiting",), limit=MOST_WAITING))
    if ended:
        processes += service.processes(Query(states=tuple(sorted(FINAL)), limit=MOST_ENDED))
    # One that changed its state meanwhile was seen twice; the later is true.
    unique = {process.pid: process for process in processes}
    return Snapshot(
        time.time(),
        service.status(),
        service.engines(),
        list(unique.values()),
        service.spool_info().counts,
    )
