"""Save a graph as XML of versions 3 or 4, to a file, a gzip file or a stream."""

from __future__ import annotations

import gzip
import io
import os
import uuid
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import IO, Any

from pstack_core.graph import base85, convertible, write_instance, write_v3, write_v4
from pstack_core.graph.diagnostics import Diagnostic, Place, Problems, fail
from pstack_core.graph.model import Graph, GraphType

#: What can be written; ``base85`` is v4 with its compact encoding of the instance.
VERSIONS = ("v3", "v4", "base85")


def save(
    graph: Graph | GraphType,
    target: str | os.PathLike[str] | IO[bytes] | IO[str],
    version: str | None = None,
    *,
    warn: Callable[[Diagnostic], None] | None = None,
) -> None:
    """Write a graph, or a graph type alone, so that loading it gives the same meaning.

    ``target`` is a path, compressed where it ends in ``.gz``, or an open file, binary or text.
    A path is replaced only when all is written.  ``version`` is ``v3``, ``v4`` or
    ``base85``, which is v4 with its compact encoding of the instance; without it, v4 for
    a graph that was read from v4, else v3.  ``warn`` gets what the version changes.

    Raises:
        ApplicationError: the version cannot express the graph; names what and why.
        OSError: the target cannot be written.
    """
    pieces = xml(graph, version, warn=warn)
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
    warn: Callable[[Diagnostic], None] | None = None,
) -> Iterator[str]:
    """The XML text that :func:`save` writes, in pieces; arguments are checked at the call."""
    graph_type = graph if isinstance(graph, GraphType) else graph.type
    file = f"<{graph.id}>" if isinstance(graph, GraphType) else graph.file
    if version is None:
        version = "v4" if graph_type.version == "v4" else "v3"
    if version not in VERSIONS:
        known = ", ".join(VERSIONS)
        raise fail(Place(file), f"cannot write version '{version}'", f"write one of {known}")
    problems = Problems(warn=warn)
    convertible.report(graph_type, "v3" if version == "v3" else "v4", file, problems)
    if version == "base85" and isinstance(graph, Graph):
        base85.report(graph, Place(file), problems)
    problems.raise_errors()
    return _document(graph, graph_type, version)


def _document(graph: Graph | GraphType, graph_type: GraphType, version: str) -> Iterator[str]:
    writer = write_v3 if version == "v3" else write_v4
    yield f'<?xml version="1.0" encoding="UTF-8"?>\n<Graphs xmlns="{writer.NAMESPACE}">\n'
    yield from writer.graph_type(graph_type)
    if isinstance(graph, Graph):
        if version == "base85":
            yield from base85.instance(graph)
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
