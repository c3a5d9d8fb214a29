"""Small applications as text, for tests."""

from __future__ import annotations

_BASE = "https://poets-project.org/schemas/virtual-graph-schema-"


def graphs(version: str, inside: str, attributes: str = "") -> str:
    """A document; ``version`` is v2, v3, v4, or '' for no name space."""
    namespace = f' xmlns="{_BASE}{version}"' if version else ""
    return f"<Graphs{namespace}{attributes}>{inside}</Graphs>"


def graph_type(
    *,
    name: str = "g",
    top: str = "<Properties/>",
    messages: str = '<MessageType id="m"><Message/></MessageType>',
    devices: str = "",
) -> str:
    """A graph type; ``top`` is what stands before its messages."""
    return (
        f'<GraphType id="{name}">{top}<MessageTypes>{messages}</MessageTypes>'
        f"<DeviceTypes>{devices}</DeviceTypes></GraphType>"
    )


def device_type(name: str = "d", inside: str = "", outputs: str = "o", inputs: str = "i") -> str:
    """A device type with pins of message ``m``, each named by a word."""
    ins = "".join(
        f'<InputPin name="{pin}" messageTypeId="m"><OnReceive/></InputPin>'
        for pin in inputs.split()
    )
    outs = "".join(
        f'<OutputPin name="{pin}" messageTypeId="m"><OnSend/></OutputPin>'
        for pin in outputs.split()
    )
    ready = "" if "<ReadyToSend" in inside else "<ReadyToSend/>"
    return f'<DeviceType id="{name}">{inside}{ready}{ins}{outs}</DeviceType>'


def instance(
    devices: str = "", edges: str = "", *, name: str = "x", graph_type: str = "g", top: str = ""
) -> str:
    """An instance; ``top`` may hold Properties."""
    return (
        f'<GraphInstance id="{name}" graphTypeId="{graph_type}">{top}'
        f"<DeviceInstances>{devices}</DeviceInstances><EdgeInstances>{edges}</EdgeInstances>"
        "</GraphInstance>"
    )
