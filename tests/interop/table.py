"""Run the whole corpus and write the table of docs/compatibility.md.

``python -m tests.interop.table`` replaces what is between the two marks in that
file.  Peers' columns are facts noted down in ``peers.tsv``, not measured here.
"""

from __future__ import annotations

import csv
import fnmatch
import re
import sys
from collections import Counter
from pathlib import Path

from tests.interop.expectations import ENDS, Row, corpus, rows
from tests.interop.generate import instance
from tests.interop.generators import CannotGenerate
from tests.interop.judge import Outcome, judge

DOCUMENT = Path(__file__).parents[2] / "docs" / "compatibility.md"
BEGIN, END = "<!-- results: begin -->", "<!-- results: end -->"
#: Which formats each peer reads at all.
READ_BY = {
    "epoch_sim": ("v3", "v4"),
    "graph_sim": ("v3", "v4"),
    "POEMS": ("v3", "v4"),
    "psim": ("v2",),
    "Orchestrator": ("v4", "orch"),
}
PEERS = tuple(READ_BY)
#: A cell of the table is cut here; a refusal's first sentence is enough to know it.
WIDTH = 110


def peers() -> list[tuple[str, list[str]]]:
    """Pattern of paths, and what each peer does with them; the first match counts."""
    with Path(__file__).with_name("peers.tsv").open(newline="") as lines:
        reader = csv.DictReader(lines, delimiter="\t", quoting=csv.QUOTE_NONE)
        return [(line["pattern"], [line[peer] for peer in PEERS]) for line in reader]


def run_row(row: Row, folder: Path) -> Outcome | None:
    """The row's outcome, or None where its file is not at hand."""
    try:
        path = instance(row) if row.generated else folder / row.path
    except CannotGenerate:
        return None
    return judge(row, path) if path.exists() else None


def main() -> int:
    folder = corpus()
    if folder is None:
        print("PSTACK_CORPUS does not name a folder of checkouts", file=sys.stderr)
        return 2
    known = peers()
    sections: dict[str, list[str]] = {end: [] for end in ENDS}
    totals: Counter[tuple[str, str]] = Counter()
    for row in rows():
        outcome = run_row(row, folder)
        verdict = "missing" if outcome is None else "as expected" if not outcome.faults else "WRONG"
        totals[row.end, verdict] += 1
        text = "not at hand" if outcome is None else cell(outcome.text)
        print(f"{verdict:12} {row.path}: {text}", flush=True)
        if outcome is not None and outcome.faults:
            print("             " + "\n             ".join(outcome.faults), flush=True)
        facts = next(facts for pattern, facts in known if fnmatch.fnmatch(row.path, pattern))
        beside = [
            fact if row.format in READ_BY[peer] else "-"
            for peer, fact in zip(PEERS, facts, strict=True)
        ]
        mark = "" if verdict == "as expected" else f" **{verdict}**"
        sections[row.end].append(
            "| " + " | ".join([f"{row.path} ({row.format})", text + mark, *beside]) + " |"
        )
    write(sections, totals)
    return int(any(verdict == "WRONG" for _, verdict in totals))


def cell(text: str) -> str:
    """One line, without folders of this machine and without what Markdown takes as its own."""
    first = re.sub(r"(?<![\w.])(?:/[\w.+-]+)+/([\w.+-]+)", r"\1", text.split("\n")[0])
    first = first if len(first) <= WIDTH else first[: WIDTH - 1].rstrip() + "…"
    return first.replace("|", "\\|").replace("<", "&lt;").replace("*", "\\*")


def write(sections: dict[str, list[str]], totals: Counter[tuple[str, str]]) -> None:
    """Put the sections between the marks of the document."""
    verdicts = ("as expected", "WRONG", "missing")
    lines = ["| expected end | meaning | as expected | wrong | not at hand |"]
    lines.append("|---|---|---:|---:|---:|")
    for end, meaning in ENDS.items():
        counts = [str(totals[end, verdict]) for verdict in verdicts]
        lines.append(f"| {end} | {meaning} | {' | '.join(counts)} |")
    for end, body in sections.items():
        lines += ["", f"### {end}: {ENDS[end]}", ""]
        lines.append(f"| application | pstack | {' | '.join(PEERS)} |")
        lines.append("|---" * (2 + len(PEERS)) + "|")
        lines += body
    text = DOCUMENT.read_text()
    before, rest = text.split(BEGIN)
    _, after = rest.split(END)
    DOCUMENT.write_text(before + BEGIN + "\n\n" + "\n".join(lines) + "\n\n" + END + after)


if __name__ == "__main__":
    sys.exit(main())
