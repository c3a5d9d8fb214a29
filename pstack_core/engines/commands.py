"""What a session can be told."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Command:
    """Base of all commands."""


@dataclass(frozen=True)
class Stop(Command):
    """End the run as soon as the handler that is running returns."""
