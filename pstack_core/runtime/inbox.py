"""The inbox: applications that are put into a folder are run, each once.

``ring.xml`` becomes ``ring.xml.12`` when it is accepted as process 12, and
``ring.xml.12.json`` beside it says how that ended.  What cannot be accepted
becomes ``ring.xml.refused``, and ``ring.xml.refused.json`` says why.

A file is first renamed to a hidden name that holds what identifies it, then
submitted with that, then given its PID.  So a daemon that was killed in between
knows from the spool whether it had been submitted.  A file that somebody still
has open for writing is left alone until it is closed.
"""

from __future__ import annotations

import asyncio
import contextlib
import errno
import fcntl
import json
import logging
import os
import re
import secrets
import stat
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pstack_core.runtime.codec import to_json
from pstack_core.runtime.errors import ServiceError
from pstack_core.runtime.hub import Changed, News
from pstack_core.runtime.local_service import LocalService
from pstack_core.runtime.service import ProcessInfo, Request
from pstack_core.runtime.streams import listening
from pstack_core.runtime.users import user
from pstack_core.runtime.view import Caller, info
from pstack_spool import SpoolError

if TYPE_CHECKING:
    from pstack_core.runtime.host import Host

_log = logging.getLogger(__name__)

ENDINGS = (".xml", ".xml.gz")
#: Seconds between looks at the folder without a notice, for notices that were lost.
GLANCE = 5.0
#: Seconds before a file that is being written is looked at again.
AGAIN = 0.2

_TAKEN = re.compile(r"\.(?P<name>.+)\.(?P<token>[0-9a-f]{32})")


