"""Diagnostics of an application, for people and for programs."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any, Self

from pstack_core.shell.context import Context

if TYPE_CHECKING:
    from pstack_core.graph.diagnostics import Diagnostic

#: Warnings that a run shows; ``pstack check`` shows all.
MOST_WARNINGS = 20


def line_of(context: Context, diagnostic: Diagnostic) -> str:
    """One diagnostic as a line; control characters of the file cannot reach the terminal."""
    text = "".join(c if c.isprintable() else repr(c)[1:-1] for c in str(diagnostic))
    if context.coloured(context.stderr):
        colour = "31" if diagnostic.severity == "error" else "33"
        label = f"{diagnostic.severity}:"
        text = text.replace(label, f"\x1b[1;{colour}m{label}\x1b[0m", 1)
    return text


def show(context: Context, diagnostics: Iterable[Diagnostic]) -> None:
    """Print diagnostics on standard error and, after several errors, their number."""
    errors = 0
    for diagnostic in diagnostics:
        errors += diagnostic.severity == "error"
        context.note(line_of(context, diagnostic))
    context.error(
        "the application has 1 error" if errors == 1 else f"the application has {errors} errors"
    )


class Warnings:
    """Prints the first warnings of an application that is loaded within, and counts the rest."""

    def __init__(self, context: Context, app: str) -> None:
        self.context = context
        self.app = app
        self.count = 0

    def __call__(self, diagnostic: Diagnostic) -> None:
        self.count += 1
        if self.count <= MOST_WARNINGS:
            self.context.note(line_of(self.context, diagnostic))

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exception: object) -> None:
        """Say how many were not shown."""
        more = self.count - MOST_WARNINGS
        if more > 0:
            self.context.note(f"{more} more warnings; 'pstack check {self.app}' lists all")


def as_json(diagnostic: Diagnostic) -> dict[str, Any]:
    """One diagnostic as a JSON object."""
    return {
        "severity": diagnostic.severity,
        "file": diagnostic.file,
        "line": diagnostic.line,
        "column": diagnostic.column,
        "element": diagnostic.element,
        "message": diagnostic.message,
        "hint": diagnostic.hint,
    }
