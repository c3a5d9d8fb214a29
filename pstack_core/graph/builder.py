"""Build a graph from Python: types from text, devices and edges one at a time or in bulk."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from pstack_core.graph.builder_devices import DEVICE_ID, DeviceTable, Values
from pstack_core.graph.builder_edges import EdgeTable
from pstack_core.graph.builder_types import DeviceTypeBuilder, Origin, TypeTable
from pstack_core.graph.edge_checks import path, repeated_edge
from pstack_core.graph.layout import Struct
from pstack_core.graph.model import Graph, GraphType
from pstack_core.graph.rows import Rows, ValueProblem

if TYPE_CHECKING:
    from pstack_core.graph.importer import NetworkxGraph, NodeName


class GraphBuilder:
    """Collects types, devices and edges; :meth:`build` gives the :class:`Graph`.

    ``type_id`` names the graph type and ``id`` the instance.  Struct texts
    (``properties``, ``state``, message bodies) are those of format version 4, in
    which a member may have a default: ``uint32_t laps = 10; float w[3];``.

    Every mistake raises :class:`ApplicationError` at the call that makes it, which then
    changes nothing; only two edges of one path are found by :meth:`build`.
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
        self._devices = DeviceTable(self._types)
        self._edges = EdgeTable(self._types, self._devices)

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
        self._devices.add_type(made)
        return made

    def external_type(
        self, id: str, *, properties: str | Struct = "", documentation: str = ""
    ) -> DeviceTypeBuilder:
        """Declare a type of devices that live outside the application: pins, no handlers."""
        made = self._types.add_device_type(id, properties, "", {}, "", documentation, external=True)
        self._devices.add_type(made)
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
        return self._devices.add(id, type, properties, state)

    def devices(
        self, names: Iterable[str], type: str, properties: Values = None, state: Values = None
    ) -> np.ndarray:
        """Add many devices of one type; returns their indices: uint32[n].

        Each value of ``properties`` and ``state`` is a column, an array or list with the
        first axis over the devices, or one value for all of them.
        """
        return self._devices.extend(names, type, properties, state)

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
        self._edges.add(dst, dst_pin, src, src_pin, properties, state, send_index)

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
        self._edges.extend(dst, dst_pin, src, src_pin, properties, state, send_index)

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
        graph = Graph(
            id=self.id,
            type=graph_type,
            properties=self._graph_rows.array()[0:1].reshape(()),
            devices=self._devices.build(),
            edges=self._edges.build(),
            file=self._origin.file,
        )
        index = repeated_edge(graph.edges)
        if index is not None:
            raise self._origin.error(
                f"there are two edges {path(graph.type, graph.devices, graph.edges, index)}",
                "an edge is known by its path, which must be unique",
            )
        return graph
