"""What is at hand in the shell's ``py``: the service, graphs and results."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from pstack_core.graph.model import Graph
    from pstack_core.runtime.service import ProcessInfo, Service
    from pstack_core.runtime.stored_result import StoredResult


class Runtime:
    """The service of processes under the names of the commands."""

    def __init__(self, connect: Callable[[], Service], graphs: dict[str, Graph]) -> None:
        self._connect = connect
        self.graphs = graphs

    @property
    def service(self) -> Service:
        """The :class:`pstack_core.runtime.service.Service` that the shell uses."""
        return self._connect()

    def load(self, app: Any, name: str = "", **options: Any) -> Graph:
        """Load an application and keep its graph in ``graphs``, by its id or as ``name``."""
        from pstack_core.graph import load

        graph = load(app, **options)
        self.graphs[name or graph.id] = graph
        return graph

    def run(self, source: Any, **options: Any) -> Any:
        """Run an application in this process, as ``pstack_core.run`` does."""
        from pstack_core.runtime.run import run

        return run(source, **options)

    def ps(self, *states: str) -> list[ProcessInfo]:
        """Processes in these states; without any, all that have not ended."""
        from pstack_core.runtime.service import ALIVE, Query

        return self.service.processes(Query(states=states) if states else ALIVE)

    def result(self, pid: int) -> StoredResult:
        """How a process ended: ``.metrics``, ``.states``, ``.reason``, ``.exit_code``."""
        return self.service.result(pid)

    def submit(self, app: str, **options: Any) -> int:
        """Queue an application; its PID.  ``options`` are fields of ``Request``."""
        from pathlib import Path

        from pstack_core.runtime.service import Request

        path = Path(app)
        request = Request(
            application=path.read_bytes(),
            **({"name": path.name, "folder": str(path.absolute().parent)} | options),
        )
        [pid] = self.service.submit([request])
        return pid

    def names(self) -> dict[str, Any]:
        """The names that ``py`` and Python scripts see."""
        import pstack_core

        return {
            "pstack": pstack_core,
            "runtime": self,
            "service": LateService(self._connect),
            "graphs": self.graphs,
            "load": self.load,
            "run": self.run,
            "ps": self.ps,
            "result": self.result,
            "submit": self.submit,
        }


class LateService:
    """The shell's service of the moment, which may change when a daemon starts or ends."""

    def __init__(self, connect: Callable[[], Service]) -> None:
        self._connect = connect

    def __getattr__(self, name: str) -> Any:
        return getattr(self._connect(), name)

    def __dir__(self) -> list[str]:
        from pstack_core.runtime.service import Service

        return [name for name in dir(Service) if not name.startswith("_")]

    def __repr__(self) -> str:
        return repr(self._connect())
