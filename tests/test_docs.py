"""The documentation says what the code does."""

from __future__ import annotations

import inspect
import re
import runpy
from pathlib import Path

import pytest

import pstack_core
from pstack_core.engines import hookspecs
from pstack_core.shell import commands
from tests.conftest import Install
from tests.graphs import ring

ROOT = Path(__file__).parents[1]
DOCS = ROOT / "docs"


def test_commands_page_is_what_help_says() -> None:
    page = runpy.run_path(str(DOCS / "make_commands.py"))["page"]()
    assert (DOCS / "commands.md").read_text() == page, "run python docs/make_commands.py"


@pytest.mark.parametrize("name", commands.NAMES)
def test_every_command_is_in_the_readme(name: str) -> None:
    assert f"pstack {name}" in (ROOT / "README.md").read_text()


def test_readme_and_ci_use_the_same_command() -> None:
    readme = (ROOT / "README.md").read_text()
    one, two = re.findall(r"^    (python3 -m venv .*)$", readme, re.MULTILINE)
    assert "pstack run docs/examples/" in one
    assert (ROOT / re.search(r"docs/examples/\S+", one)[0]).exists()
    assert two.endswith("pytest")
    assert f"\n{two}" in (ROOT / ".ci" / "run").read_text()


def test_every_hook_is_documented_with_its_arguments() -> None:
    text = (DOCS / "engines.md").read_text()
    for name, hook in inspect.getmembers(hookspecs, inspect.isfunction):
        if name.startswith("pstack_"):
            arguments = ", ".join(inspect.signature(hook).parameters)
            assert f"{name}({arguments})" in text


def test_every_public_name_is_documented() -> None:
    text = (DOCS / "python.md").read_text()
    for name in pstack_core.__all__:
        assert re.search(rf"\bpstack\.{name}\b", text), name


def test_the_engine_of_the_documentation_works(install: Install) -> None:
    (source,) = re.findall(r"```python\n(.*?)```", (DOCS / "engines.md").read_text(), re.DOTALL)
    install("echo", {"echo": "echo_engine"}, {"echo_engine": source})
    logged = []
    result = pstack_core.run(ring(), engine="echo", on_event=logged.append)
    assert result.reason == "idle"
    assert [event.device for event in logged[1:-1]] == ["n0", "n1", "n2", "n3"]
    assert result.states["n3"]["counter"] == 10


@pytest.mark.parametrize(
    "page", [ROOT / "README.md", *sorted(DOCS.glob("*.md"))], ids=lambda path: path.name
)
def test_links_lead_somewhere(page: Path) -> None:
    for target in re.findall(r"\]\(([^)#]+)", page.read_text()):
        if not target.startswith(("http://", "https://")):
            assert (page.parent / target).exists(), f"{page.name}: {target}"


def test_python_examples_of_the_docs_are_python() -> None:
    for page in [ROOT / "README.md", *DOCS.glob("*.md")]:
        for block in re.findall(r"```python\n(.*?)```", page.read_text(), re.DOTALL):
            compile(block, str(page), "exec")
