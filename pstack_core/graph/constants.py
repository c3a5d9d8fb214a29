"""Constant expressions of C, as far as member initialisers, lengths and ``#if`` need them."""

from __future__ import annotations

import re
from collections.abc import Mapping

Number = int | float

#: Scalar types by their C spellings, for casts and members.
C_TYPES = {
    "int": "int32_t",
    "unsigned": "uint32_t",
    "unsigned int": "uint32_t",
    "signed": "int32_t",
    "signed int": "int32_t",
    "short": "int16_t",
    "short int": "int16_t",
    "unsigned short": "uint16_t",
    "unsigned short int": "uint16_t",
    "long long": "int64_t",
    "long long int": "int64_t",
    "unsigned long long": "uint64_t",
    "unsigned long long int": "uint64_t",
    "signed char": "int8_t",
    "unsigned char": "uint8_t",
    "char": "char",
    "bool": "bool",
    "float": "float",
    "double": "double",
}
FIXED_TYPES = frozenset(f"{sign}int{bits}_t" for sign in ("", "u") for bits in (8, 16, 32, 64)) | {
    "half"
}

#: Constants of the C library.
LIMITS: Mapping[str, Number] = {
    **{f"INT{n}_MAX": (1 << (n - 1)) - 1 for n in (8, 16, 32, 64)},
    **{f"INT{n}_MIN": -(1 << (n - 1)) for n in (8, 16, 32, 64)},
    **{f"UINT{n}_MAX": (1 << n) - 1 for n in (8, 16, 32, 64)},
    "CHAR_BIT": 8,
    "SCHAR_MAX": 127,
    "UCHAR_MAX": 255,
    "SHRT_MAX": 32767,
    "USHRT_MAX": 65535,
    "INT_MAX": 2147483647,
    "INT_MIN": -2147483648,
    "UINT_MAX": 4294967295,
    "LLONG_MAX": (1 << 63) - 1,
    "LLONG_MIN": -(1 << 63),
    "ULLONG_MAX": (1 << 64) - 1,
    "FLT_MAX": 3.4028234663852886e38,
    "FLT_MIN": 1.1754943508222875e-38,
    "FLT_EPSILON": 1.1920928955078125e-07,
    "DBL_MAX": 1.7976931348623157e308,
    "DBL_MIN": 2.2250738585072014e-308,
    "DBL_EPSILON": 2.220446049250313e-16,
    "INFINITY": float("inf"),
    "NAN": float("nan"),
    "M_PI": 3.141592653589793,
    "M_E": 2.718281828459045,
    "true": 1,
    "false": 0,
    "NULL": 0,
    "nullptr": 0,
}

TOKEN = re.compile(
    r"(?P<blank>\s+|//[^\n]*|/\*.*?\*/)"
    r"|(?P<number>(?:0[xX][0-9a-fA-F']+|0[bB][01']+|(?:\d[\d']*\.?\d*|\.\d+)(?:[eE][+-]?\d+)?)"
    r"[uUlLfF]*)"
    r"|(?P<name>[A-Za-z_]\w*(?:::[A-Za-z_]\w*)*)"
    r"|(?P<char>'(?:[^'\\\n]|\\.)')"
    r"|(?P<mark><<|>>|<=|>=|==|!=|&&|\|\||[-+*/%&|^~!<>=?:(){}\[\],;.#\\])"
    r"|(?P<other>.)",
    re.DOTALL | re.ASCII,
)

_BINARY = {
    "||": 1,
    "&&": 2,
    "|": 3,
    "^": 4,
    "&": 5,
    "==": 6,
    "!=": 6,
    "<": 7,
    ">": 7,
    "<=": 7,
    ">=": 7,
    "<<": 8,
    ">>": 8,
    "+": 9,
    "-": 9,
    "*": 10,
    "/": 10,
    "%": 10,
}
_ESCAPES = {"n": 10, "t": 9, "r": 13, "0": 0, "a": 7, "b": 8, "f": 12, "v": 11}
_MAX_DEPTH = 40
_MAX_BITS = 512
_MAX_STEPS = 10_000


