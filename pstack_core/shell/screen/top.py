"""``top`` at a terminal: what keys do, and what is drawn."""

from __future__ import annotations

import functools
import re
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from pstack_core.runtime.errors import ServiceError
from pstack_core.shell import people
from pstack_core.shell.process_columns import title_of
from pstack_core.shell.screen import top_view as view
from pstack_core.shell.screen.snapshot import Snapshot, take

if TYPE_CHECKING:
    from pstack_core.runtime.service import LogLine, ProcessInfo, Service
    from pstack_core.shell.screen.terminal import Terminal

#: Log lines that can be scrolled through.
MOST_LOG = 5000

_SORTS = {"P": "pid", "N": "name", "O": "owner", "R": "rate", "C": "cpu", "M": "memory",
          "T": "time", "S": ""}  # fmt: skip
#: Columns whose largest values come first.
_LARGEST = frozenset({"rate", "cpu", "memory", "time", "devices", "edges"})


@dataclass
class LogView:
    """The log of one process, from the end backwards."""

    pid: int
    lines: list[LogLine] = field(default_factory=list)
    up: int = 0  # lines scrolled away from the end

    def update(self, service: Service) -> None:
        """Read what is new."""
        after = self.lines[-1].number if self.lines else None
        if after is None:
            after = max(0, service.show(self.pid).log_lines - MOST_LOG)
        new = service.logs(self.pid, after, MOST_LOG)
        self.lines = (self.lines + new)[-MOST_LOG:]
        if self.up:
            self.up += len(new)

    def scroll(self, key: str, page: int) -> None:
        """Move by a key."""
        by = {"up": 1, "down": -1, "page up": page, "page down": -page}.get(key, 0)
        self.up = {"home": len(self.lines), "end": 0}.get(key, self.up + by)
        self.up = max(0, min(self.up, len(self.lines) - page))


