"""Load, check and list applications: the doors of this package."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import numpy as np

from pstack_core.graph.diagnostics import (
    ApplicationError,
    Diagnostic,
    Place,
    Problems,
    fail,
    listed,
)
from pstack_core.graph.dialects import DIALECTS, Dialect
from pstack_core.graph.instance import columns, graph_properties, open_instance, override
from pstack_core.graph.model import Devices, Edges, Graph, GraphType
from pstack_core.graph.reader import ApplicationReader, InstanceFound, Options
from pstack_core.graph.source import Source, SourceLike


def load(
    source: SourceLike,
    *,
    strict: bool = False,
    dialect: str | None = None,
    properties: Mapping[str, Any] | None = None,
    warn: Callable[[Diagnostic], None] | None = None,
    instance: str | None = None,
) -> Graph:
    """Load an application with an instance to run.

    Args:
        source: a path, bytes, an open file, or XML text (it begins with ``<``);
            gzip is recognised by content.
        strict: keep to the format's rules; otherwise what real files get wrong
            in harmless ways is only warned about.
        dialect: ``v2``, ``v3``, ``v4`` or ``orchestrator`` whatever the file says.
        properties: graph properties to set, by name; ``a.b`` and ``a[1]`` name parts;
            values may be text.
        warn: called with each warning.
        instance: id of the graph instance, where the file has several.

    Raises:
        ApplicationError: the application cannot be used.
    """
    problems = Problems(strict, warn)
    with Source(source) as origin:
        reader = _read(origin, problems, Options(_dialect(dialect), instance))
    reader, found = _choose(reader, problems, instance)
    graph = _graph(reader, found, problems)
    if properties:
        struct = graph.type.properties
        graph.properties = override(graph.properties, struct, properties, graph.file)
    return graph


def load_types(
    source: SourceLike,
    *,
    strict: bool = False,
    dialect: str | None = None,
    warn: Callable[[Diagnostic], None] | None = None,
) -> list[GraphType]:
    """The graph types of a file, in order; its instances are not read.

    Raises:
        ApplicationError: a type has errors, or there is none.
    """
    problems = Problems(strict, warn)
    with Source(source) as origin:
        reader = _read(origin, problems, Options(_dialect(dialect), types_only=True))
    problems.raise_errors()
    if not reader.types:
        raise fail(Place(origin.file), "the file has no graph type", "give one that has")
    return list(reader.types.values())


def check(
    source: SourceLike, strict: bool = False, *, dialect: str | None = None
) -> list[Diagnostic]:
    """Every problem of a file, errors and warnings, in order of place; empty when clean."""
    problems = Problems(strict)
    try:
        with Source(source) as origin:
            reader = _read(origin, problems, Options(_dialect(dialect), every=True))
        for found in reader.instances:
            if found.type_id in reader.types:
                _properties(reader, found, problems)
                if found.encoded and found.type_id not in reader.broken:
                    _encoded(reader, found)
        if not reader.instances and not reader.types:
            problems.error(
                Place(reader.source.file),
                "the file has neither a graph type nor a graph instance",
                "give a POETS application",
            )
    except ApplicationError as error:
        known = set(problems.found)
        problems.found.extend(d for d in error.diagnostics if d not in known)
    return sorted(problems.found, key=lambda d: (d.file, not d.line, d.line, d.column))


def _dialect(name: str | None) -> Dialect | None:
    if name is None:
        return None
    if name not in DIALECTS:
        raise ValueError(f"the dialect '{name}' is not one of {', '.join(DIALECTS)}")
    return DIALECTS[name]


def _read(source: Source, problems: Problems, options: Options) -> ApplicationReader:
    reader = ApplicationReader(source, problems, options)
    try:
        reader.read()
    except ApplicationError as error:
        raise ApplicationError([*problems.found, *error.diagnostics]) from error
    for found in reader.instances:
        known_id = found.type_id in reader.types or found.type_id in reader.unreadable
        if not known_id and not options.types_only:
            problems.error(
                found.place,
                f"the graph type '{found.type_id[:60]}' of instance '{found.id[:60]}'"
                " is not in the file",
                f"declare it or refer to it (there: {listed(reader.types)})",
            )
    return reader


def _choose(
    reader: ApplicationReader,
    problems: Problems,
    wanted: str | None,
    followed: frozenset[Path] = frozenset(),
) -> tuple[ApplicationReader, InstanceFound]:
    """The instance to load, and who read it: in this file, or in one that it refers to."""
    found = [each for each in reader.instances if wanted is None or each.id == wanted]
    if found:
        if wanted is None and len(found) > 1:
            problems.warning(
                found[1].place,
                f"there are {len(found)} graph instances; '{found[0].id}' is used",
                "name the instance to use",
            )
        return reader, found[0]
    problems.raise_errors()
    for name, path, place in reader.instance_references:
        if wanted is None or name == wanted:
            if path.resolve() in followed:
                raise fail(place, f"the reference to '{path}' leads back to itself", "remove it")
            with Source(path) as origin:
                other = _read(origin, problems, Options(reader.dialect, name or None))
            return _choose(other, problems, name or None, followed | {path.resolve()})
    raise _no_instance(reader, wanted)


def _no_instance(reader: ApplicationReader, wanted: str | None) -> ApplicationError:
    place = Place(reader.source.file)
    if reader.instances:
        known = listed([each.id for each in reader.instances])
        return fail(place, f"there is no graph instance '{wanted}'", f"there are: {known}")
    if reader.types:
        return fail(
            place,
            f"there is a graph type ('{next(iter(reader.types))}') but no graph instance",
            "give a file with a GraphInstance, for example one made by its generator",
        )
    return fail(
        place,
        "there is neither a graph type nor a graph instance",
        "give a POETS application",
    )


def _graph(reader: ApplicationReader, found: InstanceFound, problems: Problems) -> Graph:
    values = None
    if found.type_id in reader.types:
        values = _properties(reader, found, problems)
    problems.raise_errors()
    assert values is not None, "an instance without a type is an error"
    graph_type = reader.types[found.type_id]
    if found.encoded:
        devices, edges = _encoded(reader, found)
    else:
        dialect = reader.dialect_of(graph_type)
        scan = found.scan or open_instance(graph_type, dialect, problems.strict)
        devices, edges = columns(scan, graph_type)
    return Graph(found.id, graph_type, values, devices, edges, reader.source.file, found.metadata)


def _properties(reader: ApplicationReader, found: InstanceFound, problems: Problems) -> np.ndarray:
    graph_type = reader.types[found.type_id]
    if found.type_id in reader.broken:
        return np.zeros((), graph_type.properties.dtype)
    dialect = reader.dialect_of(graph_type)
    return graph_properties(
        graph_type.properties, found.properties, found.properties_element, dialect, problems
    )


def _encoded(reader: ApplicationReader, found: InstanceFound) -> tuple[Devices, Edges]:
    from pstack_core.graph.read_base85 import read_base85

    return read_base85(
        reader.types[found.type_id],
        found.chunks.get("DeviceInstancesBase85", []),
        found.chunks.get("EdgeInstancesBase85", []),
        reader.source.file,
    )
