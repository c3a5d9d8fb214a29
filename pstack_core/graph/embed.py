"""The pragma that asks for a header's text in place of its include line."""

from __future__ import annotations

import re
from dataclasses import replace
from pathlib import Path

from pstack_core.graph.diagnostics import Place, Problems
from pstack_core.graph.model import Code

MAX_HEADER = 4 << 20
MAX_HEADERS = 100

_PATTERN = re.compile(
    r"^[ \t]*#[ \t]*pragma[ \t]+POETS[ \t]+EMBED_HEADER[ \t]*\r?\n"
    r"[ \t]*#[ \t]*include[ \t]*\"([^\"\n]+)\"[^\n]*$",
    re.MULTILINE,
)


def expand_headers(code: Code, folder: Path, problems: Problems) -> Code:
    """Replace each ``#pragma POETS EMBED_HEADER`` and its include by the header's text.

    Headers are looked for as named, beside the file, and in the working folder.
    ``#line`` keeps compiler messages on the header's lines, then on the file's.
    """
    if "EMBED_HEADER" not in code.text:
        return code

    count = 0

    def embedded(match: re.Match[str]) -> str:
        nonlocal count
        count += 1
        name = match[1]
        line = code.line + code.text.count("\n", 0, match.start())
        place = Place(code.file, line + 1, 1, "SharedCode")
        if count > MAX_HEADERS:
            problems.error(
                place, f"more than {MAX_HEADERS} headers are to be embedded", "embed fewer"
            )
            return match[0]
        path = _find(name, folder)
        if path is None:
            problems.error(
                place,
                f"the header '{name}' to embed is not found",
                f"put it beside {Path(code.file).name}",
            )
            return match[0]
        if path.stat().st_size > MAX_HEADER:
            problems.error(
                place,
                f"the header '{name}' to embed is larger than {MAX_HEADER >> 20} MB",
                "embed a smaller one",
            )
            return match[0]
        text = path.read_text("utf-8", "replace")
        return (
            f'#pragma POETS BEGIN_EMBEDDED_HEADER "{name}" "{path}"\n'
            f"#line 1 {_quoted(str(path))}\n{text.rstrip()}\n"
            f'#pragma POETS END_EMBEDDED_HEADER "{name}" "{path}"\n'
            f"#line {line + 2} {_quoted(code.file)}"
        )

    return replace(code, text=_PATTERN.sub(embedded, code.text, MAX_HEADERS + 1))


def _find(name: str, folder: Path) -> Path | None:
    for candidate in (Path(name), folder / name, Path.cwd() / name):
        try:
            if candidate.is_file():
                return candidate.resolve()
        except (OSError, ValueError):
            continue
    return None


def _quoted(name: str) -> str:
    return '"' + name.replace("\\", "\\\\").replace('"', '\\"') + '"'
