"""A run whose own Redis fails three times; the second and the third time something goes wrong.

Frozen: workflows fail, and the target stays slow when Redis answers again. Crashed: another program
starts it again at once, as a supervisor would. Frozen again: the process that is to take that back
hangs.
"""

from __future__ import annotations

import os
import signal
import time
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from perf_pipeline.faults.fault_journal import read_journal
from perf_pipeline.faults.process_faults import revive
from perf_pipeline.samples.fault_log import FaultRecord, read_faults
from perf_pipeline.selftest.alert_trials.played_run import PlayedRun, played_run, why_no_server
from perf_pipeline.selftest.alert_trials.stage import Cause, CauseGroup
from perf_pipeline.servers.lifecycle.started_server import started_server

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from perf_pipeline.faults.fault_journal import OpenFault
    from perf_pipeline.selftest.alert_trials.stage import Looks, Stage

_SCENARIO = """
title = "a target that does not recover, and failures that go wrong"
target = "callable"
servers = ["redis"]
processes = 1
concurrency = [2]
[[workload]]
function = "perf_pipeline.selftest.known.open_breaker:ask"
[[fault]]
type = "server_freeze"
server = "redis"
at = "9s"
duration = "5s"
[[fault]]
type = "server_crash"
server = "redis"
at = "26s"
duration = "6s"
[[fault]]
type = "server_freeze"
server = "redis"
at = "36s"
duration = "5s"
[phases]
ramp_up_s = 0
warm_up_s = 1
steady_s = 50
"""
_FREEZE, _CRASH, _SECOND_FREEZE = range(3)
_PROVEN_SIGNS = 12
"""Of a failure that acts, four a second. At a twentieth of its patience the alert may fire at the
very begin, before the exporter has read the first one; by then it must be over."""


def _play(stage: Stage) -> Looks:
    with played_run(_SCENARIO, stage.folder / "failed", stage.scrape_dir) as run:
        yield from _until(run, _FREEZE, lambda one: one.injecting_ns is not None)
        stage.begin("FaultActive")
        yield from _until(run, _FREEZE, lambda one: len(one.signs) >= _PROVEN_SIGNS)
        if stage.is_active("FaultWithoutEvidence", _LABELS):
            stage.early.add("FaultWithoutEvidence")
        yield from _until(run, _FREEZE, lambda one: one.gone_ns is not None)
        stage.begin("NotRecovered")
        yield from _until(run, _CRASH, lambda one: one.in_effect_ns is not None)
        stage.begin("FaultWithoutEvidence")
        _start_again(_open_fault(run))
        yield from _until(run, _SECOND_FREEZE, lambda one: one.in_effect_ns is not None)
        stage.begin("RollbackPending")
        with _stopped(_open_fault(run).injector.pid):
            yield from stage.until_fired("RollbackPending")
        while True:
            yield


def _until(run: PlayedRun, number: int, is_so: Callable[[FaultRecord], bool]) -> Looks:
    """Return at each look until the log of the failures says something of one of them."""
    yield from run.until(lambda: any(is_so(one) for one in _faults(run)[number : number + 1]))


def _faults(run: PlayedRun) -> list[FaultRecord]:
    folder = run.folder()
    levels = sorted(folder.root.glob("levels/*")) if folder else []
    return read_faults(levels[0]) if levels else []


def _open_fault(run: PlayedRun) -> OpenFault:
    """Return the failure that is in effect."""
    (found,) = read_journal(run.state_dir).values()
    return found


def _start_again(fault: OpenFault) -> None:
    """Start the server of a failure, as soon as its guardian has seen it end."""
    server = started_server(Path(fault.server_folder))
    assert server is not None
    revive(server, time.sleep)


@contextmanager
def _stopped(pid: int) -> Iterator[None]:
    os.kill(pid, signal.SIGSTOP)
    try:
        yield
    finally:
        os.kill(pid, signal.SIGCONT)


_LABELS = {"scenario": "failed"}
FAILED_SERVER = CauseGroup(
    (
        Cause("FaultActive", "Redis is frozen", {**_LABELS, "fault": "server_freeze"}),
        Cause("NotRecovered", "a circuit breaker stays open after it", _LABELS),
        Cause(
            "FaultWithoutEvidence",
            "Redis is killed, and started again at once by another program",
            {**_LABELS, "fault": "server_crash"},
        ),
        Cause("RollbackPending", "the injector hangs (SIGSTOP) while Redis is frozen", _LABELS),
    ),
    _play,
    why_not_here=partial(why_no_server, "redis"),
)
