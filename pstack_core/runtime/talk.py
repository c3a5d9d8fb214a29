"""What a runner's children print on its standard error, as lines of the run that prints them.

Handlers may call printf; their worker's output goes to the runner's standard
error, which is a pipe of the runner's own.
"""

from __future__ import annotations

import os
import secrets
import threading
from collections.abc import Callable

#: A longer line is cut into pieces, in bytes.
LONGEST = 4096


class Talk:
    """Makes standard error of this process a pipe, and reads it."""

    def __init__(self, line: Callable[[str], object]) -> None:
        self._line = line
        self._token = f"\x1e{secrets.token_hex(16)}".encode()
        self._drained = threading.Semaphore(0)
        reading, writing = os.pipe()
        os.dup2(writing, 2)
        os.close(writing)
        self._reading = reading
        threading.Thread(target=self._read, daemon=True).start()

    def drain(self) -> None:
        """Wait until everything that was written so far has been passed on."""
        # No child of an earlier run can know the token, so none can forge the mark.
        os.write(2, self._token + b"\n")
        self._drained.acquire()

    def _read(self) -> None:
        rest = b""
        while data := os.read(self._reading, 65536):
            *lines, rest = (rest + data).split(b"\n")
            for line in lines:
                text, mark, _ = line.partition(self._token)
                self._pass_on(text)
                if mark:
                    self._drained.release()
            while len(rest) > LONGEST:
                self._pass_on(rest[:LONGEST])
                rest = rest[LONGEST:]

    def _pass_on(self, line: bytes) -> None:
        for at in range(0, len(line), LONGEST):
            self._line(line[at : at + LONGEST].decode("utf-8", "replace"))
