"""Reads an application file: drives the scanner, in as many passes as its order needs.

The type part becomes a small element tree; device and edge sections go through
the scanner natively.  Where an instance comes before its type, or edges before
devices, the file is read again.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import NamedTuple

import pstack_scan
from pstack_core.graph.diagnostics import ApplicationError, Place, Problems, fail, listed
from pstack_core.graph.dialects import (
    DIALECTS,
    ORCHESTRATOR_DIALECT,
    V3_DIALECT,
    Dialect,
    of_graph_type,
    of_root,
)
from pstack_core.graph.document import Element, TreeBuilder
from pstack_core.graph.graph_type import GraphTypeReader
from pstack_core.graph.instance import open_instance, report
from pstack_core.graph.metadata import metadata
from pstack_core.graph.model import Code, GraphType
from pstack_core.graph.same_type import same_type
from pstack_core.graph.schema import ROOT, check_element
from pstack_core.graph.source import Source

_INSTANCES = ("GraphInstance", "GraphInstanceBase85")
_MAX_REFERENCES = 8
_MAX_BASE85 = 1 << 30


@dataclass(eq=False)
class InstanceFound:
    """A graph instance of the file, as far as it has been read."""

    id: str
    type_id: str
    place: Place
    wanted: bool
    encoded: bool
    scan: pstack_scan.Instance | None = None
    present: set[str] = field(default_factory=set)
    read: set[str] = field(default_factory=set)
    properties: Code = Code("")
    properties_element: str = ""
    metadata: str = ""
    chunks: dict[str, list[str]] = field(default_factory=dict)

    @property
    def pending(self) -> bool:
        return self.wanted and not self.encoded and self.read != self.present


class Options(NamedTuple):
    """What to read.  ``every`` reads all instances, to check them; ``types_only`` none."""

    dialect: Dialect | None = None
    instance: str | None = None
    every: bool = False
    types_only: bool = False


class ApplicationReader:
    """Reads one file and those it refers to.

    After :meth:`read`, ``types`` holds the graph types by id, ``broken`` and
    ``unreadable`` those with errors and those that were not found where a reference
    said, and ``instances`` what was found of the instances, in file order.
    """

    def __init__(
        self,
        source: Source,
        problems: Problems,
        options: Options,
        ancestors: tuple[Path, ...] = (),
    ) -> None:
        self.source = source
        self.problems = problems
        self.options = options
        self.dialect = options.dialect
        self.types: dict[str, GraphType] = {}
        self.broken: set[str] = set()
        self.instances: list[InstanceFound] = []
        self.instance_references: list[tuple[str, Path, Place]] = []
        self._ancestors = ancestors
        self._files: dict[Path, ApplicationReader] = {}
        self._promised: dict[str, Place] = {}
        self.unreadable: set[str] = set()
        self._names: set[str] = set()
        self._pass = 0
        self._ordinal = -1
        self._base85 = 0
        self._builder = TreeBuilder(source.file)

    def read(self) -> None:
        """Read the file.

        Raises:
            ApplicationError: the file cannot be read on; problems found before
                are in ``problems``.
        """
        self._one_pass()
        self._check_promises()
        while self._pass < 3 and any(found.pending for found in self.instances):
            self._settle_types()
            self._one_pass()
        for found in self.instances:
            self._report(found)

    def dialect_of(self, graph_type: GraphType) -> Dialect:
        """The dialect of an instance: the file's, else its type's."""
        return self.dialect or DIALECTS[graph_type.version]

    # one pass over the file

    def _one_pass(self) -> None:
        self._pass += 1
        self._ordinal = -1
        self._builder = TreeBuilder(self.source.file)
        scanner = pstack_scan.Scanner()
        try:
            for chunk in self.source.chunks():
                self._feed(scanner, chunk)
            scanner.close()
            self._events(scanner.events())
        except pstack_scan.XMLError as error:
            message, line, column = error.args
            raise fail(
                Place(self.source.file, line, column),
                f"the XML is wrong: {message}",
                "correct the file or generate it again",
            ) from error
        root = self._builder.root
        if root is not None and root.name != "GraphType" and self._pass == 1:
            check_element(root, {"Graphs": ROOT}, self.problems)
        if self.source.leading_blanks and self.problems.strict:
            self.problems.error(
                Place(self.source.file, 1, 1),
                "there are blanks before the XML declaration",
                "remove them",
            )

    def _feed(self, scanner: pstack_scan.Scanner, chunk: bytes) -> None:
        rest = memoryview(chunk)
        while True:
            try:
                consumed = scanner.feed(rest)
            finally:
                self._events(scanner.events())  # also those before what is ill-formed
            if not scanner.paused:
                return
            self._section(scanner)
            rest = rest[consumed:]

    def _events(self, events: Iterable[tuple[object, ...]]) -> None:
        builder = self._builder
        for kind, element in builder.feed(events):
            depth = len(builder.open)
            if kind == "start":
                if depth == 1:
                    self._root(element)
                elif depth == 2 and element.name in _INSTANCES:
                    self._instance_begins(element)
            elif depth == 3 and element.name == "C":
                self._base85_chunk(element)
            elif depth == int(self._root_holds_types()):
                self._child_ends(element)
                builder.forget(element)

    def _root_holds_types(self) -> bool:
        """Whether the root is Graphs; otherwise it is itself the one graph type."""
        root = self._builder.root
        return root is None or root.name != "GraphType"

    def _root(self, root: Element) -> None:
        if self.dialect is None:
            self.dialect = of_root(root)

    def _child_ends(self, element: Element) -> None:
        if element.name in _INSTANCES:
            self._instance_ends(element)
        elif self._pass > 1:
            return
        elif element.name == "GraphType":
            self._graph_type(element)
        elif element.name == "GraphTypeReference":
            self._type_reference(element)
        elif element.name == "GraphInstanceReference":
            self._instance_reference(element)

    # types

    def _graph_type(self, element: Element) -> None:
        if self.dialect is None:
            self.dialect = of_graph_type(element)
        errors = self.problems.errors
        reader = GraphTypeReader(self.dialect, self.source.folder, self.problems)
        graph_type = reader.read(element)
        known = self.types.get(graph_type.id)
        if known is None:
            self.types[graph_type.id] = graph_type
        elif not same_type(known, graph_type):
            self.problems.error(
                element.place,
                f"there are two different graph types '{graph_type.id}'",
                "rename one of them",
            )
        if self.problems.errors > errors:
            self.broken.add(graph_type.id)

    def _type_reference(self, element: Element) -> None:
        name, src = element.attributes.get("id", ""), element.attributes.get("src")
        if not name:
            self.problems.error(
                element.place, "GraphTypeReference has no attribute 'id'", "add id=..."
            )
        elif src is None:
            self._promised[name] = element.place
        else:
            other = self._file(src, element.place)
            if other is None:
                self.unreadable.add(name)
            elif name in other.types:
                self.types.setdefault(name, other.types[name])
                self.broken |= other.broken & {name}
            else:
                self.unreadable.add(name)
                self.problems.error(
                    element.place,
                    f"the file '{src}' has no graph type '{name}'",
                    f"name one that it has ({listed(other.types)})",
                )

    def _file(self, src: str, place: Place) -> ApplicationReader | None:
        """The types of another file, read once."""
        path = (self.source.folder / src).resolve()
        if "://" in src:
            self.problems.error(
                place, f"'{src}' is on a network", "fetch it and refer to it by its path"
            )
            return None
        if path in self._ancestors or len(self._ancestors) >= _MAX_REFERENCES:
            self.problems.error(
                place, f"the reference to '{src}' leads back to itself", "remove it"
            )
            return None
        if path not in self._files:
            other = ApplicationReader(
                Source(self.source.folder / src),
                self.problems,
                Options(types_only=True),
                (*self._ancestors, path),
            )
            try:
                other.read()
            except ApplicationError as error:
                for found in error.diagnostics:
                    self.problems.report(
                        found.severity,
                        Place(found.file, found.line, found.column, found.element),
                        found.message,
                        found.hint or f"it is referred to from {place.file}:{place.line}",
                    )
                return None
            self._files[path] = other
        return self._files[path]

    def _instance_reference(self, element: Element) -> None:
        src = element.attributes.get("src")
        if src is not None and not self.options.types_only:
            self.instance_references.append(
                (element.attributes.get("id", ""), self.source.folder / src, element.place)
            )

    def _check_promises(self) -> None:
        for name, place in self._promised.items():
            if name not in self.types:
                self.unreadable.add(name)
                self.problems.error(
                    place,
                    f"the graph type '{name}' is referred to but not in the file",
                    "give the file that holds it as src=...",
                )

    # instances

    def _instance_begins(self, element: Element) -> None:
        self._ordinal += 1
        if self._pass > 1:
            return
        name = element.attributes.get("id", "")
        if self.options.types_only:
            wanted = False
        elif self.options.instance is not None:
            wanted = name == self.options.instance
        else:
            wanted = self.options.every or not self.instances
        if name in self._names:
            self.problems.error(
                element.place, f"there are two graph instances '{name}'", "rename one of them"
            )
            wanted = wanted and self.options.every
        self._names.add(name)
        self.instances.append(
            InstanceFound(
                name,
                element.attributes.get("graphTypeId", ""),
                element.place,
                wanted,
                element.name == "GraphInstanceBase85",
            )
        )

    def _section(self, scanner: pstack_scan.Scanner) -> None:
        """Decide what to do with the section at whose start the scanner paused."""
        parents = self._builder.open
        if len(parents) != 3 or parents[1].name not in _INSTANCES:
            scanner.skip()
            return
        found, section = self.instances[self._ordinal], str(scanner.paused)
        again = section in found.present and self._pass == 1
        found.present.add(section)
        if not found.wanted or found.encoded or again or section in found.read:
            scanner.skip()
            return
        graph_type = self.types.get(found.type_id)
        first = "DeviceInstances" in found.read or self._pass > 1
        ready = section == "DeviceInstances" or (
            first and ("DeviceInstances" in found.read or "DeviceInstances" not in found.present)
        )
        if graph_type is None or not ready:
            scanner.skip()
            return
        if found.scan is None:
            dialect = self.dialect_of(graph_type)
            found.scan = open_instance(graph_type, dialect, self.problems.strict)
        found.read.add(section)
        scanner.read_into(found.scan)

    def _instance_ends(self, element: Element) -> None:
        if self._pass > 1:
            return
        found = self.instances[self._ordinal]
        if found.encoded:
            found.present |= found.chunks.keys()
        child = element.first("Properties")
        dialect = self.dialect or (V3_DIALECT if child is not None else ORCHESTRATOR_DIALECT)
        check_element(element, dialect.rules, self.problems)
        if child is not None:
            found.properties, found.properties_element = child.source(), "Properties"
            if child.children:
                self.problems.error(
                    child.place,
                    "the Properties of a GraphInstance hold elements",
                    'write values, such as "width": 4',
                )
        elif "P" in element.attributes and dialect.syntax == "braces":
            found.properties = Code(element.attributes["P"], element.file, element.line)
            found.properties_element = element.name
        found.metadata = metadata(element)
        if self.options.every and not found.pending:
            self._report(found)

    def _base85_chunk(self, element: Element) -> None:
        _, parent, section = self._builder.open
        if self._pass > 1 or parent.name not in _INSTANCES:
            return
        if not section.name.endswith("InstancesBase85"):
            return
        self._base85 += len(element.text)
        if self._base85 > _MAX_BASE85:
            raise fail(element.place, "the base85 data are too large", "use a plain instance")
        self._builder.release(element)
        section.children.pop()
        found = self.instances[self._ordinal]
        if found.wanted:
            found.chunks.setdefault(section.name, []).append(element.text)

    def _report(self, found: InstanceFound) -> None:
        if found.scan is not None:
            broken = found.type_id in self.broken
            report(found.scan, self.source.file, self.problems, structure_only=broken)
            if self.options.every:
                found.scan = None  # a file may hold many, and columns are not wanted

    def _settle_types(self) -> None:
        """An instance of a type that is nowhere is of the file's only type, or of none."""
        for found in self.instances:
            if not found.wanted or found.type_id in self.types:
                continue
            only = next(iter(self.types), "")
            if len(self.types) == 1 and not self.unreadable and not self.problems.strict:
                self.problems.warning(
                    found.place,
                    f"the graph type '{found.type_id[:60]}' of instance '{found.id[:60]}' is not"
                    f" in the file; '{only}', the only one there, is used",
                    "correct graphTypeId",
                )
                found.type_id = only
            else:
                found.wanted = False
