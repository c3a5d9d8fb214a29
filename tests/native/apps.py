"""Small applications for the kernel's tests, and one way to run them."""

from __future__ import annotations

from dataclasses import dataclass

from pstack_core.engines.engine import Limits, Task
from pstack_core.engines.events import Event, Failed, Finished, Log
from pstack_core.graph.builder import GraphBuilder
from pstack_core.graph.model import Graph
from pstack_local.engine import LocalEngine


@dataclass
class Run:
    """What a run reported."""

    logs: list[Log]
    end: Finished
    graph: Graph

    def state(self, device: str) -> dict[str, object]:
        index = self.graph.devices.names.index_of[device]
        type_index = int(self.graph.devices.type[index])
        assert self.end.states is not None
        row = self.end.states.by_type[type_index][int(self.graph.devices.row[index])]
        return {name: row[name].tolist() for name in row.dtype.names}


def run(graph: Graph, level: int = 1, seed: int = 0, **limits: float) -> Run:
    """Run to the end on the local engine; keyword arguments are Limits."""
    limits.setdefault("wall_seconds", 20)
    task = Task(graph, level=level, seed=seed, limits=Limits(**limits))  # type: ignore[arg-type]
    with LocalEngine().open(task) as session:
        events: list[Event] = list(session.events())
    last = events[-1]
    assert not isinstance(last, Failed), last
    assert isinstance(last, Finished)
    return Run([e for e in events if isinstance(e, Log)], last, graph)


def single(
    on_init: str = "",
    state: str = "uint32_t x;",
    on_receive: str = "",
    on_send: str = "deviceState->x = 0;",
    ready: str = "*readyToSend = deviceState->x ? RTS_FLAG_out : 0;",
    shared_code: str = "",
    devices: int = 1,
    **handlers: str,
) -> Graph:
    """``devices`` devices d0, d1, ... whose pin out reaches the next one's pin in, in a ring."""
    builder = GraphBuilder("single", id="single", shared_code=shared_code)
    builder.message("m", "uint32_t value;")
    device = builder.device_type(
        "device",
        properties="uint32_t id; uint32_t after;",
        state=state,
        on_init=on_init,
        ready_to_send=ready,
        **handlers,
    )
    device.input("in", "m", on_receive=on_receive)
    device.output("out", "m", on_send=on_send)
    names = [f"d{i}" for i in range(devices)]
    ids = list(range(devices))
    builder.devices(names, "device", properties={"id": ids, "after": [7] * devices})
    builder.edges([(i + 1) % devices for i in ids], "in", ids, "out")
    return builder.build()
