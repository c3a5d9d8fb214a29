"""What is wrong with an application, where, and what to do about it."""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass
from itertools import islice
from typing import NamedTuple

#: Errors, and warnings, kept of one application; the rest are counted.
MAX_KEPT = 500


@dataclass(frozen=True)
class Diagnostic:
    """One problem.  ``line`` and ``column`` count from 1; 0 where there is no place."""

    severity: str  # "error" or "warning"
    file: str
    line: int
    column: int
    element: str
    message: str
    hint: str = ""

    @property
    def place(self) -> str:
        if not self.line:
            return self.file
        return f"{self.file}:{self.line}:{self.column}"

    def __str__(self) -> str:
        sentence = f"{self.place}: {self.severity}: {self.message}"
        if self.element:
            sentence += f" (in <{self.element}>)"
        return f"{sentence}; {self.hint}" if self.hint else sentence


class ApplicationError(Exception):
    """The application cannot be used.  ``diagnostics`` holds every problem found."""

    def __init__(self, diagnostics: Sequence[Diagnostic]) -> None:
        self.diagnostics = list(diagnostics)
        super().__init__("\n".join(str(d) for d in self.diagnostics if d.severity == "error"))


class Place(NamedTuple):
    """Where a problem is."""

    file: str
    line: int = 0
    column: int = 0
    element: str = ""


class Problems:
    """Collects diagnostics; warnings also go to ``warn`` as they are found."""

    def __init__(
        self, strict: bool = False, warn: Callable[[Diagnostic], None] | None = None
    ) -> None:
        self.strict = strict
        self.found: list[Diagnostic] = []
        self.errors = 0
        self.warnings = 0
        self._warn = warn
        self._seen: set[Diagnostic] = set()

    def report(self, severity: str, place: Place, message: str, hint: str = "") -> None:
        diagnostic = Diagnostic(
            severity, place.file, place.line, place.column, place.element, message, hint
        )
        if diagnostic in self._seen:
            return  # the same text is read once per pass
        if severity == "error":
            self.errors += 1
            count = self.errors
        else:
            self.warnings += 1
            count = self.warnings
        if count > MAX_KEPT:
            return
        self._seen.add(diagnostic)
        self.found.append(diagnostic)
        if severity == "warning" and self._warn is not None:
            self._warn(diagnostic)

    def error(self, place: Place, message: str, hint: str = "") -> None:
        self.report("error", place, message, hint)

    def warning(self, place: Place, message: str, hint: str = "") -> None:
        self.report("warning", place, message, hint)

    def lax(self, place: Place, message: str, hint: str = "") -> None:
        """An error where the application must keep the format's rules, else a warning."""
        self.report("error" if self.strict else "warning", place, message, hint)

    def raise_errors(self) -> None:
        """Raise :class:`ApplicationError` where an error was found."""
        if self.errors:
            raise ApplicationError(self.found)


def listed(names: Collection[str]) -> str:
    """The first names for a sentence, and how many more there are."""
    shown = ", ".join(name[:60] for name in islice(names, 20)) or "none"
    return f"{shown} and {len(names) - 20} more" if len(names) > 20 else shown


def fail(place: Place, message: str, hint: str = "") -> ApplicationError:
    """The exception for one error that ends the reading of a file."""
    diagnostic = Diagnostic(
        "error", place.file, place.line, place.column, place.element, message, hint
    )
    return ApplicationError([diagnostic])
