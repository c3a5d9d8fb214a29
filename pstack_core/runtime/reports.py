"""What a runner says, checked: it runs with its user's rights, and so may say anything."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from pstack_core.runtime.codec import convert
from pstack_core.runtime.errors import BadRequest
from pstack_core.runtime.frames import Message

#: Characters of a sentence and of a compiler's output, and values in the metrics.
LONGEST_DETAIL = 10_000
LONGEST_OUTPUT = 1_000_000
MOST_METRICS = 100

#: An exit code is what C has for it.
_CODES = range(-(1 << 31), 1 << 31)
_ENDS = ("finished", "failed", "killed")


class BadReport(Exception):
    """A runner said what no runner says."""


@dataclass(frozen=True)
class Started:
    """It is loaded and goes."""

    devices: int
    edges: int


@dataclass(frozen=True)
class Counts:
    """Totals and use of the moment; ``seconds`` since the start."""

    sent: int
    delivered: int
    seconds: float
    cpu_seconds: float
    memory_bytes: int


@dataclass(frozen=True, kw_only=True)
class Ended:
    """How a run ended; ``output`` is a compiler's."""

    state: str
    reason: str
    detail: str = ""
    output: str = ""
    exit_code: int | None = None
    exit_status: int = 1
    metrics: dict[str, Any] | None = field(default=None)


def lines(message: Message) -> list[tuple[float, str, int, str]]:
    """Log lines: time, device, level, text.  Raises BadReport."""
    found = message.get("lines")
    if not isinstance(found, list):
        raise BadReport("log lines without lines")
    for line in found:
        match line:
            case [float(), str(), int(), str()]:
                pass
            case _:
                raise BadReport("a log line that is none")
    return [tuple(line) for line in found]


def started(message: Message) -> Started:
    """Raises BadReport."""
    return Started(_natural(message, "devices"), _natural(message, "edges"))


def counts(message: Message) -> Counts:
    """Raises BadReport."""
    return Counts(
        _natural(message, "sent"),
        _natural(message, "delivered"),
        _number(message, "seconds"),
        _number(message, "cpu_seconds"),
        _natural(message, "memory_bytes"),
    )


def ended(message: Message) -> Ended:
    """Raises BadReport."""
    try:
        end = Ended(
            state=convert(str, message.get("state"), "state"),
            reason=convert(str, message.get("reason"), "reason")[:100],
            detail=convert(str, message.get("detail"), "detail")[:LONGEST_DETAIL],
            output=convert(str, message.get("output", ""), "output")[:LONGEST_OUTPUT],
            exit_code=convert(int | None, message.get("exit_code"), "exit_code"),
            exit_status=convert(int, message.get("exit_status"), "exit_status"),
            metrics=message.get("metrics"),
        )
    except BadRequest as error:
        raise BadReport(str(error)) from None
    if end.state not in _ENDS or end.exit_status not in range(256):
        raise BadReport("an end that is none")
    if end.exit_code is not None and end.exit_code not in _CODES:
        raise BadReport("an exit code that is none")
    if end.metrics is not None:
        _check_metrics(end.metrics)
    return end


def _check_metrics(metrics: Any) -> None:
    if not isinstance(metrics, dict) or len(metrics) > MOST_METRICS:
        raise BadReport("metrics that are none")
    for name, value in metrics.items():
        if len(name) > 100 or not isinstance(value, int | float | str) or len(str(value)) > 1000:
            raise BadReport("a metric that is none")
    if "Exit code" not in metrics or "Reason" not in metrics:
        raise BadReport("metrics without exit code and reason")


def _natural(message: Message, name: str) -> int:
    value = message.get(name)
    if type(value) is not int or not 0 <= value < 1 << 63:
        raise BadReport(f"{name} is no count")
    return value


def _number(message: Message, name: str) -> float:
    value = message.get(name)
    if not isinstance(value, int | float) or not 0 <= value < 1e18:
        raise BadReport(f"{name} is no number")
    return float(value)
