"""The tokenizer: events, places, and what it refuses."""

from __future__ import annotations

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

import pstack_scan
from tests.scan.documents import error_of, feed, scan

DOCUMENT = """\ufeff
<?xml version="1.0" encoding='UTF-8' standalone="yes"?>
<!DOCTYPE Graphs>
<!-- a <comment> & more -->
<p:Graphs xmlns:p='urn:x' a="1&lt;2&#x41;&#66;" b='say "hi"'>
  text &amp; more<![CDATA[ <raw> & ]]]><?target data?>é
  <empty/><empty ></empty >
  <!-- - --><p:DeviceInstances sorted="1"><DevI id="ünï" type="t"/></p:DeviceInstances>
  <EdgeInstances/>
</p:Graphs>
<!-- after --> <?pi?>
""".encode()


def test_events_of_a_document() -> None:
    assert scan([DOCUMENT]) == [
        (
            "start",
            "p:Graphs",
            {"xmlns:p": "urn:x", "a": "1<2AB", "b": 'say "hi"'},
            5,
            1,
        ),
        ("text", "\n  text & more", 5, 62),
        ("text", " <raw> & ]", 6, 27),
        ("text", "é\n  ", 6, 55),
        ("start", "empty", {}, 7, 3),
        ("end", "empty", 7, 3),
        ("start", "empty", {}, 7, 11),
        ("end", "empty", 7, 19),
        ("text", "\n  ", 7, 28),
        ("start", "p:DeviceInstances", {"sorted": "1"}, 8, 13),
        ("start", "DevI", {"id": "ünï", "type": "t"}, 8, 43),
        ("end", "DevI", 8, 43),
        ("end", "p:DeviceInstances", 8, 68),
        ("text", "\n  ", 8, 88),
        ("start", "EdgeInstances", {}, 9, 3),
        ("end", "EdgeInstances", 9, 19),
        ("text", "\n", 9, 19),
        ("end", "p:Graphs", 10, 1),
    ]


@given(st.lists(st.integers(0, len(DOCUMENT)), max_size=12).map(sorted))
def test_pieces_do_not_matter(cuts: list[int]) -> None:
    bounds = [0, *cuts, len(DOCUMENT)]
    pieces = [DOCUMENT[a:b] for a, b in pairwise(bounds)]
    assert scan(pieces) == scan([DOCUMENT])


@pytest.mark.parametrize("mode", ["generic", "skip"])
def test_byte_by_byte(mode: str) -> None:
    assert scan([bytes([byte]) for byte in DOCUMENT], mode) == scan([DOCUMENT], mode)


def test_line_ends_and_white_space_are_normalised() -> None:
    assert scan([b'<a b="1\r\n2\t3\n4&#10;5&#13;">x\r\ny\rz<![CDATA[\r\n]]></a>']) == [
        ("start", "a", {"b": "1 2 3 4\n5\r"}, 1, 1),
        ("text", "x\ny\nz", 3, 15),
        ("text", "\n", 4, 13),
        ("end", "a", 5, 4),
    ]


def test_pause_consumes_exactly_the_start_tag() -> None:
    scanner = pstack_scan.Scanner()
    data = b"<g><x:EdgeInstances a='1'><EdgeI/></x:EdgeInstances>"
    assert scanner.feed(data[:10]) == 10
    assert scanner.feed(data[10:]) == 16
    assert scanner.paused == "EdgeInstances"
    assert scanner.events()[-1] == ("start", "x:EdgeInstances", {"a": "1"}, 1, 4)
    with pytest.raises(RuntimeError, match="paused"):
        scanner.feed(data[26:])
    with pytest.raises(RuntimeError, match="paused"):
        scanner.close()
    scanner.skip()
    assert scanner.paused is None
    assert scanner.feed(data[26:]) == len(data) - 26
    assert scanner.events() == [("end", "x:EdgeInstances", 1, 35)]
    with pytest.raises(RuntimeError, match="not paused"):
        scanner.skip()


def test_sections_within_sections_do_not_pause() -> None:
    scanner = pstack_scan.Scanner()
    scanner.feed(b"<g><DeviceInstances>")
    scanner.generic()
    feed(scanner, b"<EdgeInstances/></DeviceInstances>")
    assert [event[:2] for event in scanner.events()] == [
        ("start", "g"),
        ("start", "DeviceInstances"),
        ("start", "EdgeInstances"),
        ("end", "EdgeInstances"),
        ("end", "DeviceInstances"),
    ]


