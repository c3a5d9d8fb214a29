"""The types that a builder collects: messages, device types and their pins."""

from __future__ import annotations

from dataclasses import replace

from pstack_core.graph.diagnostics import ApplicationError, Place, Problems, fail
from pstack_core.graph.layout import Struct
from pstack_core.graph.model import (
    MAX_OUTPUT_PINS,
    SUPERVISOR_IN,
    SUPERVISOR_OUT,
    Code,
    DeviceType,
    InputPin,
    MessageType,
    OutputPin,
    SupervisorType,
)
from pstack_core.graph.struct_text import StructReader
from pstack_core.graph.typed_data import check_name


class Origin:
    """The graph type being built: names its texts in errors, here and in the compiler's."""

    def __init__(self, type_id: str) -> None:
        self.type_id = type_id
        # One for all texts, so that their sizes are bounded together.
        self._problems = Problems()
        self._reader = StructReader(self._problems, dialect=True)

    @property
    def file(self) -> str:
        return f"<{self.type_id}>"

    def error(self, message: str, hint: str = "") -> ApplicationError:
        return fail(Place(self.file), message, hint)

    def code(self, what: str, text: str) -> Code | None:
        """Handler text; blank text is no handler."""
        return Code(text, f"<{self.type_id}: {what}>", 1) if text.strip() else None

    def struct(self, what: str, text: str | Struct) -> Struct:
        if isinstance(text, Struct):
            return text
        struct = self._reader.struct(Code(text, f"<{self.type_id}: {what}>"), "")
        self._raise_found()
        return struct

    def identifier(self, what: str, name: str) -> None:
        check_name(self._problems, Place(self.file), name, what)
        self._raise_found()

    def _raise_found(self) -> None:
        """Whoever builds a graph can mend it: what is a warning in a file is an error here."""
        found = [replace(problem, severity="error") for problem in self._problems.found]
        if found:
            self._problems.found.clear()
            self._problems.errors = 0
            raise ApplicationError(found)


class TypeTable:
    """Messages and device types by name."""

    def __init__(self, origin: Origin) -> None:
        self.origin = origin
        self.messages: dict[str, MessageType] = {}
        self.device_types: list[DeviceTypeBuilder] = []
        self.supervisor: SupervisorType | None = None
        self._index: dict[str, int] = {}

    def add_message(self, id: str, data: str | Struct, documentation: str) -> None:
        self.origin.identifier("message", id)
        if id in self.messages:
            raise self.origin.error(f"message '{id}' exists already")
        struct = self.origin.struct(f"message '{id}'", data)
        self.messages[id] = MessageType(id, struct, documentation)

    def add_device_type(
        self,
        id: str,
        properties: str | Struct,
        state: str | Struct,
        handlers: dict[str, str],
        shared_code: str,
        documentation: str,
        external: bool,
    ) -> DeviceTypeBuilder:
        self.origin.identifier("device type", id)
        if id in self._index:
            raise self.origin.error(f"device type '{id}' exists already")
        made = DeviceTypeBuilder(
            self, id, properties, state, handlers, shared_code, documentation, external
        )
        self._index[id] = len(self.device_types)
        self.device_types.append(made)
        return made

    def set_supervisor(
        self, id: str, code: str, in_message: str, out_message: str, texts: dict[str, str]
    ) -> None:
        for message in (in_message, out_message):
            if message:
                self.check_message(message, "the supervisor")
        source = self.origin.code("supervisor code", code)
        self.supervisor = SupervisorType(
            id=id,
            code=(source,) if source else (),
            in_message=in_message,
            out_message=out_message,
            properties=self.origin.code("supervisor properties", texts["properties"]),
            state=self.origin.code("supervisor state", texts["state"]),
            on_init=self.origin.code("supervisor on_init", texts["on_init"]),
            on_idle=self.origin.code("supervisor on_idle", texts["on_idle"]),
            on_stop=self.origin.code("supervisor on_stop", texts["on_stop"]),
            on_receive=self.origin.code("supervisor on_receive", texts["on_receive"]),
            on_send=self.origin.code("supervisor on_send", texts["on_send"]),
        )

    @property
    def has_supervisor(self) -> bool:
        """Whether there is a supervisor or a pin to or from it."""
        return self.supervisor is not None or any(
            SUPERVISOR_IN in made.inputs or SUPERVISOR_OUT in made.outputs
            for made in self.device_types
        )

    def check_message(self, message: str, user: str) -> None:
        if message not in self.messages:
            known = ", ".join(self.messages) or "none"
            raise self.origin.error(
                f"{user} uses unknown message '{message}'", f"declared messages: {known}"
            )

    def device_type_index(self, name: str) -> int:
        index = self._index.get(name)
        if index is None:
            known = ", ".join(self._index) or "none"
            raise self.origin.error(
                f"there is no device type '{name}'", f"declared device types: {known}"
            )
        return index

    def input_index(self, kind: int, pin: str) -> int:
        made = self.device_types[kind]
        index = made.inputs.get(pin)
        if index is None:
            known = ", ".join(made.inputs) or "none"
            raise self.origin.error(
                f"device type '{made.id}' has no input pin '{pin}'", f"its input pins: {known}"
            )
        return index

    def output_index(self, kind: int, pin: str) -> int:
        made = self.device_types[kind]
        index = made.outputs.get(pin)
        if index is None:
            known = ", ".join(made.outputs) or "none"
            raise self.origin.error(
                f"device type '{made.id}' has no output pin '{pin}'", f"its output pins: {known}"
            )
        return index

    def check_edge(
        self, kind: int, in_pin: int, source: int, out_pin: int, has_send_index: bool
    ) -> None:
        """Both pins of an edge must carry one message type."""
        receiver, sender = self.device_types[kind], self.device_types[source]
        into, out = receiver.input_pins[in_pin], sender.output_pins[out_pin]
        if into.message != out.message:
            raise self.origin.error(
                f"an edge joins output pin '{out.name}' of device type '{sender.id}', which "
                f"sends '{out.message}', to input pin '{into.name}' of '{receiver.id}', which "
                f"takes '{into.message}'"
            )
        if has_send_index and not out.indexed:
            raise self.origin.error(
                f"an edge from output pin '{out.name}' of device type '{sender.id}' has a send "
                "index, but the pin is not indexed",
                "declare the pin with indexed=True",
            )


