"""The runner: a Python process that runs one application after another.

``python -m pstack_core.runtime.runner FD`` speaks frames (:mod:`.frames`) over
the socket FD.  It is told

``run``     ``pid key name folder engine settings``, the application as payload
``stop`` ``pause`` ``resume``   about the application that runs

and says ``ready`` once, ``need`` (the application of ``key``, which it does not
have; answered by ``run`` with a payload), ``started``, ``log``, ``stats``, and
last ``ended``, with the states as payload.  When the socket closes, or its
parent dies, it ends at once with all that it started.

Imports and loaded applications are kept from one run to the next: that is what
it is for.  It runs with the rights of the process's owner and holds nothing of
anybody else's.
"""

from __future__ import annotations

import contextlib
import io
import os
import queue
import signal
import socket
import sys
import threading
import time
from collections import OrderedDict
from collections.abc import Iterator
from typing import TYPE_CHECKING

from pstack_core.engines.commands import Command, Pause, Resume, Stop
from pstack_core.engines.engine import EngineError
from pstack_core.engines.events import Event, Failed, Finished, Log, Started, Stats
from pstack_core.graph import ApplicationError, load
from pstack_core.runtime import exit_status, frames
from pstack_core.runtime.run import Run, Settings
from pstack_core.runtime.stored_result import pack_states
from pstack_core.runtime.talk import Talk
from pstack_core.runtime.usage import usage

if TYPE_CHECKING:
    from pstack_core.graph.diagnostics import Diagnostic
    from pstack_core.graph.model import Graph

#: A log line waits at most so long for others to be sent with it, in seconds.
LOG_PERIOD = 0.05
LOG_BATCH = 500
#: Loaded applications that are kept, and how many devices and edges they may have together.
MOST_GRAPHS = 32
MOST_ROWS = 2_000_000
#: Sentences about the application that are passed on as log lines.
MOST_WARNINGS = 20

_COMMANDS: dict[str, Command] = {"stop": Stop(), "pause": Pause(), "resume": Resume()}


class Channel:
    """Frames to the scheduler, from any thread; log lines in batches."""

    def __init__(self, connection: socket.socket) -> None:
        self._connection = connection
        self._sending = threading.Lock()
        self._lines: list[tuple[float, str, int, str]] = []
        self._changed = threading.Condition()
        threading.Thread(target=self._flush_regularly, daemon=True).start()

    def send(self, message: frames.Message, payload: bytes = b"") -> None:
        """Send one frame, after all log lines before it."""
        self.flush()
        with self._sending:
            self._connection.sendall(frames.encode(message, payload))

    def log(self, device: str, level: int, text: str) -> None:
        """Send a log line soon."""
        with self._changed:
            self._lines.append((time.time(), device, level, text))
            if len(self._lines) == 1:
                self._changed.notify()
            full = len(self._lines) >= LOG_BATCH
        if full:
            self.flush()

    def flush(self) -> None:
        """Send the log lines that wait."""
        with self._sending:
            with self._changed:
                lines, self._lines = self._lines, []
            if lines:
                self._connection.sendall(frames.encode({"type": "log", "lines": lines}))

    def _flush_regularly(self) -> None:
        while True:
            with self._changed:
                self._changed.wait_for(lambda: self._lines)
            time.sleep(LOG_PERIOD)
            with contextlib.suppress(OSError):
                self.flush()


class Graphs:
    """Loaded applications, the least recently used forgotten first."""

    def __init__(self) -> None:
        self._graphs: OrderedDict[str, tuple[Graph, list[str]]] = OrderedDict()

    def get(self, key: str) -> tuple[Graph, list[str]] | None:
        """The application of a key, if it is still there, and what was odd about it."""
        if key in self._graphs:
            self._graphs.move_to_end(key)
        return self._graphs.get(key)

    def put(self, key: str, graph: Graph, warnings: list[str]) -> None:
        """Keep an application and what is odd about it."""
        self._graphs[key] = graph, warnings
        while len(self._graphs) > MOST_GRAPHS or (
            len(self._graphs) > 1
            and sum(_rows(kept) for kept, _ in self._graphs.values()) > MOST_ROWS
        ):
            self._graphs.popitem(last=False)


