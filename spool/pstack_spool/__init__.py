"""The spool: processes, their queue, logs and results, in one SQLite file.

    spool = Spool(path, clock=time.time)   # creates or upgrades; threads and processes may share
    [pid] = spool.submit([Submission(application=b"<Graphs ...", name="ring.xml", owner="ann")])

A user's side:

    submit rerun get select counts history changes last_change why_waiting after tasks
    kill pause resume remove clean logs last_log result states application

``kill``, ``pause`` and ``resume`` act at once on a process that no worker holds.  For one
that a worker holds they leave a request, which the worker learns of with its heartbeat.

A worker's side (a worker is a scheduler; its name must never have been used before, so
host, process id and start time, for example):

    spool.announce(Engine("local", slots=2))            # slots limit all workers together
    for process in spool.claim(worker, {"local": 2}, lease=30.0, share=None, most=None):
        content = spool.application(process.application)
        spool.started(process.claim, devices=4, edges=4)
        spool.append_logs(process.pid, [(time, region, device, level, text), ...])
        orders = spool.heartbeat([process.claim, ...], lease=30.0, stats={pid: {...}})
        #   orders.lost: stop, report nothing; .kill .pause .resume: obey, then report with
        spool.paused(process.claim); spool.resumed(process.claim)
        spool.end(process.claim, Outcome(state=State.FINISHED, reason="exit", exit_code=0,
                                         exit_status=0, metrics={...}, states=npz_bytes))
        #   the new state: waiting again if it failed and has retries left
    spool.release(claim)                    # give it back at shutdown; no failure
    spool.expire()                          # leases that are over -> [(pid, new state)]
    spool.abandon(worker)                   # a worker known to be dead -> [(pid, new state)]

A :class:`Claim` names the attempt, so a report about an attempt that was taken away
raises :class:`LeaseLost` and changes nothing: no process ends twice.

The file: ``size integrity vacuum backup batch close``.  Times are seconds since the epoch
from ``clock``.  Every error is a :class:`SpoolError` with a sentence for the user:
:class:`NoSuchProcess`, :class:`NotAllowed` (the state forbids it), :class:`LeaseLost`,
:class:`BadSubmission`, or itself where the file cannot be used.

docs/spool.md describes the schema, the changes of state and what survives what.
"""

from pstack_spool.db import library_problem
from pstack_spool.errors import BadSubmission, LeaseLost, NoSuchProcess, NotAllowed, SpoolError
from pstack_spool.model import (
    FINAL,
    Change,
    Claim,
    Engine,
    LogBound,
    LogLine,
    Orders,
    Outcome,
    Process,
    Result,
    Size,
    State,
    Submission,
    Waiting,
)
from pstack_spool.spool import Spool

__all__ = [
    "Spool",
    "Submission",
    "Process",
    "State",
    "FINAL",
    "Claim",
    "Orders",
    "Outcome",
    "Change",
    "Waiting",
    "LogLine",
    "LogBound",
    "Result",
    "Engine",
    "Size",
    "SpoolError",
    "NoSuchProcess",
    "NotAllowed",
    "LeaseLost",
    "BadSubmission",
    "library_problem",
]
