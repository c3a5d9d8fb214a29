"""The guides' examples run as they stand, and print what they say."""

from __future__ import annotations

import doctest
import re
import shutil
from pathlib import Path
from typing import Any

import pytest

DOCS = Path(__file__).parents[1] / "docs"
BLOCK = re.compile(r"^```(python|pycon)\n(.*?)^```$", re.DOTALL | re.MULTILINE)


@pytest.mark.parametrize("guide", ["python.md", "formats.md"])
def test_examples_of(guide: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """All blocks of a page share their names, in order; ``pycon`` shows what is printed."""
    monkeypatch.chdir(tmp_path)
    shutil.copy(DOCS / "examples" / "ring.xml", "app.xml")
    page = DOCS / guide
    text = page.read_text()
    names: dict[str, Any] = {}
    runner = doctest.DocTestRunner(optionflags=doctest.NORMALIZE_WHITESPACE)
    problems: list[str] = []
    shown = 0
    for match in BLOCK.finditer(text):
        line = text.count("\n", 0, match.start()) + 1
        if match[1] == "python":
            exec(compile("\n" * line + match[2], str(page), "exec"), names)
            continue
        test = doctest.DocTestParser().get_doctest(match[2], names, guide, str(page), line)
        test.globs = names
        runner.run(test, out=problems.append, clear_globs=False)
        shown += len(test.examples)
    assert shown > 5
    assert not problems, "".join(problems)
