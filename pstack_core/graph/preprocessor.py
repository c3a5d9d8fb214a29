"""A preprocessor for struct text: conditionals and object-like macros, lines kept."""

from __future__ import annotations

import re

from pstack_core.graph.constants import Evaluator, tokenize

#: Macro name to replacement; ``None`` for a macro with parameters.
Macros = dict[str, str | None]

_MAX_MACROS = 10_000
# Texts that do not end are taken to their line's end, so that each is looked at once.
_COMMENT = re.compile(
    r"//[^\n]*+|/\*.*?(?:\*/|\Z)|\"(?:[^\"\\\n]|\\.)*+\"?|'(?:[^'\\\n]|\\.)*+'?", re.DOTALL
)
_DEFINE = re.compile(r"([A-Za-z_]\w*)(\()?(.*)", re.DOTALL | re.ASCII)


def _blank(match: re.Match[str]) -> str:
    text = match[0]
    if text.startswith("/"):
        return " " + "\n" * text.count("\n")
    return text


def strip_comments(text: str) -> str:
    """Comments become blanks; line numbers stay."""
    return _COMMENT.sub(_blank, text)


def preprocess(text: str, macros: Macros) -> str:
    """The active lines of ``text``, the others blank; ``macros`` is read and extended.

    A condition that cannot be evaluated is false.  Includes and pragmas are dropped.
    """
    if "#" not in text:
        return text
    out: list[str] = []
    taken: list[tuple[bool, bool]] = []  # (this branch is active, some branch was)
    active = True
    lines = strip_comments(text).split("\n")
    at = 0
    while at < len(lines):
        line, first = lines[at], at
        at += 1
        if not line.lstrip().startswith("#"):
            out.append(line if active else "")
            continue
        parts = [line]
        while parts[-1].rstrip().endswith("\\") and at < len(lines):
            parts[-1] = parts[-1].rstrip()[:-1]
            parts.append(lines[at])
            at += 1
        line = " ".join(parts)
        out.extend([""] * (at - first))
        word, _, rest = line.lstrip()[1:].strip().partition(" ")
        word, rest = _directive(word, rest)
        if word in ("ifdef", "ifndef", "if"):
            yes = active and _condition(word, rest, macros)
            taken.append((active, yes))
            active = yes
        elif word in ("else", "elif") and taken:
            outer, done = taken[-1]
            yes = outer and not done and (word == "else" or _condition("if", rest, macros))
            taken[-1] = (outer, done or yes)
            active = yes
        elif word == "endif" and taken:
            active, _ = taken.pop()
        elif active:
            _define(word, rest, macros)
    return "\n".join(out)


def definitions(text: str) -> str:
    """The directives of a text that defines macros, on their own lines; '' of any other.

    Where the text is C++ pasted before the handlers, its macros hold in them too.
    """
    if "define" not in text or "#" not in text:
        return ""
    kept: list[str] = []
    continued = False
    for line in strip_comments(text).split("\n"):
        continued = continued or line.lstrip().startswith("#")
        kept.append(line if continued else "")
        continued = continued and line.rstrip().endswith("\\")
    return "\n".join(kept)


def _directive(word: str, rest: str) -> tuple[str, str]:
    match = re.match(r"[a-z]*", word)
    name = match[0] if match else ""
    return name, (word[len(name) :] + " " + rest).strip()


def _define(word: str, rest: str, macros: Macros) -> None:
    match = _DEFINE.match(rest)
    if match is None:
        return
    if word == "undef":
        macros.pop(match[1], None)
    elif word == "define" and len(macros) < _MAX_MACROS:
        macros[match[1]] = None if match[2] else match[3].strip()


def _condition(word: str, rest: str, macros: Macros) -> bool:
    name = rest.split()[0] if rest.split() else ""
    if word == "ifdef":
        return name in macros
    if word == "ifndef":
        return name not in macros
    try:
        return bool(Evaluator(tokenize(rest), macros, preprocessing=True).whole())
    except ValueError:
        return False
