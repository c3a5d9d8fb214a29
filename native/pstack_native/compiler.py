"""Find a C++ compiler, run it on a rendered type, and read its errors for people."""

from __future__ import annotations

import os
import re
import shutil
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from pstack_native.handlers import TRIVIA, NamedCode, codes_of

if TYPE_CHECKING:
    from pstack_core.graph.model import GraphType

#: Tried in this order when neither PSTACK_CXX nor CXX names one.
CANDIDATES = (("g++",), ("c++",), ("clang++",), ("zig", "c++"))

#: No fast-math and no contraction: results must not depend on the machine.  Handlers pun types
#: and count on wrapping; properties and state may be packed.  No bounds checks of the compiler's:
#: published applications read past their arrays and run well.
FLAGS = (
    "-std=gnu++17", "-O2", "-fPIC", "-shared", "-w",
    "-fvisibility=hidden", "-fno-strict-aliasing", "-fwrapv",
    "-ffp-contract=off", "-fno-math-errno",
)  # fmt: skip
GNU_FLAGS = ("-fpermissive", "-fno-gnu-unique")
#: What g++ says when one of its own processes is killed.
_KILLED = "Killed signal terminated program"
#: Longest time that one type may take to compile.
TIMEOUT = 300.0


class CompilerError(Exception):
    """No compiler, or it refused; ``output`` has its own words."""

    def __init__(self, message: str, output: str = "") -> None:
        super().__init__(message)
        self.output = output


@dataclass(frozen=True)
class Compiler:
    """A compiler to run: ``command`` is its path and first arguments."""

    command: tuple[str, ...]
    gnu: bool

    @property
    def flags(self) -> tuple[str, ...]:
        return FLAGS + (GNU_FLAGS if self.gnu else ())

    @property
    def identity(self) -> str:
        """Changes when the compiler does, without running it."""
        path = os.path.realpath(self.command[0])
        status = os.stat(path)
        return f"{self.command} {path} {status.st_size} {status.st_mtime_ns}"

    def version(self) -> str:
        """First line of ``--version``."""
        import subprocess

        done = subprocess.run(
            [*self.command, "--version"], capture_output=True, text=True, check=False, timeout=20
        )
        return done.stdout.splitlines()[0] if done.stdout else "unknown version"


def find_compiler() -> Compiler:
    """The compiler to use; CompilerError says how to get one where there is none."""
    named = os.environ.get("PSTACK_CXX") or os.environ.get("CXX")
    for words in (tuple(named.split()),) if named else CANDIDATES:
        path = shutil.which(words[0])
        if path:
            gnu = "clang" not in words[0] and "zig" not in words[0]
            return Compiler((path, *words[1:]), gnu)
    if named:
        raise CompilerError(
            f"the C++ compiler {named!r} (PSTACK_CXX or CXX) is not on the PATH;"
            " correct the variable or unset it"
        )
    raise CompilerError(
        "no C++ compiler found (g++, c++, clang++ or zig); install one, for example with"
        " 'apt install g++' or 'pip install ziglang', or name it in PSTACK_CXX"
    )


def compile_source(compiler: Compiler, source: Path, target: Path, includes: list[Path]) -> None:
    """Compile one translation unit into a shared object; CompilerError with its output if not."""
    import subprocess

    command = [*compiler.command, *compiler.flags]
    command += [f"-I{include}" for include in includes]
    command += [str(source), "-o", str(target)]
    try:
        done = subprocess.run(
            command,
            capture_output=True,
            text=True,
            errors="replace",
            check=False,
            timeout=TIMEOUT,
            env={**os.environ, "LC_ALL": "C"},
        )
    except subprocess.TimeoutExpired:
        raise CompilerError(
            f"the compiler did not finish within {TIMEOUT:.0f} s; simplify the shared code"
        ) from None
    except OSError as error:
        raise CompilerError(f"the compiler {compiler.command[0]} does not run: {error}") from error
    if done.returncode < 0 or _KILLED in done.stderr:
        raise CompilerError(
            "the compiler was killed before it had finished; is there enough memory?"
            " Run the application again"
        )
    if done.returncode:
        raise CompilerError("the handlers do not compile", done.stderr or done.stdout)


_ERROR = re.compile(
    r"^(?P<file>.+?):(?P<line>\d+):(?:(?P<column>\d+):)? (?:fatal )?error: (?P<what>.*)$"
)
_PLACE = re.compile(r"@(\d+):(\d+)")
#: The one header that applications for the hardware need and that no other machine has.
_TINSEL = (
    "tinsel.h: No such file or directory",
    "tinsel.h: the application is written for Tinsel hardware, and runs only there",
)
#: Errors shown one by one; the rest are counted.
MOST_ERRORS = 20


def locate(text: str, graph_type: GraphType) -> str:
    """Replace ``@CODE:LINE``, which compiled types write, by file and line of the application."""
    codes = codes_of(graph_type)

    def place(match: re.Match[str]) -> str:
        index, line = int(match.group(1)), int(match.group(2))
        if index >= len(codes):
            return match.group()
        code = codes[index].code
        return f"{code.file}:{code.line + line - 1}"

    return _PLACE.sub(place, text)


def explain(output: str, graph_type: GraphType) -> str:
    """The compiler's errors in terms of the application: file, line, handler, source line."""
    codes = codes_of(graph_type)
    # An unbalanced brace makes the compiler blame innocent text further down: say it first.
    lines, others = _unbalanced(codes), []
    for match in map(_ERROR.match, output.splitlines()):
        if match is None:
            continue
        what = _plain(match["what"]).replace(*_TINSEL)
        if match["file"].startswith("@") and int(match["file"][1:]) < len(codes):
            lines.append(_in_code(codes[int(match["file"][1:])], match, what))
        else:
            others.append(what)
    if not lines:
        # Only errors outside the application's text: an unbalanced #if, usually.
        hint = "is a #if unbalanced in a handler?"
        lines = [f"error: {what} ({hint})" for what in others] or [output.strip()]
    extra = len(lines) - MOST_ERRORS
    if extra > 0:
        lines = [*lines[:MOST_ERRORS], f"... and {extra} more errors"]
    return "\n".join(dict.fromkeys(lines))


def _unbalanced(codes: list[NamedCode]) -> list[str]:
    found = []
    for named in codes:
        opened: list[int] = []
        text = TRIVIA.sub(lambda m: re.sub(r"[^\n]", " ", m.group()), named.code.text)
        for line, row in enumerate(text.split("\n"), named.code.line):
            for brace in re.findall(r"[{}]", row):
                if brace == "{":
                    opened.append(line)
                elif opened:
                    opened.pop()
                else:
                    place = f"{named.code.file}:{line}"
                    found.append(f"{place}: error: '}}' closes nothing [{named.title}]")
        if opened:
            place = f"{named.code.file}:{opened[-1]}"
            found.append(f"{place}: error: '{{' is never closed [{named.title}]")
    return found


def _in_code(named: NamedCode, match: re.Match[str], what: str) -> str:
    code, line = named.code, int(match["line"])
    column = f":{match['column']}" if match["column"] else ""
    source = code.text.split("\n")
    shown = source[line - 1].strip() if 0 < line <= len(source) else ""
    text = f"{code.file}:{code.line + line - 1}{column}: error: {what} [{named.title}]"
    return f"{text}\n    {shown}" if shown else text


def _plain(what: str) -> str:
    """Compiler text without our inner namespaces."""
    return re.sub(r"pstack_names::(?:pstack_app::)?(?:device_\d+::)?(?:code::)?", "", what)
