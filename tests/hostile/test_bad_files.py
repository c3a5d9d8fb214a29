"""Bad files of every kind, through the command line: a sentence, status 3, bounded resources."""

from __future__ import annotations

import gzip
import resource
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import pytest

EXAMPLES = Path(__file__).parents[2] / "docs" / "examples"
MEMORY = 1_500_000_000
SECONDS = 60

TYPE = """<Graphs xmlns="https://poets-project.org/schemas/virtual-graph-schema-v3">
<GraphType id="g">
 <Properties><Scalar name="laps" type="uint8_t"/></Properties>
 <MessageTypes><MessageType id="m"><Message><Scalar name="v" type="uint32_t"/></Message>
  </MessageType><MessageType id="other"/></MessageTypes>
 <DeviceTypes><DeviceType id="d">
  <Properties><Scalar name="id" type="uint8_t"/><Array name="a" type="int16_t" length="3"/>
  </Properties>
  <State><Scalar name="x" type="float"/></State>
  <InputPin name="in" messageTypeId="m"><Properties><Scalar name="w" type="uint32_t"/></Properties>
   <OnReceive/></InputPin>
  <InputPin name="odd" messageTypeId="other"><OnReceive/></InputPin>
  <OutputPin name="out" messageTypeId="m"><OnSend/></OutputPin>
  <ReadyToSend/>
 </DeviceType></DeviceTypes>
</GraphType>
<GraphInstance id="i" graphTypeId="g">
"""
END = "</GraphInstance></Graphs>\n"


def application(devices: str = "", edges: str = "") -> str:
    return (
        f"{TYPE}<DeviceInstances>{devices}</DeviceInstances>\n"
        f"<EdgeInstances>{edges}</EdgeInstances>{END}"
    )


TWO = '<DevI id="n0" type="d"/>\n<DevI id="n1" type="d"/>'


@dataclass
class Answer:
    status: int
    out: str
    err: str


def pstack(*arguments: str | Path, stdin: bytes | None = None) -> Answer:
    """Run the command line with bounded memory and time."""

    def limit() -> None:
        resource.setrlimit(resource.RLIMIT_AS, (MEMORY, MEMORY))

    done = subprocess.run(
        [sys.executable, "-m", "pstack_core", *map(str, arguments)],
        capture_output=True,
        input=stdin,
        timeout=SECONDS,
        check=False,
        preexec_fn=limit,
        env={"PATH": "/usr/bin:/bin", "OPENBLAS_NUM_THREADS": "1", "HOME": "/tmp"},
    )
    return Answer(
        done.returncode,
        done.stdout.decode("utf-8", "replace"),
        done.stderr.decode("utf-8", "replace"),
    )


def refused(path: Path, *words: str, command: str = "check") -> str:
    """The sentence with which a file is refused; it holds all the words."""
    answer = pstack(command, path)
    text = answer.out + answer.err
    assert answer.status == 3, text[-2000:]
    assert "Traceback" not in text
    assert len(text) < 30_000
    for word in words:
        assert word in text
    return text


def write(folder: Path, content: str | bytes, name: str = "app.xml") -> Path:
    path = folder / name
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    return path


