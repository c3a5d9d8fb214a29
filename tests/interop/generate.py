"""Make the instances that the public repositories only have generators for.

``python -m tests.interop.generate`` runs every recipe of ``expected.tsv`` whose
result is not in the cache yet.
"""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

from tests.interop.expectations import Row, corpus, rows
from tests.interop.generators import CannotGenerate, cache_folder, generate


def instance(row: Row) -> Path:
    """Path of a generated row's file, generated now if need be.

    Raises CannotGenerate with the generator's last line of output.
    """
    path = cache_folder() / row.name
    folder = corpus()
    if not path.exists():
        if folder is None:
            raise CannotGenerate("PSTACK_CORPUS is not set")
        partial = path.with_suffix(".part")
        generate(row.recipe, folder, partial)
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