class Top:
    """The state of the screen.  ``press`` changes it, ``draw`` shows it."""

    def __init__(self, service: Service, colour: bool) -> None:
        self.service = service
        self.colour = colour
        self.snapshot: Snapshot | None = None
        self.over = False
        self.column, self.descending = "", False
        self.filter, self.mine, self.ended = "", False, False
        self.chosen: int | None = None  # PID
        self.message = ""
        self.help = False
        self.log: LogView | None = None
        self._first = 0  # row at the top of the table
        self._page = 10
        self._typing = False
        self._question: tuple[str, Callable[[], object]] | None = None

    # Data

    def update(self, snapshot: Snapshot) -> None:
        """Show another moment."""
        self.snapshot = snapshot
        pids = [process.pid for process in self.shown()]
        if self.chosen not in pids:
            self.chosen = pids[0] if pids else None
        if self.log is not None:
            self._try(functools.partial(self.log.update, self.service))

    def shown(self) -> list[ProcessInfo]:
        """The processes that are selected, in order."""
        if self.snapshot is None:
            return []
        found = self.snapshot.processes
        if self.mine:
            found = [p for p in found if p.owner == self.snapshot.status.user]
        if self.filter:
            found = [p for p in found if view.matches(p, self.filter)]
        if not self.ended:
            found = [p for p in found if not p.final]
        return view.sort(found, self.column, self.descending, self.snapshot.time)

    # Keys

    def press(self, key: str) -> None:
        """Do what a key says."""
        self.message = ""
        if self._question is not None:
            (_, action), self._question = self._question, None
            if key in ("y", "Y"):
                self._try(action)
        elif self._typing:
            self._type(key)
        elif self.help:
            self.help = False
        elif self.log is not None:
            if key in ("escape", "q", "l", "enter"):
                self.log = None
            else:
                self.log.scroll(key, self._page)
        else:
            self._command(key)

    def _type(self, key: str) -> None:
        if key in ("enter", "escape"):
            self._typing = False
            if key == "escape":
                self.filter = ""
        elif key == "backspace":
            self.filter = self.filter[:-1]
        elif len(key) == 1:
            self.filter += key

    def _command(self, key: str) -> None:
        if key == "q":
            self.over = True
        elif key in ("h", "?"):
            self.help = True
        elif key == "/":
            self._typing, self.filter = True, ""
        elif key == "escape":
            self.filter = ""
        elif key == "a":
            self.ended = not self.ended
        elif key == "u":
            self.mine = not self.mine
        elif key == "r":
            self.descending = not self.descending
        elif key in _SORTS:
            self._sort(_SORTS[key])
        elif key in ("<", ">"):
            names = ["", *view.COLUMNS]
            step = 1 if key == ">" else -1
            self._sort(names[(names.index(self.column) + step) % len(names)])
        elif key in ("up", "down", "page up", "page down", "home", "end"):
            self._move(key)
        else:
            self._act(key)

    def _sort(self, column: str) -> None:
        self.column, self.descending = column, column in _LARGEST

    def _move(self, key: str) -> None:
        pids = [process.pid for process in self.shown()]
        if not pids:
            return
        at = pids.index(self.chosen) if self.chosen in pids else 0
        by = {"up": -1, "down": 1, "page up": -self._page, "page down": self._page,
              "home": -len(pids), "end": len(pids)}[key]  # fmt: skip
        self.chosen = pids[max(0, min(at + by, len(pids) - 1))]

    def _act(self, key: str) -> None:
        process = next((p for p in self.shown() if p.pid == self.chosen), None)
        if process is None:
            return
        pid, service = process.pid, self.service
        if key in ("k", "K"):
            how = " at once" if key == "K" else ""
            self._question = (
                f"kill {pid} {title_of(process)}{how}? y or n",
                lambda: service.kill([pid], force=key == "K"),
            )
        elif key == "p":
            act = service.resume if process.state == "paused" else service.pause
            self._try(lambda: act([pid]))
        elif key in ("l", "enter"):
            self.log = LogView(pid)
            self._try(functools.partial(self.log.update, service))

    def _try(self, action: Callable[[], object]) -> None:
        try:
            action()
        except ServiceError as error:
            self.message = str(error)
            self.log = None

    # Drawing

    def draw(self, width: int, height: int) -> list[str]:
        """The screen: at most ``height`` lines of at most ``width`` cells."""
        if self.snapshot is None:
            return ["asking the service ..."]
        if self.help:
            return [*view.HELP.splitlines(), "", "any key goes back"][:height]
        if self.log is not None:
            return self._draw_log(self.log, width, height)
        head = view.header(self.snapshot, width, self.colour)
        room = max(1, height - len(head) - 3)  # an empty line, the heading, the last line
        self._page = room
        shown = self.shown()
        pids = [process.pid for process in shown]
        at = pids.index(self.chosen) if self.chosen in pids else 0
        self._first = max(0, min(self._first, at, len(pids) - room), at - room + 1)
        part = shown[self._first : self._first + room]
        lines = view.rows(part, self.snapshot.time, width, self.colour, self.column)
        if part:
            row = at - self._first + 1
            plain = re.sub(r"\x1b\[[0-9;]*m", "", lines[row])
            # Without colour the chosen line still has to be seen.
            lines[row] = f"\x1b[7m{plain.ljust(width)}\x1b[0m"
        body = [*head, "", *lines]
        body += [""] * (height - 1 - len(body))
        return [*body[: height - 1], self._last_line(width, len(shown))]

    def _draw_log(self, log: LogView, width: int, height: int) -> list[str]:
        self._page = room = max(1, height - 2)
        end = len(log.lines) - log.up
        part = view.log_lines(log.lines[max(0, end - room) : end], width)
        part = part or ["(no log lines yet)"]
        part += [""] * (room - len(part))
        place = f"{log.up} lines up" if log.up else "following"
        keys = f"log of {log.pid}, {place}; arrows and pages scroll, escape goes back"
        return [view.bar(keys, width, True), *part]

    def _last_line(self, width: int, count: int) -> str:
        if self._question is not None:
            text = self._question[0]
        elif self._typing:
            text = f"show only: {self.filter}_"
        elif self.message:
            text = self.message
        else:
            order = self.column or "state"
            parts = [people.many(count, "process", "processes"), f"by {order}"]
            parts += [f"with {self.filter!r}"] if self.filter else []
            parts += ["mine"] if self.mine else []
            text = ", ".join(parts) + "   h help  k kill  p pause  l log  / find  q leave"
        return view.bar(text, width, True)


def live(top: Top, terminal: Terminal, interval: float) -> None:
    """Run until the user leaves: a thread asks the service, this one draws and reads keys."""
    newest: list[Snapshot | str] = []
    over = threading.Event()

    def ask() -> None:
        while not over.is_set():
            begin = time.monotonic()
            try:
                newest[:] = [take(top.service, top.ended)]
            except (ServiceError, OSError) as error:
                newest[:] = [str(error)]
            terminal.wake()
            over.wait(max(0.05, interval - (time.monotonic() - begin)))

    thread = threading.Thread(target=ask, daemon=True)
    thread.start()
    try:
        while not top.over:
            if newest:
                found = newest.pop()
                if isinstance(found, str):
                    top.message = found
                else:
                    top.update(found)
            terminal.draw(top.draw(*terminal.size()))
            for key in terminal.keys(interval):
                top.press(key)
    finally:
        over.set()
        thread.join(timeout=2 * interval)  # the terminal must outlive what wakes it