class Inbox:
    """Watches one folder; made and run in the daemon's loop."""

    def __init__(self, host: Host, folder: Path) -> None:
        self._host = host
        self._folder = folder
        self._wanted: dict[int, str] = {}  # PID to the name of its file
        self._noticed = asyncio.Event()

    async def run(self) -> None:
        """Accept applications until cancelled."""
        try:
            self._folder.mkdir(parents=True, exist_ok=True, mode=0o700)
            if os.geteuid() == 0:
                self._folder.chmod(0o1777)  # all may put files here, and touch only their own
        except OSError as error:
            _log.error("no inbox: %s cannot be made: %s", self._folder, error.strerror)
            await asyncio.Event().wait()
        observer = _observe(self._folder, asyncio.get_running_loop(), self._noticed.set)
        try:
            with listening(self._host, self._is_wanted) as stream:
                self._recover()
                watching = asyncio.create_task(self._watch())
                try:
                    while True:
                        news = await stream.next(GLANCE)
                        if isinstance(news, Changed):
                            self._report(news.process)
                        else:
                            self._report_ended()
                finally:
                    watching.cancel()
        finally:
            if observer is not None:
                observer.stop()

    def _is_wanted(self, news: News) -> bool:
        return isinstance(news, Changed) and news.process.final

    async def _watch(self) -> None:
        while True:
            open_ones = False
            try:
                for entry in sorted(os.listdir(self._folder)):
                    if entry.endswith(ENDINGS) and not entry.startswith("."):
                        open_ones |= not await self._accept(entry)
            except OSError as error:
                _log.error("the inbox %s cannot be read: %s", self._folder, error.strerror)
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(AGAIN if open_ones else GLANCE):
                    await self._noticed.wait()
            self._noticed.clear()

    async def _accept(self, name: str) -> bool:
        """Submit a file; False if it is still being written."""
        path = self._folder / name
        try:
            descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
        except FileNotFoundError:
            return True
        except OSError as error:
            self._refuse(path, name, f"it cannot be read: {error.strerror}")
            return True
        try:
            status = os.fstat(descriptor)
            refusal = self._refusal(status)
            if refusal:
                self._refuse(path, name, refusal)
                return True
            if _is_being_written(descriptor):
                return False
            token = secrets.token_hex(16)
            taken = self._folder / f".{name}.{token}"
            os.rename(path, taken)
            if not os.path.samestat(os.lstat(taken), status):
                os.rename(taken, path)  # replaced just now: look again
                return False
            content = await asyncio.to_thread(_read, descriptor)
        finally:
            os.close(descriptor)
        await self._submit(taken, name, token, content, status)
        return True

    def _refusal(self, status: os.stat_result) -> str:
        if not stat.S_ISREG(status.st_mode):
            return "it is no file"
        if status.st_nlink != 1:
            return "it has other names too, so that it may not be its owner who put it here"
        if status.st_size > self._host.policy.largest_application:
            return f"it has {status.st_size} bytes, more than are taken"
        if os.geteuid() not in (0, status.st_uid):
            return "it belongs to another user"
        return ""

    async def _submit(
        self, taken: Path, name: str, token: str, content: bytes, status: os.stat_result
    ) -> None:
        person = user(status.st_uid, status.st_gid)
        service = LocalService(self._host, Caller(person.uid, person.name), owns_host=False)
        request = Request(application=content, name=name, label="inbox")
        try:
            [pid] = await asyncio.to_thread(service.submit, [request], token)
        except ServiceError as error:
            self._refuse(taken, name, str(error))
            return
        self._accepted(taken, name, pid)

    def _accepted(self, taken: Path, name: str, pid: int) -> None:
        given = f"{name}.{pid}"
        os.rename(taken, self._folder / given)
        self._wanted[pid] = given
        _log.info("inbox: %s is process %d", name, pid)

    def _refuse(self, path: Path, name: str, why: str) -> None:
        _log.warning("inbox: %s is refused: %s", name, why)
        given = f"{name}.refused"
        try:
            owner = path.lstat()
            os.rename(path, self._folder / given)
            self._write(given, {"error": f"{name} was refused: {why}"}, owner)
        except OSError as error:
            _log.error("inbox: %s cannot be set aside: %s", name, error.strerror)

    def _report_ended(self) -> None:
        """Report what ended without a notice."""
        if not self._wanted:
            return
        with contextlib.suppress(SpoolError):
            for process in self._host.spool.select(pids=list(self._wanted)):
                if process.state.final:
                    self._report(info(process))

    def _report(self, process: ProcessInfo) -> None:
        given = self._wanted.pop(process.pid, None)
        if given is None:
            return
        value: dict[str, Any] = to_json(process)
        with contextlib.suppress(SpoolError):
            result = self._host.spool.result(process.pid)
            value["metrics"] = result.metrics if result is not None else None
        try:
            self._write(given, value, (self._folder / given).lstat())
        except FileNotFoundError:
            pass  # its owner took it away
        except OSError as error:
            _log.error("inbox: the outcome of %s cannot be written: %s", given, error.strerror)

    def _write(self, given: str, value: dict[str, Any], owner: os.stat_result) -> None:
        """Write the outcome beside the file ``given``, as its owner's, whole or not at all."""
        part = self._folder / f".{given}.{secrets.token_hex(8)}.json"
        descriptor = os.open(part, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
        with os.fdopen(descriptor, "w") as file:
            if os.geteuid() == 0:
                os.fchown(descriptor, owner.st_uid, owner.st_gid)
            json.dump(value, file, indent=1)
            file.write("\n")
        os.rename(part, self._folder / f"{given}.json")

    def _recover(self) -> None:
        """Finish what a daemon before this one began."""
        entries = os.listdir(self._folder)
        taken = [match for entry in entries if (match := _TAKEN.fullmatch(entry))]
        if taken:
            known = {
                token: process.pid
                for process in self._host.spool.select(labels=("inbox",))
                if (token := process.options.get("mark"))
            }
            for match in taken:
                path = self._folder / match[0]
                pid = known.get(match["token"])
                if pid is None:
                    os.rename(path, self._folder / match["name"])
                else:
                    self._accepted(path, match["name"], pid)
        for entry in entries:
            name, _, number = entry.rpartition(".")
            if name.endswith(ENDINGS) and number.isdecimal() and f"{entry}.json" not in entries:
                self._wanted[int(number)] = entry
        self._report_ended()


def _is_being_written(descriptor: int) -> bool:
    """Whether anybody has the file open for writing; the kernel gives a lease only if not."""
    try:
        fcntl.fcntl(descriptor, fcntl.F_SETLEASE, fcntl.F_RDLCK)
    except OSError as error:
        return error.errno == errno.EAGAIN  # others: a file system without leases
    fcntl.fcntl(descriptor, fcntl.F_SETLEASE, fcntl.F_UNLCK)
    return False


def _read(descriptor: int) -> bytes:
    with os.fdopen(descriptor, "rb", closefd=False) as file:
        return file.read()


def _observe(folder: Path, loop: asyncio.AbstractEventLoop, notice: Any) -> Any:
    """Call ``notice`` in the loop when something happens in the folder; None if that fails."""
    from watchdog.events import FileSystemEvent, FileSystemEventHandler
    from watchdog.observers import Observer

    class Handler(FileSystemEventHandler):
        def on_any_event(self, event: FileSystemEvent) -> None:
            if event.event_type in ("created", "moved", "closed"):
                with contextlib.suppress(RuntimeError):
                    loop.call_soon_threadsafe(notice)

    observer = Observer()
    observer.schedule(Handler(), str(folder))
    try:
        observer.start()
    except OSError as error:
        _log.warning(
            "the inbox is looked at every %g s only, for it cannot be watched: %s; "
            "fs.inotify.max_user_watches and max_user_instances may be too low",
            GLANCE,
            error,
        )
        return None
    return observer
