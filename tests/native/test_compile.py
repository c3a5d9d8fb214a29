"""Compiling types: errors in the application's own terms, and the cache."""

from __future__ import annotations

import os
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest

from pstack_core.engines.engine import EngineError
from pstack_core.graph.builder import GraphBuilder
from pstack_core.graph.model import Code, GraphType
from pstack_native.cache import cache_directory, compiled, trim
from pstack_native.compiler import CompilerError, find_compiler, locate
from pstack_native.handlers import codes_of, handlers_of, may_overrun, returns
from pstack_native.render import render
from tests.native.apps import run, single


@pytest.fixture
def empty_cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    return tmp_path / "pstack" / "types"


def with_receive(code: Code) -> GraphType:
    graph_type = single().type
    device = graph_type.device_types[0]
    pin = replace(device.input_pins[0], on_receive=code)
    return replace(graph_type, device_types=(replace(device, input_pins=(pin,)),))


def test_errors_name_file_line_and_handler() -> None:
    body = "\n  int a = 1;\n  deviceState->y = a;\n  undeclared();\n"
    with pytest.raises(CompilerError) as caught:
        compiled(with_receive(Code(body, "app.xml", 40)), 1)
    lines = str(caught.value).splitlines()
    where = "[OnReceive of pin in of device type device]"
    assert lines[0].startswith("app.xml:42:16: error: ")
    assert "has no member named 'y'" in lines[0]
    assert lines[0].endswith(where)
    assert lines[1] == "    deviceState->y = a;"
    assert lines[2].startswith("app.xml:43:3: error: 'undeclared' was not declared")
    assert "pstack_names" not in str(caught.value)


def test_error_in_shared_code_is_placed() -> None:
    graph_type = replace(single().type, shared_code=(Code("int f() { return g; }", "app.xml", 7),))
    with pytest.raises(CompilerError, match=r"app.xml:7:18: error: 'g' was not declared"):
        compiled(graph_type, 1)


def test_unbalanced_brace_is_said_first() -> None:
    with pytest.raises(CompilerError, match=r"^app.xml:8: error: '}' closes nothing"):
        compiled(with_receive(Code("// {\n} } } }", "app.xml", 7)), 1)
    with pytest.raises(CompilerError, match=r"^app.xml:7: error: '{' is never closed"):
        compiled(with_receive(Code("if (1) {\n", "app.xml", 7)), 1)


def test_writing_a_property_is_refused() -> None:
    with pytest.raises(EngineError, match="read-only"):
        run(single(on_init="deviceProperties->id = 3;"))


def test_v2_may_write_messages_and_properties() -> None:
    graph = single(
        on_init="deviceProperties->after = 9; deviceState->x = 1;",
        on_receive="message->value += 2; deviceState->x = message->value;",
        on_send="deviceState->x = 0; message->value = 40;",
        ready="rts = deviceState->x == 1;",
    )
    graph.type = replace(graph.type, version="v2")
    assert run(graph).state("d0") == {"x": 42}


def test_second_compile_is_cached(empty_cache: Path) -> None:
    graph_type = single().type
    first, second = compiled(graph_type, 1), compiled(graph_type, 1)
    assert not first.cached
    assert first.seconds > 0
    assert second.cached
    assert second.path == first.path
    assert compiled(graph_type, 2).path != first.path
    assert sorted(p.name for p in empty_cache.iterdir()) == sorted(
        {first.path.parent.name, compiled(graph_type, 2).path.parent.name}
    )


def test_cache_does_not_depend_on_places_or_documentation(empty_cache: Path) -> None:
    moved = with_receive(Code("deviceState->x = 0;", "other.xml", 99))
    first = compiled(with_receive(Code("deviceState->x = 0;", "app.xml", 1)), 1)
    again = compiled(replace(moved, documentation="words"), 1)
    assert again.cached
    assert again.path == first.path


def test_assertion_in_a_cached_type_names_this_file(empty_cache: Path) -> None:
    for file, line in (("first.xml", 10), ("second.xml", 20)):
        graph = single(on_init="deviceState->x = 1;")
        graph.type = with_receive(Code("\nassert(message->value == 3);", file, line))
        device = graph.type.device_types[0]
        init = replace(device, on_init=Code("deviceState->x = 1;", file, 1))
        graph.type = replace(graph.type, device_types=(init,))
        assert f"{file}:{line + 1}: assertion failed" in run(graph).end.detail


def test_two_processes_compile_once(empty_cache: Path) -> None:
    script = (
        "from tests.native.apps import single; from pstack_native.cache import compiled;"
        "print(compiled(single().type, 1).cached)"
    )
    root = Path(__file__).parents[2]
    command = [sys.executable, "-c", script]
    running = [
        subprocess.Popen(command, stdout=subprocess.PIPE, text=True, cwd=root) for _ in range(4)
    ]
    answers = [process.communicate(timeout=60)[0].strip() for process in running]
    assert sorted(answers) == ["False", "True", "True", "True"]


def test_broken_entry_is_replaced(empty_cache: Path) -> None:
    graph_type = single().type
    first = compiled(graph_type, 1)
    first.path.unlink()
    again = compiled(graph_type, 1)
    assert not again.cached
    assert again.path.exists()


