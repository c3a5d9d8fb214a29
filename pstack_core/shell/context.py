"""What a command needs from whoever runs it: where to write, and how."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import IO, TYPE_CHECKING, Any

if TYPE_CHECKING:
    from pstack_core.runtime.service import Service

ERROR = "pstack: error:"
RED, YELLOW = "31", "33"


def visible(text: str) -> str:
    """Text with its control characters, but for line ends and tabs, as escapes."""
    if text.isprintable():
        return text
    return "".join(c if c.isprintable() or c in "\n\t" else repr(c)[1:-1] for c in text)


class UsageError(Exception):
    """The user asked for something that cannot be done as asked; a sentence."""


@dataclass
class Context:
    """What one command reads, writes and asks.

    ``json``: answer programs, as if every command had --json.  ``connect`` gives the
    service of processes when a command first needs it; None: find the daemon, or
    serve in this process.  ``colour`` overrides what the terminal and the environment
    say.  ``shell``: the command was typed in the shell, which goes on after it.
    ``foreground``: PIDs whose end the command itself tells.
    """

    stdin: IO[bytes] | None = None  # None: standard input
    stdout: IO[str] = field(default_factory=lambda: sys.stdout)
    stderr: IO[str] = field(default_factory=lambda: sys.stderr)
    json: bool = False
    environment: Mapping[str, str] = field(default_factory=lambda: os.environ)
    connect: Callable[[], Service] | None = None
    colour: bool | None = None
    shell: bool = False
    foreground: set[int] = field(default_factory=set)
    _service: Service | None = field(default=None, repr=False)

    def service(self) -> Service:
        """The service of processes, connected to once.  Raises ServiceError."""
        if self._service is None:
            if self.connect is None:
                from pstack_core.runtime.connect import connect

                self._service = connect()
            else:
                self._service = self.connect()
        return self._service

    def close(self) -> None:
        """Leave the service, if it is this command's own."""
        if self._service is not None and self.connect is None:
            self._service.close()
        self._service = None

    def write(self, line: str) -> None:
        """One line of the answer."""
        self.put(self.stdout, line)

    def write_json(self, value: Any, indent: int | None = 2) -> None:
        """The answer for programs; without ``indent`` on one line."""
        import json

        self.stdout.write(json.dumps(value, indent=indent, allow_nan=False) + "\n")

    def write_lines(self, lines: Iterable[str]) -> None:
        """Lines that are fit for a terminal as they are, colours included."""
        self.stdout.write("".join(f"{line}\n" for line in lines))

    def width(self) -> int | None:
        """Cells in a line of the terminal that reads the answer; None if none does."""
        if not self._is_terminal(self.stdout):
            return None
        import shutil

        return shutil.get_terminal_size().columns

    def note(self, line: str, label: str = "", colour: str = "") -> None:
        """One line beside the answer, on standard error."""
        self.stdout.flush()
        self.put(self.stderr, line, label, colour)
        self.stderr.flush()

    def error(self, sentence: str) -> None:
        """One error sentence on standard error."""
        self.note(f"{ERROR} {sentence}", ERROR, RED)

    def put(self, stream: IO[str], line: str, label: str = "", colour: str = "") -> None:
        """One line; the first ``label`` in it in colour, where there is colour.

        A terminal gets no control characters of a file or a handler: they are shown.
        """
        if self._is_terminal(stream):
            line = visible(line)
            if label and self.coloured(stream):
                line = line.replace(label, f"\x1b[1;{colour}m{label}\x1b[0m", 1)
        stream.write(line + "\n")

    def table(self, columns: Sequence[str], rows: Iterable[Sequence[str]]) -> None:
        """Rows for a person to read, and an empty line after them."""
        from rich import box
        from rich.console import Console
        from rich.table import Table
        from rich.text import Text

        colour = self.coloured(self.stdout)
        table = Table(box=box.SIMPLE_HEAD, show_edge=False, pad_edge=False)
        for column in columns:
            table.add_column(column, overflow="fold")
        for row in rows:
            table.add_row(*map(Text, row))
        console = Console(
            file=self.stdout,
            force_terminal=colour,
            no_color=not colour,
            highlight=False,
            # In a file or a pipe nothing is folded.
            width=None if self._is_terminal(self.stdout) else 10_000,
            safe_box=True,
        )
        console.print(table, "")

    def coloured(self, stream: IO[str]) -> bool:
        """Whether colour may be written to a stream: a terminal, and NO_COLOR is not set."""
        if self.colour is not None:
            return self.colour
        if self.environment.get("NO_COLOR") or self.environment.get("TERM") == "dumb":
            return False
        return self._is_terminal(stream)

    def input(self) -> IO[bytes]:
        """Standard input, as bytes."""
        return sys.stdin.buffer if self.stdin is None else self.stdin

    def binary_output(self) -> IO[bytes]:
        """The stream below ``stdout``, for answers that are files."""
        return self.stdout.buffer  # type: ignore[attr-defined,no-any-return]

    @staticmethod
    def _is_terminal(stream: IO[str]) -> bool:
        return bool(getattr(stream, "isatty", lambda: False)())
