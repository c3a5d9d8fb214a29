"""Which elements and attributes each version allows, and which it requires."""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

from pstack_core.graph.diagnostics import Place, Problems
from pstack_core.graph.document import Element

#: Elements of other versions and tools that may appear anywhere and mean nothing here.
IGNORED = frozenset({"Documentation", "MetaData", "Metadata", "HashDigest"})


class Rule(NamedTuple):
    """What one element may hold.  ``required`` holds only where rules are strict."""

    once: frozenset[str] = frozenset()
    many: frozenset[str] = frozenset()
    attributes: frozenset[str] = frozenset()
    needs: tuple[str, ...] = ()  # attributes
    required: tuple[str, ...] = ()  # children
    text: bool = False


def rule(
    once: str = "",
    many: str = "",
    attributes: str = "",
    needs: str = "",
    required: str = "",
    text: bool = False,
) -> Rule:
    """A rule from names with blanks between them."""
    return Rule(
        frozenset(once.split()),
        frozenset(many.split()),
        frozenset(attributes.split()) | frozenset(needs.split()),
        tuple(needs.split()),
        tuple(required.split()),
        text,
    )


_TEXT = rule(text=True)
_DATA = rule(many="Scalar Array Tuple Union", attributes="cTypeName", text=True)
_SUPERVISOR_HANDLERS = "OnInit OnSupervisorIdle OnStop OnRTCL OnCTL"
_HANDLERS = "ReadyToSend OnInit OnHardwareIdle OnDeviceIdle"

#: v2 and v3, whose differences are optional elements.  CodelessPin is a pin of an
#: external or a supervisor, which may have no handler.
V3: Mapping[str, Rule] = {
    "GraphType": rule(
        once="Types Properties MessageTypes DeviceTypes",
        many="SharedCode SupervisorDeviceType",
        needs="id",
        required="MessageTypes DeviceTypes",
    ),
    "Types": rule(many="TypeDef"),
    "TypeDef": rule(many="Scalar Array Tuple Union", needs="id"),
    "Properties": _DATA,
    "State": _DATA,
    "Message": _DATA,
    "MessageTypes": rule(many="MessageType"),
    "MessageType": rule(once="Message", needs="id"),
    "DeviceTypes": rule(many="DeviceType ExternalType SupervisorType SupervisorDeviceType"),
    "DeviceType": rule(
        once=f"Properties State OnThreadIdle OnCompute {_HANDLERS}",
        many="SharedCode DeviceSharedCode InputPin OutputPin",
        needs="id",
        required="ReadyToSend",
    ),
    "ExternalType": rule(once="Properties", many="InputPin OutputPin", needs="id"),
    "InputPin": rule(
        once="Properties State OnReceive",
        attributes="application",
        needs="name messageTypeId",
        required="OnReceive",
    ),
    "OutputPin": rule(
        once="OnSend",
        attributes="application indexed priority",
        needs="name messageTypeId",
        required="OnSend",
    ),
    "CodelessPin": rule(
        once="Properties State OnReceive OnSend",
        attributes="application indexed priority",
        needs="name messageTypeId",
    ),
    "SupervisorType": rule(
        once="Properties State SupervisorCompute OnCompute " + _SUPERVISOR_HANDLERS,
        many="Code SharedCode InputPin OutputPin",
        attributes="requiresPersistentLocalDeviceInfo requiresLocalDeviceProperties"
        " requiresLocalEdgeEndpoints",
        needs="id",
    ),
    "OnCompute": rule(attributes="priority", text=True),
    "GraphInstance": rule(
        once="Properties DeviceInstances EdgeInstances",
        attributes="supervisorTypeId supervisorDeviceTypeId",
        needs="id graphTypeId",
        required="DeviceInstances EdgeInstances",
    ),
}

#: v4.  Attributes of older versions mean nothing and are left there by converters.
V4: Mapping[str, Rule] = {
    "GraphType": rule(
        once="Properties SharedCode MessageTypes DeviceTypes",
        needs="id",
        required="Properties MessageTypes DeviceTypes",
    ),
    "Properties": rule(attributes="cTypeName", text=True),
    "State": rule(attributes="cTypeName", text=True),
    "Message": rule(attributes="cTypeName", text=True),
    "MessageTypes": rule(many="MessageType"),
    "MessageType": rule(once="Message", needs="id", required="Message"),
    "DeviceTypes": rule(many="DeviceType ExternalType SupervisorType"),
    "DeviceType": rule(
        once=f"Properties State SharedCode SupervisorInPin SupervisorOutPin {_HANDLERS}",
        many="InputPin OutputPin",
        needs="id",
        required="ReadyToSend",
    ),
    "ExternalType": rule(once="Properties", many="InputPin OutputPin", needs="id"),
    "InputPin": rule(
        once="Properties State OnReceive",
        attributes="application",
        needs="name messageTypeId",
        required="OnReceive",
    ),
    "OutputPin": rule(
        once="OnSend",
        attributes="application indexed priority",
        needs="name messageTypeId",
        required="OnSend",
    ),
    "SupervisorInPin": rule(
        once="OnReceive",
        attributes="id name",
        needs="messageTypeId",
        required="OnReceive",
    ),
    "SupervisorOutPin": rule(
        once="OnSend", attributes="id name", needs="messageTypeId", required="OnSend"
    ),
    "CodelessPin": rule(
        once="Properties State OnReceive OnSend",
        attributes="indexed",
        needs="name messageTypeId",
    ),
    "SupervisorType": rule(
        once="Properties State " + _SUPERVISOR_HANDLERS,
        many="Code SharedCode SupervisorInPin SupervisorOutPin InputPin OutputPin",
        attributes="SupervisorInPin",
        needs="id",
    ),
    "GraphInstance": rule(
        once="DeviceInstances EdgeInstances",
        attributes="P",
        needs="id graphTypeId",
        required="DeviceInstances EdgeInstances",
    ),
    "GraphInstanceBase85": rule(
        once="DeviceInstancesBase85 EdgeInstancesBase85",
        attributes="P",
        needs="id graphTypeId",
        required="DeviceInstancesBase85 EdgeInstancesBase85",
    ),
}

