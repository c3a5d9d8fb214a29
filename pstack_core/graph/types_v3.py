"""Typed data of v2 and v3: Scalar, Array, Tuple, Union and TypeDef elements."""

from __future__ import annotations

from pstack_core.graph.diagnostics import Place, Problems
from pstack_core.graph.document import Element
from pstack_core.graph.encoding import encode, json_value, number
from pstack_core.graph.layout import SCALARS, Array, Member, Scalar, Struct
from pstack_core.graph.metadata import documentation
from pstack_core.graph.schema import IGNORED
from pstack_core.graph.typed_data import MAX_DEPTH, Field, Limits, check_name, scalar, with_default

_MEMBERS = ("Scalar", "Array", "Tuple", "Union")
_ATTRIBUTES = {
    "Scalar": {"name", "type", "default"},
    "Array": {"name", "type", "length", "default"},
    "Tuple": {"name", "default"},
    "Union": {"name", "tagName", "default"},
}


class TypedDataReader:
    """Reads the typed data of one graph type; type definitions are resolved structurally."""

    def __init__(self, problems: Problems) -> None:
        self.problems = problems
        self.limits = Limits(problems)
        self.typedefs: dict[str, Field] = {}
        self._depth = 0

    def read_typedefs(self, types: Element | None) -> None:
        """Read ``Types``; a type definition may name those before it."""
        for typedef in types.all("TypeDef") if types else ():
            name = typedef.attributes.get("id", "")
            members = [child for child in typedef.children if child.name in _MEMBERS]
            if name in self.typedefs or name in SCALARS:
                self.problems.error(
                    typedef.place, f"the type '{name}' is defined twice", "rename one"
                )
            elif len(members) != 1:
                self.problems.error(
                    typedef.place,
                    f"the type '{name}' has {len(members)} members",
                    "a TypeDef holds exactly one",
                )
            elif check_name(self.problems, typedef.place, name, "TypeDef"):
                field = self._data(members[0])
                if field is not None:
                    self.typedefs[name] = field

    def struct(self, owner: Element | None) -> Struct:
        """The struct that ``Properties``, ``State`` or ``Message`` describes."""
        if owner is None:
            return Struct()
        if words := " ".join(owner.text.split()):
            self.problems.error(
                owner.place,
                f"{owner.name} holds text ('{words[:40]}') where this version has elements",
                "declare members with Scalar, Array, Tuple or Union, or make it a v4 file",
            )
        return self.limits.owned(self._members(owner), owner.place)

    def _members(self, owner: Element) -> Field | None:
        members: list[tuple[Member, Field]] = []
        seen: set[str] = set()
        complete = True
        for child in owner.children:
            if child.name not in _MEMBERS:
                continue
            name = child.attributes.get("name", "")
            if not check_name(self.problems, child.place, name, "member"):
                complete = False
            elif name in seen:
                complete = False
                self.problems.error(
                    child.place, f"there are two members '{name}'", "rename one of them"
                )
            seen.add(name)
            field = self._data(child)
            if field is None:
                complete = False
            else:
                members.append((Member(name, field.data, documentation(child)), field))
        return self.limits.struct(members, owner.place) if complete else None

    def _data(self, element: Element) -> Field | None:
        if self._depth >= MAX_DEPTH:
            self.problems.error(
                element.place, f"the data are nested more than {MAX_DEPTH} deep", "nest less"
            )
            return None
        self._depth += 1
        try:
            return self._read(element)
        finally:
            self._depth -= 1

    def _read(self, element: Element) -> Field | None:
        self._check(element)
        if element.name == "Scalar":
            field = self._named_type(element)
        elif element.name == "Array":
            field = self._array(element)
        elif element.name == "Tuple":
            field = self._tuple(element)
        else:
            field = self._union(element)
        return self._default(element, field) if field is not None else None

    def _check(self, element: Element) -> None:
        for attribute in element.attributes.keys() - _ATTRIBUTES[element.name]:
            self.problems.warning(
                element.place,
                f"the attribute '{attribute}' of {element.name} is not known and is ignored",
                "remove it or correct its spelling",
            )
        inner = () if element.name == "Scalar" else _MEMBERS
        for child in element.children:
            if child.name not in inner and child.name != "Default" and child.name not in IGNORED:
                self.problems.error(
                    child.place,
                    f"{child.name[:60]} does not belong in {element.name}",
                    "typed data are made of Scalar, Array, Tuple and Union",
                )

    def _named_type(self, element: Element) -> Field | None:
        name = element.attributes.get("type")
        if name in SCALARS:
            return scalar(name)
        if name in self.typedefs:
            return self.typedefs[name]
        what = element.attributes.get("name", "")
        if name is None:
            self.problems.error(
                element.place, f"{element.name} '{what}' has no attribute 'type'", "add type=..."
            )
        else:
            self.problems.error(
                element.place,
                f"the type '{name[:60]}' of '{what}' is not known",
                "use a type such as uint32_t or float, or define it in Types first",
            )
        return None

    def _array(self, element: Element) -> Field | None:
        what = element.attributes.get("name", "")
        text = element.attributes.get("length", "").strip()
        if not (text.isascii() and text.isdecimal() and len(text) < 12 and int(text) > 0):
            self.problems.error(
                element.place,
                f"the length '{text[:60]}' of array '{what}' is not a positive number",
                "give length=... of at least 1",
            )
            return None
        members = [child for child in element.children if child.name in _MEMBERS]
        if len(members) + ("type" in element.attributes) != 1:
            self.problems.error(
                element.place,
                f"array '{what}' needs one element type",
                "give either type=... or one Scalar, Array, Tuple or Union",
            )
            return None
        inner = self._data(members[0]) if members else self._named_type(element)
        if inner is None:
            return None
        return self.limits.array(inner, int(text), element.place)

    def _tuple(self, element: Element) -> Field | None:
        field = self._members(element)
        if field is not None and not field.image:  # C++ gives it a byte, the formats none
            what = element.attributes.get("name", "")
            self.problems.error(element.place, f"tuple '{what}' has no members", "give it one")
            return None
        return field

    def _union(self, element: Element) -> Field | None:
        members: list[tuple[Member, Field]] = []
        names = [c.attributes.get("name", "") for c in element.children if c.name in _MEMBERS]
        tag = element.attributes.get("tagName", element.attributes.get("name", "") + "_tag")
        clear = [check_name(self.problems, element.place, n, "alternative") for n in names]
        if not names or len(set(names)) < len(names) or tag in names or len(names) > 255:
            self.problems.error(
                element.place,
                f"union '{element.attributes.get('name', '')}' needs alternatives of"
                f" different names, none of them the tag '{tag}'",
                "rename or remove them",
            )
            return None
        if not all(clear) or not check_name(self.problems, element.place, tag, "tag"):
            return None
        for child in element.all(*_MEMBERS):
            field = self._data(child)
            if field is None:
                return None
            member = Member(child.attributes["name"], field.data, documentation(child))
            members.append((member, field))
        return self.limits.union(members, tag, element.place)

    def _default(self, element: Element, field: Field) -> Field:
        attribute, child = element.attributes.get("default"), element.first("Default")
        if attribute is None and child is None:
            return field
        image = bytearray(field.image)
        place = element.place if child is None else child.place
        name = element.attributes.get("name", "")
        try:
            if attribute is not None:
                _encode_attribute(field, attribute, image, name)
            if child is not None and child.text.strip():
                _encode_element(field, child.text, image, name)
        except ValueError as error:
            self._complain(place, name, error)
            return field
        return with_default(field, bytes(image))

    def _complain(self, place: Place, name: str, error: ValueError) -> None:
        message = getattr(error, "msg", str(error))  # JSONDecodeError has the bare sentence
        self.problems.error(
            place, f"the default of '{name}' is wrong: {message}", "give a value of the type"
        )


def _encode_attribute(field: Field, text: str, image: bytearray, name: str) -> None:
    """One number, for every element of an array; or JSON; or text for an array of bytes."""
    data = field.data
    if isinstance(data, Scalar):
        if text.strip():
            encode(data, number(text), image, 0, name)
        return
    try:
        one = number(text)
    except ValueError:
        bytewise = isinstance(data, Array) and data.element.dtype.itemsize == 1
        value = text if bytewise and not text.lstrip().startswith("[") else json_value(text)
        encode(data, value, image, 0, name)
        return
    while isinstance(data, Array):
        data = data.element
    if not isinstance(data, Scalar):
        raise ValueError(f"'{name}' has members, so one number is not enough")
    element = bytearray(data.dtype.itemsize)
    encode(data, one, element, 0, name)
    image[:] = element * (len(image) // len(element))


def _encode_element(field: Field, text: str, image: bytearray, name: str) -> None:
    if isinstance(field.data, Scalar):
        encode(field.data, number(text), image, 0, name)
    else:
        encode(field.data, json_value(text), image, 0, name)
