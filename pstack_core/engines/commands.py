"""What a session can be told."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Command:
    """Base of all commands."""


@dataclass(frozen=True)
class Stop(Command):
    """End the run as soon as the handler that is running returns."""


@dataclass(frozen=True)
class Pause(Command):
    """Stop where it is, the clock of its time limit too, until Resume or Stop."""


@dataclass(frozen=True)
class Resume(Command):
    """Go on after Pause."""
