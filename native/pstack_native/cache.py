"""Compiled types, kept by content: a type compiles once on a machine.

One folder an entry under ``$XDG_CACHE_HOME/pstack/types``, named by the hash of
the type's text, the log level, the kernel, the compiler and its flags.  An
entry appears by a rename, so that it is there whole or not at all; a lock file
keeps two processes from compiling the same type at once.  Entries least
recently used are removed when the cache outgrows its bound.
"""

from __future__ import annotations

import contextlib
import fcntl
import hashlib
import os
import re
import shutil
import time
from collections.abc import Iterator
from dataclasses import dataclass, fields, is_dataclass
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

from pstack_core.graph.model import Code
from pstack_native._kernel import lib
from pstack_native.compiler import Compiler, CompilerError, compile_source, explain, find_compiler
from pstack_native.handlers import codes_of

if TYPE_CHECKING:
    from pstack_core.graph.model import GraphType

HERE = Path(__file__).parent
LIBRARY = "type.so"
#: Bytes that the cache may hold; PSTACK_CACHE_BYTES overrides it.
BOUND = 1_000_000_000
_QUOTED = re.compile(r'^[ \t]*#[ \t]*include[ \t]*"([^"\n]+)"', re.MULTILINE)


@dataclass(frozen=True)
class CompiledType:
    """A shared object to run."""

    path: Path
    seconds: float  # spent compiling now; 0 when it was in the cache
    cached: bool


def cache_directory() -> Path:
    """``types`` under pstack's folder of the XDG cache."""
    base = os.environ.get("XDG_CACHE_HOME", "")
    root = Path(base) if os.path.isabs(base) else Path.home() / ".cache"
    return root / "pstack" / "types"


def compiled(graph_type: GraphType, level: int) -> CompiledType:
    """The compiled type, from the cache or the compiler.

    Raises CompilerError, whose message lists the errors by file, line and handler.
    """
    compiler = find_compiler()
    directory = cache_directory()
    entry = directory / _key(graph_type, level, compiler)
    library = entry / LIBRARY
    if _use(library):
        return CompiledType(library, 0.0, True)
    try:
        directory.mkdir(parents=True, exist_ok=True)
        with _lock(entry.with_suffix(".lock")):
            if _use(library):  # somebody else compiled it meanwhile
                return CompiledType(library, 0.0, True)
            begin = time.perf_counter()
            _build(graph_type, level, compiler, entry)
            seconds = time.perf_counter() - begin
            trim(directory, keep=entry)
            return CompiledType(library, seconds, False)
    except OSError as error:
        raise CompilerError(
            f"the cache of compiled types {directory} cannot be written: {error.strerror};"
            " free some space or set XDG_CACHE_HOME to another folder"
        ) from error


def _build(graph_type: GraphType, level: int, compiler: Compiler, entry: Path) -> None:
    # Only where something is compiled: a run of what is cached is short.
    import tempfile

    from pstack_native.render import INCLUDE, render

    with tempfile.TemporaryDirectory(prefix="build-", dir=entry.parent) as scratch:
        work = Path(scratch) / entry.name
        work.mkdir()
        source = work / "type.cpp"
        source.write_text(render(graph_type, level))
        try:
            compile_source(compiler, source, work / LIBRARY, _includes(graph_type, INCLUDE))
        except CompilerError as error:
            if not error.output:
                raise
            raise CompilerError(explain(error.output, graph_type), error.output) from None
        with contextlib.suppress(OSError):
            os.rename(work, entry)  # fails where a broken entry lies
        if not (entry / LIBRARY).exists():
            shutil.rmtree(entry, ignore_errors=True)
            os.rename(work, entry)


def _includes(graph_type: GraphType, ours: Path) -> list[Path]:
    """Ours first, so that our assert.h is found; then the folders of the application's files."""
    found = [ours]
    for code in graph_type.shared_code:
        folder = Path(code.file).parent
        if folder.is_dir() and folder not in found:
            found.append(folder)
    return found


def _use(library: Path) -> bool:
    """Whether it exists; if so, note that it was used."""
    try:
        os.utime(library)
    except OSError:
        return os.path.exists(library)  # not Path.exists, which raises where we may not look
    return True


@contextlib.contextmanager
def _lock(path: Path) -> Iterator[None]:
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        yield
    finally:
        with contextlib.suppress(OSError):
            path.unlink()
        os.close(descriptor)


def trim(directory: Path, keep: Path | None = None) -> None:
    """Remove entries least recently used until the cache is within its bound."""
    bound = int(os.environ.get("PSTACK_CACHE_BYTES") or BOUND)
    entries = []
    for library in directory.glob(f"*/{LIBRARY}"):
        with contextlib.suppress(OSError):
            size = sum(file.stat().st_size for file in library.parent.iterdir())
            entries.append((library.stat().st_mtime, size, library.parent))
    total = sum(size for _, size, _ in entries)
    for _, size, folder in sorted(entries):
        if total <= bound:
            break
        if folder != keep:
            shutil.rmtree(folder, ignore_errors=True)
            total -= size


def _key(graph_type: GraphType, level: int, compiler: Compiler) -> str:
    digest = hashlib.sha256()
    digest.update(_kernel_digest())
    digest.update(repr((level, lib.PSTACK_ABI, compiler.identity, compiler.flags)).encode())
    digest.update(repr(_content(graph_type)).encode())
    for header in _own_headers(graph_type):
        digest.update(header.read_bytes())
    return digest.hexdigest()[:40]


def _own_headers(graph_type: GraphType) -> list[Path]:
    """The application's own header files, those that they include among them."""
    texts = [(named.code.text, Path(named.code.file).parent) for named in codes_of(graph_type)]
    found: dict[Path, None] = {}
    while texts:
        text, folder = texts.pop()
        for name in _QUOTED.findall(text):
            header = folder / name
            if header not in found and header.is_file():
                found[header] = None
                texts.append((header.read_text(errors="replace"), header.parent))
    return list(found)


@cache
def _kernel_digest() -> bytes:
    """Hash of everything of ours that goes into a compiled type."""
    digest = hashlib.sha256()
    files = [*HERE.glob("include/*"), *HERE.glob("templates/*")]
    files += [HERE / name for name in ("render.py", "records.py", "structs.py", "handlers.py")]
    for file in sorted(files):
        digest.update(file.read_bytes())
    return digest.digest()


def _content(value: object) -> object:
    """A value without what does not change the compiled code: documentation and places."""
    if isinstance(value, Code):
        return value.text
    if isinstance(value, tuple | list):
        return [_content(item) for item in value]
    if is_dataclass(value):
        return [
            (field.name, _content(getattr(value, field.name)))
            for field in fields(value)
            if field.name not in ("documentation", "metadata")
        ]
    return value
