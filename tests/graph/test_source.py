"""Sources: paths, bytes, text and streams, compressed or in other encodings."""

from __future__ import annotations

import gzip
import io
import os
import threading
import zlib
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pstack_core.graph import source as module
from pstack_core.graph.diagnostics import ApplicationError
from pstack_core.graph.source import Source

TEXT = "<Graphs>\u00e4\n</Graphs>"


def content(source: object) -> bytes:
    with Source(source) as opened:  # type: ignore[arg-type]
        first = b"".join(opened.chunks())
        assert b"".join(opened.chunks()) == first, "a source can be read again"
    return first


def sentence(source: object) -> str:
    with pytest.raises(ApplicationError) as caught, Source(source) as opened:  # type: ignore[arg-type]
        list(opened.chunks())
    assert len(caught.value.diagnostics) == 1
    return str(caught.value)


def test_every_kind_of_source_gives_the_same_bytes(tmp_path: Path) -> None:
    path = tmp_path / "a.xml"
    path.write_text(TEXT, "utf-8")
    packed = tmp_path / "a.bin"  # compressed data are known by content
    packed.write_bytes(gzip.compress(TEXT.encode()))
    expected = TEXT.encode()
    assert content(path) == expected
    assert content(str(path)) == expected
    assert content(packed) == expected
    assert content(TEXT) == expected
    assert content("  \n" + TEXT).strip() == expected
    assert content(TEXT.encode()) == expected
    assert content(memoryview(TEXT.encode())) == expected
    assert content(io.BytesIO(expected)) == expected
    assert content(io.StringIO(TEXT)) == expected
    assert content(io.BytesIO(gzip.compress(expected))) == expected


def test_a_file_object_gives_its_name_and_folder(tmp_path: Path) -> None:
    path = tmp_path / "named.xml"
    path.write_text("<a/>")
    with path.open("rb") as stream, Source(stream) as source:
        assert source.file == str(path)
        assert source.folder == tmp_path
        assert not stream.closed


@pytest.mark.parametrize(
    "encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-16-le", "utf-16-be", "utf-32", "latin-1"]
)
def test_encodings_become_utf8(encoding: str) -> None:
    declared = "" if encoding.startswith("utf") else f' encoding="{encoding}"'
    data = f'<?xml version="1.0"{declared}?><a>\u00e4</a>'.encode(encoding)
    assert content(data).strip() == "<a>\u00e4</a>".encode()


def test_a_declaration_after_blank_lines_keeps_line_numbers() -> None:
    data = content("\n\n<?xml version='1.0'\n encoding='UTF-8'?>\n<a/>")
    assert data.split() == [b"<a/>"]
    assert data[: data.index(b"<")].count(b"\n") == 4


def test_text_ignores_the_encoding_it_declares() -> None:
    text = '<?xml version="1.0" encoding="utf-16"?><a>\u00e4</a>'
    assert content(text).strip() == "<a>\u00e4</a>".encode()


def test_members_of_gzip_follow_each_other_and_padding_is_no_data() -> None:
    data = gzip.compress(b"<a>") + gzip.compress(b"</a>") + b"\0" * 512
    assert content(data) == b"<a></a>"


@given(st.binary(min_size=1, max_size=300), st.integers(1, 64))
def test_any_compressed_bytes_come_back(data: bytes, chunk: int) -> None:
    data = b"<" + data.replace(b"?", b"!")
    original = module.CHUNK
    module.CHUNK = chunk
    try:
        assert content(gzip.compress(data)) == content(io.BytesIO(data)) == data
    finally:
        module.CHUNK = original


@given(st.integers(1, 60))
def test_truncated_gzip_is_refused(cut: int) -> None:
    data = gzip.compress(b"<Graphs>" + bytes(range(256)) + b"</Graphs>")
    assert "the gzip data end early" in sentence(data[: -min(cut, len(data) - 3)])


def test_damaged_gzip_is_refused() -> None:
    data = bytearray(gzip.compress(b"<Graphs>" * 100))
    data[-6] ^= 0xFF
    assert "the gzip data are damaged" in sentence(bytes(data))


def test_expansion_bombs_are_refused_early(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "FREE_EXPANSION", 1 << 20)
    monkeypatch.setattr(module, "CHUNK", 1 << 16)
    packer = zlib.compressobj(9, wbits=31)
    data = b"".join(packer.compress(b"<a>" + b" " * (1 << 20)) for _ in range(64))
    data += packer.flush()
    with Source(data) as source:
        pieces = source.chunks()
        free = sum(len(next(pieces)) for _ in range(16))
        with pytest.raises(ApplicationError, match="the gzip data expand more than 200 times"):
            list(pieces)
    assert free <= 2 << 20


def test_a_stream_larger_than_memory_goes_to_a_file(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "SPOOL", 1000)
    data = b"<a>" + b"x" * 5000 + b"</a>"
    assert content(io.BytesIO(data)) == data


def test_a_pipe_is_read_once_and_given_twice(tmp_path: Path) -> None:
    path = tmp_path / "pipe"
    os.mkfifo(path)
    writer = threading.Thread(target=path.write_text, args=(TEXT, "utf-8"))
    writer.start()
    try:
        assert content(path) == TEXT.encode()
    finally:
        writer.join()


def test_an_endless_stream_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "MAX_STREAM", 1 << 24)
    assert "the stream is longer than 16 MB" in sentence(Path("/dev/zero"))


def test_a_text_stream_of_another_encoding_is_refused() -> None:
    stream = io.TextIOWrapper(io.BytesIO(b"<a>\xff</a>"), "utf-8")
    assert "cannot read the file: invalid start byte" in sentence(stream)


def test_sentences(tmp_path: Path) -> None:
    missing = tmp_path / "none.xml"
    assert sentence(missing) == (
        f"{missing}: error: cannot read the file: No such file or directory; check its path"
    )
    assert "cannot read the file: Is a directory" in sentence(tmp_path)
    assert "cannot read the file" in sentence("a\0b")
    assert "the file is empty" in sentence(b"")
    assert "the file is empty" in sentence(b" \n\t ")
    assert "the encoding 'klingon' is not known" in sentence(
        b"<?xml version='1.0' encoding='klingon'?><a/>"
    )
    assert "the encoding 'base64' is not known" in sentence(
        b"<?xml version='1.0' encoding='base64'?><a/>"
    )
    assert "the text is not valid utf-16-le" in sentence(b"\xff\xfe<\0a\0\x00\xd8")
