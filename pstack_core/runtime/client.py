"""The service over the daemon's socket."""

from __future__ import annotations

import contextlib
import socket
import threading
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from pstack_core.runtime import address, frames, protocol
from pstack_core.runtime.codec import from_json, to_json
from pstack_core.runtime.errors import Unavailable
from pstack_core.runtime.service import (
    ALIVE,
    ALL,
    Details,
    EngineStatus,
    LogLine,
    ProcessInfo,
    Query,
    Request,
    Service,
    ServiceStatus,
    SpoolInfo,
)
from pstack_core.runtime.stored_result import StoredResult

#: Seconds to wait for the daemon to take a connection and say hello.
GREETING = 10.0


class _Closed(Unavailable):
    """The other side is gone; ``sent``: it may have got the whole request."""

    def __init__(self, message: str, sent: bool) -> None:
        super().__init__(message)
        self.sent = sent


class Client(Service):
    """Asks the daemon that listens on a socket.

    Connections are kept and used again; requests of several threads at once go
    over several of them.  Raises Unavailable if nobody listens.
    """

    persistent = True

    def __init__(self, path: Path) -> None:
        self.path = path
        self._idle: list[socket.socket] = []
        self._streams: set[socket.socket] = set()
        self._lock = threading.Lock()
        self._closed = False
        self._idle.append(self._connect())

    # Requests

    def submit(self, requests: Sequence[Request]) -> list[int]:
        arguments, payload = protocol.pack_requests(requests)
        pids: list[int] = self._ask("submit", arguments, payload, again=False)[0]
        return pids

    def processes(self, query: Query = ALIVE) -> list[ProcessInfo]:
        return self._processes("processes", query=to_json(query))

    def show(self, pid: int) -> Details:
        return from_json(Details, self._value("show", pid=pid))

    def wait(self, pids: Sequence[int], timeout: float | None = None) -> list[ProcessInfo]:
        return self._processes("wait", pids=list(pids), timeout=timeout)

    def kill(self, pids: Sequence[int], force: bool = False) -> list[ProcessInfo]:
        return self._processes("kill", pids=list(pids), force=force)

    def pause(self, pids: Sequence[int]) -> list[ProcessInfo]:
        return self._processes("pause", pids=list(pids))

    def resume(self, pids: Sequence[int]) -> list[ProcessInfo]:
        return self._processes("resume", pids=list(pids))

    def logs(self, pid: int, after: int = 0, limit: int | None = None) -> list[LogLine]:
        found: list[LogLine] = []
        while limit is None or len(found) < limit:
            left = None if limit is None else limit - len(found)
            page = protocol.unpack_lines(self._value("logs", pid=pid, after=after, limit=left))
            found += page
            if not page:
                break
            after = page[-1].number
        return found

    def follow(self, pid: int, after: int = 0) -> Iterator[LogLine]:
        for rows in self._stream("follow", pid=pid, after=after):
            yield from protocol.unpack_lines(rows)

    def changes(self) -> Iterator[ProcessInfo]:
        # The daemon listens from now on, not from the first change that is asked for.
        tables = self._stream("changes")
        return (one for table in tables for one in protocol.unpack_processes(table))

    def result(self, pid: int) -> StoredResult:
        value, npz = self._ask("result", {"pid": pid})
        return StoredResult(value["metrics"], value["exit_status"], value["detail"], npz or None)

    def application(self, pid: int) -> tuple[str, bytes]:
        name, content = self._ask("application", {"pid": pid})
        return name, content

    def rerun(self, pids: Sequence[int]) -> list[int]:
        new: list[int] = self._ask("rerun", {"pids": list(pids)}, again=False)[0]
        return new

    def remove(self, pids: Sequence[int]) -> int:
        return int(self._value("remove", pids=list(pids)))

    def clean(self, query: Query = ALL) -> int:
        return int(self._value("clean", query=to_json(query)))

    def engines(self) -> list[EngineStatus]:
        return [from_json(EngineStatus, one) for one in self._value("engines")]

    def spool_info(self, check: bool = False) -> SpoolInfo:
        return from_json(SpoolInfo, self._value("spool_info", check=check))

    def vacuum(self) -> SpoolInfo:
        return from_json(SpoolInfo, self._value("vacuum"))

    def backup(self, path: Path) -> None:
        self._value("backup", path=str(path.absolute()))

    def drive(self) -> None:
        """Do nothing: the daemon runs what waits."""

    def status(self) -> ServiceStatus:
        return from_json(ServiceStatus, self._value("status"))

    def close(self) -> None:
        with self._lock:
            self._closed = True
            idle, self._idle = self._idle, []
            streams = list(self._streams)
        for connection in idle:
            connection.close()
        for connection in streams:
            # Wakes the thread that reads it, which then closes it.
            with contextlib.suppress(OSError):
                connection.shutdown(socket.SHUT_RDWR)

    # How they travel

    def _processes(self, call: str, **arguments: Any) -> list[ProcessInfo]:
        return protocol.unpack_processes(self._value(call, **arguments))

    def _value(self, call: str, **arguments: Any) -> Any:
        return self._ask(call, arguments)[0]

    def _ask(
        self, call: str, arguments: dict[str, Any], payload: bytes = b"", again: bool = True
    ) -> tuple[Any, bytes]:
        """One request and its reply.

        ``again``: repeat it, once, on a new connection if an old one turns out to be
        closed; what is not to happen twice is repeated only if it was not sent whole.
        """
        request = protocol.request(call, arguments, payload)
        with self._lock:
            self._open()
            connection = self._idle.pop() if self._idle else None
        if connection is None:
            return self._answer(*self._exchanged(self._connect(), request))
        try:
            return self._answer(*self._exchanged(connection, request))
        except _Closed as closed:
            if not again and closed.sent:
                raise
            with self._lock:
                idle, self._idle = self._idle, []
            for other in idle:
                other.close()  # they led to the same daemon
            try:
                connection = self._connect()
            except Unavailable:
                raise closed from None
            return self._answer(*self._exchanged(connection, request))

    def _exchanged(self, connection: socket.socket, request: bytes) -> tuple[frames.Message, bytes]:
        """The reply to a request; the connection is kept.  Raises _Closed."""
        try:
            frame = _exchange(connection, request)
        except OSError as error:
            connection.close()
            raise self._gone(str(error), not isinstance(error, BrokenPipeError)) from error
        except BaseException:
            connection.close()  # the reply is still to come: nobody may read it as another's
            raise
        if frame is None:
            connection.close()
            raise self._gone("it closed the connection")
        with self._lock:
            if self._closed:
                connection.close()
            else:
                self._idle.append(connection)
        return frame

    @staticmethod
    def _answer(message: frames.Message, content: bytes) -> tuple[Any, bytes]:
        protocol.raise_error(message)
        return message["value"], content

    def _stream(self, call: str, **arguments: Any) -> Iterator[Any]:
        """The items of a stream, which has a connection of its own."""
        with self._lock:
            self._open()
        connection = self._connect()
        with self._lock:
            self._streams.add(connection)
        try:
            frame = _exchange(connection, protocol.request(call, arguments))
            if frame is not None:
                protocol.raise_error(frame[0])
        except BaseException:
            self._end(connection)
            raise
        return self._items(connection)

    def _items(self, connection: socket.socket) -> Iterator[Any]:
        try:
            while True:
                try:
                    frame = frames.receive(connection.recv_into)
                except (OSError, frames.FrameError) as error:
                    if self._closed:
                        return
                    raise self._gone(str(error)) from error
                if frame is None:
                    if self._closed:
                        return
                    raise self._gone("it closed the connection")
                message, _ = frame
                protocol.raise_error(message)
                if "end" in message:
                    return
                yield message["items"]
        finally:
            self._end(connection)

    def _end(self, connection: socket.socket) -> None:
        with self._lock:
            self._streams.discard(connection)
        connection.close()

    def _open(self) -> None:
        if self._closed:
            raise Unavailable("this connection to the daemon was closed")

    def _connect(self) -> socket.socket:
        connection = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        try:
            connection.settimeout(GREETING)
            address.use(self.path, connection.connect)
            hello = protocol.request("hello", {"protocol": protocol.VERSION})
            frame = _exchange(connection, hello)
            if frame is None:
                raise Unavailable(f"what listens on {self.path} closed the connection")
            protocol.raise_error(frame[0])
            connection.settimeout(None)
        except (FileNotFoundError, ConnectionRefusedError, NotADirectoryError):
            connection.close()
            raise Unavailable(
                f"no daemon listens on {self.path}: start one with 'pstack daemon start'"
            ) from None
        except OSError as error:
            connection.close()
            raise Unavailable(
                f"the daemon on {self.path} cannot be reached: {error.strerror or error}"
            ) from error
        except BaseException:
            connection.close()
            raise
        return connection

    def _gone(self, how: str, sent: bool = True) -> _Closed:
        return _Closed(
            f"the daemon on {self.path} went away ({how}); what it accepted is in its spool, "
            "and runs when it is started again",
            sent,
        )


def _exchange(connection: socket.socket, request: bytes) -> tuple[frames.Message, bytes] | None:
    """Send a request and receive its reply; None if the other side closed.

    A daemon that refuses a request while it is being sent says so before it closes.
    """
    try:
        connection.sendall(request)
    except (BrokenPipeError, ConnectionResetError) as problem:
        with contextlib.suppress(OSError, frames.FrameError):
            frame = frames.receive(connection.recv_into)
            if frame is not None:
                return frame
        raise problem from None
    try:
        return frames.receive(connection.recv_into)
    except frames.FrameError as error:
        raise ConnectionResetError(str(error)) from None
