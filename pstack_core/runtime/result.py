"""The result of a run."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any

from pstack_core.runtime import exit_status
from pstack_core.runtime.states import StateMap
from pstack_core.runtime.values import strict

if TYPE_CHECKING:
    from pstack_core.engines.events import Finished
    from pstack_core.graph.model import Graph


@dataclass
class Result:
    """How a run ended.

    ``load_seconds`` is reading the file plus loading the instance into the engine.
    """

    graph: Graph = field(repr=False)
    finished: Finished
    compile_seconds: float = 0.0
    load_seconds: float = 0.0

    @property
    def exit_code(self) -> int:
        """The application's own exit code, as it gave it."""
        return self.finished.exit_code

    @property
    def exit_status(self) -> int:
        """The exit status of ``pstack run`` for this end: 0 to 255."""
        return exit_status.of_finished(self.finished)

    @property
    def reason(self) -> str:
        """One of ``exit halt idle timeout limit assert crash killed``."""
        return self.finished.reason.value

    @property
    def detail(self) -> str:
        """A sentence about the end; names device, pin and handler if one is to blame."""
        return self.finished.detail

    @property
    def metrics(self) -> dict[str, int | float | str]:
        """Counts, seconds and the reason, under the names that ``--json`` uses."""
        counters, seconds = self.finished.counters, self.finished.run_seconds
        return {
            "Delivered messages": counters.delivered,
            "Exit code": self.finished.exit_code,
            "Sent messages": counters.sent,
            "Reason": self.reason,
            "Compile seconds": round(self.compile_seconds, 6),
            "Load seconds": round(self.load_seconds, 6),
            "Run seconds": round(seconds, 6),
            "Deliveries per second": round(counters.delivered / seconds) if seconds > 0 else 0,
            "Devices": len(self.graph.devices),
            "Edges": len(self.graph.edges),
        }

    @cached_property
    def states(self) -> StateMap:
        """Device id to ``{field: value}``; empty where the run has no states to show."""
        states = self.finished.states
        return StateMap(self.graph, None if states is None else states.by_type)

    def to_json(self) -> dict[str, Any]:
        """``{"states": ..., "metrics": ...}`` as plain values for a strict JSON writer."""
        states = {device: strict(values) for device, values in self.states.items()}
        return {"states": states, "metrics": self.metrics}

    def write_json(self, file: IO[str]) -> None:
        """Write what :meth:`to_json` returns, streaming."""
        write_json(file, self.states, self.metrics)

    def write_states(self, path: str | Path) -> None:
        """Write all states to a ``.json``, ``.csv`` or ``.npz`` file."""
        self.states.write(path)


def write_json(file: IO[str], states: StateMap, metrics: Mapping[str, int | float | str]) -> None:
    """Write the one JSON object of a run, a line a device."""
    file.write('{"states": ')
    states.write_json(file)
    file.write(f',\n"metrics": {json.dumps(dict(metrics), indent=1, allow_nan=False)}}}\n')
