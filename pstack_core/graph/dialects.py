"""The versions of the format, and how a file's version is told."""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

from pstack_core.graph.diagnostics import fail
from pstack_core.graph.document import Element
from pstack_core.graph.schema import ORCHESTRATOR, V3, V4, Rule

_BASE = "https://poets-project.org/schemas/virtual-graph-schema-"
_LEGACY = "http://TODO.org/POETS/virtual-graph-schema-"


class Dialect(NamedTuple):
    """``syntax`` is that of property values: ``json`` or ``braces``."""

    name: str
    rules: Mapping[str, Rule]
    syntax: str
    namespace: str = ""


V2_DIALECT = Dialect("v2", V3, "json", _BASE + "v2")
V3_DIALECT = Dialect("v3", V3, "json", _BASE + "v3")
V4_DIALECT = Dialect("v4", V4, "braces", _BASE + "v4")
ORCHESTRATOR_DIALECT = Dialect("orchestrator", ORCHESTRATOR, "braces")

DIALECTS = {
    dialect.name: dialect for dialect in (V2_DIALECT, V3_DIALECT, V4_DIALECT, ORCHESTRATOR_DIALECT)
}
_NAMESPACES = {dialect.namespace: dialect for dialect in DIALECTS.values()}


def of_root(root: Element) -> Dialect | None:
    """The dialect that a root element's name and namespace tell.

    ``None`` where it takes the graph type to tell (no namespace).

    Raises:
        ApplicationError: this is no POETS graph, or of a version that cannot be read.
    """
    for version in ("v0", "v1"):
        if root.namespace == _LEGACY + version:
            raise fail(
                root.place,
                f"this is a {version} graph, a legacy version that cannot be run",
                "convert it to v3 with the graph_schema of its time, or write its handlers anew",
            )
    if root.name == "Graph" and root.namespace in ("", *_NAMESPACES):
        raise fail(
            root.place,
            "the root element is Graph, as in v0, a legacy version that cannot be run",
            "convert it to v3; there the root element is Graphs",
        )
    if root.name not in ("Graphs", "GraphType"):
        raise fail(
            root.place,
            f"the root element is {root.name[:60]}, so this is not a POETS graph",
            "the root element must be Graphs",
        )
    if root.namespace == "":
        return None
    dialect = _NAMESPACES.get(root.namespace)
    if dialect is None:
        raise fail(
            root.place,
            f"the name space '{root.namespace[:100]}' is not that of a POETS graph",
            f'use xmlns="{_BASE}v3" or v4, or name the version with a dialect option',
        )
    if dialect is V4_DIALECT and "appname" in root.attributes:
        return ORCHESTRATOR_DIALECT
    return dialect


def of_graph_type(element: Element) -> Dialect:
    """The dialect of a graph type in a file without namespace: by how it writes typed data."""
    owners = list(element.all("Properties", "Types"))
    for group in element.all("MessageTypes", "DeviceTypes"):
        for item in group.children:
            owners += item.all("Message", "Properties", "State")
    for owner in owners:
        if any(owner.all("Scalar", "Array", "Tuple", "Union", "TypeDef")):
            return V3_DIALECT
    return ORCHESTRATOR_DIALECT