def tokenize(text: str) -> list[tuple[str, str, int]]:
    """Tokens as ``(kind, text, offset)``; blanks and comments are dropped."""
    return [
        (match.lastgroup or "", match[0], match.start())
        for match in TOKEN.finditer(text)
        if match.lastgroup != "blank"
    ]


def convert(ctype: str, value: Number) -> Number:
    """What assigning ``value`` to a scalar stores: C truncates floats and wraps integers."""
    if ctype in ("float", "double", "half"):
        return float(value)
    if ctype == "bool":
        return int(bool(value))
    if value != value or value in (float("inf"), float("-inf")):
        raise ValueError(f"{value} is not a whole number")
    bits = 8 if ctype == "char" else int("".join(filter(str.isdigit, ctype)))
    wrapped = int(value) & ((1 << bits) - 1)
    signed = not ctype.startswith("u")
    return wrapped - (1 << bits) if signed and wrapped >> (bits - 1) else wrapped


class Evaluator:
    """Evaluates a constant expression from tokens, expanding object-like macros.

    Raises:
        ValueError: the expression is not constant or not understood.
    """

    def __init__(
        self,
        tokens: list[tuple[str, str, int]],
        macros: Mapping[str, str | None],
        depth: int = 0,
        preprocessing: bool = False,
        budget: list[int] | None = None,
    ) -> None:
        self.budget = budget if budget is not None else [_MAX_STEPS]  # shared by nested macros
        self.tokens = tokens
        self.macros = macros
        self.at = 0
        self.depth = depth
        self.preprocessing = preprocessing

    @property
    def next(self) -> str:
        return self.tokens[self.at][1] if self.at < len(self.tokens) else ""

    def take(self, text: str) -> bool:
        if self.next != text:
            return False
        self.at += 1
        return True

    def expect(self, text: str) -> None:
        if not self.take(text):
            raise ValueError(f"'{text}' is missing before '{self.next or 'the end'}'")

    def whole(self) -> Number:
        """The value of all tokens."""
        value = self.expression()
        if self.at < len(self.tokens):
            raise ValueError(f"'{self.next}' is not understood")
        return value

    def expression(self) -> Number:
        """The value of the longest expression from here."""
        self.depth += 1
        if self.depth > _MAX_DEPTH:
            raise ValueError("the expression is nested too deep")
        condition = self._binary(1)
        if self.take("?"):
            yes = self.expression()
            self.expect(":")
            no = self.expression()
            condition = yes if condition else no
        self.depth -= 1
        return condition

    def _binary(self, least: int) -> Number:
        left = self._unary()
        while _BINARY.get(self.next, 0) >= least:
            operator = self.next
            self.at += 1
            left = _apply(operator, left, self._binary(_BINARY[operator] + 1))
        return left

    def _unary(self) -> Number:
        self.depth += 1
        if self.depth > _MAX_DEPTH:
            raise ValueError("the expression is nested too deep")
        signs = ""
        while self.next in ("-", "+", "!", "~"):
            signs += self.next
            self.at += 1
        value = self._primary()
        self.depth -= 1
        for sign in reversed(signs):
            if sign == "-":
                value = -value
            elif sign == "!":
                value = int(not value)
            elif sign == "~":
                value = ~_whole(value)
        return value

    def _primary(self) -> Number:
        if self.at >= len(self.tokens):
            raise ValueError("a value is missing")
        kind, text, _ = self.tokens[self.at]
        self.at += 1
        self.budget[0] -= 1
        if self.budget[0] < 0:
            raise ValueError("the expression is too long")
        if kind == "number":
            return literal(text)
        if kind == "char":
            return _ESCAPES.get(text[2], ord(text[2])) if text[1] == "\\" else ord(text[1])
        if text == "(":
            return self._parenthesis()
        if kind == "name":
            return self._name(text)
        raise ValueError(f"'{text}' is not understood")

    def _parenthesis(self) -> Number:
        begin = self.at
        ctype = self._type()
        if ctype and self.take(")"):
            return convert(ctype, self._unary())
        self.at = begin
        value = self.expression()
        self.expect(")")
        return value

    def _name(self, name: str) -> Number:
        if name == "defined" and self.preprocessing:
            inside = self.take("(")
            asked = self.next
            self.at += 1
            if inside:
                self.expect(")")
            return int(asked in self.macros)
        if name == "static_cast":
            self.expect("<")
            ctype = self._type()
            self.expect(">")
            self.expect("(")
            value = self.expression()
            self.expect(")")
            return convert(ctype, value) if ctype else value
        if name in self.macros:
            text = self.macros[name]
            if text is None:
                raise ValueError(f"the macro {name} takes arguments")
            tokens = tokenize(text)
            return Evaluator(
                tokens, self.macros, self.depth + 1, self.preprocessing, self.budget
            ).whole()
        if name in LIMITS:
            return LIMITS[name]
        self.at -= 1
        ctype = self._type()
        if ctype and self.take("("):
            value = self.expression()
            self.expect(")")
            return convert(ctype, value)
        if self.preprocessing:
            self.at += 1
            return 0  # an identifier that is no macro is 0 in #if
        raise ValueError(f"'{name}' is not a known constant")

    def _type(self) -> str:
        """A scalar type from here, or '' with nothing taken."""
        plain = self.next.removeprefix("std::")
        if plain in FIXED_TYPES:
            self.at += 1
            return plain
        names = [text for _, text, _ in self.tokens[self.at : self.at + 4]]
        for count in range(len(names), 0, -1):
            if " ".join(names[:count]) in C_TYPES:
                self.at += count
                return C_TYPES[" ".join(names[:count])]
        return ""


