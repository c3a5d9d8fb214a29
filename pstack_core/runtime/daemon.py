"""The daemon: owns a spool, runs its processes, and answers clients on a Unix socket.

``python -m pstack_core.runtime.daemon OPTIONS`` runs one in the foreground;
OPTIONS is what :meth:`DaemonOptions.to_json` wrote.  docs/daemon.md has the
security model.
"""

from __future__ import annotations

import asyncio
import contextlib
import fcntl
import logging
import logging.handlers
import os
import signal
import socket
import stat
import sys
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

from pstack_core.runtime import address
from pstack_core.runtime.connection import Connection
from pstack_core.runtime.daemon_options import DaemonOptions
from pstack_core.runtime.errors import ServiceError, Unavailable
from pstack_core.runtime.host import Host
from pstack_core.runtime.inbox import Inbox
from pstack_core.runtime.limits import Bounds, Limits
from pstack_core.runtime.local_service import LocalService
from pstack_core.runtime.paths import Paths
from pstack_core.runtime.service import ServiceStatus
from pstack_spool import SpoolError

_log = logging.getLogger("pstack_core.runtime")

BOUNDS = Bounds()
#: Threads for what takes longer.
THREADS = 4
LOG_BYTES = 5_000_000
LOG_FILES = 3


class Daemon:
    """One daemon, from its lock to its end."""

    def __init__(self, options: DaemonOptions, bounds: Bounds = BOUNDS) -> None:
        self.options = options
        self.paths = options.paths()
        self._bounds = bounds
        self._started = time.time()
        self._connections: set[asyncio.Task[None]] = set()

    async def run(self) -> None:
        """Serve until SIGTERM or SIGINT.  Raises Unavailable if it cannot."""
        with owned(self.paths):
            try:
                host = Host(self.paths, self.options.policy())
            except SpoolError as error:
                raise Unavailable(str(error)) from None
            try:
                await self._serve(host)
            finally:
                host.close()

    async def _serve(self, host: Host) -> None:
        limits = Limits(self._bounds)

        async def connected(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            task = asyncio.current_task()
            assert task is not None
            self._connections.add(task)
            task.add_done_callback(self._connections.discard)
            await Connection(host, limits, self._status, reader, writer).serve()

        stopped = asyncio.Event()
        loop = asyncio.get_running_loop()
        # Each thread has a connection to the spool: a few are enough.
        loop.set_default_executor(ThreadPoolExecutor(THREADS, "pstack-reader"))
        for number in (signal.SIGTERM, signal.SIGINT):
            loop.add_signal_handler(number, stopped.set)
        with listening_socket(self.paths.socket) as listener:
            scheduling = asyncio.create_task(host.schedule())
            server = await asyncio.start_unix_server(connected, sock=listener, backlog=128)
            inbox = Inbox(host, self.options.inbox_folder()) if self.options.inbox else None
            ending = asyncio.create_task(stopped.wait())
            work = [scheduling, ending]
            if inbox is not None:
                work.append(asyncio.create_task(inbox.run()))
            _log.info("serving %s on %s", self.paths.spool, self.paths.socket)
            _tell_systemd("READY=1")
            if self.options.to_file:
                _let_go_of_terminal()
            try:
                done, _ = await asyncio.wait(work, return_when=asyncio.FIRST_COMPLETED)
                for task in done:
                    task.result()
            finally:
                _tell_systemd("STOPPING=1")
                _log.info("ending; what runs will run again from its start")
                server.close()
                for task in [*self._connections, *work]:
                    task.cancel()
                await asyncio.gather(*self._connections, *work, return_exceptions=True)

    def _status(self, service: LocalService) -> ServiceStatus:
        inbox = str(self.options.inbox_folder()) if self.options.inbox else ""
        return replace(
            service.status(),
            daemon=True,
            socket=str(self.paths.socket),
            inbox=inbox,
            started=self._started,
        )


@contextmanager
def owned(paths: Paths) -> Iterator[None]:
    """Own a spool: nobody else may run a daemon on it meanwhile.  Raises Unavailable.

    The lock goes with the process, however that ends, so a file that is left over
    does no harm.
    """
    try:
        paths.lock.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        descriptor = os.open(paths.lock, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o644)
    except OSError as error:
        raise Unavailable(f"the daemon cannot write {paths.lock}: {error.strerror}") from None
    try:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            pid = os.pread(descriptor, 32, 0).decode("ascii", "replace").strip() or "unknown"
            raise Unavailable(
                f"a daemon (process {pid}) owns the spool {paths.spool} already"
            ) from None
        os.ftruncate(descriptor, 0)
        os.pwrite(descriptor, f"{os.getpid()}\n".encode(), 0)
        yield
        os.ftruncate(descriptor, 0)
    finally:
        os.close(descriptor)


@contextmanager
def listening_socket(path: Path) -> Iterator[socket.socket]:
    """A Unix socket at ``path``; one that nobody listens on any more is replaced.

    A daemon of root serves all users, so that all may connect to it; any other
    serves its own user.  Raises Unavailable.
    """
    try:
        path.parent.mkdir(parents=True, exist_ok=True, mode=0o755 if os.geteuid() == 0 else 0o700)
        if address.somebody_listens(path):
            raise Unavailable(f"another program listens on {path}: set PSTACK_SOCKET to another")
        with contextlib.suppress(FileNotFoundError):
            if not stat.S_ISSOCK(path.lstat().st_mode):
                raise Unavailable(f"{path} is there and no socket: move it away")
            path.unlink()
        listener = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        try:
            # Nobody else may connect before the mode is what it should be.
            before = os.umask(0o177)
            try:
                address.use(path, listener.bind)
            finally:
                os.umask(before)
            path.chmod(0o666 if os.geteuid() == 0 else 0o600)
        except BaseException:
            listener.close()
            raise
    except OSError as error:
        raise Unavailable(f"the daemon cannot listen on {path}: {error.strerror}") from None
    ours = path.lstat().st_ino
    try:
        yield listener
    finally:
        listener.close()
        with contextlib.suppress(OSError):
            if path.lstat().st_ino == ours:
                path.unlink()


def set_up_log(path: Path | None) -> None:
    """Log to a file that is kept small, or to standard error."""
    handler: logging.Handler
    if path is None:
        handler = logging.StreamHandler()
    else:
        handler = logging.handlers.RotatingFileHandler(
            path, maxBytes=LOG_BYTES, backupCount=LOG_FILES
        )
    handler.setFormatter(logging.Formatter("%(asctime)s %(levelname)s %(message)s"))
    _log.handlers[:] = [handler]
    _log.setLevel(logging.INFO)
    _log.propagate = False


def _let_go_of_terminal() -> None:
    """Leave standard error to whoever started us: from now on all goes to the log."""
    nowhere = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, 2)
    os.close(nowhere)


def _tell_systemd(state: str) -> None:
    """Say to systemd, where that started us, how we are; sd_notify(3) is the protocol."""
    where = os.environ.get("NOTIFY_SOCKET")
    if where:
        with (
            socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as notify,
            contextlib.suppress(OSError),
        ):
            notify.connect("\0" + where[1:] if where.startswith("@") else where)
            notify.send(state.encode())


def serve(options: DaemonOptions) -> int:
    """Run a daemon until it is told to end; the exit status."""
    try:
        set_up_log(options.log_file())
    except OSError as error:
        sys.stderr.write(f"pstack: error: the log cannot be written: {error}\n")
        return 1
    try:
        asyncio.run(Daemon(options).run())
    except ServiceError as error:
        _log.error("%s", error)
        sys.stderr.write(f"pstack: error: {error}\n")
        return 1
    except Exception:
        _log.exception("the daemon failed")
        raise
    return 0


def main() -> None:
    """Run a daemon with the options that the first argument holds."""
    os.umask(0o077)
    sys.exit(serve(DaemonOptions.from_json(sys.argv[1] if len(sys.argv) > 1 else "{}")))


if __name__ == "__main__":
    main()