class Runner:
    """Runs what it is told; the main thread runs, another listens."""

    def __init__(self, connection: socket.socket) -> None:
        self._connection = connection
        self._channel = Channel(connection)
        self._talk = Talk(lambda line: self._channel.log("", 0, line))
        self._graphs = Graphs()
        self._orders: queue.SimpleQueue[tuple[frames.Message, bytes]] = queue.SimpleQueue()
        self._session = threading.Lock()
        self._run: Run | None = None
        self._told: list[Command] = []  # before the run could be told

    def serve(self) -> None:
        """Run applications until the socket closes."""
        threading.Thread(target=self._listen, daemon=True).start()
        self._channel.send({"type": "ready", "pid": os.getpid()})
        while True:
            order, application = self._orders.get()
            ended, payload = self._carry_out(order, application)
            self._talk.drain()
            with self._session:
                self._run = None
                self._told = []
            self._channel.send(ended, payload)

    def _listen(self) -> None:
        with contextlib.suppress(OSError, frames.FrameError):
            while frame := frames.receive(self._connection.recv_into):
                message, payload = frame
                if message["type"] == "run":
                    self._orders.put((message, payload))
                else:
                    self._tell(_COMMANDS[message["type"]])
        _end_all()

    def _tell(self, command: Command) -> None:
        with self._session:
            if self._run is None:
                self._told.append(command)
                return
            try:
                self._run.send(command)
            except EngineError as error:
                self._channel.log("", 0, str(error))

    def _carry_out(self, order: frames.Message, application: bytes) -> tuple[frames.Message, bytes]:
        """One run, from the order to what is said about its end."""
        try:
            begin = time.monotonic()
            graph = self._graph(order, application)
            settings = Settings(**order["settings"])
            run = Run(order["engine"], settings.task(graph), time.monotonic() - begin)
            with run:
                with self._session:
                    self._run = run
                    told, self._told = self._told, []
                for command in told:
                    self._tell(command)
                return self._follow(run, graph)
        except (ApplicationError, EngineError) as error:
            output = getattr(error, "output", "")
            return _failed(str(error), exit_status.of_error(error), output), b""
        except MemoryError:
            return _failed("there is not enough memory to load the application", 1), b""
        except Exception as error:
            # A bug, of an engine's or ours: it must not take the runner with it.
            import traceback

            for line in traceback.format_exc().splitlines():
                self._channel.log("", 0, line)
            text = f"{type(error).__name__}: {error}"
            return _failed(f"internal error: {text}; its log has more", exit_status.INTERNAL), b""

    def _graph(self, order: frames.Message, application: bytes) -> Graph:
        """The application, loaded now or before."""
        key = order["key"]
        found = self._graphs.get(key)
        if found is None:
            if not application:
                self._channel.send({"type": "need", "pid": order["pid"]})
                _, application = self._orders.get()
            settings = order["settings"]
            warnings = Warnings()
            graph = load(
                _File(application, os.path.join(order["folder"], order["name"])),
                strict=settings["strict"],
                dialect=settings["dialect"],
                properties=settings["properties"] or None,
                instance=settings["instance"],
                warn=warnings,
            )
            found = graph, warnings.sentences
            self._graphs.put(key, *found)
        for sentence in found[1]:
            self._channel.log("", 0, sentence)
        return found[0]

    def _follow(self, run: Run, graph: Graph) -> tuple[frames.Message, bytes]:
        channel = self._channel
        for event in run.events():
            if isinstance(event, Log):
                channel.log(event.device, event.level, event.text)
            else:
                for message in _messages(event, graph):
                    channel.send(message)
        result = run.result
        assert result is not None
        status = result.exit_status
        killed = result.reason == "killed"
        ended = {
            "type": "ended",
            "state": "killed" if killed else "failed" if status else "finished",
            "reason": result.reason,
            "detail": result.detail,
            "exit_code": result.exit_code,
            "exit_status": status,
            "metrics": result.metrics,
        }
        return ended, pack_states(result) or b""


class _File(io.BytesIO):
    """An application's content that knows its name, for messages and for what it includes."""

    def __init__(self, content: bytes, name: str) -> None:
        super().__init__(content)
        self.name = name


class Warnings:
    """Collects what is odd about an application, not too much of it."""

    def __init__(self) -> None:
        self.sentences: list[str] = []

    def __call__(self, diagnostic: Diagnostic) -> None:
        count = len(self.sentences)
        if count < MOST_WARNINGS:
            self.sentences.append(str(diagnostic))
        elif count == MOST_WARNINGS:
            self.sentences.append("more such warnings are left out; 'pstack check' shows all")


def _messages(event: Event, graph: Graph) -> Iterator[frames.Message]:
    if isinstance(event, Started):
        yield {
            "type": "started",
            "compile_seconds": event.compile_seconds,
            "load_seconds": event.load_seconds,
            "devices": len(graph.devices),
            "edges": len(graph.edges),
        }
    elif isinstance(event, Stats):
        cpu, memory = usage(os.getpid())
        counters = event.counters
        yield {
            "type": "stats",
            "sent": counters.sent,
            "delivered": counters.delivered,
            "seconds": event.seconds,
            "cpu_seconds": cpu,
            "memory_bytes": memory,
        }
    else:
        assert isinstance(event, Finished | Failed)


def _failed(sentence: str, status: int | None, output: str = "") -> frames.Message:
    return {
        "type": "ended",
        "state": "failed",
        "reason": "error",
        "detail": sentence,
        "output": output,
        "exit_code": None,
        "exit_status": exit_status.FAILURE if status is None else status,
    }


def _rows(graph: Graph) -> int:
    return len(graph.devices) + len(graph.edges)


def _end_all() -> None:
    """End this process and all that it started; the kernel ends workers with us."""
    if os.getpgrp() == os.getpid():
        os.killpg(0, signal.SIGKILL)  # a compiler, perhaps
    os._exit(1)


def main() -> None:
    """Serve on the socket that the first argument numbers."""
    connection = socket.socket(fileno=int(sys.argv[1]))
    connection.set_inheritable(False)
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # a terminal's Ctrl-C is for the scheduler
    with contextlib.suppress(BrokenPipeError, ConnectionResetError):
        Runner(connection).serve()


if __name__ == "__main__":
    main()
