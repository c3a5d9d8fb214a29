"""A daemon of a test's own, and what is left of it."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from pstack_core.runtime import control
from pstack_core.runtime.client import Client
from pstack_core.runtime.daemon_options import DaemonOptions
from pstack_core.runtime.paths import Paths, default_paths

#: Applications, small and quick.
EXAMPLES = Path(__file__).parents[2] / "docs" / "examples"
RING = (EXAMPLES / "ring.xml").read_bytes()

#: Two devices that send to each other for ever.
ENDLESS = b"""<?xml version="1.0"?>
<Graphs xmlns="https://poets-project.org/schemas/virtual-graph-schema-v3">
 <GraphType id="endless">
  <MessageTypes><MessageType id="m"/></MessageTypes>
  <DeviceTypes>
   <DeviceType id="node">
    <State><Scalar name="count" type="uint32_t"/></State>
    <InputPin name="in" messageTypeId="m">
     <OnReceive><![CDATA[ deviceState->count++; ]]></OnReceive>
    </InputPin>
    <OutputPin name="out" messageTypeId="m"><OnSend><![CDATA[ ]]></OnSend></OutputPin>
    <OnInit><![CDATA[ handler_log(1, "begun"); ]]></OnInit>
    <ReadyToSend><![CDATA[ *readyToSend = RTS_FLAG_out; ]]></ReadyToSend>
   </DeviceType>
  </DeviceTypes>
 </GraphType>
 <GraphInstance id="endless" graphTypeId="endless">
  <DeviceInstances><DevI id="a" type="node"/><DevI id="b" type="node"/></DeviceInstances>
  <EdgeInstances><EdgeI path="a:in-b:out"/><EdgeI path="b:in-a:out"/></EdgeInstances>
 </GraphInstance>
</Graphs>
"""


class OwnDaemon:
    """A daemon in a process of its own; may be killed and started again."""

    def __init__(self, options: DaemonOptions) -> None:
        self.options = options
        self.paths: Paths = options.paths()  # as the environment has them now
        self.pid = 0

    def start(self) -> None:
        self.pid = control.start(self.options).pid

    def client(self) -> Client:
        return Client(self.paths.socket)

    def kill(self) -> None:
        """As the kernel would for lack of memory, or a power switch."""
        os.kill(self.pid, signal.SIGKILL)
        wait_until(lambda: not alive(self.pid))

    def stop(self) -> None:
        if alive(self.pid):
            os.kill(self.pid, signal.SIGTERM)
            wait_until(lambda: not alive(self.pid))

    def log(self) -> str:
        return self.paths.log.read_text()


@contextmanager
def own_daemon(options: DaemonOptions | None = None) -> Iterator[OwnDaemon]:
    """A daemon on the spool that the environment names."""
    daemon = OwnDaemon(options or DaemonOptions(inbox=False))
    daemon.start()
    try:
        yield daemon
    finally:
        daemon.stop()
        wait_until(lambda: not processes_of(daemon.paths.spool))


def wait_until(condition: object, seconds: float = 20.0) -> None:
    """Wait for a callable to be true."""
    assert callable(condition)
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "it did not happen"
        time.sleep(0.01)


def alive(pid: int) -> bool:
    """Whether a process is there and not merely waited for."""
    try:
        stat = Path(f"/proc/{pid}/stat").read_text()
    except OSError:
        return False
    return stat.rpartition(")")[2].split()[0] not in "ZX"


def processes_of(spool: Path) -> list[int]:
    """Processes, not this one, that were started with PSTACK_SPOOL set to this spool."""
    mark = b"PSTACK_SPOOL=" + os.fsencode(spool)
    found = []
    for entry in os.listdir("/proc"):
        if not entry.isdecimal() or int(entry) == os.getpid():
            continue
        try:
            environment = Path(f"/proc/{entry}/environ").read_bytes().split(b"\0")
        except OSError:
            continue
        if mark in environment and alive(int(entry)):
            found.append(int(entry))
    return found


def run_python(code: str, uid: int | None = None, **environment: str) -> str:
    """What a Python program prints, run as a user."""
    as_user = {} if uid is None else {"user": uid, "group": uid, "extra_groups": []}
    done = subprocess.run(
        [sys.executable, "-c", code],
        capture_output=True,
        text=True,
        timeout=60,
        cwd="/",
        env={"PATH": os.environ["PATH"], **environment},
        **as_user,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


__all__ = ["ENDLESS", "EXAMPLES", "RING", "OwnDaemon", "alive", "default_paths", "own_daemon"]
