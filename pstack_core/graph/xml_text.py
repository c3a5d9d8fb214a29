"""Text as XML: escapes, CDATA sections and characters that XML cannot hold."""

from __future__ import annotations

import re

from pstack_core.graph.diagnostics import Place, fail

_FORBIDDEN = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
_PLAIN = re.compile(r"[A-Za-z0-9_ .,:;/{}()\[\]+*=-]*", re.ASCII)

# Readers fold line ends and, in attributes, white space; references survive.
_TEXT = {"&": "&amp;", "<": "&lt;", ">": "&gt;", "\r": "&#13;"}
_ATTRIBUTE = _TEXT | {'"': "&quot;", "\t": "&#9;", "\n": "&#10;"}
_TEXT_TABLE = str.maketrans(_TEXT)
_ATTRIBUTE_TABLE = str.maketrans(_ATTRIBUTE)


def check_characters(text: str, what: str) -> None:
    """Refuse text with characters that no XML file can hold."""
    found = _FORBIDDEN.search(text)
    if found:
        raise fail(
            Place(what),
            f"the character U+{ord(found[0]):04X} cannot be written to XML",
            "remove it",
        )


def attribute(text: str) -> str:
    """An attribute's value, without the quotes around it."""
    return text if _PLAIN.fullmatch(text) else text.translate(_ATTRIBUTE_TABLE)


def escaped(text: str) -> str:
    """Text content."""
    return text.translate(_TEXT_TABLE)


def cdata(text: str, what: str) -> str:
    """Source text, readable: a CDATA section, split where ``]]>`` or a bare CR demands it."""
    check_characters(text, what)
    if not text:
        return ""
    inner = text.replace("]]>", "]]]]><![CDATA[>").replace("\r", "]]>&#13;<![CDATA[")
    return f"<![CDATA[{inner}]]>"
