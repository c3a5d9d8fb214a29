"""Make the instances that the public repositories only have generators for.

``python -m tests.interop.generate`` runs every recipe of ``expected.tsv`` whose
result is not in the cache yet.  The generators need packages that pstack does
not, some of them old, so they run in a virtual environment inside the cache
(``PSTACK_CORPUS_CACHE``, or the user's cache folder).  Their random numbers are
seeded, so that every cache holds the same instances.
"""

from __future__ import annotations

import os
import subprocess
import sys
import venv
from pathlib import Path

from platformdirs import user_cache_path

from tests.interop.expectations import Row, corpus, rows

PACKAGES = ("lxml>=4.9", "numpy<2", "scipy<1.11", "pyamg>=5.0,<5.1")
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


def cache() -> Path:
    """The folder of generated instances, made if it does not exist."""
    folder = os.environ.get("PSTACK_CORPUS_CACHE")
    path = Path(folder) if folder else user_cache_path("pstack-interop")
    path.mkdir(parents=True, exist_ok=True)
    return path


def python() -> Path:
    """The interpreter with the generators' packages, made at the first call."""
    environment = cache() / "tools"
    interpreter = environment / "bin" / "python"
    ready = environment / "ready"
    if not ready.exists():
        venv.create(environment, with_pip=True, clear=True)
        install = [interpreter, "-m", "pip", "install", "--quiet", *PACKAGES]
        result = subprocess.run(install, capture_output=True, text=True, check=False)
        if result.returncode:
            raise CannotGenerate(f"pip cannot install {' '.join(PACKAGES)}: {result.stderr[-300:]}")
        ready.touch()
    return interpreter


def instance(row: Row) -> Path:
    """Path of a generated row's file, generated now if need be.

    Raises CannotGenerate with the generator's last line of output.
    """
    path = cache() / row.name
    if path.exists():
        return path
    folder = corpus()
    if folder is None:
        raise CannotGenerate("PSTACK_CORPUS is not set")
    script = folder / row.recipe[0]
    if not script.exists():
        raise CannotGenerate(f"there is no {row.recipe[0]} under PSTACK_CORPUS")
    arguments = [str(folder / a) if a.endswith(".xml") else a for a in row.recipe[1:]]
    environment = dict(
        os.environ, PYTHONPATH=str(folder / "graph_schema" / "tools"), PYTHONHASHSEED="0"
    )
    partial = path.with_suffix(".part")
    with partial.open("wb") as output:
        result = subprocess.run(
            [python(), "-B", "-c", SEEDED, script, *arguments],
            stdout=output,
            stderr=subprocess.PIPE,
            text=True,
            env=environment,
            cwd=cache(),
            timeout=SECONDS,
            check=False,
        )
    if result.returncode:
        partial.unlink()
        reason = (result.stderr.strip().splitlines() or ["no output"])[-1]
        raise CannotGenerate(f"{row.recipe[0]} fails: {reason}")
    partial.rename(path)
    return path


def main() -> int:
    failures = 0
    for row in rows():
        if not row.generated:
            continue
        try:
            print(f"{row.name}: {instance(row).stat().st_size} bytes", flush=True)
        except (CannotGenerate, subprocess.TimeoutExpired) as error:
            failures += 1
            print(f"{row.name}: {error}", flush=True)
    return 1 if failures else 0


if __name__ == "__main__":
    sys.exit(main())