CASES = {
    "unknown device type": (
        application('<DevI id="n0" type="cell"/>'),
        ["app.xml:18:", "'cell'", "n0"],
    ),
    "duplicate device": (
        application('<DevI id="n0" type="d"/>\n<DevI id="n0" type="d"/>'),
        ["app.xml:19:", "'n0'", "twice", "line 18"],
    ),
    "dangling edge": (
        application(TWO, '<EdgeI path="n7:in-n0:out"/>'),
        ["app.xml:20:", "'n7'"],
    ),
    "unknown pin": (application(TWO, '<EdgeI path="n1:into-n0:out"/>'), ["'into'", "'in', 'odd'"]),
    "reversed path": (application(TWO, '<EdgeI path="n0:out-n1:in"/>'), ["app.xml:20:"]),
    "message types differ": (application(TWO, '<EdgeI path="n1:odd-n0:out"/>'), ["other"]),
    "malformed path": (application(TWO, '<EdgeI path="n1-n0"/>'), ["app.xml:20:", "path"]),
    "duplicate edge": (
        application(TWO, '<EdgeI path="n1:in-n0:out"/><EdgeI path="n1:in-n0:out"/>'),
        ["app.xml:20:"],
    ),
    "bad JSON": (application('<DevI id="n0" type="d"><P>"id":{</P></DevI>'), ["app.xml:18:", "n0"]),
    "out of range": (
        application('<DevI id="n0" type="d"><P>"id":300</P></DevI>'),
        ["app.xml:18:", "300", "uint8_t"],
    ),
    "array too long": (
        application('<DevI id="n0" type="d"><P>"a":[1,2,3,4]</P></DevI>'),
        ["app.xml:18:", "n0"],
    ),
    "edge property of the wrong kind": (
        application(TWO, '<EdgeI path="n1:in-n0:out"><P>"w":"five"</P></EdgeI>'),
        ["app.xml:20:", "w"],
    ),
    "two P": (
        application('<DevI id="n0" type="d"><P>"id":1</P><P>"id":2</P></DevI>'),
        ["app.xml:18:", "P"],
    ),
    "unknown graph type": (application().replace('graphTypeId="g"', 'graphTypeId="h"').replace(
        '<GraphType id="g">',
        '<GraphType id="x"><Properties/><MessageTypes/><DeviceTypes/></GraphType>'
        '<GraphType id="g">'), ["'h'"]),
    "truncated": (application(TWO)[:-30], ["app.xml:"]),
    "mismatched tags": (
        application(TWO).replace("</DeviceTypes>", "</DeviceType>", 1), ["app.xml:"]
    ),
    "not XML": ("once upon a time", ["app.xml:1:1"]),
    "empty": ("", ["app.xml"]),
    "only a root": ("<Graphs/>", ["app.xml"]),
    "an unknown root": ("<html><body/></html>", ["html"]),
    "an entity of its own": (
        '<!DOCTYPE Graphs [<!ENTITY a "aaaa">]>' + application(), ["app.xml:1:"]),
    "an external entity": (
        '<!DOCTYPE Graphs [<!ENTITY a SYSTEM "file:///etc/passwd">]>'
        + application().replace('id="i"', 'id="&a;"'), ["app.xml:1:"]),
    "33 output pins": (
        application().replace('<ReadyToSend/>', "".join(
            f'<OutputPin name="p{i}" messageTypeId="m"><OnSend/></OutputPin>' for i in range(33)
        ) + "<ReadyToSend/>"), ["32"]),
    "an array of no length": (application().replace('length="3"', 'length="0"'), ["length"]),
    "an array of absurd length": (
        application(TWO).replace('length="3"', 'length="4000000000"'), ["shorter"]),
    "a type that is none": (application().replace('type="int16_t"', 'type="int17_t"'), ["int17_t"]),
    "a member that is no identifier": (application().replace('name="a"', 'name="a b"'), ["a b"]),
}  # fmt: skip


@pytest.mark.parametrize("case", CASES)
def test_bad_application(case: str, tmp_path: Path) -> None:
    text, words = CASES[case]
    refused(write(tmp_path, text), *words)


def test_every_error_is_listed_at_once(tmp_path: Path) -> None:
    bad = application(
        '<DevI id="n0" type="d"/>\n<DevI id="n0" type="d"/>\n<DevI id="n1" type="x"/>',
        '<EdgeI path="n0:in-n9:out"/>\n<EdgeI path="nonsense"/>',
    )
    text = refused(write(tmp_path, bad))
    for line in (19, 20, 21, 22):
        assert f"app.xml:{line}:" in text


def test_run_refuses_what_check_refuses(tmp_path: Path) -> None:
    refused(write(tmp_path, CASES["out of range"][0]), "300", command="run")


