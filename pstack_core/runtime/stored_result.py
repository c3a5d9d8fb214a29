"""The result of a process as the spool keeps it: metrics, and final states as columns.

The states are a compressed ``.npz`` that needs nothing else to be read::

    layout    uint8[]    JSON: the graph's id, and for each device type its id and state members
    names     uint8[]    device ids, UTF-8, end to end, in file order
    offsets   uint64[d + 1]   where each begins
    type      uint16[d]  index of the device type
    row       uint32[d]  index among the devices of that type
    state/T   uint8[n, size]  the states of type T, packed as the handlers saw them
"""

from __future__ import annotations

import io
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any

from pstack_core.runtime.errors import ServiceError

if TYPE_CHECKING:
    from pstack_core.graph.layout import Struct, TypedData
    from pstack_core.graph.model import Graph
    from pstack_core.runtime.result import Result
    from pstack_core.runtime.states import StateMap


@dataclass(frozen=True)
class StoredResult:
    """How a process ended, read back.  The same members as a ``Result``'s where both have them."""

    metrics: Mapping[str, int | float | str]
    exit_status: int
    detail: str = ""
    npz: bytes | None = field(default=None, repr=False)

    @property
    def exit_code(self) -> int:
        """The application's own exit code, as it gave it."""
        return int(self.metrics["Exit code"])

    @property
    def reason(self) -> str:
        """One of ``exit halt idle timeout limit assert crash killed``."""
        return str(self.metrics["Reason"])

    @cached_property
    def states(self) -> StateMap:
        """Device id to ``{field: value}``; empty where the run has no states to show."""
        from zipfile import BadZipFile

        from pstack_core.runtime.states import StateMap

        if not self.npz:
            return StateMap(_nothing(), None)
        try:
            return unpack_states(self.npz)
        except (ValueError, LookupError, TypeError, OSError, BadZipFile) as error:
            raise ServiceError(f"the stored states cannot be read: {error}") from error

    def to_json(self) -> dict[str, Any]:
        """``{"states": ..., "metrics": ...}`` as plain values for a strict JSON writer."""
        from pstack_core.runtime.values import strict

        states = {device: strict(values) for device, values in self.states.items()}
        return {"states": states, "metrics": dict(self.metrics)}

    def write_json(self, file: IO[str]) -> None:
        """Write what ``pstack run --json`` would have, streaming."""
        from pstack_core.runtime.result import write_json

        write_json(file, self.states, self.metrics)

    def write_states(self, path: str | Path) -> None:
        """Write all states to a file; its ending says the format, as for ``Result``."""
        self.states.write(path)


def pack_states(result: Result) -> bytes | None:
    """The states of a run as the bytes of an ``.npz``; None where it has none to show."""
    import numpy as np

    states = result.finished.states
    if states is None or not states.by_type:
        return None
    devices = result.graph.devices
    types = result.graph.type.device_types
    layout = {
        "id": result.graph.id,
        "types": [{"id": kind.id, "state": _describe(kind.state)} for kind in types],
    }
    columns = {
        "layout": np.frombuffer(json.dumps(layout).encode(), np.uint8),
        "names": np.frombuffer(devices.names.arena, np.uint8),
        "offsets": devices.names.offsets,
        "type": devices.type,
        "row": devices.row,
    }
    for index, state in enumerate(states.by_type):
        rows = np.ascontiguousarray(state)
        flat = np.frombuffer(rows.tobytes(), np.uint8).reshape(len(rows), -1) if rows.size else None
        if flat is not None and flat.size:
            columns[f"state/{index}"] = flat
    file = io.BytesIO()
    _write_npz(file, columns)
    return file.getvalue()


def unpack_states(npz: bytes) -> StateMap:
    """What :func:`pack_states` packed."""
    import numpy as np

    from pstack_core.graph.model import Devices, DeviceType, Edges, Graph, GraphType
    from pstack_core.graph.names import Names
    from pstack_core.runtime.states import StateMap

    with np.load(io.BytesIO(npz), allow_pickle=False) as columns:
        layout = json.loads(columns["layout"].tobytes())
        types = tuple(
            DeviceType(kind["id"], state=_struct(kind["state"])) for kind in layout["types"]
        )
        kinds, rows = columns["type"], columns["row"]
        counts = np.bincount(kinds, minlength=len(types)).tolist()
        by_type = []
        for index, kind in enumerate(types):
            dtype, name = kind.state.dtype, f"state/{index}"
            if name in columns:
                values = np.frombuffer(columns[name].tobytes(), dtype)
            else:
                values = np.zeros(counts[index], dtype)
            by_type.append(values)
        devices = Devices(
            Names(columns["names"].tobytes(), columns["offsets"]), kinds, rows, [], []
        )
    none = np.zeros(0, np.uint32)
    graph_type = GraphType("", device_types=types)
    edges = Edges(none, none, none, none, none, none)
    graph = Graph(layout["id"], graph_type, np.zeros(()), devices, edges)
    return StateMap(graph, by_type)


def _write_npz(file: IO[bytes], columns: Mapping[str, Any]) -> None:
    import zipfile

    from numpy.lib.format import write_array

    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED, compresslevel=1) as archive:
        for name, values in columns.items():
            # A fixed date: the same states are the same bytes.
            member = zipfile.ZipInfo(f"{name}.npy")
            member.compress_type = zipfile.ZIP_DEFLATED
            with archive.open(member, "w", force_zip64=values.nbytes >= 1 << 31) as stream:
                write_array(stream, values, allow_pickle=False)


def _describe(data: TypedData) -> Any:
    """Typed data as JSON, without defaults and documentation."""
    from pstack_core.graph.layout import Array, Scalar, Struct

    if isinstance(data, Scalar):
        return data.ctype
    if isinstance(data, Array):
        return {"length": data.length, "element": _describe(data.element)}
    members = [[member.name, _describe(member.data)] for member in data.members]
    if isinstance(data, Struct):
        return {"members": members, "packed": data.packed}
    return {"union": members, "tag": data.tag_name}


def _data(description: Any) -> TypedData:
    from pstack_core.graph.layout import Array, Member, Scalar, Union

    if isinstance(description, str):
        return Scalar(description)
    if "length" in description:
        return Array(description["length"], _data(description["element"]))
    if "union" in description:
        members = tuple(Member(name, _data(data)) for name, data in description["union"])
        return Union(members, description["tag"])
    return _struct(description)


def _struct(description: Any) -> Struct:
    from pstack_core.graph.layout import Member, Struct

    members = tuple(Member(name, _data(data)) for name, data in description["members"])
    return Struct(members, description["packed"])


def _nothing() -> Graph:
    import numpy as np

    from pstack_core.graph.model import Devices, Edges, Graph, GraphType
    from pstack_core.graph.names import Names

    none = np.zeros(0, np.uint32)
    devices = Devices(Names.of(()), none, none, [], [])
    return Graph(
        "", GraphType(""), np.zeros(()), devices, Edges(none, none, none, none, none, none)
    )
