"""What each public application is expected to do: the rows of ``expected.tsv``.

``PSTACK_CORPUS`` names a folder of checkouts of the public repositories; nothing
of them is kept here, only what is known about them.  The columns:

========= ==========================================================================
path      inside the folder, or ``generated:NAME.xml``
format    v0 to v4, orch (the Orchestrator's dialect), or ``-`` where it is not XML
end       see :data:`ENDS`
devices   number of device instances (externals not counted); empty where not known
edges     number of edges that are not the supervisor's; empty where not known
sent      OnSend handlers that ran, cancelled ones included; schedule-invariant
delivered messages received; schedule-invariant
tolerance how far the two counts may be off, for what depends on the moment of exit
states    ``field=value`` that every device with such a field ends at
recipe    how to generate it: a script in the folder and its arguments, or as in ``generators.py``
note      in words
========= ==========================================================================
"""

from __future__ import annotations

import csv
import os
from dataclasses import dataclass
from pathlib import Path

TABLE = Path(__file__).with_name("expected.tsv")

ENDS = {
    "exit": "runs until the application exits with 0",
    "idle": "runs until nothing is left to do",
    "never": "runs for ever: until the limit on events",
    "type": "holds a graph type only: loads as a type and compiles with an empty instance",
    "type-tinsel": "holds a graph type only, which needs tinsel.h: refused by name",
    "type-crash": "holds a graph type only: compiles; its supervisor needs its author's files",
    "schema": "an example of the schema: loads or is refused with a sentence",
    "reject": "refused with a sentence when it is loaded",
    "reject-compile": "refused with a sentence when it is loaded or compiled",
    "legacy": "version 0 or 1 of the format: refused by name",
    "template": "a template that is not yet an application: refused with a sentence, or idle",
    "external": "needs an external that is not served: refused by name",
    "tinsel": "needs tinsel.h, which only the hardware's tools have: refused by name",
    "orchestrator": "written for the Orchestrator alone: runs, or is refused by name",
}


@dataclass(frozen=True)
class Row:
    """One line of the table; counts are None where nothing is expected of them."""

    path: str
    format: str
    end: str
    devices: int | None
    edges: int | None
    sent: int | None
    delivered: int | None
    tolerance: int
    states: dict[str, int]
    recipe: tuple[str, ...]
    note: str

    @property
    def generated(self) -> bool:
        return self.path.startswith("generated:")

    @property
    def types_only(self) -> bool:
        """Whether the file holds no instance, so that an empty one is made to compile its types."""
        ends = ("type", "type-tinsel", "type-crash", "reject-compile")
        return self.end in ends and self.devices is None

    @property
    def name(self) -> str:
        """File name, for generated rows the name in the cache."""
        return self.path.removeprefix("generated:").rsplit("/", 1)[-1]


def rows() -> list[Row]:
    """Every row of the table, in its order."""

    def number(text: str) -> int | None:
        return int(text) if text else None

    with TABLE.open(newline="") as lines:
        return [
            Row(
                path=line["path"],
                format=line["format"],
                end=line["end"],
                devices=number(line["devices"]),
                edges=number(line["edges"]),
                sent=number(line["sent"]),
                delivered=number(line["delivered"]),
                tolerance=int(line["tolerance"] or 0),
                states={
                    field: int(value)
                    for field, _, value in (item.partition("=") for item in line["states"].split())
                },
                recipe=tuple(line["recipe"].split()),
                note=line["note"],
            )
            for line in csv.DictReader(lines, delimiter="\t", quoting=csv.QUOTE_NONE)
        ]


def corpus() -> Path | None:
    """The folder of checkouts, or None where ``PSTACK_CORPUS`` is not set."""
    folder = os.environ.get("PSTACK_CORPUS")
    return Path(folder) if folder else None
