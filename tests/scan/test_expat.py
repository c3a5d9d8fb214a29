"""Expat as the oracle: mutated documents are accepted by both or by neither, with equal events.

The deliberate differences, which the mutations do not reach or ``expected`` accounts for:

- white space before the XML declaration is tolerated;
- a DOCTYPE with an internal or external subset is refused;
- names follow the fifth edition of XML 1.0, where expat has the tables of the fourth;
- encodings other than UTF-8 are not decoded, and versions other than 1.x are refused;
- depth, the number of attributes, names and tokens are limited.
"""

from __future__ import annotations

import os
import random
import re
import time
from typing import Any
from xml.parsers import expat

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.scan.documents import scan

SEEDS = [
    b"""<?xml version="1.0" encoding="UTF-8"?>
<!DOCTYPE Graphs>
<Graphs xmlns="urn:x"><!-- c --><GraphType id="a&amp;b">text &lt; <![CDATA[<raw> & ]]]]>more
<?pi data?></GraphType>
</Graphs>""",
    b"""<g><DeviceInstances><DevI id='n0' type='t'><P>"a":1</P></DevI>\r
</DeviceInstances><EdgeInstances><EdgeI path='a:b-c:d'/></EdgeInstances></g>""",
    "<r a='\u00e9\u4e2d\U0001f600' b=\"&#65;&#x1F600;\">\u00e9]]&gt;\t&#13;\r\r\n</r>".encode(),
    b"<?xml version='1.0'?><a><b/><b  c = 'd' /></a><!-- e --> <?f?>",
]
PIECES = [
    *(bytes([c]) for c in b"<>/!?-[]&;#x=\"' \t\r\nab:1."),
    b"<a>", b"</a>", b"<!--", b"-->", b"--", b"<![CDATA[", b"]]>", b"&amp;", b"&#10;", b"&#0;",
    b"<?x ", b"?>", b"\xc3", b"\xa9", b"\x00", b"\x0b", b"\x7f", b"\xef\xbf\xbe",
    b"\xed\xa0\x80", b"<!DOCTYPE a>", b"<?xml version='1.0'?>", b" standalone='yes'",
    b"<DeviceInstances>", b"<EdgeInstances/>",
]  # fmt: skip


def mutate(generator: random.Random) -> bytes:
    document = bytearray(generator.choice(SEEDS))
    for _ in range(generator.choice((0, 1, 1, 2, 3, 6))):
        at = generator.randrange(len(document) + 1)
        end = min(len(document), at + generator.choice((0, 0, 1, 1, 2, 8, 40)))
        if generator.random() < 0.3:
            source = generator.choice(SEEDS)
            begin = generator.randrange(len(source))
            document[at:end] = source[begin : begin + generator.randrange(12)]
        else:
            document[at:end] = generator.choice(PIECES) * generator.choice((0, 1, 1, 1, 2))
    return b"\xef\xbb\xbf" * (generator.random() < 0.05) + bytes(document)


def by_expat(document: bytes) -> list[Any] | None:
    """Start, end and text events; None for a document that is not well formed."""
    events: list[Any] = []
    parser = expat.ParserCreate("UTF-8")
    parser.StartElementHandler = lambda name, attributes: events.append((name, attributes))
    parser.EndElementHandler = lambda name: events.append(("/", name))
    parser.CharacterDataHandler = lambda text: events.append(text)
    try:
        parser.Parse(document, True)
    except expat.ExpatError:
        return None
    return events


def by_scanner(pieces: list[bytes]) -> list[Any] | None:
    events: list[Any] = []
    for event in scan(pieces):
        if event[0] == "error":
            return None
        if event[0] == "start":
            events.append((event[1], event[2]))
        else:
            events.append(event[1] if event[0] == "text" else ("/", event[1]))
    return events


def joined(events: list[Any] | None) -> list[Any] | None:
    """With runs of text in one piece."""
    if events is None:
        return None
    result: list[Any] = []
    for event in events:
        if isinstance(event, str) and result and isinstance(result[-1], str):
            result[-1] += event
        else:
            result.append(event)
    return result


def has_newer_name(document: bytes, events: list[Any]) -> bool:
    """Whether a name has a character beyond the tables of the fourth edition."""
    starts = [event for event in events if isinstance(event, tuple) and event[0] != "/"]
    names = [name for start in starts for name in (start[0], *start[1])]
    return any(max(name) > "\uffff" for name in names) or bool(
        re.search(rb"(<\?|<!DOCTYPE\s+)[^\s?>]*\xf0", document)
    )


def refused_by_design(document: bytes) -> bool:
    version = re.search(rb"<\?xml\s+version\s*=\s*['\"]([^'\"]*)", document)
    if version and not re.fullmatch(rb"1\.[0-9]{1,6}", version[1]):
        return True
    at = document.find(b"<!DOCTYPE")
    if at < 0:
        return False
    rest = document[at + 9 :].split(b">", 1)[0]
    return len(rest.split()) != 1 or b"[" in rest


def accepted_by_design(document: bytes) -> bool:
    stripped = document.removeprefix(b"\xef\xbb\xbf")
    return stripped.lstrip().startswith(b"<?xml") and stripped[:1] in b" \t\r\n"


def compare(document: bytes, cut: int) -> None:
    theirs = by_expat(document)
    ours = by_scanner([document[:cut], document[cut:]])
    if ours is None and refused_by_design(document):
        return
    if theirs is None and ours is not None and has_newer_name(document, ours):
        return
    if theirs is None and accepted_by_design(document):
        theirs = by_expat(document.removeprefix(b"\xef\xbb\xbf").lstrip())
    assert joined(ours) == joined(theirs), document


@given(st.integers(0, 2**32))
def test_agrees_with_expat(seed: int) -> None:
    generator = random.Random(seed)
    for _ in range(20):
        document = mutate(generator)
        compare(document, generator.randrange(len(document) + 1))


@pytest.mark.slow
@pytest.mark.timeout(0)
def test_agrees_with_expat_for_long() -> None:
    seconds = float(os.environ.get("PSTACK_FUZZ_SECONDS", "120"))
    seed = int(os.environ.get("PSTACK_FUZZ_SEED", "1"))
    generator = random.Random(seed)
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        document = mutate(generator)
        compare(document, generator.randrange(len(document) + 1))
