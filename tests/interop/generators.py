"""The public generators: how each kind is run.

Every function takes the folder of checkouts and the arguments of a recipe, writes
an application to ``output`` and returns the process, whose exit status tells.
They need packages that pstack does not, some of them old, so they run in a
virtual environment in the cache.  Random numbers are seeded, so that every cache
holds the same instances.
"""

from __future__ import annotations

import os
import subprocess
import venv
from functools import cache
from pathlib import Path
from typing import IO

from platformdirs import user_cache_path

PACKAGES = ("lxml>=4.9", "numpy<2", "scipy<1.11", "pyamg>=5.0,<5.1", "docopt", "jinja2", "pcpp")
SECONDS = 300

#: Runs a script as ``__main__`` with the random numbers of both generators fixed.
SEEDED = """\
import random, runpy, sys
random.seed(1)
try:
    import numpy
    numpy.random.seed(1)
except ImportError:
    pass
sys.argv = sys.argv[1:]
sys.path.insert(0, sys.argv[0].rpartition("/")[0])
runpy.run_path(sys.argv[0], run_name="__main__")
"""


class CannotGenerate(Exception):
    """A generator is missing or fails; the message says which and why."""


def cache_folder() -> Path:
    """The folder of generated instances, made if it does not exist."""
    folder = os.environ.get("PSTACK_CORPUS_CACHE")
    path = Path(folder) if folder else user_cache_path("pstack-interop")
    path.mkdir(parents=True, exist_ok=True)
    return path


@cache
def tools() -> Path:
    """The folder of commands of the generators' environment, made at the first call."""
    environment = cache_folder() / "tools"
    commands = environment / "bin"
    ready = environment / "ready"
    wanted = "\n".join(PACKAGES)
    if not ready.exists() or ready.read_text() != wanted:
        venv.create(environment, with_pip=True, clear=True)
        install = [commands / "python", "-m", "pip", "install", "--quiet", *PACKAGES]
        result = subprocess.run(install, capture_output=True, text=True, check=False)
        if result.returncode:
            raise CannotGenerate(f"pip cannot install {' '.join(PACKAGES)}: {result.stderr[-300:]}")
        ready.write_text(wanted)
    return commands


def generate(recipe: tuple[str, ...], folder: Path, output: Path) -> None:
    """Write the application of a recipe to ``output``; raises CannotGenerate."""
    kind, *arguments = recipe
    runner = {"pml": _pml, "dpd": _dpd}.get(kind)
    with output.open("wb") as file:
        if runner is not None:
            result = runner(folder, arguments, file)
        else:
            result = _script(folder, kind, arguments, file)
    if result.returncode:
        output.unlink()
        reason = (result.stderr.strip().splitlines() or ["no output"])[-1]
        raise CannotGenerate(f"{' '.join(recipe)} fails: {reason}")


def _process(
    command: list[str | Path], file: IO[bytes], work: Path, source: Path | None = None, **more: str
) -> subprocess.CompletedProcess[str]:
    environment = dict(os.environ, PYTHONHASHSEED="0", **more)
    environment["PATH"] = f"{tools()}{os.pathsep}{environment['PATH']}"
    with (source or Path(os.devnull)).open() as stdin:
        return subprocess.run(
            command,
            stdin=stdin,
            stdout=file,
            stderr=subprocess.PIPE,
            text=True,
            env=environment,
            cwd=work,
            timeout=SECONDS,
            check=False,
        )


def _script(
    folder: Path, script: str, arguments: list[str], file: IO[bytes]
) -> subprocess.CompletedProcess[str]:
    """A script of graph_schema, which prints the instance."""
    path = _present(folder / script)
    given = [str(folder / item) if item.endswith(".xml") else item for item in arguments]
    libraries = str(folder / "graph_schema" / "tools")
    command = [tools() / "python", "-B", "-c", SEEDED, path, *given]
    return _process(command, file, cache_folder(), PYTHONPATH=libraries)


def _pml(folder: Path, arguments: list[str], file: IO[bytes]) -> subprocess.CompletedProcess[str]:
    """``pml APPLICATION DEVICES [both]``: an application of pml on a ring, one way or both."""
    application, devices = arguments[0], int(arguments[1])
    ring = cache_folder() / f"ring{'_'.join(arguments[1:])}.graphml"
    nodes = "".join(f'<node id="n{i}"/>' for i in range(devices))
    pairs = [(i, (i + 1) % devices) for i in range(devices)]
    if "both" in arguments:
        pairs += [(there, here) for here, there in pairs]
    edges = "".join(f'<edge source="n{a}" target="n{b}"/>' for a, b in pairs)
    ring.write_text(
        '<graphml xmlns="http://graphml.graphdrawing.org/xmlns">'
        f'<graph edgedefault="directed">{nodes}{edges}</graph></graphml>'
    )
    script = _present(folder / "pml" / "pml.py")
    command = [tools() / "python", "-B", script, f"apps/{application}/app.json", ring]
    return _process(command, file, script.parent)


def _dpd(folder: Path, arguments: list[str], file: IO[bytes]) -> subprocess.CompletedProcess[str]:
    """``dpd SIDE STEPS NO_BONDS``: water in a box, by the C++ programs of poets-dpd."""
    side, steps, no_bonds = arguments
    sources = folder / "poets-dpd"
    state = cache_folder() / f"water_{side}.state"
    with state.open("wb") as water:
        program = _compiled(sources, "src/create_state/create_state_stationary_water.cpp")
        result = _process([program, side, side, side, "3", "0.02"], water, sources)
    if result.returncode:
        return result
    program = _compiled(sources, "src/create_xml_v5_graph_instance.cpp")
    return _process([program, steps, no_bonds], file, sources, state)


def _compiled(sources: Path, source: str) -> Path:
    program = cache_folder() / Path(source).stem
    if not program.exists():
        command = [
            "g++",
            "-std=c++17",
            "-w",
            "-Iinclude",
            "-o",
            program,
            _present(sources / source),
        ]
        result = subprocess.run(command, cwd=sources, capture_output=True, text=True, check=False)
        if result.returncode:
            raise CannotGenerate(f"{source} does not compile: {result.stderr[:300]}")
    return program


def _present(path: Path) -> Path:
    if not path.exists():
        raise CannotGenerate(f"there is no {path}")
    return path
