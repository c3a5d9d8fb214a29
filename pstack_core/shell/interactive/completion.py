"""What the Tab key offers: processes, applications, devices, fields, engines, labels."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Iterable, Iterator
from functools import partial
from itertools import islice
from typing import TYPE_CHECKING, Any

from cmd2 import Cmd, CompletionItem, Completions

from pstack_core.shell import people
from pstack_core.shell.process_columns import end_of, title_of

if TYPE_CHECKING:
    from pstack_core.runtime.service import ProcessInfo
    from pstack_core.shell.interactive.app import Shell

#: Items offered at a time.
MOST = 200

Tokens = dict[str, list[str]]
#: What is offered for a text: (value, description).
Offer = Callable[["Shell", Tokens], Iterable[tuple[str, str]]]

ALIVE = ("waiting", "running", "paused")
ENDED = ("finished", "failed", "killed")


def _completer(offer: Offer, finalize: bool = True) -> Callable[..., Completions]:
    """A completer of cmd2.  What cannot be found out is not offered: completion never fails."""

    def complete(
        shell: Shell, text: str, line: str, begidx: int, endidx: int, arg_tokens: Tokens
    ) -> Completions:
        try:
            fitting = (item for item in offer(shell, arg_tokens) if item[0].startswith(text))
            items = [
                CompletionItem(value, display_meta=meta) for value, meta in islice(fitting, MOST)
            ]
        except Exception:  # bad applications and PIDs, a service that has gone
            items = []
        return Completions(items, allow_finalization=finalize)

    return complete


def describe(process: ProcessInfo, now: float) -> str:
    """``running 3.4s  ring.xml``."""
    if process.state in ALIVE:
        how = f"{process.state} {people.duration(process.seconds(now))}"
    else:
        how = f"{process.state} {end_of(process)}"
    return f"{how.removesuffix(people.NOTHING).strip()}  {title_of(process)}"


def _pids(states: tuple[str, ...], shell: Shell, tokens: Tokens) -> Iterator[tuple[str, str]]:
    from pstack_core.runtime.service import Query

    now = time.time()
    for process in reversed(shell.service().processes(Query(states=states, limit=MOST))):
        yield str(process.pid), describe(process, now)


def _engines(shell: Shell, tokens: Tokens) -> Iterator[tuple[str, str]]:
    for engine in shell.service().engines():
        yield engine.name, engine.detail if not engine.available else f"{engine.slots} slots"


def _of_processes(name: str, shell: Shell, tokens: Tokens) -> Iterator[tuple[str, str]]:
    from pstack_core.runtime.service import Query

    count: dict[str, int] = {}
    for process in shell.service().processes(Query(limit=10_000)):
        value = getattr(process, name)
        count[value] = count.get(value, 0) + 1
    for value, number in count.items():
        if value:
            yield value, people.many(number, "process", "processes")


def _properties(shell: Shell, tokens: Tokens) -> Iterator[tuple[str, str]]:
    """Properties of the graphs that the line names."""
    from pstack_core.graph import load_types

    for app in [*tokens.get("app", ()), *tokens.get("apps", ())]:
        for found in load_types(os.path.expanduser(app)):
            for member in found.properties.members:
                yield f"{member.name}=", f"property of {found.id}"


def _devices(shell: Shell, tokens: Tokens) -> Iterator[tuple[str, str]]:
    for pid in tokens.get("pid", ()):
        for name in shell.device_names(int(pid)):
            yield name, ""


def _fields(shell: Shell, tokens: Tokens) -> Iterator[tuple[str, str]]:
    for pid in tokens.get("pid", ()):
        graph = shell.result(int(pid)).states.graph
        for kind in graph.type.device_types:
            for member in kind.state.members:
                yield member.name, f"of {kind.id}"


def _is_application(path: str) -> bool:
    return os.path.isdir(path) or path.endswith((".xml", ".xml.gz", ".gz"))


#: By the kind that :func:`pstack_core.shell.arguments.completed` was given.
COMPLETERS: dict[str, Callable[..., Any]] = {
    "application": partial(Cmd.path_complete, path_filter=_is_application),
    "file": Cmd.path_complete,
    "folder": partial(Cmd.path_complete, path_filter=os.path.isdir),
    "pid": _completer(partial(_pids, ())),
    "alive": _completer(partial(_pids, ALIVE)),
    "ended": _completer(partial(_pids, ENDED)),
    "engine": _completer(_engines),
    "label": _completer(partial(_of_processes, "label")),
    "owner": _completer(partial(_of_processes, "owner")),
    "property": _completer(_properties, finalize=False),
    "device": _completer(_devices),
    "field": _completer(_fields),
}
