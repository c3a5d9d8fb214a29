"""A terminal as a screen and a source of keys, given back as it was found."""

from __future__ import annotations

import contextlib
import os
import re
import select
import shutil
import sys
import termios
import tty
from collections.abc import Iterable
from types import TracebackType
from typing import IO, Any, Self

_ENTER, _LEAVE = "\x1b[?1049h\x1b[?25l\x1b[?7l", "\x1b[?7h\x1b[?25h\x1b[?1049l"
#: Seconds in which the rest of an escape sequence must follow.
_REST = 0.05

_KEYS = {
    "\x1b[A": "up", "\x1bOA": "up", "\x1b[B": "down", "\x1bOB": "down",
    "\x1b[5~": "page up", "\x1b[6~": "page down",
    "\x1b[H": "home", "\x1bOH": "home", "\x1b[1~": "home",
    "\x1b[F": "end", "\x1bOF": "end", "\x1b[4~": "end",
    "\x1b": "escape", "\r": "enter", "\n": "enter", "\x7f": "backspace", "\x08": "backspace",
    "\x04": "q", "\x03": "q", "\x06": "page down", "\x02": "page up",
}  # fmt: skip
_TOKEN = re.compile(r"\x1b\[[0-?]*[ -/]*[@-~]|\x1bO[A-Za-z]|.", re.DOTALL)


def keys_of(text: str) -> list[str]:
    """What was typed as names of keys; printable characters are their own names.

    Sequences that nobody knows, such as those of the mouse, are left out.
    """
    found = [_KEYS.get(token, token) for token in _TOKEN.findall(text)]
    return [key for key in found if key.isprintable()]


class Terminal:
    """Standard input and output as keys and a screen of lines; a context manager."""

    def __init__(self, stdin: IO[str] | None = None, stdout: IO[str] | None = None) -> None:
        self._in = (stdin or sys.stdin).fileno()
        self._out = stdout or sys.stdout
        self._before: list[Any] = []
        self._wake_read, self._wake_write = os.pipe()
        os.set_blocking(self._wake_write, False)

    def __enter__(self) -> Self:
        self._before = termios.tcgetattr(self._in)
        tty.setcbreak(self._in)
        mode = termios.tcgetattr(self._in)
        mode[3] &= ~termios.ISIG  # Ctrl-C is a key, and Ctrl-Z does not leave the screen behind
        termios.tcsetattr(self._in, termios.TCSANOW, mode)
        self._write(_ENTER)
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._write(_LEAVE)
        termios.tcsetattr(self._in, termios.TCSADRAIN, self._before)
        os.close(self._wake_read)
        os.close(self._wake_write)

    def size(self) -> tuple[int, int]:
        """Width and height."""
        columns, lines = shutil.get_terminal_size()
        return columns, lines

    def draw(self, lines: Iterable[str]) -> None:
        """Show these lines from the top, and nothing else."""
        # Each line is erased before it is written: after a full one, its last cell would go.
        shown = list(lines)
        shown += [""] * (self.size()[1] - len(shown))
        body = "\r\n".join(f"\x1b[K{line}" for line in shown)
        # In one write, between the marks of a synchronised update: nothing flickers.
        self._write(f"\x1b[?2026h\x1b[H{body}\x1b[?2026l")

    def wake(self) -> None:
        """End :meth:`keys` in another thread."""
        with contextlib.suppress(OSError):  # it is awake enough, or gone
            os.write(self._wake_write, b"w")

    def keys(self, timeout: float) -> list[str]:
        """Keys typed until now; waits for one, for :meth:`wake`, or ``timeout`` seconds."""
        ready, _, _ = select.select([self._in, self._wake_read], [], [], timeout)
        if self._wake_read in ready:
            os.read(self._wake_read, 4096)
        if self._in not in ready:
            return []
        data = os.read(self._in, 1024)
        if not data:
            return ["q"]
        while data.endswith(b"\x1b") and select.select([self._in], [], [], _REST)[0]:
            data += os.read(self._in, 1024)
        return keys_of(data.decode("utf-8", "ignore"))

    def _write(self, text: str) -> None:
        self._out.write(text)
        self._out.flush()
