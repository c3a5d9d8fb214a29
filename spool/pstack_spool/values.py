"""What SQLite can keep."""

from __future__ import annotations


def storable(text: str) -> str:
    """Text without lone surrogates, which names of files may have and UTF-8 has not."""
    if text.isascii():
        return text
    return text.encode("utf-8", "replace").decode("utf-8")
