"""Every example runs to its correct result, at two sizes, and its XML file is up to date."""

from __future__ import annotations

import importlib
import inspect
import subprocess
import sys
from pathlib import Path

import pytest

import pstack_core as pstack
from pstack_core.engines.events import Log
from pstack_core.graph import load, save

EXAMPLES = Path(__file__).parents[2] / "docs" / "examples"
README = (EXAMPLES / "README.md").read_text()
NAMES = sorted(path.stem for path in EXAMPLES.glob("[a-z]*.py"))
LARGER = {
    "clock": 5,
    "deal": 300,
    "heat": 30,
    "ising": 30,
    "paths": 800,
    "ring": 1000,
    "spikes": 300,
    "tally": 400,
}


def check(module, result) -> None:
    """Call every ``check_*`` function of an example on a result."""
    checks = [f for name, f in inspect.getmembers(module) if name.startswith("check_")]
    assert checks
    for function in checks:
        function(result)


@pytest.mark.parametrize("name", NAMES)
def test_builds_and_runs(name):
    module = importlib.import_module(name)
    check(module, pstack.run(module.build(LARGER[name])))


@pytest.mark.parametrize("name", NAMES)
def test_xml_file_runs(name):
    check(importlib.import_module(name), pstack.run(EXAMPLES / f"{name}.xml"))


@pytest.mark.parametrize("name", NAMES)
def test_xml_file_is_up_to_date(name, tmp_path):
    module = importlib.import_module(name)
    save(module.build(), tmp_path / "now.xml", version="v3")
    assert (tmp_path / "now.xml").read_text() == (EXAMPLES / f"{name}.xml").read_text(), (
        f"run python docs/examples/{name}.py -o docs/examples/{name}.xml"
    )


@pytest.mark.parametrize("name", ["clock", "heat"])
def test_the_result_does_not_depend_on_the_format(name, tmp_path):
    module = importlib.import_module(name)
    save(module.build(), tmp_path / "four.xml", version="v4")
    check(module, pstack.run(tmp_path / "four.xml"))


def test_a_wrong_result_is_reported(tmp_path):
    """The examples' own checks can fail: here the plate seems to have lost heat."""
    module = importlib.import_module("heat")
    graph = module.build(4)
    graph.devices.properties[1]["heat"] *= 2
    assert pstack.run(graph).exit_code == 1


def test_command_line_writes_a_file_of_the_given_size(tmp_path):
    output = tmp_path / "ring.xml"
    command = [sys.executable, EXAMPLES / "ring.py", "--size", "7", "-o", output]
    subprocess.run(command, check=True)
    assert len(load(output).devices) == 7


@pytest.mark.parametrize("name", NAMES)
def test_readme_shows_what_a_run_says(name):
    lines = []
    pstack.run(EXAMPLES / f"{name}.xml", on_event=lines.append)
    (said,) = [event.text for event in lines if isinstance(event, Log)]
    table = [line for line in README.splitlines() if f"[{name}.xml]({name}.xml)" in line]
    assert [line.split("|")[-2].strip() for line in table] == [said]


def test_readme_shows_the_output_of_the_command():
    command = [Path(sys.executable).with_name("pstack"), "run", EXAMPLES / "ring.xml"]
    output = subprocess.run(command, check=True, capture_output=True, text=True).stdout
    shown = README.split("$ pstack run docs/examples/ring.xml\n")[1].split("\n$ ")[0]
    first, last = shown.split("\n...\n")
    assert output.startswith(first)
    assert output.strip().endswith(last)