def test_cache_is_bounded(empty_cache: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    old = compiled(single().type, 1).path
    os.utime(old, (1, 1))
    new = compiled(single().type, 2).path
    size = sum(file.stat().st_size for file in new.parent.iterdir())
    monkeypatch.setenv("PSTACK_CACHE_BYTES", str(size + 100))
    trim(cache_directory())
    assert not old.exists()
    assert new.exists()


def test_cache_that_cannot_be_written(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "pstack").write_text("a file where the folder should be")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    with pytest.raises(CompilerError, match=r"cannot be written: .*set XDG_CACHE_HOME"):
        compiled(single().type, 1)


def test_no_compiler(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("PSTACK_CXX", raising=False)
    monkeypatch.delenv("CXX", raising=False)
    monkeypatch.setenv("PATH", "/nonexistent")
    with pytest.raises(CompilerError, match="install one, for example with 'apt install g\\+\\+'"):
        find_compiler()
    monkeypatch.setenv("PSTACK_CXX", "no-such-compiler")
    with pytest.raises(CompilerError, match=r"'no-such-compiler' .* is not on the PATH"):
        find_compiler()


@pytest.mark.parametrize(
    ("body", "value", "plain"),
    [
        ("", False, False),
        ("return;", False, True),
        ("return 1;", True, False),
        ("if (a) return; return(2);", True, True),
        ('// return 1;\n/* return; */ log("return 1;");', False, False),
        ("auto f = [&](int x) { return x; }; f(1);", False, False),
        ("auto f = [](int x) -> int { if (x) { return 1; } return 2; }; return;", False, True),
        ("if (x) { return; } else { y(); }", False, True),
        ("int a[2] = {1, 2}; for (;;) { return; }", False, True),
    ],
)
def test_returns(body: str, value: bool, plain: bool) -> None:
    assert returns(body) == (value, plain)


def test_rendering_is_deterministic_and_has_no_places() -> None:
    first = render(with_receive(Code("f();", "a.xml", 1)), 1)
    assert first == render(with_receive(Code("f();", "b.xml", 9)), 1)
    assert "a.xml" not in first


def test_locate_ignores_what_is_not_there() -> None:
    graph_type = with_receive(Code("x", "a.xml", 5))
    number = next(i for i, named in enumerate(codes_of(graph_type)) if named.code.text == "x")
    assert locate(f"@{number}:2 and @999:1", graph_type) == "a.xml:6 and @999:1"


def test_handler_numbers_and_titles() -> None:
    titles = [handler.title for handler in handlers_of(single().type)]
    assert titles == [
        "OnInit of device type device",
        "ReadyToSend of device type device",
        "OnHardwareIdle of device type device",
        "OnDeviceIdle of device type device",
        "OnReceive of pin in of device type device",
        "OnSend of pin out of device type device",
    ]


def test_only_types_that_could_overrun_are_guarded() -> None:
    assert not may_overrun(single().type.device_types[0])
    assert may_overrun(single(state="uint32_t x; uint8_t a[3];").type.device_types[0])
    assert may_overrun(single(on_init="memset(deviceState, 0, 4);").type.device_types[0])


def test_killed_compiler_is_not_the_handlers_fault(
    tmp_path: Path, empty_cache: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As when the machine has no memory left: it may go well the next time."""
    killed = tmp_path / "killed-c++"
    killed.write_text("#!/bin/sh\nkill -9 $$\n")
    killed.chmod(0o755)
    monkeypatch.setenv("PSTACK_CXX", str(killed))
    with pytest.raises(CompilerError, match="was killed before it had finished") as caught:
        compiled(single().type, 1)
    assert caught.value.output == ""


def test_changed_header_is_compiled_again(empty_cache: Path, tmp_path: Path) -> None:
    (tmp_path / "inner.h").write_text("#define VALUE 1\n")
    (tmp_path / "mine.h").write_text('#include "inner.h"\n')
    graph_type = replace(
        single(on_init="deviceState->x = VALUE + 4;", ready="").type,
        shared_code=(Code('#include "mine.h"\n', str(tmp_path / "app.xml"), 1),),
    )
    first = compiled(graph_type, 1)
    assert compiled(graph_type, 1).cached
    (tmp_path / "inner.h").write_text("#define VALUE 2\n")
    again = compiled(graph_type, 1)
    assert not again.cached
    assert again.path != first.path


def test_names_that_run_together() -> None:
    """Type a with pin b has a struct of the same name as type a_b."""
    builder = GraphBuilder("g", id="g")
    builder.message("m", "")
    device = builder.device_type("a", state="uint32_t x;", on_init="deviceState->x = 1;")
    device.input("b", "m", properties="uint8_t w;", state="uint16_t n;")
    builder.device_type("a_b", properties="uint32_t p;", state="uint64_t y;")
    builder.devices(["d0"], "a")
    builder.devices(["d1"], "a_b")
    result = run(builder.build())
    assert result.state("d0") == {"x": 1}
    assert result.state("d1") == {"y": 0}
