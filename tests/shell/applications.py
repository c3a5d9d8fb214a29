"""Application files for tests of commands."""

from __future__ import annotations

import sys
from pathlib import Path

RING = """\
<?xml version="1.0"?>
<Graphs xmlns="https://poets-project.org/schemas/virtual-graph-schema-v3">
  <GraphType id="ring">
    <Properties><Scalar name="laps" type="uint32_t" default="10"/></Properties>
    <MessageTypes><MessageType id="token"/></MessageTypes>
    <DeviceTypes>
      <DeviceType id="node">
        <Properties><Scalar name="first" type="uint32_t"/></Properties>
        <State>
          <Scalar name="waiting" type="uint32_t"/>
          <Scalar name="counter" type="uint32_t" default="10"/>
        </State>
        <InputPin name="in" messageTypeId="token">
          <OnReceive><![CDATA[
            deviceState->counter++;
            deviceState->waiting = 1;
            handler_log(1, "counter = %u", deviceState->counter);
            if (deviceProperties->first && deviceState->counter == graphProperties->laps) {
              deviceState->waiting = 0;
              handler_exit(EXIT_CODE);
            }
          ]]></OnReceive>
        </InputPin>
        <OutputPin name="out" messageTypeId="token">
          <OnSend><![CDATA[ deviceState->waiting = 0; ]]></OnSend>
        </OutputPin>
        <ReadyToSend><![CDATA[
          *readyToSend = deviceState->waiting ? RTS_FLAG_out : 0;
        ]]></ReadyToSend>
        <OnInit><![CDATA[
          deviceState->counter = 0;
          deviceState->waiting = deviceProperties->first;
        ]]></OnInit>
      </DeviceType>
    </DeviceTypes>
  </GraphType>
  <GraphInstance id="INSTANCE" graphTypeId="ring">
    <DeviceInstances>
      <DevI id="n0" type="node"><P>"first": 1</P></DevI>
DEVICES    </DeviceInstances>
    <EdgeInstances>
EDGES    </EdgeInstances>
  </GraphInstance>
</Graphs>
"""


def ring(instance: str = "exit_0", size: int = 4, exit_code: int = 0) -> str:
    """A token that goes round; ``instance`` tells the fake engine what to do."""
    devices = "".join(f'      <DevI id="n{i}" type="node"/>\n' for i in range(1, size))
    edges = "".join(f'      <EdgeI path="n{(i + 1) % size}:in-n{i}:out"/>\n' for i in range(size))
    return (
        RING.replace("INSTANCE", instance)
        .replace("EXIT_CODE", str(exit_code))
        .replace("DEVICES", devices)
        .replace("EDGES", edges)
    )


def command(*arguments: str) -> list[str]:
    """The command line of ``pstack`` in a process of its own."""
    return [sys.executable, "-m", "pstack_core", *arguments]


ROOT = Path(__file__).parents[2]
