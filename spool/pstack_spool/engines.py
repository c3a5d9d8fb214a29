"""The engines that schedulers announced."""

from __future__ import annotations

import json
from dataclasses import astuple, replace
from typing import TYPE_CHECKING

from pstack_spool.model import Engine

if TYPE_CHECKING:
    from pstack_spool.db import Connection


def announce(connection: Connection, engine: Engine, now: float) -> None:
    """Add an engine, or say anew what it is."""
    stamped = replace(engine, features=json.dumps(list(engine.features)), seen=now)
    connection.execute(
        "INSERT OR REPLACE INTO engines "
        "(name, kind, host, slots, available, detail, features, seen) "
        "VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
        astuple(stamped),
    )


def listed(connection: Connection) -> list[Engine]:
    """All engines, by name."""
    rows = connection.execute(
        "SELECT name, kind, host, slots, available, detail, features, seen "
        "FROM engines ORDER BY name"
    )
    return [
        Engine(name, kind, host, slots, bool(available), detail, tuple(json.loads(features)), seen)
        for name, kind, host, slots, available, detail, features, seen in rows
    ]


def forget(connection: Connection, name: str) -> None:
    """Remove an engine that is gone for good."""
    connection.execute("DELETE FROM engines WHERE name = ?", (name,))
