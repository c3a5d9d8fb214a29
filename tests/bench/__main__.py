"""Measure everything and print the tables: ``python -m tests.bench``.

Rates depend on the machine and on what else it does; the ratios are taken side
by side in one run and are what to compare.
"""

from __future__ import annotations

import argparse
import tempfile
from collections.abc import Iterator
from pathlib import Path

from tests.bench import measure, processes, report
from tests.bench.workloads import EXAMPLES, PUBLIC, WORKLOADS, example
from tests.interop.expectations import corpus
from tests.interop.generators import cache_folder, generate

TABLES = ("speed", "public", "load", "compile", "command", "memory", "processes")


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m tests.bench", description=__doc__)
    parser.add_argument("tables", nargs="*", choices=[*TABLES, []], help="all, if none is named")
    parser.add_argument("--repeats", type=int, default=5, help="runs of each (default 5)")
    parser.add_argument("--only", default="", help="applications whose name contains this")
    arguments = parser.parse_args()
    wanted = arguments.tables or TABLES
    with tempfile.TemporaryDirectory() as folder:
        for name in TABLES:
            if name in wanted:
                print(f"\n{_measure(name, arguments, Path(folder))}", flush=True)


def _measure(name: str, arguments: argparse.Namespace, folder: Path) -> str:
    repeats = arguments.repeats
    if name == "speed":
        chosen = [w for w in WORKLOADS if arguments.only in w.name]
        return report.speeds(measure.speed(w, repeats, folder) for w in chosen)
    if name == "public":
        folder_of_peers = corpus()
        if folder_of_peers is None:
            return "No public applications: PSTACK_CORPUS does not name a folder of checkouts."
        chosen = {key: path for key, path in _public(folder_of_peers) if arguments.only in key}
        return report.public_speeds(
            measure.public_speed(key, path, repeats) for key, path in chosen.items()
        )
    if name == "load":
        return report.loadings(
            measure.loading(f"heat {size}x{size}", example("heat").build(size), 3, folder)
            for size in (64, 256, 456)
        )
    if name == "compile":
        files = {path.stem: path for path in sorted(EXAMPLES.glob("*.xml"))}
        folder_of_peers = corpus()
        if folder_of_peers:
            apps = "Orchestrator/Tests/ReferenceXML/v4/PEP20/apps"
            files["gals_heat of graph_schema"] = folder_of_peers / apps / "gals_heat_8x8_v4.xml"
        return report.compiles(measure.compiling(*item) for item in files.items())
    if name == "command":
        return report.command(measure.command_seconds(4 * repeats + 1))
    if name == "processes":
        return report.spooling(processes.spooling(folder))
    measure.peak_bytes(example("heat").build(4, 2), folder)  # compiled from here on
    peaks = [
        [
            f"heat {size}x{size}",
            f"{measure.peak_bytes(example('heat').build(size, 2), folder) / 1e6:.0f}",
        ]
        for size in (4, 64, 256, 512)
    ]
    return report.table(["pstack run", "peak MB of its largest process"], peaks)


def _public(corpus_folder: Path) -> Iterator[tuple[str, Path]]:
    """Name and file of each public application, generated into the cache at the first call."""
    for name, recipe in PUBLIC.items():
        path = cache_folder() / f"bench_{name.replace(' ', '_').replace(',', '')}.xml"
        if not path.exists():
            partial = path.with_suffix(".part")
            generate(recipe, corpus_folder, partial)
            partial.rename(path)
        yield name, path


if __name__ == "__main__":
    main()