def test_entity_bomb(tmp_path: Path) -> None:
    levels = "".join(f'<!ENTITY e{i} "{f"&e{i - 1};" * 10}">' for i in range(1, 20))
    bomb = f'<!DOCTYPE Graphs [<!ENTITY e0 "ha">{levels}]><Graphs>&e19;</Graphs>'
    refused(write(tmp_path, bomb), "app.xml:1:")


@pytest.mark.parametrize("where", ["root", "devices", "message"])
def test_a_gigabyte_of_nesting(where: str, tmp_path: Path) -> None:
    """A gzip file of a few megabytes that opens elements without end."""
    before = {
        "root": b"",
        "devices": (TYPE + "<DeviceInstances>").encode(),
        "message": TYPE.split("<Message>")[0].encode() + b"<Message>",
    }[where]
    path = tmp_path / "deep.xml.gz"
    with gzip.open(path, "wb", compresslevel=1) as file:
        file.write(before)
        block = b"<Tuple name='a'>" * (1 << 16)
        for _ in range(1024):
            file.write(block)
    refused(path, "deep.xml.gz")


def test_a_gigabyte_of_one_text(tmp_path: Path) -> None:
    path = tmp_path / "wide.xml.gz"
    with gzip.open(path, "wb", compresslevel=1) as file:
        file.write(TYPE.split("<OnSend/>")[0].encode() + b"<OnSend>")
        for _ in range(1024):
            file.write(b"x;" * (1 << 19))
    refused(path, "wide.xml.gz")


@pytest.mark.parametrize("kept", [5, 30, 200])
def test_truncated_gzip(kept: int, tmp_path: Path) -> None:
    whole = gzip.compress(application(TWO).encode())
    refused(write(tmp_path, whole[:kept], "app.xml.gz"), "app.xml.gz")


def test_damaged_gzip(tmp_path: Path) -> None:
    whole = bytearray(gzip.compress(application(TWO).encode()))
    whole[len(whole) // 2] ^= 0x55
    refused(write(tmp_path, bytes(whole), "app.xml.gz"), "app.xml.gz")


@pytest.mark.parametrize(
    "raw",
    [
        b"\xff\xfe\xfa",
        b"<Graphs>\xc3\x28</Graphs>",
        b"<Graphs>\xed\xa0\x80</Graphs>",
        b"<Gr\x00aphs/>",
    ],
)
def test_not_utf8(raw: bytes, tmp_path: Path) -> None:
    refused(write(tmp_path, raw), "app.xml")


def test_binary_files(tmp_path: Path) -> None:
    refused(Path(sys.executable).resolve(), "1:")


def test_standard_input() -> None:
    answer = pstack("check", "-", stdin=b"<Graphs>")
    assert answer.status == 3
    assert "Traceback" not in answer.err + answer.out


@pytest.mark.parametrize("path", ["/dev/zero", "/dev/urandom"])
def test_files_without_end(path: str) -> None:
    refused(Path(path), path)


def test_streams_without_end() -> None:
    """A well-formed beginning that never ends is refused at its first mistake."""
    endless = subprocess.Popen(["yes", "<Graphs><a>"], stdout=subprocess.PIPE)
    try:
        done = subprocess.run(
            [sys.executable, "-m", "pstack_core", "run", "-"],
            stdin=endless.stdout,
            capture_output=True,
            text=True,
            timeout=SECONDS,
            check=False,
        )
    finally:
        endless.kill()
        endless.communicate()
    assert done.returncode == 3
    assert "<stdin>:" in done.stderr


def test_paths_that_cannot_be_read(tmp_path: Path) -> None:
    for path in (tmp_path / "absent.xml", tmp_path):
        answer = pstack("run", path)
        assert answer.status in (2, 3)
        assert str(path) in answer.err
        assert "Traceback" not in answer.err


def test_the_good_one_is_accepted(tmp_path: Path) -> None:
    good = application(TWO, '<EdgeI path="n1:in-n0:out"><P>"w":5</P></EdgeI>')
    answer = pstack("check", write(tmp_path, good))
    assert answer.status == 0, answer.err + answer.out
