"""Diagnostics of an application, for people and for programs."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any, Self

from pstack_core.shell.context import RED, YELLOW, Context

if TYPE_CHECKING:
    from pstack_core.graph.diagnostics import Diagnostic

#: Warnings that a run shows; ``pstack check`` shows all.
MOST_WARNINGS = 20


def label_of(diagnostic: Diagnostic) -> tuple[str, str]:
    """The word that says how bad it is, and its colour."""
    return f"{diagnostic.severity}:", RED if diagnostic.severity == "error" else YELLOW


def show(context: Context, diagnostics: Iterable[Diagnostic]) -> None:
    """Print diagnostics on standard error, and the number of errors."""
    errors = 0
    for diagnostic in diagnostics:
        errors += diagnostic.severity == "error"
        context.note(str(diagnostic), *label_of(diagnostic))
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
            self.context.note(str(diagnostic), *label_of(diagnostic))

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
