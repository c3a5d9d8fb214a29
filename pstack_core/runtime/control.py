"""Starting and stopping a daemon from another process."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from dataclasses import replace

from pstack_core.runtime.client import Client
from pstack_core.runtime.daemon_options import DaemonOptions
from pstack_core.runtime.errors import ServiceError, Unavailable
from pstack_core.runtime.service import ServiceStatus

#: Seconds that a daemon gets to begin and to end.
STARTING, STOPPING = 20.0, 20.0


def running(options: DaemonOptions) -> ServiceStatus | None:
    """What the daemon says of itself; None if none listens."""
    path = options.paths().socket
    if not path.exists():
        return None
    try:
        with Client(path) as client:
            return client.status()
    except Unavailable:
        return None


def start(options: DaemonOptions) -> ServiceStatus:
    """Start a daemon in the background; returns when it answers.

    Raises Unavailable if it does not, with what it said.
    """
    status = running(options)
    if status is not None:
        raise Unavailable(f"a daemon runs already: process {status.pid} on {status.socket}")
    process = subprocess.Popen(
        [
            sys.executable,
            "-P",
            "-m",
            "pstack_core.runtime.daemon",
            replace(options, to_file=True).to_json(),
        ],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        start_new_session=True,
    )
    assert process.stderr is not None
    with process.stderr:
        os.set_blocking(process.stderr.fileno(), False)
        deadline = time.monotonic() + STARTING
        while time.monotonic() < deadline and process.poll() is None:
            status = running(options)
            if status is not None and status.pid == process.pid:
                # It is nobody's child to wait for any more.
                process.returncode = 0
                return status
            time.sleep(0.02)
        said = (process.stderr.read() or b"").decode("utf-8", "replace").strip().splitlines()
    if process.poll() is None:
        process.kill()
        process.wait()
        raise Unavailable(f"the daemon did not answer within {STARTING:g} s: see its log")
    last = said[-1].removeprefix("pstack: error: ") if said else "see its log"
    raise Unavailable(last)


def stop(options: DaemonOptions) -> ServiceStatus:
    """End the daemon; returns what it was, when it has ended.

    What it runs will run again, from the start, when there is a daemon again.
    Raises Unavailable if there is none, or it does not end.
    """
    status = running(options)
    if status is None:
        raise Unavailable(f"no daemon listens on {options.paths().socket}")
    try:
        ending = os.pidfd_open(status.pid)
    except ProcessLookupError:
        return status
    try:
        try:
            signal.pidfd_send_signal(ending, signal.SIGTERM)
        except PermissionError:
            raise ServiceError(
                f"the daemon, process {status.pid}, belongs to another user: only that user and "
                "root can stop it"
            ) from None
        if not _ends(ending):
            raise Unavailable(
                f"the daemon, process {status.pid}, has not ended after {STOPPING:g} s: see its log"
            )
    finally:
        os.close(ending)
    return status


def _ends(pidfd: int) -> bool:
    """Wait for a process that need not be our child."""
    import select

    poll = select.poll()
    poll.register(pidfd, select.POLLIN)
    return bool(poll.poll(STOPPING * 1000))
