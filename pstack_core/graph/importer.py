"""Graphs of other libraries, taken into a builder without importing those libraries."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterable
from typing import TYPE_CHECKING, Any, Protocol

from pstack_core.graph.diagnostics import Place, fail

if TYPE_CHECKING:
    from pstack_core.graph.builder import GraphBuilder
    from pstack_core.graph.layout import Struct

NodeName = Callable[[Any], str]


class NetworkxGraph(Protocol):
    """What is used of a networkx graph, directed or not."""

    def nodes(self, data: bool) -> Iterable[tuple[Hashable, dict[str, Any]]]: ...

    def edges(self, data: bool) -> Iterable[tuple[Hashable, Hashable, dict[str, Any]]]: ...

    def is_directed(self) -> bool: ...


def node_name(node: Any) -> str:
    """A device id for a node: text and whole numbers as they are, tuples joined with ``_``."""
    return "_".join(node_name(part) for part in node) if isinstance(node, tuple) else str(node)


def add_networkx(
    builder: GraphBuilder,
    graph: NetworkxGraph,
    device_type: str,
    input: str,
    output: str,
    both_directions: bool,
    name: NodeName | None,
) -> None:
    """See :meth:`GraphBuilder.from_networkx`."""
    if both_directions and graph.is_directed():
        raise fail(
            Place("<networkx>"),
            "a directed graph has a direction for each edge already",
            "leave out both_directions",
        )
    make_name = name or node_name
    indices: dict[Hashable, int] = {}
    inputs: dict[Hashable, Struct] = {}
    for node, attributes in graph.nodes(data=True):
        type_id = attributes.get("type", device_type)
        made = builder.find_device_type(type_id)
        indices[node] = builder.device(
            make_name(node), type_id, _matching(made.properties, attributes)
        )
        pin = made.inputs.get(input)
        if pin is not None:
            inputs[node] = made.input_pins[pin].properties
    for u, v, attributes in graph.edges(data=True):
        ways = [(u, v), (v, u)] if both_directions and u != v else [(u, v)]
        for source, target in ways:
            struct = inputs.get(target)
            values = _matching(struct, attributes) if struct else None
            builder.edge(indices[target], input, indices[source], output, values)


def _matching(struct: Struct, attributes: dict[str, Any]) -> dict[str, Any]:
    names = {member.name for member in struct.members}
    return {name: value for name, value in attributes.items() if name in names}
