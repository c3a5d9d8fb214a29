"""A file whose root is a graph type, as some generators splice in."""

from pstack_core.graph import load_types

TYPE = """<GraphType id="g">
  <MessageTypes><MessageType id="m"/></MessageTypes>
  <DeviceTypes>
    <DeviceType id="d"><OutputPin name="o" messageTypeId="m"><OnSend/></OutputPin></DeviceType>
  </DeviceTypes>
</GraphType>"""


def test_a_bare_graph_type_has_its_parts():
    (graph_type,) = load_types(TYPE)
    assert [message.id for message in graph_type.message_types] == ["m"]
    (device,) = graph_type.device_types
    assert [pin.name for pin in device.output_pins] == ["o"]