def test_empty_section() -> None:
    scanner = pstack_scan.Scanner()
    scanner.feed(b"<g><DeviceInstances/>")
    assert scanner.paused == "DeviceInstances"
    scanner.skip()
    assert scanner.feed(b"</g>") == 4
    scanner.close()
    assert [event[:2] for event in scanner.events()] == [
        ("start", "g"),
        ("start", "DeviceInstances"),
        ("end", "DeviceInstances"),
        ("end", "g"),
    ]


def test_encoding_is_told() -> None:
    scanner = pstack_scan.Scanner()
    assert scanner.encoding is None
    scanner.feed(b"\n <?xml version='1.0' encoding='ISO-8859-1'?><a/>")
    assert scanner.encoding == "ISO-8859-1"


@pytest.mark.parametrize(
    ("document", "sentence", "line", "column"),
    [
        ("", "the document has no root element", 1, 1),
        (" \n ", "the document has no root element", 2, 2),
        ("x<a/>", "text before the root element", 1, 1),
        ("<a/>\nx", "text after the root element", 2, 1),
        ("<a/><b/>", "element 'b' stands after the root element", 1, 5),
        ("<a><b></a>", "'</a>' does not match '<b>', opened at line 1 column 4", 1, 7),
        ("<a></a></b>", "'</b>' closes an element that is not open", 1, 8),
        ("<a>\n<b>", "the document ends inside element 'b', opened at line 2 column 1", 2, 4),
        ("<a><b", "the document ends inside the markup that starts here", 1, 4),
        ("<a><!-- x", "the document ends inside the markup that starts here", 1, 4),
        ("<a b='1' b='2'/>", "attribute 'b' is given twice", 1, 10),
        ("<a b=1/>", "the value of attribute 'b' is not in quotes", 1, 6),
        ("<a b/>", "attribute 'b' has no value: expected '='", 1, 5),
        ("<a b='1'c='2'/>", "expected white space or '>' in the tag of element 'a', not 'c'", 1, 9),
        ("<a b='<'/>", "'<' in the value of attribute 'b'", 1, 7),
        ("<a / >", "'/' in the tag of element 'a' is not followed by '>'", 1, 4),
        ("<a></a b>", "expected '>' after '</a'", 1, 8),
        ("<1a/>", "expected the name of an element, not '1'", 1, 2),
        ("<a>&foo;</a>", "entity '&foo;' is not defined", 1, 4),
        ("<a>a & b</a>", "'&' does not start a reference here: write &amp;", 1, 6),
        ("<a>&lt</a>", "'&' does not start a reference here: write &amp;", 1, 4),
        ("<a>&#0;</a>", "'&#0;' is not a character that XML allows", 1, 4),
        ("<a>&#xD800;</a>", "'&#xD800;' is not a character that XML allows", 1, 4),
        ("<a>&#99999999999999;</a>", "is not a character that XML allows", 1, 4),
        ("<a>&#x;</a>", "'&#x;' is not a character", 1, 4),
        ("<a>&#1a;</a>", "malformed character reference", 1, 4),
        ("<a>]]></a>", "']]>' outside a CDATA section", 1, 4),
        (
            "<a><![[CDATA[x]]></a>",
            "malformed CDATA section: it has to start with '<![CDATA['",
            1,
            4,
        ),
        ("<a><!ELEMENT b></a>", "'<!' does not start a comment or a CDATA section here", 1, 4),
        ("<![CDATA[x]]><a/>", "text before the root element", 1, 1),
        ("<a><!-- a -- b --></a>", "'--' inside a comment", 1, 11),
        ("<a><?xml version='1.0'?></a>", "the XML declaration has to come first", 1, 4),
        ("<!-- c --><?xml version='1.0'?><a/>", "the XML declaration has to come first", 1, 11),
        ("<?xml encoding='UTF-8'?><a/>", "malformed XML declaration", 1, 1),
        ("<?xml version='1.0' standalone='maybe'?><a/>", "malformed XML declaration", 1, 1),
        ("<a><?XmL x?></a>", "the name 'XmL' is reserved", 1, 4),
        ("<!DOCTYPE a [<!ENTITY x 'y'>]><a/>", "document type definition is not accepted", 1, 1),
        ("<!DOCTYPE a SYSTEM 'x.dtd'><a/>", "document type definition is not accepted", 1, 1),
        ("<!DOCTYPE a><!DOCTYPE a><a/>", "<!DOCTYPE> is only allowed once", 1, 13),
        ("<a><!DOCTYPE a></a>", "<!DOCTYPE> is only allowed once, before the root", 1, 4),
        ("<a>\x01</a>", "control character 0x01 is not allowed in XML", 1, 4),
        ("<a b='\x00'/>", "control character 0x00 is not allowed in XML", 1, 7),
        ("<a><!-- \x08 --></a>", "control character 0x08", 1, 9),
        ("<a>é\x02</a>", "control character 0x02", 1, 5),
        (b"<a>\xff</a>", "byte 0xff is not part of a character of XML in UTF-8", 1, 4),
        (b"<a>\xc3</a>", "byte 0xc3 is not part of a character", 1, 4),
        (b"<a>\xc0\xaf</a>", "byte 0xc0", 1, 4),
        (b"<a>\xed\xa0\x80</a>", "byte 0xed", 1, 4),
        (b"<a>\xef\xbf\xbf</a>", "byte 0xef", 1, 4),
        (b"<a>\xf4\x90\x80\x80</a>", "byte 0xf4", 1, 4),
        (b"<\xc3\x97/>", "expected the name of an element", 1, 2),
        (b"\xff\xfe<\x00a\x00/\x00>\x00", "it looks like UTF-16", 1, 1),
        (
            b"<?xml version='1.0' encoding='latin-1'?><a>\xe9</a>",
            "byte 0xe9 is not UTF-8 (the document declares latin-1)",
            1,
            44,
        ),
        ("<a>" * 257, "elements are nested more than 256 deep", 1, 769),
        (f"<{'n' * 70000}/>", "the name of an element is longer than 64 KiB", 1, 2),
        (
            f"<a {' '.join(f'a{i}=<>' for i in range(300))}/>".replace("<>", "''"),
            "an element has more than 256 attributes",
            1,
            None,
        ),
    ],
)
def test_ill_formed(document: str | bytes, sentence: str, line: int, column: int | None) -> None:
    message, at_line, at_column = error_of(document)
    assert sentence in message
    assert at_line == line
    assert column is None or at_column == column
    data = document.encode() if isinstance(document, str) else document
    if len(data) < 2000:
        assert scan([bytes([byte]) for byte in data]) == scan([data])


