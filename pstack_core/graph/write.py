"""Save a graph as XML of versions 3 or 4, to a file, a gzip file or a stream."""

from __future__ import annotations

import gzip
import io
import os
import uuid
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import IO, Any

from pstack_core.graph import base85 as base85_instance
from pstack_core.graph import convertible, write_instance, write_v3, write_v4
from pstack_core.graph.diagnostics import Diagnostic, Place, Problems, fail
from pstack_core.graph.model import Graph, GraphType

VERSIONS = ("v3", "v4")


def save(
    graph: Graph | GraphType,
    target: str | os.PathLike[str] | IO[bytes] | IO[str],
    version: str | None = None,
    *,
    base85: bool = False,
    warn: Callable[[Diagnostic], None] | None = None,
) -> None:
    """Write a graph, or a graph type alone, so that loading it gives the same meaning.

    ``target`` is a path, compressed where it ends in ``.gz``, or an open file, binary or text.
    A path is replaced only when all is written.  ``version`` is ``v3`` or ``v4``; without
    it, the version that the graph was read from, or v3.  ``base85`` writes the instance
    in the compact encoding that v4 has.  ``warn`` gets what the version changes.

    Raises:
        ApplicationError: the version cannot express the graph; names what and why.
        OSError: the target cannot be written.
    """
    pieces = xml(graph, version, base85=base85, warn=warn)
    if isinstance(target, str | os.PathLike):
        _write_path(Path(target), pieces)
    elif isinstance(target, io.TextIOBase):
        for piece in pieces:
            target.write(piece)
    else:
        stream: Any = target
        for piece in pieces:
            stream.write(piece.encode())


def xml(
    graph: Graph | GraphType,
    version: str | None = None,
    *,
    base85: bool = False,
    warn: Callable[[Diagnostic], None] | None = None,
) -> Iterator[str]:
    """The XML text that :func:`save` writes, in pieces; arguments are checked at the call."""
    graph_type = graph if isinstance(graph, GraphType) else graph.type
    file = f"<{graph.id}>" if isinstance(graph, GraphType) else graph.file
    if version is None:
        version = "v4" if base85 or graph_type.version == "v4" else "v3"
    if version not in VERSIONS:
        raise fail(Place(file), f"cannot write version '{version}'", "write v3 or v4")
    if base85 and version != "v4":
        raise fail(Place(file), "the base85 encoding belongs to v4", "write v4")
    problems = Problems(warn=warn)
    convertible.report(graph_type, version, file, problems)
    problems.raise_errors()
    return _document(graph, graph_type, version, base85)


def _document(
    graph: Graph | GraphType, graph_type: GraphType, version: str, in_base85: bool
) -> Iterator[str]:
    writer = write_v3 if version == "v3" else write_v4
    yield f'<?xml version="1.0" encoding="UTF-8"?>\n<Graphs xmlns="{writer.NAMESPACE}">\n'
    yield from writer.graph_type(graph_type)
    if isinstance(graph, Graph):
        if in_base85:
            yield from base85_instance.instance(graph)
        else:
            yield from write_instance.instance(graph, version)
    yield "</Graphs>\n"


def _write_path(path: Path, pieces: Iterable[str]) -> None:
    compress = path.suffix == ".gz"
    if path.exists() and not path.is_file():
        # A pipe or a device: nothing to replace.
        with path.open("wb") as stream:
            _write_stream(stream, pieces, compress)
        return
    # Beside the target, so that renaming is atomic.
    temporary = path.with_name(f".{path.name}.{uuid.uuid4().hex}")
    try:
        with temporary.open("xb") as stream:
            _write_stream(stream, pieces, compress)
        if path.exists():
            temporary.chmod(path.stat().st_mode & 0o7777)
        temporary.replace(path)
    except BaseException:
        temporary.unlink(missing_ok=True)
        raise


def _write_stream(stream: IO[bytes], pieces: Iterable[str], compress: bool) -> None:
    if not compress:
        stream.writelines(piece.encode() for piece in pieces)
        return
    # No name and no time in the header: the same graph gives the same bytes.
    with gzip.GzipFile(filename="", mode="wb", fileobj=stream, compresslevel=6, mtime=0) as packed:
        for piece in pieces:
            packed.write(piece.encode())
