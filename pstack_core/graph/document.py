"""A small element tree for the part of a file that describes the graph type.

Device and edge instances never become elements.  The tree is bounded in size
and depth, and each element and text knows its line and column.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import Any

from pstack_core.graph.diagnostics import Place, fail
from pstack_core.graph.model import Code

#: Bytes of text, names and attributes that one tree may hold.
MAX_TEXT = 64 << 20
#: What an element counts beside its text.
ELEMENT_COST = 256
MAX_DEPTH = 200


@dataclass(eq=False)
class Element:
    """An element.  ``name`` and attribute names are without prefix; ``namespace`` resolved."""

    name: str
    namespace: str
    attributes: dict[str, str]
    file: str
    line: int
    column: int
    children: list[Element] = field(default_factory=list)
    texts: list[tuple[str, int, int]] = field(default_factory=list)

    @property
    def place(self) -> Place:
        return Place(self.file, self.line, self.column, self.name)

    @property
    def text(self) -> str:
        """All text of the element itself, CDATA included, comments left out."""
        return "".join(text for text, _, _ in self.texts)

    def all(self, *names: str) -> Iterator[Element]:
        return (child for child in self.children if child.name in names)

    def first(self, *names: str) -> Element | None:
        return next(self.all(*names), None)

    def source(self) -> Code:
        """The text as one piece whose lines are those of the file.

        Leading blank text is dropped; where a comment stood between two texts,
        newlines keep the second on its own line.
        """
        pieces: list[str] = []
        begin = end = 0
        for text, line, _ in self.texts:
            if not pieces:
                if not text.strip():
                    continue
                begin = end = line
            if line > end:
                pieces.append("\n" * (line - end))
                end = line
            pieces.append(text)
            end += text.count("\n")
        return Code("".join(pieces), self.file, begin or self.line)

    def code(self) -> Code | None:
        """Like :meth:`source`; ``None`` where there is nothing but blanks."""
        code = self.source()
        return code if code.text.strip() else None


class TreeBuilder:
    """Makes elements of the scanner's generic events."""

    def __init__(self, file: str) -> None:
        self.file = file
        self.root: Element | None = None
        self.open: list[Element] = []
        self._namespaces: list[dict[str, str]] = [
            {"": "", "xml": "http://www.w3.org/XML/1998/namespace"}
        ]
        self._size = 0

    def start(self, name: str, attributes: dict[str, str], line: int, column: int) -> Element:
        """Begin an element; it becomes a child of the one that is open."""
        scope = self._namespaces[-1]
        plain = attributes
        if any(":" in key or key == "xmlns" for key in attributes):
            scope = dict(scope)
            plain = {}
            for key, value in attributes.items():
                if key == "xmlns":
                    scope[""] = value
                elif key.startswith("xmlns:"):
                    scope[key[6:]] = value
                elif ":" not in key:
                    plain[key] = value
        prefix, _, local = name.rpartition(":")
        if prefix not in scope:
            raise fail(
                Place(self.file, line, column, name),
                f"the name space prefix '{prefix}' is not declared",
                f"add xmlns:{prefix}=... to the root element",
            )
        element = Element(local, scope[prefix], plain, self.file, line, column)
        self._count(ELEMENT_COST + sum(len(k) + len(v) for k, v in plain.items()), element)
        if len(self.open) >= MAX_DEPTH:
            raise fail(
                element.place,
                f"elements are nested more than {MAX_DEPTH} deep",
                "this is not a POETS graph",
            )
        if self.open:
            self.open[-1].children.append(element)
        else:
            self.root = element
        self.open.append(element)
        self._namespaces.append(scope)
        return element

    def text(self, text: str, line: int, column: int) -> None:
        if self.open:
            self._count(len(text), self.open[-1])
            self.open[-1].texts.append((text, line, column))

    def end(self) -> Element:
        """End the element that is open and return it."""
        self._namespaces.pop()
        return self.open.pop()

    def feed(self, events: Iterable[tuple[Any, ...]]) -> Iterator[tuple[str, Element]]:
        """Apply events and yield ``("start" | "end", element)`` in order."""
        for event in events:
            if event[0] == "text":
                self.text(event[1], event[2], event[3])
            elif event[0] == "start":
                yield "start", self.start(event[1], event[2], event[3], event[4])
            else:
                yield "end", self.end()

    def forget(self, element: Element) -> None:
        """Drop what an element holds once it has been read."""
        element.children.clear()
        element.texts.clear()

    def release(self, element: Element) -> None:
        """Take an element that is kept elsewhere out of the bound on the tree's size."""
        self._size -= ELEMENT_COST + sum(len(text) for text, _, _ in element.texts)

    def _count(self, size: int, element: Element) -> None:
        self._size += size
        if self._size > MAX_TEXT:
            raise fail(
                element.place,
                f"the graph type is larger than {MAX_TEXT >> 20} MB",
                "only DeviceInstances and EdgeInstances may be larger",
            )
