"""Metadata and documentation, kept as text and never a reason to fail."""

from __future__ import annotations

from pstack_core.graph.document import Element


def documentation(element: Element) -> str:
    """The text of the ``Documentation`` children, stripped."""
    texts = (child.text.strip() for child in element.all("Documentation"))
    return "\n".join(text for text in texts if text)


def metadata(element: Element) -> str:
    """``MetaData`` as written, and v4's ``Metadata`` as ``"key": "value"`` pairs."""
    parts = [child.text.strip() for child in element.all("MetaData")]
    if element.first("Metadata") is None:
        return ", ".join(part for part in parts if part)
    import json

    parts += [
        f"{json.dumps(child.attributes['key'])}: {json.dumps(child.attributes.get('value', ''))}"
        for child in element.all("Metadata")
        if "key" in child.attributes
    ]
    return ", ".join(part for part in parts if part)
