"""Values and arguments that commands share, for argparse's ``type=``."""

from __future__ import annotations

import argparse
import math
import re
from typing import IO, Any, TypeVar

from pstack_core.shell.context import Context

_SIZES = {"": 1, "k": 1 << 10, "m": 1 << 20, "g": 1 << 30, "t": 1 << 40}
_TIMES = {"": 1.0, "ms": 0.001, "s": 1.0, "m": 60.0, "h": 3600.0, "d": 86400.0}

ActionT = TypeVar("ActionT", bound=argparse.Action)


def completed(action: ActionT, kind: str) -> ActionT:
    """Say what the values of an argument are, so that the shell can complete them.

    ``kind`` is one of ``application file folder pid alive ended engine label owner
    property device field``.
    """
    action.completion = kind  # type: ignore[attr-defined]
    return action


def completion_of(action: argparse.Action) -> str:
    """What the values of an argument are; empty where nobody said."""
    kind: str = getattr(action, "completion", "")
    return kind


def seconds(text: str) -> float:
    """A time: ``1.5``, ``90s``, ``2m``, ``1h``, ``7d``, ``500ms``."""
    match = re.fullmatch(r"([0-9.]+(?:e-?[0-9]+)?)\s*(ms|s|m|h|d)?", text.strip().lower())
    try:
        value = float(match[1]) * _TIMES[match[2] or ""] if match else -1.0
    except ValueError:
        value = -1.0
    if not 0 < value < math.inf:
        raise argparse.ArgumentTypeError(
            f"{text!r} is not a time: give seconds, or a number with ms, s, m, h or d, such as 90s"
        )
    return value


def size(text: str) -> int:
    """A number of bytes: ``4096``, ``512M``, ``2G`` (powers of 1024)."""
    match = re.fullmatch(r"([0-9]+(?:\.[0-9]+)?)\s*([kmgt]?)(?:i?b)?", text.strip().lower())
    value = int(float(match[1]) * _SIZES[match[2]]) if match else 0
    if not 0 < value < 1 << 63:
        raise argparse.ArgumentTypeError(
            f"{text!r} is not a size: give bytes, or a number with K, M or G, such as 512M"
        )
    return value


def count(text: str) -> int:
    """A whole number of at least 1; ``_`` may group digits."""
    value = _whole(text)
    if not 0 < value < 1 << 63:
        raise argparse.ArgumentTypeError(f"{text!r} is not a whole number of at least 1")
    return value


def natural(text: str) -> int:
    """A whole number of at least 0, below 2**64."""
    value = _whole(text)
    if not 0 <= value < 1 << 64:
        raise argparse.ArgumentTypeError(f"{text!r} is not a whole number from 0 to 2**64 - 1")
    return value


def whole(text: str) -> int:
    """A whole number, negative ones too."""
    try:
        return int(text)
    except ValueError:
        raise argparse.ArgumentTypeError(f"{text!r} is not a whole number") from None


def process_id(text: str) -> int:
    """The PID of a process: a whole number of at least 1."""
    value = _whole(text.removeprefix("%"))
    if not 0 < value < 1 << 63:
        raise argparse.ArgumentTypeError(f"{text!r} is not a PID; 'ps -a' lists them")
    return value


def assignment(text: str) -> tuple[str, str]:
    """``NAME=VALUE``."""
    name, equals, value = text.partition("=")
    if not equals or not re.fullmatch(r"[A-Za-z_][A-Za-z0-9_.\[\]]*", name.strip()):
        raise argparse.ArgumentTypeError(f"{text!r} is not NAME=VALUE, such as laps=5")
    return name.strip(), value.strip()


def add_application(parser: argparse.ArgumentParser) -> None:
    """The argument APP."""
    completed(
        parser.add_argument(
            "app",
            metavar="APP",
            help="the application: an XML file, gzip-compressed or not; - is standard input",
        ),
        "application",
    )
    add_dialect(parser)


def add_dialect(parser: argparse.ArgumentParser) -> None:
    """The option --dialect."""
    parser.add_argument(
        "--dialect",
        choices=("v2", "v3", "v4", "orchestrator"),
        help="read the file as this version of the format, whatever it says itself",
    )


def add_instance(parser: argparse.ArgumentParser) -> None:
    """The option --instance."""
    parser.add_argument(
        "--instance", metavar="ID", help="which graph instance, where the file has several"
    )


def add_strict(parser: argparse.ArgumentParser) -> None:
    """The option --strict."""
    parser.add_argument(
        "--strict",
        action="store_true",
        help="refuse what the format forbids but is usually meant well, such as unknown properties",
    )


def add_json(parser: argparse.ArgumentParser, what: str, form: str = "one JSON object") -> None:
    """The option --json."""
    parser.add_argument("--json", action="store_true", help=f"print {what} as {form}")


def add_pids(parser: argparse.ArgumentParser, what: str, kind: str = "pid") -> None:
    """The arguments PID..."""
    completed(
        parser.add_argument("pids", metavar="PID", type=process_id, nargs="+", help=what), kind
    )


def add_pid(parser: argparse.ArgumentParser, what: str, kind: str = "pid") -> None:
    """The argument PID."""
    completed(parser.add_argument("pid", metavar="PID", type=process_id, help=what), kind)


def application(context: Context, name: str) -> str | IO[bytes]:
    """What to load for the argument APP."""
    return context.input() if name == "-" else name


def reading(arguments: argparse.Namespace) -> dict[str, Any]:
    """How to load it: the keyword arguments for ``load`` that the command has as options."""
    names = ("strict", "dialect", "instance")
    return {name: getattr(arguments, name) for name in names if hasattr(arguments, name)}


def _whole(text: str) -> int:
    try:
        return int(text)
    except ValueError:
        return -1
