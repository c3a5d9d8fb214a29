"""Start a worker on an image, follow it, and say how it ended.

Runs in the process of the user's command (or the daemon): it owns the shared
memory, reads counters and logs from it, and trusts nothing that it reads, since
handlers are native code and may scribble over it.
"""

from __future__ import annotations

import contextlib
import mmap
import os
import resource
import select
import signal
import struct
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import _cffi_backend
from pstack_native._kernel import ffi, lib

from pstack_core.engines.engine import Limits
from pstack_core.engines.events import Counters, Finished, Log, Reason, States
from pstack_native import _kernel
from pstack_native.compiler import locate
from pstack_native.handlers import Handler, handlers_of

if TYPE_CHECKING:
    from pstack_native.image import Image

WORKER = Path(_kernel.__file__ or "").with_name("worker.py")
SUPERVISOR_NAME = "__supervisor__"
RING_BYTES = 1 << 20
#: Names of devices kept at hand for log lines.
MOST_NAMES = 100_000
_RECORD_HEAD, _RECORD_TAIL = struct.Struct("<Ii"), struct.Struct("<II")
#: Seconds that a handler may go on after it was told to stop.
GRACE = 0.5
#: Bounds of the pause between looks at the log, in seconds.
SHORTEST_PAUSE, LONGEST_PAUSE = 0.001, 0.02
#: Part of the memory that is free which a worker may take where no limit is given.
DEFAULT_MEMORY_SHARE = 0.8

_REASONS = {
    lib.PSTACK_EXIT: Reason.EXIT,
    lib.PSTACK_HALT: Reason.HALT,
    lib.PSTACK_IDLE: Reason.IDLE,
    lib.PSTACK_STOPPED: Reason.KILLED,
    lib.PSTACK_LIMIT: Reason.LIMIT,
    lib.PSTACK_ASSERT: Reason.ASSERT,
    lib.PSTACK_CRASH: Reason.CRASH,
}
#: Exit code of a run that its handlers did not end themselves.
_CODES = {Reason.TIMEOUT: 124, Reason.LIMIT: 125, Reason.KILLED: 130}
_ABORTED = 128 + signal.SIGABRT

_SIGNALS = {
    signal.SIGSEGV: "it used memory that is not its own (SIGSEGV)",
    signal.SIGBUS: "it used memory that is not there (SIGBUS)",
    signal.SIGFPE: "it divided an integer by zero (SIGFPE)",
    signal.SIGILL: "it did what C++ leaves undefined (SIGILL)",
    signal.SIGABRT: "it called abort() (SIGABRT)",
}


class WorkerError(Exception):
    """The worker did not get as far as running handlers; a sentence."""


@dataclass(frozen=True)
class _Death:
    """How the worker process ended: a signal number, or -1 and its exit status."""

    signal: int
    status: int


