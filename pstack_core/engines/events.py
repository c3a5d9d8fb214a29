"""What a session reports, in the order in which it happened."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import numpy as np


class Reason(StrEnum):
    """Why a run ended."""

    EXIT = "exit"  # handler_exit, or the logged exit convention
    HALT = "halt"  # a message to the __halt__ external
    IDLE = "idle"  # nothing in flight, nothing ready to send
    TIMEOUT = "timeout"  # wall clock
    LIMIT = "limit"  # the number of events, or CPU seconds
    ASSERT = "assert"  # an assertion in a handler, or a send index out of range
    CRASH = "crash"  # a signal, or the worker's unexpected end
    KILLED = "killed"  # stopped by its user


@dataclass(frozen=True)
class Counters:
    """Totals since the start of the run."""

    sent: int = 0  # OnSend handlers that ran and were not cancelled
    delivered: int = 0  # messages received
    cancelled: int = 0  # OnSend handlers that cleared doSend
    idle_rounds: int = 0  # OnHardwareIdle rounds


@dataclass(frozen=True)
class States:
    """Final states: one structured array a device type, in the order of ``Devices.of_type``."""

    by_type: list[np.ndarray]


@dataclass(frozen=True)
class Event:
    """Base of all events."""


@dataclass(frozen=True)
class Started(Event):
    """The handlers are compiled and the instance is loaded; the run begins."""

    compile_seconds: float
    load_seconds: float
    cached: bool  # the compiled type was found in the cache


@dataclass(frozen=True)
class Log(Event):
    """One ``handler_log`` line.  ``device`` is an id; the supervisor is ``__supervisor__``."""

    device: str
    level: int
    text: str


@dataclass(frozen=True)
class Stats(Event):
    """Counters at some moment of a run, for progress displays."""

    counters: Counters
    seconds: float


@dataclass(frozen=True)
class Finished(Event):
    """The last event of a session that ran.

    ``detail`` is a sentence for people; it names device, pin and handler where
    there is one to blame.  ``signal`` is set when the worker died of one.
    """

    reason: Reason
    exit_code: int
    counters: Counters
    run_seconds: float
    detail: str = ""
    device: str = ""
    handler: str = ""
    signal: int = 0
    states: States | None = field(default=None, repr=False)


@dataclass(frozen=True)
class Failed(Event):
    """The last event of a session that could not run: a sentence, and compiler output if any."""

    error: str
    output: str = ""