#: The Orchestrator's dialect: v4 with nearly everything optional.
ORCHESTRATOR: Mapping[str, Rule] = {
    **V4,
    "GraphType": rule(once="Properties MessageTypes DeviceTypes", many="SharedCode", needs="id"),
    "MessageType": rule(once="Message", needs="id", text=True),
    "DeviceType": rule(
        once=f"Properties State SupervisorInPin SupervisorOutPin {_HANDLERS}",
        many="SharedCode InputPin OutputPin",
        needs="id",
    ),
    "InputPin": rule(once="Properties State OnReceive", needs="name messageTypeId"),
    "OutputPin": rule(once="OnSend", attributes="indexed", needs="name messageTypeId"),
    "SupervisorInPin": rule(
        once="OnReceive Properties State", attributes="id name", needs="messageTypeId"
    ),
    "SupervisorOutPin": rule(once="OnSend", attributes="id name", needs="messageTypeId"),
    "GraphInstance": rule(
        once="DeviceInstances EdgeInstances", attributes="P", needs="id graphTypeId"
    ),
}

ROOT = rule(
    many="GraphType GraphTypeReference GraphInstance GraphInstanceBase85"
    " GraphInstanceReference GraphInstanceMetadataPatch",
    attributes="formatMinorVersion appname",
)

_HANDLER_NAMES = frozenset(
    f"{_HANDLERS} {_SUPERVISOR_HANDLERS} OnReceive OnSend OnThreadIdle SupervisorCompute"
    " SharedCode DeviceSharedCode Code".split()
)


def check_element(
    element: Element, rules: Mapping[str, Rule], problems: Problems, name: str = ""
) -> None:
    """Report what ``element`` itself (not its children's content) holds against its rule.

    ``name`` names the rule where it is not the element's own name.
    """
    spec = rules.get(name or element.name)
    if spec is None:
        if element.name not in _HANDLER_NAMES:
            return
        spec = _TEXT
    place = element.place
    for attribute in element.attributes:
        if attribute not in spec.attributes:
            problems.warning(
                place,
                f"the attribute '{attribute}' of {element.name} is not known and is ignored",
                "remove it or correct its spelling",
            )
    for attribute in spec.needs:
        if attribute not in element.attributes:
            problems.error(
                place, f"{element.name} has no attribute '{attribute}'", f"add {attribute}=..."
            )
    seen: set[str] = set()
    for child in element.children:
        if child.name in spec.once:
            if child.name in seen:
                problems.error(
                    child.place,
                    f"{element.name} holds a second {child.name}",
                    "keep one",
                )
            seen.add(child.name)
        elif child.name in spec.many:
            seen.add(child.name)
        elif child.name not in IGNORED:
            unknown_child(element, child, spec, problems)
    for required in spec.required:
        if required not in seen:
            problems.lax(place, f"{element.name} has no {required}", f"add <{required}/>")
    if not spec.text:
        check_stray(element, problems)


def unknown_child(element: Element, child: Element, spec: Rule, problems: Problems) -> None:
    """Report an element that does not belong in ``element``."""
    allowed = sorted(spec.once | spec.many)
    match = next((name for name in allowed if name.lower() == child.name.lower()), "")
    if match:
        hint = f"write {match}"
    elif allowed:
        hint = f"{element.name} may hold {', '.join(allowed)}"
    else:
        hint = f"{element.name} holds text only"
    problems.error(child.place, f"{child.name[:60]} does not belong in {element.name}", hint)


def check_stray(element: Element, problems: Problems) -> None:
    """Warn about text among elements."""
    for text, line, column in element.texts:
        if text.strip():
            begin = len(text) - len(text.lstrip())
            problems.warning(
                Place(element.file, line + text.count("\n", 0, begin), column, element.name),
                f"text in {element.name} is ignored: '{text.strip().splitlines()[0][:40]}'",
                "remove it",
            )
            return
