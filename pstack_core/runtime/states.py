"""Final states of all devices: a mapping for Python, and writers that stream."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import IO, TYPE_CHECKING

import numpy as np

from pstack_core.runtime.values import (
    Value,
    decode,
    flat_columns,
    json_texts,
    person_fields,
)

if TYPE_CHECKING:
    import zipfile

    from pstack_core.graph.model import Graph

#: Devices converted to text at a time.
CHUNK = 16384

#: Endings that :meth:`StateMap.write` knows.
FORMATS = (".json", ".csv", ".npz")


class StateMap(Mapping[str, "dict[str, Value]"]):
    """Device id to ``{field: value}``, in the order of the file; values are made when asked for.

    ``by_type`` has one structured array a device type, in the order of
    ``graph.devices.of_type``.  It is empty for a run that has no states to show
    (a crash), and so is the mapping.
    """

    def __init__(self, graph: Graph, by_type: list[np.ndarray] | None) -> None:
        self.graph = graph
        self.by_type = by_type or []

    def __len__(self) -> int:
        return len(self.graph.devices) if self.by_type else 0

    def __iter__(self) -> Iterator[str]:
        return iter(self.graph.devices.names) if self.by_type else iter(())

    def __getitem__(self, device: str) -> dict[str, Value]:
        if not self.by_type:
            raise KeyError(device)
        index = self.graph.devices.names.index_of[device]
        kind, row = self._place(index)
        value = decode(self.graph.type.device_types[kind].state, self.by_type[kind][row])
        assert isinstance(value, dict)
        return value

    def __repr__(self) -> str:
        return f"<states of {len(self)} devices>"

    def lines(self, most: int) -> Iterator[str]:
        """``State [n0]: a = 1, b = 2`` of the first ``most`` devices."""
        for index in range(min(most, len(self))):
            kind, row = self._place(index)
            struct = self.graph.type.device_types[kind].state
            fields = person_fields(struct, self.by_type[kind][row])
            yield f"State [{self.graph.devices.names[index]}]: {fields}".rstrip()

    def write(self, path: str | Path) -> None:
        """Write all states; the ending says the format.

        ``.json``  one object, as in the result's own JSON
        ``.csv``   a row a device: device, type, then every field (``a[0]``, ``t.x``); blank
                   where the type has no such field
        ``.npz``   ``TYPE/device`` and ``TYPE/FIELD`` arrays, a row a device of that type

        Raises ValueError for another ending.
        """
        path = Path(path)
        if path.suffix == ".json":
            with path.open("w", encoding="ascii") as file:
                self.write_json(file)
                file.write("\n")
        elif path.suffix == ".csv":
            with path.open("w", encoding="utf-8", newline="") as file:
                self._write_csv(file)
        elif path.suffix == ".npz":
            self._write_npz(path)
        else:
            raise ValueError(f"states are written as {', '.join(FORMATS)}, not as {path.name!r}")

    def write_json(self, file: IO[str]) -> None:
        """Write one JSON object, a line a device, ASCII only."""
        file.write("{")
        before = "\n"
        for names, rows_of in self._chunks():
            texts = [""] * len(names)
            for kind, places, rows in rows_of:
                struct = self.graph.type.device_types[kind].state
                for place, text in zip(
                    places.tolist(), json_texts(struct, self.by_type[kind][rows]), strict=True
                ):
                    texts[place] = text
            lines = [f"{json.dumps(name)}: {text}" for name, text in zip(names, texts, strict=True)]
            file.write(before + ",\n".join(lines))
            before = ",\n"
        file.write("\n}" if len(self) else "}")

    def _write_csv(self, file: IO[str]) -> None:
        import csv

        types = self.graph.type.device_types
        fields: dict[str, int] = {}
        for device_type in types:
            empty = np.zeros(0, device_type.state.dtype)
            for field, _, _ in flat_columns(device_type.state, empty):
                fields.setdefault(field, len(fields))
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(["device", "type", *fields])
        for names, rows_of in self._chunks():
            blanks: list[object] = [""] * len(fields)
            table: list[list[object]] = [[name, "", *blanks] for name in names]
            for kind, places, rows in rows_of:
                at = places.tolist()
                for place in at:
                    table[place][1] = types[kind].id
                for field, values, valid in flat_columns(
                    types[kind].state, self.by_type[kind][rows]
                ):
                    column = fields[field] + 2
                    cells = values.tolist()
                    if values.dtype.kind == "b":
                        cells = values.astype(np.uint8).tolist()
                    shown = [True] * len(at) if valid is None else valid.tolist()
                    for place, cell, show in zip(at, cells, shown, strict=True):
                        if show:
                            table[place][column] = cell
            writer.writerows(table)

    def _write_npz(self, path: Path) -> None:
        import zipfile

        devices = self.graph.devices
        with zipfile.ZipFile(path, "w", allowZip64=True) as archive:
            for kind, device_type in enumerate(self.graph.type.device_types):
                if not self.by_type:
                    break
                names = [devices.names[i].encode() for i in devices.of_type(kind).tolist()]
                _add(archive, f"{device_type.id}/device", np.array(names, dtype=np.bytes_))
                for name, values in _columns(self.by_type[kind]):
                    _add(archive, f"{device_type.id}/{name}", values)

    def _place(self, index: int) -> tuple[int, int]:
        """Type and row of a device."""
        return int(self.graph.devices.type[index]), int(self.graph.devices.row[index])

    def _chunks(
        self,
    ) -> Iterator[tuple[list[str], list[tuple[int, np.ndarray, np.ndarray]]]]:
        """The devices in file order, some at a time.

        Yields their names and, for each type among them, (type, places in this
        chunk, rows in that type's array).
        """
        devices = self.graph.devices
        for begin in range(0, len(self), CHUNK):
            end = min(begin + CHUNK, len(self))
            kinds, rows = devices.type[begin:end], devices.row[begin:end]
            of_kind = []
            for kind in np.unique(kinds).tolist():
                places = np.flatnonzero(kinds == kind)
                of_kind.append((kind, places, rows[places]))
            yield devices.names[begin:end], of_kind


def _columns(values: np.ndarray, name: str = "") -> Iterator[tuple[str, np.ndarray]]:
    """The members of a structured array, arrays whole; nested ones as ``t.x``."""
    for member in values.dtype.names or ():
        column = values[member]
        path = f"{name}.{member}" if name else member
        if column.dtype.names is None:
            yield path, column
        else:
            yield from _columns(column, path)


def _add(archive: zipfile.ZipFile, name: str, values: np.ndarray) -> None:
    """Add one array under the name that ``numpy.load`` shows."""
    with archive.open(f"{name}.npy", "w", force_zip64=True) as file:
        np.lib.format.write_array(file, np.ascontiguousarray(values), allow_pickle=False)
