"""The measurements as Markdown tables, which are also easy to read as they are."""

from __future__ import annotations

import statistics
from collections.abc import Iterable, Sequence

from tests.bench.measure import Compile, Loading, Speed
from tests.bench.processes import COUNT, QUEUED, Spooling


def table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """A Markdown table with columns of even width; the first column is text, others numbers."""
    lines = [list(head), *map(list, rows)]
    widths = [max(len(line[i]) for line in lines) for i in range(len(head))]

    def render(cells: Sequence[str]) -> str:
        padded = [cells[0].ljust(widths[0])]
        padded += [cell.rjust(width) for cell, width in zip(cells[1:], widths[1:], strict=True)]
        return "| " + " | ".join(padded) + " |"

    rule = ["-" * widths[0], *("-" * (width - 1) + ":" for width in widths[1:])]
    return "\n".join([render(head), render(rule), *map(render, lines[1:])])


def speeds(results: Iterable[Speed]) -> str:
    """Deliveries a second, with the ratio to both loops where they can run the same."""

    def limit(rate: float | None, ratio: float | None) -> tuple[str, str]:
        return (f"{rate / 1e6:.0f}", f"{ratio:.2f}") if rate and ratio else ("", "")

    head = ["application", "devices", "edges", "million deliveries", "million/s"]
    head += ["limit", "ratio", "bare loop", "ratio"]
    return table(
        head,
        [
            [
                *_counts(s),
                *limit(s.limit, s.limit_ratio),
                *limit(s.bare, s.bare_ratio),
            ]
            for s in results
        ],
    )


def public_speeds(results: Iterable[Speed]) -> str:
    """Deliveries a second and seconds to load."""
    head = ["application", "devices", "edges", "million deliveries", "million/s", "load seconds"]
    return table(head, [[*_counts(s), f"{s.load_seconds:.2f}"] for s in results])


def _counts(s: Speed) -> list[str]:
    return [
        s.name,
        f"{s.devices}",
        f"{s.edges}",
        f"{s.deliveries / 1e6:.1f}",
        f"{s.rate / 1e6:.1f}",
    ]


def loadings(results: Iterable[Loading]) -> str:
    """Reading XML: time, rate, and memory."""
    head = ["file", "edges", "MB", "seconds", "MB/s", "peak MB"]
    head += ["bytes per device", "bytes per edge"]
    return table(
        head,
        [
            [
                r.name,
                f"{r.edges}",
                f"{r.megabytes:.1f}",
                f"{r.seconds:.2f}",
                f"{r.megabytes / r.seconds:.0f}",
                f"{r.peak_bytes / 1e6:.0f}",
                f"{r.bytes_per_device:.0f}",
                f"{r.bytes_per_edge:.0f}",
            ]
            for r in results
        ],
    )


def compiles(results: Iterable[Compile]) -> str:
    """Compile seconds with an empty cache and with a full one."""
    return table(
        ["graph type", "compile seconds", "from the cache"],
        [[r.name, f"{r.seconds:.2f}", f"{r.cached_seconds:.3f}"] for r in results],
    )


def command(seconds: Sequence[float]) -> str:
    """Wall time of one cached run."""
    return table(
        ["pstack run ring.xml, cached", "seconds"],
        [["median", f"{statistics.median(seconds):.3f}"], ["fastest", f"{min(seconds):.3f}"]],
    )


def spooling(result: Spooling) -> str:
    """Processes a second beside task-spooler, and answers behind a long queue."""
    rival = "not installed" if result.rival is None else f"{result.rival:.0f}"
    return table(
        ["the service of processes", "measured"],
        [
            [f"{COUNT} cached rings through the daemon, a second", f"{result.rate:.0f}"],
            [f"{COUNT} times `true` through task-spooler, a second", rival],
            ["CPU of the daemon itself a process, ms", f"{result.daemon_seconds * 1e3:.1f}"],
            [f"submit of one, {QUEUED} queued, ms", f"{result.submit_seconds * 1e3:.1f}"],
            [f"`pstack ps` of {QUEUED} queued, s", f"{result.ps_seconds:.2f}"],
        ],
    )