class DeviceTypeBuilder:
    """A device type under construction: add its pins with :meth:`input` and :meth:`output`."""

    def __init__(
        self,
        table: TypeTable,
        id: str,
        properties: str | Struct,
        state: str | Struct,
        handlers: dict[str, str],
        shared_code: str,
        documentation: str,
        external: bool,
    ) -> None:
        self._table = table
        origin = table.origin
        self.id = id
        self.external = external
        self.properties = origin.struct(f"properties of '{id}'", properties)
        self.state = origin.struct(f"state of '{id}'", state)
        self.input_pins: list[InputPin] = []
        self.output_pins: list[OutputPin] = []
        self.inputs: dict[str, int] = {}
        self.outputs: dict[str, int] = {}
        self._handlers = {
            name: origin.code(f"{id}.{name}", text) for name, text in handlers.items()
        }
        self._shared_code = origin.code(f"{id} shared code", shared_code)
        self._documentation = documentation

    def input(
        self,
        name: str,
        message: str,
        *,
        on_receive: str = "",
        properties: str | Struct = "",
        state: str | Struct = "",
        documentation: str = "",
    ) -> DeviceTypeBuilder:
        """Add an input pin; ``properties`` and ``state`` are those of each edge into it."""
        origin = self._table.origin
        origin.identifier("pin", name)
        if name in self.inputs:
            raise origin.error(f"device type '{self.id}' has an input pin '{name}' already")
        self._table.check_message(message, f"input pin '{name}' of device type '{self.id}'")
        self._check_handler(name, on_receive)
        where = f"pin '{name}' of '{self.id}'"
        pin = InputPin(
            name,
            message,
            origin.code(f"{self.id}.{name}.on_receive", on_receive),
            origin.struct(f"properties of {where}", properties),
            origin.struct(f"state of {where}", state),
            documentation,
        )
        self.inputs[name] = len(self.input_pins)
        self.input_pins.append(pin)
        return self

    def output(
        self,
        name: str,
        message: str,
        *,
        on_send: str = "",
        indexed: bool = False,
        documentation: str = "",
    ) -> DeviceTypeBuilder:
        """Add an output pin; the first is bit 0 of ready-to-send."""
        origin = self._table.origin
        origin.identifier("pin", name)
        if name in self.outputs:
            raise origin.error(f"device type '{self.id}' has an output pin '{name}' already")
        if len(self.output_pins) == MAX_OUTPUT_PINS:
            raise origin.error(
                f"device type '{self.id}' has more than {MAX_OUTPUT_PINS} output pins",
                "each needs a bit of the ready-to-send word",
            )
        if SUPERVISOR_OUT in self.outputs:
            raise origin.error(
                f"device type '{self.id}' has output pin '{name}' after {SUPERVISOR_OUT}",
                "the pin to the supervisor must be the last",
            )
        self._table.check_message(message, f"output pin '{name}' of device type '{self.id}'")
        self._check_handler(name, on_send)
        code = origin.code(f"{self.id}.{name}.on_send", on_send)
        self.outputs[name] = len(self.output_pins)
        self.output_pins.append(OutputPin(name, message, code, indexed, documentation))
        return self

    def _check_handler(self, pin: str, text: str) -> None:
        if self.external and text.strip():
            raise self._table.origin.error(
                f"pin '{pin}' of external type '{self.id}' has a handler",
                "externals are programs of their own and have none",
            )

    def build(self) -> DeviceType:
        return DeviceType(
            id=self.id,
            properties=self.properties,
            state=self.state,
            input_pins=tuple(self.input_pins),
            output_pins=tuple(self.output_pins),
            shared_code=(self._shared_code,) if self._shared_code else (),
            external=self.external,
            ready_to_send=self._handlers.get("ready_to_send"),
            on_init=self._handlers.get("on_init"),
            on_hardware_idle=self._handlers.get("on_hardware_idle"),
            on_device_idle=self._handlers.get("on_device_idle"),
            documentation=self._documentation,
        )
