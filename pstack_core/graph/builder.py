"""Build a graph from Python: types from text, devices and edges one at a time or in bulk."""

from __future__ import annotations

import re
from array import array
from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from pstack_core.graph.builder_types import DeviceTypeBuilder, Origin, TypeTable
from pstack_core.graph.edge_checks import path, repeated_edge
from pstack_core.graph.layout import Struct
from pstack_core.graph.model import Devices, Edges, Graph, GraphType
from pstack_core.graph.names import Names
from pstack_core.graph.rows import Rows, ValueProblem

if TYPE_CHECKING:
    from pstack_core.graph.importer import NetworkxGraph, NodeName

#: Ids of devices: what every reader of the format accepts in an edge's path.
DEVICE_ID = re.compile(r"[A-Za-z0-9_]+", re.ASCII)
DEVICE_IDS = re.compile(r"(?:[A-Za-z0-9_]++\n)*+", re.ASCII)

Values = Mapping[str, Any] | None


class GraphBuilder:
    """Collects types, devices and edges; :meth:`build` gives the :class:`Graph`.

    ``type_id`` names the graph type and ``id`` the instance.  Struct texts
    (``properties``, ``state``, message bodies) are those of format version 4, in
    which a member may have a default: ``uint32_t laps = 10; float w[3];``.

    Every mistake raises :class:`ApplicationError` at the call that makes it.
    """

    def __init__(
        self,
        type_id: str,
        *,
        id: str | None = None,
        properties: str | Struct = "",
        shared_code: str = "",
        documentation: str = "",
    ) -> None:
        self._origin = Origin(type_id)
        self._origin.identifier("graph type", type_id)
        self.id = type_id if id is None else id
        if not DEVICE_ID.fullmatch(self.id):
            raise self._origin.error(
                f"'{self.id}' is not an id for a graph instance",
                "use letters, digits and underscores",
            )
        self._shared_code = self._origin.code("shared code", shared_code)
        self._documentation = documentation
        self._types = TypeTable(self._origin)
        self._properties = self._origin.struct("graph properties", properties)
        self._graph_rows = Rows(self._properties, "property", f"graph type '{type_id}'")
        self._graph_rows.add()

        self._names: list[str] = []
        self._index: dict[str, int] = {}
        self._type_of = array("H")
        self._row = array("I")
        self._device_properties: list[Rows] = []
        self._device_state: list[Rows] = []

        self._dst, self._src = array("I"), array("I")
        self._dst_pin, self._src_pin = array("H"), array("H")
        self._send_index = array("i")
        self._edge_row = array("I")
        self._edge_properties: dict[tuple[int, int], Rows] = {}
        self._edge_state: dict[tuple[int, int], Rows] = {}

    # Types

    def message(self, id: str, data: str | Struct = "", *, documentation: str = "") -> None:
        """Declare a message type; ``data`` is the text of its struct."""
        self._types.add_message(id, data, documentation)

    def device_type(
        self,
        id: str,
        *,
        properties: str | Struct = "",
        state: str | Struct = "",
        on_init: str = "",
        ready_to_send: str = "",
        on_hardware_idle: str = "",
        on_device_idle: str = "",
        shared_code: str = "",
        documentation: str = "",
    ) -> DeviceTypeBuilder:
        """Declare a device type; pins are added to what this returns."""
        handlers = {
            "ready_to_send": ready_to_send,
            "on_init": on_init,
            "on_hardware_idle": on_hardware_idle,
            "on_device_idle": on_device_idle,
        }
        made = self._types.add_device_type(
            id, properties, state, handlers, shared_code, documentation, external=False
        )
        self._add_tables(made)
        return made

    def external_type(
        self, id: str, *, properties: str | Struct = "", documentation: str = ""
    ) -> DeviceTypeBuilder:
        """Declare a type of devices that live outside the application: pins, no handlers."""
        made = self._types.add_device_type(id, properties, "", {}, "", documentation, external=True)
        self._add_tables(made)
        return made

    def supervisor(
        self,
        id: str = "",
        *,
        code: str = "",
        properties: str = "",
        state: str = "",
        on_init: str = "",
        on_idle: str = "",
        on_stop: str = "",
        in_message: str = "",
        on_receive: str = "",
        out_message: str = "",
        on_send: str = "",
    ) -> None:
        """Declare the supervisor; devices reach it through pins ``__SUP_IN__``, ``__SUP_OUT__``."""
        texts = {
            "properties": properties,
            "state": state,
            "on_init": on_init,
            "on_idle": on_idle,
            "on_stop": on_stop,
            "on_receive": on_receive,
            "on_send": on_send,
        }
        self._types.set_supervisor(id, code, in_message, out_message, texts)

    def find_device_type(self, id: str) -> DeviceTypeBuilder:
        """The device type of that id, declared before."""
        return self._types.device_types[self._types.device_type_index(id)]

    def _add_tables(self, made: DeviceTypeBuilder) -> None:
        owner = f"device type '{made.id}'"
        self._device_properties.append(Rows(made.properties, "property", owner))
        self._device_state.append(Rows(made.state, "state member", owner))

    # The instance

    def graph_properties(self, /, **values: Any) -> None:
        """Set properties of the graph over their defaults."""
        rows = Rows(self._properties, "property", self._graph_rows.owner)
        try:
            rows.add(values)
        except ValueProblem as problem:
            raise self._origin.error(f"graph properties: {problem}") from None
        self._graph_rows = rows

    def device(self, id: str, type: str, properties: Values = None, state: Values = None) -> int:
        """Add one device; returns its index, in order of declaration."""
        kind = self._types.device_type_index(type)
        index = len(self._names)
        if not isinstance(id, str) or not DEVICE_ID.fullmatch(id):
            raise self._bad_id(id)
        if id in self._index:
            raise self._duplicate(id)
        try:
            self._check_no_state(kind, state)
            self._device_properties[kind].add(properties)
            row = self._device_state[kind].count
            self._device_state[kind].add(state)
        except ValueProblem as problem:
            self._device_properties[kind].truncate(self._device_state[kind].count)
            raise self._origin.error(f"device '{id}': {problem}") from None
        self._index[id] = index
        self._names.append(id)
        self._type_of.append(kind)
        self._row.append(row)
        return index

    def devices(
        self, names: Iterable[str], type: str, properties: Values = None, state: Values = None
    ) -> np.ndarray:
        """Add many devices of one type; returns their indices: uint32[n].

        Each value of ``properties`` and ``state`` is a column, an array or list with the
        first axis over the devices, or one value for all of them.
        """
        kind = self._types.device_type_index(type)
        if isinstance(names, str):
            raise self._origin.error(
                f"devices() needs a list of ids, not '{names}'", "use device() for one device"
            )
        ids = list(names)
        first, count = len(self._names), len(ids)
        self._check_ids(ids)
        try:
            self._check_no_state(kind, state)
            self._device_properties[kind].extend(properties, count)
            row = self._device_state[kind].count
            self._device_state[kind].extend(state, count)
        except ValueProblem as problem:
            self._device_properties[kind].truncate(self._device_state[kind].count)
            where = "devices" if problem.row is None else f"device '{ids[problem.row]}'"
            raise self._origin.error(f"{where}: {problem}") from None
        self._index.update(zip(ids, range(first, first + count), strict=True))
        self._names += ids
        self._type_of.frombytes(np.full(count, kind, np.uint16).tobytes())
        self._row.frombytes(np.arange(row, row + count, dtype=np.uint32).tobytes())
        return np.arange(first, first + count, dtype=np.uint32)

    def edge(
        self,
        dst: str | int,
        dst_pin: str,
        src: str | int,
        src_pin: str,
        properties: Values = None,
        state: Values = None,
        send_index: int | None = None,
    ) -> None:
        """Add one edge, from pin ``src_pin`` of device ``src`` to ``dst_pin`` of ``dst``."""
        to, via = self._device_index(dst), self._device_index(src)
        kind, source = self._type_of[to], self._type_of[via]
        in_pin = self._types.input_index(kind, dst_pin)
        out_pin = self._types.output_index(source, src_pin)
        self._types.check_edge(kind, in_pin, source, out_pin, send_index is not None)
        index = -1 if send_index is None else send_index
        if send_index is not None and not 0 <= send_index < 2**31:
            raise self._origin.error(f"send index {send_index} of an edge is out of range")
        try:
            row = self._add_edge_rows((kind, in_pin), properties, state, None)
        except ValueProblem as problem:
            raise self._origin.error(
                f"edge {self._names[to]}:{dst_pin}-{self._names[via]}:{src_pin}: {problem}"
            ) from None
        self._dst.append(to)
        self._dst_pin.append(in_pin)
        self._src.append(via)
        self._src_pin.append(out_pin)
        self._send_index.append(index)
        self._edge_row.append(row)

    def edges(
        self,
        dst: Sequence[str] | Sequence[int] | np.ndarray,
        dst_pin: str,
        src: Sequence[str] | Sequence[int] | np.ndarray,
        src_pin: str,
        properties: Values = None,
        state: Values = None,
        send_index: Sequence[int] | np.ndarray | None = None,
    ) -> None:
        """Add many edges between pins of these names.

        ``dst`` and ``src`` are device indices in order of declaration, or ids; arrays or
        lists of one length, or a single device for all.  Columns are as in :meth:`devices`.
        The receiving devices may be of several types when no properties or state are given.
        """
        to, via = self._endpoints(dst, src)
        count = len(to)
        if not count:
            return
        kinds, sources = self._types_at(to), self._types_at(via)
        indices = np.full(count, -1, np.int32)
        if send_index is not None:
            indices = self._send_indices(send_index, count)
        in_pins = np.zeros(count, np.uint16)
        out_pins = np.zeros(count, np.uint16)
        present = np.unique(kinds)
        for kind in present.tolist():
            in_pins[kinds == kind] = self._types.input_index(kind, dst_pin)
        for source in np.unique(sources).tolist():
            out_pins[sources == source] = self._types.output_index(source, src_pin)
        for pair in np.unique(kinds.astype(np.uint32) << 16 | sources).tolist():
            kind, source = pair >> 16, pair & 0xFFFF
            self._types.check_edge(
                kind,
                self._types.input_index(kind, dst_pin),
                source,
                self._types.output_index(source, src_pin),
                send_index is not None,
            )
        if len(present) > 1 and (properties or state):
            raise self._origin.error(
                f"edges into pin '{dst_pin}' of several device types cannot share columns",
                "call edges() once for each type of receiving device",
            )
        rows = np.zeros(count, np.uint32)
        for kind in present.tolist():
            mask = kinds == kind
            key = (kind, self._types.input_index(kind, dst_pin))
            number = int(np.count_nonzero(mask))
            try:
                begin = self._add_edge_rows(key, properties, state, number)
            except ValueProblem as problem:
                where = f"edges into pin '{dst_pin}'"
                if problem.row is not None:
                    ends = self._names[to[problem.row]], self._names[via[problem.row]]
                    where = f"edge {ends[0]}:{dst_pin}-{ends[1]}:{src_pin}"
                raise self._origin.error(f"{where}: {problem}") from None
            rows[mask] = np.arange(begin, begin + number, dtype=np.uint32)
        self._dst.frombytes(to.tobytes())
        self._dst_pin.frombytes(in_pins.tobytes())
        self._src.frombytes(via.tobytes())
        self._src_pin.frombytes(out_pins.tobytes())
        self._send_index.frombytes(indices.tobytes())
        self._edge_row.frombytes(rows.tobytes())

    def from_networkx(
        self,
        graph: NetworkxGraph,
        device_type: str,
        input: str,
        output: str,
        *,
        both_directions: bool = False,
        name: NodeName | None = None,
    ) -> None:
        """Add a networkx graph: a device a node and an edge an edge (u sends to v).

        Node and edge attributes named like a property set it; others are ignored.  A node
        attribute ``type`` names another device type than ``device_type``.  With
        ``both_directions`` each edge of an undirected graph also becomes one from v to u.
        ``name`` makes a device id of a node; without it, text and whole numbers are their
        own ids and the parts of a tuple are joined with an underscore.
        """
        from pstack_core.graph.importer import add_networkx

        add_networkx(self, graph, device_type, input, output, both_directions, name)

    def build(self) -> Graph:
        """The graph, checked as a whole; the builder may go on afterwards."""
        graph_type = GraphType(
            id=self._origin.type_id,
            # Only v4 has supervisors, and names for their handlers.
            version="v4" if self._types.has_supervisor else "v3",
            properties=self._properties,
            shared_code=(self._shared_code,) if self._shared_code else (),
            message_types=tuple(self._types.messages.values()),
            device_types=tuple(made.build() for made in self._types.device_types),
            supervisor=self._types.supervisor,
            documentation=self._documentation,
        )
        devices = Devices(
            names=Names.of(self._names),
            type=_column(self._type_of, np.uint16),
            row=_column(self._row, np.uint32),
            properties=[rows.array() for rows in self._device_properties],
            state=[rows.array() for rows in self._device_state],
        )
        edges = Edges(
            dst=_column(self._dst, np.uint32),
            dst_pin=_column(self._dst_pin, np.uint16),
            src=_column(self._src, np.uint32),
            src_pin=_column(self._src_pin, np.uint16),
            send_index=_column(self._send_index, np.int32),
            row=_column(self._edge_row, np.uint32),
            properties=_tables(self._edge_properties),
            state=_tables(self._edge_state),
        )
        graph = Graph(
            id=self.id,
            type=graph_type,
            properties=self._graph_rows.array()[0:1].reshape(()),
            devices=devices,
            edges=edges,
            file=self._origin.file,
        )
        self._check_unique_edges(graph)
        return graph

    # Checks

    def _bad_id(self, id: object) -> Exception:
        return self._origin.error(
            f"'{id}' is not a device id", "use letters, digits and underscores"
        )

    def _duplicate(self, id: str) -> Exception:
        return self._origin.error(f"device '{id}' exists already", "device ids are unique")

    def _check_ids(self, ids: list[str]) -> None:
        try:
            well_formed = DEVICE_IDS.fullmatch("\n".join([*ids, ""]))
        except TypeError:
            well_formed = None  # not all are text
        if not well_formed:
            for id in ids:
                if not isinstance(id, str) or not DEVICE_ID.fullmatch(id):
                    raise self._bad_id(id)
        if len(set(ids)) != len(ids) or not self._index.keys().isdisjoint(ids):
            seen = set(self._index)
            for id in ids:
                if id in seen:
                    raise self._duplicate(id)
                seen.add(id)

    def _check_no_state(self, kind: int, state: Values) -> None:
        if state and self._types.device_types[kind].external:
            name = self._types.device_types[kind].id
            raise ValueProblem(f"external type '{name}' has no state")

    def _device_index(self, device: str | int) -> int:
        if isinstance(device, str):
            index = self._index.get(device)
            if index is None:
                raise self._origin.error(f"there is no device '{device}' for an edge")
            return index
        if not 0 <= device < len(self._names):
            raise self._origin.error(
                f"there is no device of index {device}; there are {len(self._names)} devices"
            )
        return int(device)

    def _endpoints(self, dst: Any, src: Any) -> tuple[np.ndarray, np.ndarray]:
        to, via = self._indices(dst), self._indices(src)
        count = len(via) if len(to) == 1 else len(to)
        if len(via) not in (1, count):
            raise self._origin.error(
                f"edges() got {len(to)} receiving and {len(via)} sending devices",
                "give lists of one length",
            )
        return np.resize(to, count), np.resize(via, count)

    def _indices(self, given: Any) -> np.ndarray:
        if isinstance(given, str | int):
            given = [given]
        if not isinstance(given, np.ndarray):
            given = list(given)
            if given and isinstance(given[0], str):
                try:
                    return np.fromiter(map(self._index.__getitem__, given), np.uint32, len(given))
                except KeyError:
                    return np.array([self._device_index(item) for item in given], np.uint32)
        indices = np.asarray(given)
        if indices.dtype.kind in "US":
            return self._indices(indices.astype(str).tolist())
        if indices.size == 0:
            return np.zeros(0, np.uint32)
        if indices.ndim > 1 or indices.dtype.kind not in "iu":
            raise self._origin.error("the ends of edges are device ids or indices in one list")
        for bad in (indices.min(), indices.max()):
            self._device_index(int(bad))
        return np.atleast_1d(indices).astype(np.uint32)

    def _types_at(self, devices: np.ndarray) -> np.ndarray:
        # The view must be gone before the column grows again.
        kinds: np.ndarray = np.frombuffer(self._type_of, np.uint16)[devices]
        return kinds

    def _send_indices(self, given: Any, count: int) -> np.ndarray:
        indices = np.asarray(given)
        if indices.shape not in ((count,), ()) or indices.dtype.kind not in "iu":
            raise self._origin.error(f"send_index needs {count} whole numbers, one an edge")
        if indices.min() < 0 or indices.max() >= 2**31:
            raise self._origin.error("a send index of an edge is out of range")
        return np.broadcast_to(indices, count).astype(np.int32)

    def _add_edge_rows(
        self, key: tuple[int, int], properties: Values, state: Values, count: int | None
    ) -> int:
        """Add rows for one edge (count None) or many; returns the number of the first."""
        if key not in self._edge_properties:
            made = self._types.device_types[key[0]]
            pin = made.input_pins[key[1]]
            owner = f"input pin '{pin.name}' of device type '{made.id}'"
            self._edge_properties[key] = Rows(pin.properties, "property", owner)
            self._edge_state[key] = Rows(pin.state, "state member", owner)
        table, states = self._edge_properties[key], self._edge_state[key]
        first = states.count
        try:
            if count is None:
                table.add(properties)
                states.add(state)
            else:
                table.extend(properties, count)
                states.extend(state, count)
        except ValueProblem:
            table.truncate(first)
            raise
        return first

    def _check_unique_edges(self, graph: Graph) -> None:
        index = repeated_edge(graph.edges)
        if index is not None:
            raise self._origin.error(
                f"there are two edges {path(graph.type, graph.devices, graph.edges, index)}",
                "an edge is known by its path, which must be unique",
            )


def _column(values: array[int], dtype: type) -> np.ndarray:
    column: np.ndarray = np.array(values, dtype=dtype)
    return column


def _tables(rows: dict[tuple[int, int], Rows]) -> dict[tuple[int, int], np.ndarray]:
    return {key: table.array() for key, table in rows.items() if table.struct.members}