def test_an_error_is_repeated() -> None:
    scanner = pstack_scan.Scanner()
    for _ in range(2):
        with pytest.raises(pstack_scan.XMLError, match="line 1 column 4: '</b>' does not match"):
            scanner.feed(b"<a></b>")
    with pytest.raises(pstack_scan.XMLError, match="does not match"):
        scanner.close()


def test_a_token_has_a_size_limit() -> None:
    piece = b"x" * (9 << 20)
    for start in (b"<a>", b"<a b='", b"<a><!--", b"<a><![CDATA[", b"<a><?x "):
        scanner = pstack_scan.Scanner()
        scanner.feed(start)
        for _ in range(7):
            scanner.feed(piece)
        with pytest.raises(pstack_scan.XMLError, match="is longer than 64 MiB"):
            scanner.feed(piece)


@given(st.data())
def test_any_bytes_are_told_or_refused_alike_in_any_pieces(data: st.DataObject) -> None:
    alphabet = [
        *(bytes([c]) for c in b"<>/!?-[]&;#x=\"' \r\nab:"),
        b"<a>",
        b"</a>",
        b"<!--",
        b"-->",
    ]
    alphabet += [b"<![CDATA[", b"]]>", "é".encode(), b"\xc3", b"\x00", b"&amp;", b"<?x ", b"?>"]
    tokens = data.draw(st.lists(st.sampled_from(alphabet), max_size=25))
    document = b"<a>" * data.draw(st.booleans()) + b"".join(tokens)
    cuts = sorted(data.draw(st.lists(st.integers(0, len(document)), max_size=8)))
    bounds = [0, *cuts, len(document)]
    pieces = [document[a:b] for a, b in pairwise(bounds)]
    assert scan(pieces) == scan([document])