def literal(text: str) -> Number:
    """A C number literal.

    Raises:
        ValueError: it is not one.
    """
    plain = text.replace("'", "").lower()
    try:
        if plain.startswith(("0x", "0b")):
            return int(plain.rstrip("ul"), 0)
        if "." in plain or "e" in plain or plain.endswith("f"):
            return float(plain.rstrip("fl"))
        plain = plain.rstrip("ul")
        return int(plain, 8 if len(plain) > 1 and plain.startswith("0") else 10)
    except ValueError:
        raise ValueError(f"'{text[:40]}' is not a number") from None


def _whole(value: Number) -> int:
    if isinstance(value, float):
        raise ValueError(f"{value} is not a whole number")
    if value.bit_length() > _MAX_BITS:
        raise ValueError("a number is too large")
    return value


def _apply(operator: str, a: Number, b: Number) -> Number:
    if operator == "||":
        return int(bool(a) or bool(b))
    if operator == "&&":
        return int(bool(a) and bool(b))
    if operator in ("==", "!=", "<", ">", "<=", ">="):
        order = {"==": a == b, "!=": a != b, "<": a < b, ">": a > b, "<=": a <= b, ">=": a >= b}
        return int(order[operator])
    if isinstance(a, float) or isinstance(b, float):
        return _real(operator, float(a), float(b))
    a, b = _whole(a), _whole(b)
    if operator in ("<<", ">>"):
        if not 0 <= b < 64:
            raise ValueError(f"a shift by {b} is not possible")
        return a << b if operator == "<<" else a >> b
    if operator in ("/", "%"):
        if b == 0:
            raise ValueError("it divides by zero")
        quotient = abs(a) // abs(b) * (1 if (a < 0) == (b < 0) else -1)
        return quotient if operator == "/" else a - b * quotient
    simple = {"+": a + b, "-": a - b, "*": a * b, "&": a & b, "|": a | b, "^": a ^ b}
    return simple[operator]


def _real(operator: str, a: float, b: float) -> float:
    if operator == "+":
        return a + b
    if operator == "-":
        return a - b
    if operator == "*":
        return a * b
    if operator == "/":
        if b == 0:
            return float("nan") if a == 0 or a != a else float("inf") * a
        return a / b
    raise ValueError(f"'{operator}' needs whole numbers")
