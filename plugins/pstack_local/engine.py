"""The engine that runs the native kernel on this machine."""

from __future__ import annotations

import os
import platform
from typing import TYPE_CHECKING

from pstack_core.engines.engine import Engine, EngineError, EngineInfo

if TYPE_CHECKING:
    from pstack_core.engines.engine import Session, Task

FEATURES = frozenset(
    {"edge-state", "hardware-idle", "device-idle", "indexed-sends", "supervisor", "halt"}
)


class LocalEngine(Engine):
    """One worker process a task; as many slots as processors."""

    name = "local"

    def info(self) -> EngineInfo:
        from pstack_native.compiler import CompilerError, find_compiler

        available = True
        try:
            compiler = find_compiler()
            detail = f"{' '.join(compiler.command)}: {compiler.version()}"
        except (CompilerError, OSError) as error:
            available, detail = False, str(error)
        return EngineInfo(
            name=self.name,
            kind="native",
            host=platform.node() or "localhost",
            slots=os.cpu_count() or 1,
            features=FEATURES,
            available=available,
            detail=detail,
        )

    def open(self, task: Task) -> Session:
        from pstack_local.session import LocalSession

        if task.threads != 1:
            raise EngineError(
                f"the local engine runs one thread, not {task.threads}; leave --threads at 1"
            )
        return LocalSession(task)
