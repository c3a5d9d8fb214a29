"""Struct text: the C members by which v4 describes typed data.

The grammar is that of the format where ``exact``.  Otherwise also what the
Orchestrator's C++ takes: default member initialisers, lengths that are constant
expressions, ``bool``, ``char``, C's own integer types, named structs, several
declarators in one declaration, and preprocessor conditionals.
"""

from __future__ import annotations

from typing import Any

from pstack_core.graph.constants import (
    C_TYPES,
    FIXED_TYPES,
    Evaluator,
    convert,
    tokenize,
)
from pstack_core.graph.diagnostics import Place, Problems
from pstack_core.graph.encoding import encode
from pstack_core.graph.layout import SCALARS, Array, Member, Scalar, Struct, TypedData
from pstack_core.graph.model import Code
from pstack_core.graph.preprocessor import Macros, preprocess
from pstack_core.graph.typed_data import (
    KEYWORDS,
    MAX_DEPTH,
    Field,
    Limits,
    scalar,
    with_default,
)

#: Characters that one struct text may have, and errors after which it is given up.
MAX_TEXT = 1 << 20
MAX_FAULTS = 50

_EXACT_TYPES = frozenset(SCALARS) - {"half", "char", "bool"}
_QUALIFIERS = ("const", "volatile", "mutable", "static", "constexpr", "inline")


class _Wrong(Exception):
    """A declaration that cannot be read; ``offset`` is in the text."""

    def __init__(self, offset: int, message: str, hint: str = "") -> None:
        self.offset, self.message, self.hint = offset, message, hint


class StructReader:
    """Reads the struct texts of one graph type.

    ``exact`` keeps to the format's grammar; ``dialect`` takes the Orchestrator's
    extensions without a warning.
    """

    def __init__(self, problems: Problems, *, exact: bool = False, dialect: bool = False) -> None:
        self.problems = problems
        self.limits = Limits(problems)
        self.exact = exact
        self.dialect = dialect

    def struct(
        self, code: Code, element: str, macros: Macros | None = None, packed: bool = True
    ) -> Struct:
        """The struct that ``code`` describes; members in error are left out and reported.

        ``macros`` are those known where the text stands; the text's own are added.
        """
        macros = {} if macros is None else macros
        place = Place(code.file, code.line, 1, element)
        if len(code.text) > MAX_TEXT:
            self.problems.error(
                place, f"the struct text is longer than {MAX_TEXT >> 20} MB", "use arrays"
            )
            return Struct()
        text = code.text if self.exact else preprocess(code.text, macros)
        parser = _Parser(self, text, code, element, macros, packed)
        return self.limits.owned(parser.whole(), place)


