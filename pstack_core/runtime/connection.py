"""The daemon's side of one connection: who it is, what is asked, what is answered."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import os
import socket
import struct
from collections.abc import AsyncIterator, Callable
from typing import TYPE_CHECKING, Any

from pstack_core.runtime import calls, frames, protocol, streams
from pstack_core.runtime.codec import to_json
from pstack_core.runtime.errors import BadRequest, NotAllowed, ServiceError
from pstack_core.runtime.frames import HEADER, FrameError
from pstack_core.runtime.local_service import LocalService
from pstack_core.runtime.users import user
from pstack_core.runtime.view import Caller

if TYPE_CHECKING:
    from pstack_core.runtime.host import Host
    from pstack_core.runtime.limits import Limits

_log = logging.getLogger(__name__)

_CREDENTIALS = struct.Struct("3i")  # pid, uid, gid
#: Seconds that a client may leave what is sent to it unread.
UNREAD_SECONDS = 600.0


class Connection:
    """One client.  ``status`` describes the service to it."""

    def __init__(
        self,
        host: Host,
        limits: Limits,
        status: Callable[[LocalService], Any],
        reader: asyncio.StreamReader,
        writer: asyncio.StreamWriter,
    ) -> None:
        self._host = host
        self._limits = limits
        self._status = status
        self._reader = reader
        self._writer = writer
        self.pid, self.uid, self.gid = _peer(writer)
        self._who = f"uid {self.uid}, process {self.pid}"

    async def serve(self) -> None:
        """Answer requests until the client goes."""
        try:
            self._limits.connect(self.uid)
        except ServiceError as error:
            _log.warning("%s: refused: %s", self._who, error)
            with contextlib.suppress(ConnectionError, TimeoutError):
                await self._send(protocol.error(error))
            self._writer.close()
            return
        try:
            await self._answer_all(self._service())
        except FrameError as error:
            _log.warning("%s: refused: %s", self._who, error)
            with contextlib.suppress(ConnectionError, TimeoutError):
                await self._send(protocol.error(BadRequest(str(error))))
        except TimeoutError:
            _log.warning("%s: refused: too slow", self._who)
        except ConnectionError:
            pass
        finally:
            self._limits.disconnect(self.uid)
            self._writer.close()

    def _service(self) -> LocalService:
        """What this user may do.  The kernel said who it is; nothing that it sends matters."""
        person = user(self.uid, self.gid)
        admin = self.uid in self._host.policy.admins or self.uid == os.geteuid()
        return LocalService(self._host, Caller(self.uid, person.name, admin), owns_host=False)

    async def _answer_all(self, service: LocalService) -> None:
        greeted = False
        while True:
            bounds = self._limits.bounds
            header = await self._header(None if greeted else bounds.hello_seconds)
            if header is None:
                return
            text, size = header
            async with self._limits.payload(text + size):
                async with asyncio.timeout(bounds.frame_seconds):
                    try:
                        message = frames.decode(await self._reader.readexactly(text))
                        payload = await self._reader.readexactly(size) if size else b""
                    except asyncio.IncompleteReadError:
                        raise FrameError("the stream ended within a frame") from None
                await self._limits.request(self.uid)
                name, arguments = message.get("call"), message.get("arguments", {})
                if not isinstance(name, str) or not isinstance(arguments, dict):
                    raise FrameError("a request needs the text 'call' and the object 'arguments'")
                if not greeted and name != "hello":
                    raise FrameError("the first request must be hello")
                greeted = True
                if not await self._answer(service, name, arguments, payload):
                    return

    async def _header(self, timeout: float | None) -> tuple[int, int] | None:
        try:
            async with asyncio.timeout(timeout):
                start = await self._reader.readexactly(1)
            async with asyncio.timeout(self._limits.bounds.frame_seconds):
                header = start + await self._reader.readexactly(HEADER.size - 1)
        except asyncio.IncompleteReadError as error:
            if error.partial:
                raise FrameError("the stream ended within a frame") from None
            return None
        largest = self._host.policy.largest_application
        return frames.lengths(header, protocol.MOST_REQUEST, 4 * largest)

    async def _answer(
        self, service: LocalService, name: str, arguments: dict[str, Any], payload: bytes
    ) -> bool:
        """Answer one request; whether the connection goes on."""
        try:
            if name in ("follow", "changes"):
                await self._stream(service, name, arguments)
                return False
            value, content = await self._value(service, name, arguments, payload)
        except ServiceError as error:
            if isinstance(error, BadRequest | NotAllowed):
                _log.warning("%s: %s refused: %s", self._who, name[:40], error)
            await self._send(protocol.error(error))
        except (ConnectionError, TimeoutError):
            raise
        except Exception:
            _log.exception("%s: %s failed", self._who, name[:40])
            problem = ServiceError("a bug in pstack's daemon: its log has more")
            await self._send(protocol.error(problem))
        else:
            await self._send({"value": value}, content)
        return True

    async def _value(
        self, service: LocalService, name: str, arguments: dict[str, Any], payload: bytes
    ) -> calls.Answer:
        if name == "hello":
            if arguments.get("protocol") != protocol.VERSION:
                raise BadRequest(
                    f"the daemon speaks version {protocol.VERSION} of the protocol and you speak "
                    f"{str(arguments.get('protocol'))[:20]}: use the same pstack for both"
                )
            return to_json(self._status(service)), b""
        if name == "status":
            return to_json(self._status(service)), b""
        if name == "wait":
            given = calls.checked(calls.WAIT, arguments, name)
            ended = await self._until_closed(streams.wait(self._host, service, **given))
            return protocol.pack_processes(ended), b""
        return await calls.answer(service, name, arguments, payload)

    async def _stream(self, service: LocalService, name: str, arguments: dict[str, Any]) -> None:
        items: AsyncIterator[Any]
        if name == "follow":
            given = calls.checked(calls.FOLLOW, arguments, name)
            items = _each(protocol.pack_lines, streams.follow(self._host, service, **given))
        else:
            calls.checked({}, arguments, name)
            items = _each(protocol.pack_processes, streams.changes(self._host, service))
        with contextlib.suppress(asyncio.CancelledError):
            await self._until_closed(self._send_all(items))

    async def _send_all(self, items: AsyncIterator[Any]) -> None:
        # The first frame says that the request is accepted, and that nothing is missed from now.
        await self._send({"items": None})
        async for item in items:
            await self._send({"items": item})
        await self._send({"end": True})

    async def _until_closed(self, work: Any) -> Any:
        """Do something that takes its time, unless the client goes meanwhile."""
        task = asyncio.ensure_future(work)
        gone = asyncio.ensure_future(self._reader.read(1))
        try:
            await asyncio.wait({task, gone}, return_when=asyncio.FIRST_COMPLETED)
            if not task.done():
                raise ConnectionResetError("the client went away")
            return task.result()
        finally:
            for one in (task, gone):
                if not one.done():
                    one.cancel()
                    with contextlib.suppress(asyncio.CancelledError, Exception):
                        await one

    async def _send(self, message: frames.Message, payload: bytes = b"") -> None:
        self._writer.write(frames.encode(message, payload))
        async with asyncio.timeout(UNREAD_SECONDS):
            await self._writer.drain()


async def _each(pack: Callable[[Any], Any], items: AsyncIterator[Any]) -> AsyncIterator[Any]:
    async for item in items:
        yield pack(item)


def _peer(writer: asyncio.StreamWriter) -> tuple[int, int, int]:
    """Process, user and group at the other end, as the kernel knows them."""
    raw = writer.get_extra_info("socket").getsockopt(
        socket.SOL_SOCKET, socket.SO_PEERCRED, _CREDENTIALS.size
    )
    pid, uid, gid = _CREDENTIALS.unpack(raw)
    return pid, uid, gid
