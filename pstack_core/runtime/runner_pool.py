"""Runner processes: started as the owner of what they run, kept while they may be needed."""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
import socket
import subprocess
import sys
import time

from pstack_core.runtime import frames
from pstack_core.runtime.errors import ServiceError
from pstack_core.runtime.users import User, popen_arguments

#: Seconds that an idle runner is kept.
IDLE_SECONDS = 60.0
#: Bytes of a frame that the kernel and asyncio hold before the runner has to wait.
BUFFER = 1 << 20

COMMAND = (sys.executable, "-P", "-m", "pstack_core.runtime.runner")


class Runner:
    """A runner process and the stream to it."""

    def __init__(
        self,
        process: subprocess.Popen[bytes],
        reader: asyncio.StreamReader,
        writer: asyncio.StreamWriter,
        key: tuple[int, str],
    ) -> None:
        self.process = process
        self.key = key
        self.known: set[str] = set()  # applications that it was given
        self.idle_since = 0.0
        self._reader = reader
        self._writer = writer

    @property
    def pid(self) -> int:
        """Its process id, which is also that of its process group and session."""
        return self.process.pid

    async def send(self, message: frames.Message, payload: bytes = b"") -> None:
        """Send a frame.  Raises ConnectionError where the runner is gone."""
        self._writer.write(frames.encode(message, payload))
        await self._writer.drain()

    async def receive(self) -> tuple[frames.Message, bytes] | None:
        """The next frame; None when it is gone, or says what cannot be understood."""
        try:
            return await frames.read(self._reader)
        except frames.FrameError:
            return None

    @property
    def gone(self) -> bool:
        """Whether it has ended; it is not waited for yet, so that its number stays its own."""
        if self.process.returncode is not None:
            return True
        look = os.WEXITED | os.WNOHANG | os.WNOWAIT
        return os.waitid(os.P_PID, self.pid, look) is not None

    def signal(self, number: int) -> None:
        """Send a signal to its process group, unless it was waited for."""
        if self.process.returncode is not None:
            return
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(self.pid, number)

    def end(self) -> int:
        """Kill it and all that it started; its exit status, negative for a signal."""
        self.signal(signal.SIGKILL)
        self._writer.close()
        return self.process.wait()


class RunnerPool:
    """Idle runners by user and engine.

    ``most_idle`` bounds those that wait for work, of all users together.
    """

    def __init__(self, most_idle: int) -> None:
        self._most_idle = most_idle
        self._idle: list[Runner] = []
        self._all: set[Runner] = set()

    def __len__(self) -> int:
        return len(self._all)

    async def acquire(self, person: User, engine: str) -> Runner:
        """A runner of that user for that engine, idle until now or started for this.

        Raises ServiceError if it cannot be started.
        """
        key = (person.uid, engine)
        while True:
            runner = next((r for r in reversed(self._idle) if r.key == key), None)
            if runner is None:
                return await self._start(person, key)
            self._idle.remove(runner)
            if not runner.gone:
                return runner
            self.discard(runner)

    def release(self, runner: Runner) -> None:
        """Take back a runner that has done its work."""
        runner.idle_since = time.monotonic()
        self._idle.append(runner)
        while len(self._idle) > self._most_idle:
            self.discard(self._idle.pop(0))

    def discard(self, runner: Runner) -> int:
        """End a runner; its exit status, negative for a signal."""
        self._all.discard(runner)
        with contextlib.suppress(ValueError):
            self._idle.remove(runner)
        return runner.end()

    def trim(self) -> None:
        """End runners that nobody has needed for a while."""
        late = time.monotonic() - IDLE_SECONDS
        for runner in [r for r in self._idle if r.idle_since < late]:
            self.discard(runner)

    def close(self) -> None:
        """End all runners."""
        for runner in list(self._all):
            self.discard(runner)

    async def _start(self, person: User, key: tuple[int, str]) -> Runner:
        ours, theirs = socket.socketpair()
        try:
            process = subprocess.Popen(
                [*COMMAND, str(theirs.fileno())],
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                pass_fds=(theirs.fileno(),),
                start_new_session=True,
                **popen_arguments(person),
            )
        except (OSError, subprocess.SubprocessError) as error:
            ours.close()
            raise ServiceError(
                f"a runner for user {person.name} cannot be started: {error}"
            ) from error
        finally:
            theirs.close()
        try:
            reader, writer = await asyncio.open_connection(sock=ours, limit=BUFFER)
        except BaseException:  # cancelled, most likely: nobody knows this runner yet
            ours.close()
            process.kill()
            process.wait()
            raise
        runner = Runner(process, reader, writer, key)
        self._all.add(runner)
        first = await runner.receive()
        if first is None or first[0].get("type") != "ready":
            status = self.discard(runner)
            raise ServiceError(
                f"the runner of user {person.name} could not start (status {status}): can that"
                f" user read {sys.prefix} and pstack's own folder?"
            )
        return runner
