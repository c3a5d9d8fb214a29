"""The source of a plugin with an engine called ``fake``, which does what its options say."""

FAKE = '''
import os
import signal

from pstack_core.engines.engine import Engine, EngineError, EngineInfo, Session
from pstack_core.engines.events import (
    Counters, Failed, Finished, Log, Reason, Started, States, Stats,
)
from pstack_core.engines.hookspecs import hookimpl


class FakeSession(Session):
    """Adds 1 to every state's first field, and ends as the graph's id says."""

    def __init__(self, task):
        self.task = task
        self.stopped = False
        self.closed = 0

    def events(self):
        graph, what = self.task.graph, self.task.graph.id
        if what == "failed":
            yield Failed("the worker could not be started: no such file")
            return
        if what == "compile":
            yield Failed("OnInit of device type 'node' does not compile", "app.xml:3: error: x")
            return
        yield Started(0.25, 0.5, cached=False)
        for name in graph.devices.names:
            yield Log(name, 1, "hello \\u2713")
        yield Stats(Counters(1, 1), 0.1)
        if what == "silent":
            return
        if what == "bug":
            raise ZeroDivisionError("division by zero")
        if what == "wait":
            os.kill(os.getpid(), signal.SIGINT)
            while not self.stopped:
                pass
            yield self.finished(Reason.KILLED, 0)
            return
        if what == "crash":
            yield Finished(
                Reason.CRASH, 0, Counters(3, 2), 0.5, "OnSend of pin 'out' of device n0: SIGSEGV",
                device="n0", signal=11,
            )
            return
        reason, _, code = what.partition("_")
        yield self.finished(Reason(reason), int(code or 0))

    def finished(self, reason, code):
        states = [state.copy() for state in self.task.graph.devices.state]
        for state in states:
            if state.dtype.names:
                state[state.dtype.names[0]] += 1
        return Finished(
            reason, code, Counters(5, 10), 2.0, device="n0", states=States(states)
        )

    def send(self, command):
        self.stopped = True

    def close(self):
        self.closed += 1


class Fake(Engine):
    name = "fake"
    sessions = []

    def info(self):
        return EngineInfo("fake", "test", "here", 1, frozenset({"threads"}), detail="made up")

    def open(self, task):
        if task.threads > 1:
            raise EngineError("the fake engine has one thread; leave out --threads")
        self.sessions.append(FakeSession(task))
        return self.sessions[-1]


@hookimpl
def pstack_register_engines(register):
    register(Fake())
'''