class _Parser:
    def __init__(
        self,
        reader: StructReader,
        text: str,
        code: Code,
        element: str,
        macros: Macros,
        packed: bool,
    ) -> None:
        self.reader = reader
        self.problems = reader.problems
        self.text = text
        self.code = code
        self.element = element
        self.macros = macros
        self.packed = packed
        self.tokens = tokenize(text)
        self.at = 0
        self.structs: dict[str, Field] = {}
        self.warned: set[str] = set()
        self.faults = {"error": 0, "warning": 0}

    # tokens

    @property
    def next(self) -> str:
        return self.tokens[self.at][1] if self.at < len(self.tokens) else ""

    @property
    def offset(self) -> int:
        return self.tokens[self.at][2] if self.at < len(self.tokens) else len(self.text.rstrip())

    def place(self, offset: int) -> Place:
        before = self.text[:offset]
        column = offset - (before.rfind("\n") + 1) + 1
        return Place(self.code.file, self.code.line + before.count("\n"), column, self.element)

    def take(self, text: str) -> bool:
        if self.next != text:
            return False
        self.at += 1
        return True

    def expect(self, text: str) -> None:
        if not self.take(text):
            found = f"'{self.next}'" if self.next else "the end of the text"
            raise _Wrong(self.offset, f"'{text}' is missing before {found}")

    def fault(self, offset: int, message: str, hint: str = "", *, severity: str = "error") -> None:
        """Report a declaration that is wrong, unless there were many already."""
        self.faults[severity] += 1
        if self.faults[severity] <= MAX_FAULTS:
            self.problems.report(severity, self.place(offset), message, hint)

    def extra(self, offset: int, what: str) -> None:
        """Note a feature that is not in the format's grammar."""
        if self.reader.exact:
            raise _Wrong(offset, f"{what} is not allowed in a v4 struct")
        if not self.reader.dialect and what not in self.warned:
            self.warned.add(what)
            self.problems.warning(
                self.place(offset),
                f"{what} in a v4 struct is an extension of the Orchestrator",
                "other tools refuse it",
            )

    # grammar

    def whole(self) -> Field | None:
        return self.members("", 0)

    def members(self, end: str, depth: int) -> Field | None:
        """Members up to the token ``end`` ('' for the end of the text)."""
        begin = self.offset
        members: list[tuple[Member, Field]] = []
        names: set[str] = set()
        while self.next != end:
            if self.at >= len(self.tokens):
                raise _Wrong(begin, "a struct is not closed", "add '}'")
            start = self.at
            try:
                self.declaration(members, names, depth)
            except _Wrong as wrong:
                if depth:
                    raise
                self.fault(wrong.offset, wrong.message, wrong.hint)
                self.recover(start)
                if self.faults["error"] >= MAX_FAULTS:
                    place = self.place(self.offset)
                    self.problems.error(place, "there are more problems", "correct those above")
                    return None
        return self.reader.limits.struct(members, self.place(begin), self.packed)

    def recover(self, start: int) -> None:
        """Continue after the declaration that began at token ``start``."""
        self.at = start
        nesting = 0
        while self.at < len(self.tokens):
            text = self.next
            self.at += 1
            nesting += (text == "{") - (text == "}")
            if text == ";" and nesting <= 0:
                return

    def declaration(self, members: list[tuple[Member, Field]], names: set[str], depth: int) -> None:
        if self.take(";"):
            self.extra(self.offset, "an empty declaration")
            return
        while self.next in _QUALIFIERS:
            self.extra(self.offset, f"'{self.next}'")
            self.at += 1
        base = self.type(depth)
        if self.take(";"):
            return  # a struct declared for use below
        while True:
            offset = self.offset
            name, field = self.declarator(base)
            if name in KEYWORDS:
                self.fault(offset, f"the name '{name}' of a member is a C++ keyword", "rename it")
                field = None
            elif name in names:
                self.fault(offset, f"there are two members '{name}'", "rename one of them")
                field = None
            names.add(name)
            if field is not None:
                members.append((Member(name, field.data), field))
            if not self.take(","):
                break
            self.extra(offset, "a declaration of several members")
        self.expect(";")

    def type(self, depth: int) -> Field:
        offset, name = self.offset, self.next
        if name in _EXACT_TYPES:
            self.at += 1
            return scalar(name)
        if name == "struct":
            return self.nested(depth)
        if name in self.structs:
            self.at += 1
            return self.structs[name]
        spelled = self.c_type()
        if spelled:
            self.extra(offset, f"the type '{spelled}'")
            return scalar(C_TYPES[spelled])
        plain = name.removeprefix("std::")
        if plain in FIXED_TYPES:
            self.extra(offset, f"the type '{name}'")
            self.at += 1
            return scalar(plain)
        raise _Wrong(
            offset,
            f"'{name[:60]}' is not a type for typed data",
            "use uint8_t to uint64_t, int8_t to int64_t, float, double or struct { ... }",
        )

    def c_type(self) -> str:
        """The longest of C's own types from here, taken; '' where there is none."""
        names = [text for kind, text, _ in self.tokens[self.at : self.at + 4] if kind == "name"]
        for count in range(len(names), 0, -1):
            if " ".join(names[:count]) in C_TYPES:
                self.at += count
                return " ".join(names[:count])
        return ""

    def nested(self, depth: int) -> Field:
        offset = self.offset
        if depth >= MAX_DEPTH:
            raise _Wrong(offset, f"structs are nested more than {MAX_DEPTH} deep")
        self.expect("struct")
        name = ""
        if self.next != "{":
            name = self.next
            self.extra(offset, "a named struct")
            self.at += 1
            if self.next != "{" and name in self.structs:
                return self.structs[name]
        self.expect("{")
        field = self.members("}", depth + 1)
        self.expect("}")
        if field is None:
            raise _Wrong(offset, "the struct is too large", "make the arrays shorter")
        if not field.image:  # C++ gives it a byte, the formats none
            raise _Wrong(offset, "a struct within a struct has no members", "give it one")
        if name:
            self.structs[name] = field
        return field

    def declarator(self, base: Field) -> tuple[str, Field | None]:
        offset, name = self.offset, self.next
        if self.at >= len(self.tokens) or self.tokens[self.at][0] != "name":
            found = f"'{name}'" if name else "the end of the text"
            what = "pointers and references are not data" if name in ("*", "&") else ""
            raise _Wrong(offset, f"the name of a member is missing before {found}", what)
        self.at += 1
        lengths: list[int] = []
        while self.take("["):
            lengths.append(self.length(name))
        if self.next == ":":
            raise _Wrong(self.offset, f"bit-fields such as '{name}' are not data", "use a type")
        field: Field | None = base
        for length in reversed(lengths):
            if field is not None:
                field = self.reader.limits.array(field, length, self.place(offset))
        if self.next in ("=", "{"):
            self.extra(self.offset, "an initialiser")
            self.take("=")
            if field is not None:
                return name, self.initialised(name, field)
            self.skip_initialiser()
        return name, field

    def length(self, name: str) -> int:
        offset = self.offset
        kind, text, _ = self.tokens[self.at] if self.at < len(self.tokens) else ("", "", 0)
        if kind == "number" and text.isdecimal() and not text.startswith("0") and len(text) < 12:
            self.at += 1
            value: int | float = int(text)
        else:
            if self.reader.exact:
                raise _Wrong(offset, f"the length of '{name}' is not a positive decimal number")
            value = self.constant(name)
        if not isinstance(value, int) or value < 1:
            raise _Wrong(offset, f"the length {value} of '{name}' is not positive")
        self.expect("]")
        return value

    def constant(self, name: str) -> int | float:
        offset = self.offset
        evaluator = Evaluator(self.tokens, self.macros)
        evaluator.at = self.at
        try:
            value = evaluator.expression()
        except ValueError as error:
            raise _Wrong(
                offset, f"the length of '{name}' is not constant: {error}", "write a number"
            ) from error
        self.at = evaluator.at
        return value

    # initialisers

    def initialised(self, name: str, field: Field) -> Field:
        offset = self.offset
        begin = self.at
        try:
            value = self.value(0)
            if self.next not in (";", ","):
                raise ValueError(f"'{self.next}' is not understood")
            image = bytearray(field.image)
            encode(field.data, _positional(field.data, value, name), image, 0, name)
        except ValueError as error:
            self.at = begin
            self.skip_initialiser()
            self.fault(
                offset,
                f"the initial value of '{name}' cannot be read, so it starts as zero: {error}",
                "write a constant",
                severity="warning",
            )
            return field
        return with_default(field, bytes(image))

    def value(self, depth: int) -> Any:
        """A number, or a list for braces."""
        if not self.take("{"):
            evaluator = Evaluator(self.tokens, self.macros)
            evaluator.at = self.at
            number = evaluator.expression()
            self.at = evaluator.at
            return number
        if depth > MAX_DEPTH:
            raise ValueError("it is nested too deep")
        items: list[Any] = []
        while not self.take("}"):
            items.append(self.value(depth + 1))
            if not self.take(","):
                self.close()
                break
        return items

    def close(self) -> None:
        if not self.take("}"):
            raise ValueError("'}' is missing")

    def skip_initialiser(self) -> None:
        nesting = 0
        while self.at < len(self.tokens):
            text = self.next
            if text == ";" or (text == "," and nesting == 0):
                return
            nesting += (text in "({[") - (text in ")}]")
            self.at += 1


def _positional(data: TypedData, value: Any, name: str) -> Any:
    """A C initialiser as the value that :func:`encode` takes."""
    if isinstance(data, Scalar):
        if isinstance(value, list):
            if len(value) > 1:
                raise ValueError(f"'{name}' takes one value")
            value = value[0] if value else 0
        if isinstance(value, list):
            raise ValueError(f"'{name}' takes one value")
        return convert(data.ctype, value)
    if not isinstance(value, list):
        raise ValueError(f"'{name}' takes a list in braces")
    if isinstance(data, Array):
        return [_positional(data.element, item, name) for item in value]
    assert isinstance(data, Struct)
    if len(value) > len(data.members):
        raise ValueError(f"'{name}' has {len(data.members)} members, not {len(value)}")
    return {
        member.name: _positional(member.data, item, member.name)
        for member, item in zip(data.members, value, strict=False)
    }