class Worker:
    """One run in a process of its own.  ``begin`` it, iterate ``logs``, then ``finish``."""

    def __init__(self, image: Image, library: Path, level: int, seed: int, limits: Limits) -> None:
        self.image = image
        self.limits = limits
        self._handlers = handlers_of(image.graph.type)
        size = -(-(ffi.sizeof("pstack_control") + RING_BYTES) // mmap.PAGESIZE) * mmap.PAGESIZE
        descriptor = os.memfd_create("pstack-control")
        try:
            os.ftruncate(descriptor, size)
            self._memory = mmap.mmap(descriptor, size)
            self.control = ffi.cast("pstack_control *", ffi.from_buffer(self._memory))
            self._ring_offset = -(-ffi.sizeof("pstack_control") // 64) * 64
            self._set_up(level, seed)
            self._read = 0
            self._names: dict[int, str] = {}
            self._pid = self._spawn(library, descriptor)
        finally:
            os.close(descriptor)
        self._pidfd = os.pidfd_open(self._pid)
        self._started = time.monotonic()
        self._stopping = 0.0  # when it was told to stop
        self._paused = 0.0  # when it was stopped for a while
        self._timed_out = self._hung = self._killed = False
        self._death: _Death | None = None

    def _set_up(self, level: int, seed: int) -> None:
        control = self.control
        control.magic, control.abi = lib.PSTACK_MAGIC, lib.PSTACK_ABI
        control.max_events = self.limits.events or 0
        control.log_offset, control.log_size = self._ring_offset, RING_BYTES - 64
        control.log_level = level
        control.seed = (seed ^ seed >> 32) & 0xFFFFFFFF
        control.current = lib.PSTACK_NO_SLOT << 32

    def _spawn(self, library: Path, control: int) -> int:
        image = self.image.fd
        first = max(image, control, 8) + 1  # above every fd that is moved
        path = os.pathsep.join(
            str(Path(module.__file__ or "").parent) for module in (_kernel, _cffi_backend)
        )
        arguments = [
            sys.executable, "-I", "-S", "-E", str(WORKER), path, str(library),
            str(first), str(first + 1), str(self._memory_limit()),
            str(int(self.limits.cpu_seconds or 0)), str(os.getpid()),
        ]  # fmt: skip
        return os.posix_spawn(
            sys.executable,
            arguments,
            os.environ,
            file_actions=[
                (os.POSIX_SPAWN_DUP2, image, first),
                (os.POSIX_SPAWN_DUP2, control, first + 1),
                (os.POSIX_SPAWN_OPEN, 0, os.devnull, os.O_RDONLY, 0),
                # What handlers print is talk, not the command's output.
                (os.POSIX_SPAWN_DUP2, 2, 1),
            ],
            setpgroup=0,
        )

    def _memory_limit(self) -> int:
        if self.limits.memory_bytes is not None:
            return self.limits.memory_bytes
        with open("/proc/meminfo") as meminfo:
            for line in meminfo:
                if line.startswith("MemAvailable:"):
                    return int(int(line.split()[1]) * 1024 * DEFAULT_MEMORY_SHARE)
        return 0

    # While it runs

    def logs(self) -> Iterator[list[Log]]:
        """Batches of log lines as they come, until the worker has ended; may be empty lists."""
        poll = select.poll()
        poll.register(self._pidfd, select.POLLIN)
        pause = SHORTEST_PAUSE
        while True:
            ended = bool(poll.poll(pause * 1000))
            batch = self._drain()
            self._watch_clock()
            pause = SHORTEST_PAUSE if batch else min(LONGEST_PAUSE, 2 * pause)
            yield batch
            if ended:
                break
        self._reap()
        while batch := self._drain():
            yield batch

    def counters(self) -> Counters:
        """Totals at this moment."""
        c = self.control
        return Counters(int(c.sent), int(c.delivered), int(c.cancelled), int(c.idle_rounds))

    def stop(self) -> None:
        """End the run when the running handler returns; kill it if that takes too long."""
        self.control.stop = 1
        if not self._stopping:
            self._stopping = time.monotonic()
        self.pause(False)

    def pause(self, paused: bool) -> None:
        """Stop the process where it is, or let it go on; its time limit stands still meanwhile."""
        if paused and not self._paused and not self._stopping:
            self._paused = time.monotonic()
            self._signal(signal.SIGSTOP)
        elif not paused and self._paused:
            self._started += time.monotonic() - self._paused
            self._paused = 0.0
            self._signal(signal.SIGCONT)

    def _watch_clock(self) -> None:
        now = time.monotonic()
        wall = self.limits.wall_seconds
        if (
            wall is not None
            and not self._stopping
            and not self._paused
            and now - self._started > wall
        ):
            self._timed_out = True
            self.stop()
        if self._stopping and now - self._stopping > GRACE and not self._hung:
            self._hung = True
            self._signal(signal.SIGKILL)

    def _signal(self, number: int) -> None:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self._pid, number)

    # Logs

    def _drain(self) -> list[Log]:
        """Read what is in the ring; lengths in it are checked, not trusted."""
        control, size = self.control, RING_BYTES - 64
        head, tail = int(control.log_head), self._read
        lines: list[Log] = []
        if not 0 <= head - tail <= size:
            head = tail  # scribbled over: nothing can be read
        while tail < head:
            at = tail % size
            # One copy of all that lies in one piece; records never wrap.
            begin = self._ring_offset + at
            piece = self._memory[begin : begin + min(head - tail, size - at)]
            used = self._records(piece, lines)
            if not used:
                tail = head
                break
            tail += used
        self._read = tail
        control.log_tail = tail
        return lines

    def _records(self, piece: bytes, lines: list[Log]) -> int:
        """Append the lines of one piece of the ring; bytes used, 0 where it is spoilt."""
        offset, end, names = 0, len(piece), self._names
        while offset + 8 <= end:
            need, level = _RECORD_HEAD.unpack_from(piece, offset)
            if need == 0:
                return end  # the rest of the ring is left empty
            slot, length = _RECORD_TAIL.unpack_from(piece, offset + 8)
            if need < 16 or need & 7 or offset + need > end or 16 + length > need:
                return 0
            name = names.get(slot)
            if name is None:
                if len(names) >= MOST_NAMES:
                    names.clear()
                name = names[slot] = self._device_name(slot)
            text = piece[offset + 16 : offset + 16 + length].decode("utf-8", "replace")
            lines.append(Log(name, level, text))
            offset += need
        return offset

    def _device_name(self, slot: int) -> str:
        device = self.image.device_at(slot) if slot != lib.PSTACK_NO_SLOT else -1
        return SUPERVISOR_NAME if device < 0 else self.image.graph.devices.names[device]

    # The end

    def _reap(self) -> None:
        if self._death is None:
            _, status = os.waitpid(self._pid, 0)
            if os.WIFSIGNALED(status):
                self._death = _Death(os.WTERMSIG(status), 0)
            else:
                self._death = _Death(0, os.WEXITSTATUS(status))
            self._ended = time.monotonic()
            os.close(self._pidfd)

    def finish(self) -> Finished:
        """How it ended.  Raises WorkerError where no handler ever ran."""
        self._reap()
        assert self._death is not None
        control = self.control
        detail = ffi.string(control.detail, len(control.detail)).decode("utf-8", "replace")
        if control.phase == lib.PSTACK_STARTING and not self._killed and not self._hung:
            if detail:
                raise WorkerError(detail)
            how = f"signal {self._death.signal}" if self._death.signal else "an error above"
            raise WorkerError(f"the worker process could not start ({how})")
        ended = control.phase == lib.PSTACK_ENDED
        seconds = float(control.run_seconds) if ended else self._ended - self._started
        handler, device = self._culprit(int(control.culprit if control.reason else control.current))
        detail = locate(detail, self.image.graph.type)
        reason, code, sentence = self._verdict(detail, handler, device)
        return Finished(
            reason=reason,
            exit_code=code,
            counters=self.counters(),
            run_seconds=seconds,
            detail=sentence,
            device=device,
            handler=handler.title if handler else "",
            signal=self._death.signal,
            states=States(self.image.states()),
        )

    def _verdict(
        self, detail: str, handler: Handler | None, device: str
    ) -> tuple[Reason, int, str]:
        """Reason, exit code and a sentence."""
        control, death = self.control, self._death
        assert death is not None
        where = self._where(handler, device)
        reason = _REASONS.get(int(control.reason))
        if control.phase == lib.PSTACK_ENDED or (reason and self._hung):
            assert reason is not None
            if reason is Reason.KILLED and self._timed_out:
                return Reason.TIMEOUT, _CODES[Reason.TIMEOUT], self._time_is_up()
            if reason in (Reason.ASSERT, Reason.CRASH):
                return reason, int(control.exit_code), f"{detail} ({where})"
            return reason, _CODES.get(reason, int(control.exit_code)), detail
        if self._hung:
            late = f"{where} did not return"
            if self._timed_out:
                return Reason.TIMEOUT, _CODES[Reason.TIMEOUT], f"{self._time_is_up()}: {late}"
            return Reason.KILLED, _CODES[Reason.KILLED], late
        if death.signal == signal.SIGXCPU or (
            death.signal == signal.SIGKILL and self.limits.cpu_seconds and not self._killed
        ):
            used = f"the limit of {self.limits.cpu_seconds:g} CPU seconds was reached"
            return Reason.LIMIT, _CODES[Reason.LIMIT], f"{used} in {where}"
        if not death.signal:
            how = f"{where} ended the process with status {death.status}"
            return Reason.CRASH, _ABORTED, f"{how}; handlers end a run with handler_exit()"
        how = _SIGNALS.get(signal.Signals(death.signal), "")
        if control.stack_overflow and death.signal == signal.SIGSEGV:
            limit = resource.getrlimit(resource.RLIMIT_STACK)[0]
            size = "" if limit < 0 else f" of {limit >> 20} MB"
            how = f"it overflowed the stack{size} (SIGSEGV)"
        elif death.signal == signal.SIGKILL:
            how = "the process was killed from outside, perhaps for lack of memory (SIGKILL)"
        elif not how:
            how = f"signal {signal.Signals(death.signal).name}"
        return Reason.CRASH, 128 + death.signal, f"{where} crashed: {how}"

    def _time_is_up(self) -> str:
        return f"the limit of {self.limits.wall_seconds:g} s was reached"

    def _where(self, handler: Handler | None, device: str) -> str:
        if handler is None:
            return "the kernel"
        return handler.title + (f" on device {device}" if device != SUPERVISOR_NAME else "")

    def _culprit(self, current: int) -> tuple[Handler | None, str]:
        slot, number = current >> 32, current & 0xFFFFFFFF
        if number >= len(self._handlers) or (slot == lib.PSTACK_NO_SLOT and number == 0):
            return None, ""
        return self._handlers[number], self._device_name(slot)

    def close(self) -> None:
        """Kill the worker if it still runs; may be called twice."""
        if self._death is None:
            self._killed = True
            self._signal(signal.SIGKILL)
            self._reap()
