"""Reads a ``GraphType`` element of any version into the model."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from pstack_core.graph.diagnostics import Place, Problems, listed
from pstack_core.graph.dialects import ORCHESTRATOR_DIALECT, V4_DIALECT, Dialect
from pstack_core.graph.document import Element
from pstack_core.graph.embed import expand_headers
from pstack_core.graph.layout import Struct
from pstack_core.graph.metadata import documentation, metadata
from pstack_core.graph.model import (
    MAX_OUTPUT_PINS,
    SUPERVISOR_IN,
    SUPERVISOR_OUT,
    Code,
    DeviceType,
    GraphType,
    InputPin,
    MessageType,
    OutputPin,
    SupervisorType,
)
from pstack_core.graph.preprocessor import Macros, definitions, preprocess
from pstack_core.graph.schema import check_element
from pstack_core.graph.struct_text import StructReader
from pstack_core.graph.supervisor import members_as_code, read_supervisor
from pstack_core.graph.typed_data import check_name, is_identifier
from pstack_core.graph.types_v3 import TypedDataReader

#: Device types, and pins of one, have indices of 16 bits.
MAX_INDEX = 65_534

#: The pin and message type that v2 uses for initialisation.
INIT = "__init__"

_FLAGS = {"true": True, "1": True, "false": False, "0": False}


class GraphTypeReader:
    """Reads one graph type.  Problems are reported; what can be read is returned."""

    def __init__(self, dialect: Dialect, folder: Path, problems: Problems) -> None:
        self.dialect = dialect
        self.folder = folder
        self.problems = problems
        self.messages: dict[str, MessageType] = {}
        self.elements = TypedDataReader(problems)
        self.texts = StructReader(
            problems,
            exact=problems.strict and dialect is V4_DIALECT,
            dialect=dialect is ORCHESTRATOR_DIALECT,
        )
        self.macros: Macros = {}

    def read(self, element: Element) -> GraphType:
        """The graph type that ``element`` describes."""
        self.check(element)
        name = self._id(element, "graph type")
        messages = [each for group in element.all("MessageTypes") for each in group.children]
        bodies = [each.first("Message") or each for each in messages]
        shared = (
            *self._definitions(*element.all("Properties"), *bodies),
            *self.codes(element, "SharedCode"),
        )
        self.macros = self._macros_of(shared, {})
        if self.dialect.syntax == "json":
            for types in element.all("Types"):
                self.check(types)
                for typedef in types.all("TypeDef"):
                    self.check(typedef)
                self.elements.read_typedefs(types)
        properties = self._struct(element, "Properties", self.macros)
        for group in element.all("MessageTypes"):
            self.check(group)
            for item in group.all("MessageType"):
                self._message_type(item)
        devices: dict[str, DeviceType] = {}
        supervisors: list[SupervisorType] = []
        for group in element.all("DeviceTypes"):
            self.check(group)
            for item in group.children:
                self._device_group(item, devices, supervisors)
        for item in element.all("SupervisorDeviceType"):
            self._device_group(item, devices, supervisors)
        return GraphType(
            name,
            self.dialect.name,
            properties,
            shared,
            self._used_messages(devices.values(), supervisors),
            tuple(devices.values()),
            supervisors[0] if supervisors else None,
            documentation(element),
            metadata(element),
        )

    # parts

    def _message_type(self, element: Element) -> None:
        self.check(element)
        name = self._id(element, "message type")
        body = element.first("Message")
        if body is None and self.dialect.syntax == "braces":
            body = element
        data = self._body(body, self.macros, packed=True) if body is not None else Struct()
        if name in self.messages:
            self.problems.error(
                element.place, f"there are two message types '{name}'", "rename one of them"
            )
        self.messages.setdefault(name, MessageType(name, data, documentation(element)))

    def _device_group(
        self,
        element: Element,
        devices: dict[str, DeviceType],
        supervisors: list[SupervisorType],
    ) -> None:
        if element.name in ("DeviceType", "ExternalType"):
            device = self._device_type(element)
            if device.id in devices:
                self.problems.error(
                    element.place,
                    f"there are two device types '{device.id}'",
                    "rename one of them",
                )
            elif len(devices) == MAX_INDEX:
                self.problems.error(
                    element.place, f"there are more than {MAX_INDEX} device types", "use fewer"
                )
                return
            devices.setdefault(device.id, device)
        elif element.name in ("SupervisorType", "SupervisorDeviceType"):
            if supervisors:
                self.problems.error(
                    element.place,
                    "there is a second supervisor type",
                    "an application has at most one",
                )
            supervisors.append(read_supervisor(element, self))

    def _device_type(self, element: Element) -> DeviceType:
        self.check(element)
        external = element.name == "ExternalType"
        name = self._id(element, "device type")
        what = f"{'external' if external else 'device'} type '{name}'"
        shared = (
            *self._definitions(*element.all("Properties", "State")),
            *self.codes(element, "SharedCode", "DeviceSharedCode"),
        )
        macros = self._macros_of(shared, self.macros)
        inputs = self._input_pins(element, what, macros)
        outputs = self._output_pins(element, what)
        initial = next((pin for pin in inputs if pin.name == INIT), None)
        if self.dialect.syntax != "json" or (initial and initial.message != INIT):
            initial = None
        if initial is not None:
            inputs.remove(initial)
        on_init = self.code(element, "OnInit")
        if on_init is None and initial is not None:
            on_init = initial.on_receive
        ready = self.code(element, "ReadyToSend")
        optional = self.dialect is ORCHESTRATOR_DIALECT  # elsewhere the schema asks for it
        if optional and outputs and not external and element.first("ReadyToSend") is None:
            self.problems.warning(
                element.place,
                f"{what} has output pins but no ReadyToSend, so it never sends",
                "write a ReadyToSend handler",
            )
        return DeviceType(
            name,
            self._struct(element, "Properties", macros),
            self._struct(element, "State", macros),
            tuple(inputs),
            tuple(outputs),
            shared,
            ready,
            on_init,
            self.code(element, "OnHardwareIdle"),
            self._on_device_idle(element, what),
            external,
            documentation(element),
            metadata(element),
        )

    def _on_device_idle(self, element: Element, what: str) -> Code | None:
        idle, compute = self.code(element, "OnDeviceIdle"), self.code(element, "OnCompute")
        if idle is not None and compute is not None:
            self.problems.warning(
                element.place,
                f"{what} has both OnDeviceIdle and OnCompute; OnCompute is ignored",
                "keep OnDeviceIdle",
            )
        if (thread := self.code(element, "OnThreadIdle")) is not None:
            self.problems.warning(
                Place(thread.file, thread.line, 1, "OnThreadIdle"),
                f"{what} has OnThreadIdle, which no engine runs",
                "use OnDeviceIdle or OnHardwareIdle",
            )
        return idle or compute

    def _input_pins(self, owner: Element, what: str, macros: Macros) -> list[InputPin]:
        pins: list[InputPin] = []
        names: set[str] = set()
        rule = "CodelessPin" if owner.name == "ExternalType" else ""
        for element in owner.all("InputPin", "SupervisorInPin"):
            self.check(element, rule)
            supervisor = element.name == "SupervisorInPin"
            name = SUPERVISOR_IN if supervisor else self._id(element, "input pin", "name")
            message = self.message_of(element, f"input pin '{name}' of {what}")
            if owner.name == "ExternalType":
                self._no_handlers(element, what)
            if not self._unique(element, name, names, what):
                continue
            pins.append(
                InputPin(
                    name,
                    message,
                    self.code(element, "OnReceive"),
                    self._struct(element, "Properties", macros),
                    self._struct(element, "State", macros),
                    documentation(element),
                )
            )
        pins.sort(key=lambda pin: pin.name == SUPERVISOR_IN)
        return pins

    def _output_pins(self, owner: Element, what: str) -> list[OutputPin]:
        pins: list[OutputPin] = []
        names: set[str] = set()
        rule = "CodelessPin" if owner.name == "ExternalType" else ""
        for element in owner.all("OutputPin", "SupervisorOutPin"):
            self.check(element, rule)
            supervisor = element.name == "SupervisorOutPin"
            name = SUPERVISOR_OUT if supervisor else self._id(element, "output pin", "name")
            message = self.message_of(element, f"output pin '{name}' of {what}")
            if owner.name == "ExternalType":
                self._no_handlers(element, what)
            if not self._unique(element, name, names, what):
                continue
            pins.append(
                OutputPin(
                    name,
                    message,
                    self.code(element, "OnSend"),
                    self._indexed(element),
                    documentation(element),
                )
            )
        pins.sort(key=lambda pin: pin.name == SUPERVISOR_OUT)
        if len(pins) > MAX_OUTPUT_PINS:
            self.problems.error(
                owner.place,
                f"{what} has {len(pins)} output pins; the ready-to-send word has bits for"
                f" {MAX_OUTPUT_PINS}",
                "use fewer output pins, for example an indexed one",
            )
        return pins

    # details

    def _indexed(self, element: Element) -> bool:
        text = element.attributes.get("indexed", "false").strip()
        if text.lower() not in _FLAGS:
            self.problems.error(
                element.place,
                f"the attribute indexed has the value '{text[:40]}'",
                "write true or false",
            )
        return _FLAGS.get(text.lower(), False)

    def _no_handlers(self, pin: Element, what: str) -> None:
        for child in pin.all("OnReceive", "OnSend", "State"):
            if child.text.strip() or child.children:
                self.problems.warning(
                    child.place,
                    f"{child.name} of {what} is ignored, as externals have no code",
                    "remove it",
                )

    def _unique(self, element: Element, name: str, others: set[str], what: str) -> bool:
        """Whether the pin is to be kept; otherwise what is wrong is reported."""
        if len(others) >= MAX_INDEX:
            if len(others) == MAX_INDEX:
                self.problems.error(
                    element.place, f"{what} has more than {MAX_INDEX} pins", "use fewer"
                )
            others.add(name)
            return False
        if name in others:
            self.problems.error(
                element.place,
                f"{what} has two {element.name}s named '{name}'",
                "rename one of them",
            )
            return False
        others.add(name)
        return True

    def _used_messages(
        self, devices: Iterable[DeviceType], supervisors: list[SupervisorType]
    ) -> tuple[MessageType, ...]:
        used = {INIT} if self.dialect.syntax != "json" else set()
        for device in devices:
            used |= {pin.message for pin in device.input_pins}
            used |= {pin.message for pin in device.output_pins}
        for supervisor in supervisors:
            used |= {supervisor.in_message, supervisor.out_message}
        return tuple(m for m in self.messages.values() if m.id != INIT or INIT in used)

    def message_of(self, element: Element, what: str) -> str:
        """The message type of a pin, reported where it is not declared."""
        name = element.attributes.get("messageTypeId", "")
        if "messageTypeId" in element.attributes and name not in self.messages:
            tolerated = self.dialect is ORCHESTRATOR_DIALECT and is_identifier(name)
            report = self.problems.lax if tolerated else self.problems.error
            report(
                element.place,
                f"{what} has the message type '{name[:60]}', which is not declared",
                f"declare it in MessageTypes (declared: {listed(self.messages)})",
            )
            if tolerated:  # the Orchestrator lets it pass as a message without members
                self.messages[name] = MessageType(name)
        return name

    def code(self, owner: Element, name: str) -> Code | None:
        """The handler ``name`` of ``owner``; ``None`` where there is none or nothing in it."""
        child = owner.first(name)
        if child is None:
            return None
        self.check(child)
        return child.code()

    def codes(self, owner: Element, *names: str) -> tuple[Code, ...]:
        """All of ``owner``'s source texts of these names that hold something."""
        found = []
        for child in owner.all(*names):
            self.check(child)
            code = child.code()
            if code is not None:
                found.append(expand_headers(code, self.folder, self.problems))
        return tuple(found)

    def _definitions(self, *owners: Element) -> list[Code]:
        """The macros that struct texts of the Orchestrator define, as shared code."""
        if self.dialect is not ORCHESTRATOR_DIALECT:
            return []
        codes = [owner.source() for owner in owners]
        return [
            Code(text, code.file, code.line)
            for code in codes
            if (text := definitions(code.text)).strip()
        ]

    def _struct(self, owner: Element, name: str, macros: Macros) -> Struct:
        child = owner.first(name)
        if child is None:
            return Struct()
        return self._body(child, macros, packed=self.dialect is not ORCHESTRATOR_DIALECT)

    def _body(self, element: Element, macros: Macros, packed: bool) -> Struct:
        if element.name != "MessageType":
            self.check(element)
        if self.dialect.syntax == "json":
            return self.elements.struct(element)
        code = element.source()
        return self.texts.struct(code, element.name, dict(macros), packed)

    def raw(self, owner: Element, name: str) -> Code | None:
        """Arbitrary C++ members of a supervisor, as code."""
        child = owner.first(name)
        if child is None:
            return None
        if self.dialect.syntax == "json":
            self.check(child)
            return members_as_code(self.elements.struct(child), child)
        return self.code(owner, name)

    def _macros_of(self, codes: Iterable[Code], known: Macros) -> Macros:
        macros = dict(known)
        if self.dialect.syntax == "braces" and not self.texts.exact:
            for code in codes:
                preprocess(code.text, macros)
        return macros

    def check(self, element: Element, name: str = "") -> None:
        """Report what does not belong in ``element``, by the rule of ``name`` if given."""
        check_element(element, self.dialect.rules, self.problems, name)

    def _id(self, element: Element, what: str, attribute: str = "id") -> str:
        name = element.attributes.get(attribute, "")
        if attribute in element.attributes:
            check_name(self.problems, element.place, name, what, member=False)
        return name
