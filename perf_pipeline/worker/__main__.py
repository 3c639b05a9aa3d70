"""The worker process: ``python -m perf_pipeline.worker JOB.json``.

Opens the target, executes each kind of workflow once (the cold start, recorded apart), says that
it is ready, waits for the go, plays until the stop, lets workflows in flight end, commits what
is left and ends. The supervisor steers it through the slot file alone (``samples/slots.py``).

Exit codes: 0 done, 1 the target could not be opened or a slot could not play, 2 the journal
could not be written.
"""

from __future__ import annotations

import asyncio
import faulthandler
import gc
import itertools
import json
import os
import platform
import resource
import signal
import sys
import time
from array import array
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

from perf_pipeline.lifeline import bind_to_parent
from perf_pipeline.samples.journal import JournalWriter
from perf_pipeline.samples.record import cold_number
from perf_pipeline.samples.slots import (
    CLOSED,
    DRAIN_NS,
    GO_NS,
    PLAYING,
    READY,
    STATE,
    STOP_NS,
    SlotFile,
)
from perf_pipeline.targets.target import Job, Kind, Stores
from perf_pipeline.worker.async_loop import AsyncLoop
from perf_pipeline.worker.closed_loop import ClosedLoop
from perf_pipeline.worker.event_thread import EventThread
from perf_pipeline.worker.recorder import Recorder
from perf_pipeline.worker.waits import TaskSampler, WaitSampler

if TYPE_CHECKING:
    from collections.abc import Callable
    from types import ModuleType

    from perf_pipeline.targets.target import Adapter, AsyncAdapter

TICK_S = 0.05


@dataclass(frozen=True)
class WorkerJob:
    """What the supervisor asks of one worker; written as JSON by ``loadgen``.

    Attributes:
        parent_pid: The worker is killed when this process dies.
        worker: Index of this worker; it plays the numbers ``worker``, ``worker + workers``, ...
        workers: Number of workers of the level.
        target: Name of the target's folder.
        mode: ``threads`` or ``asyncio``: what a slot is.
        kinds: File of int64: kind of workflow ``n`` is ``kinds[n % len]``.
        ramp: File of int64: when each slot of this worker starts, ns after the go.
        journal: Where the journal is created.
        slots: The slot file.
        deadline_ns: What takes longer is a timeout.
        job: What the target has to execute.
    """

    parent_pid: int
    worker: int
    workers: int
    target: str
    mode: str
    kinds: str
    ramp: str
    journal: str
    slots: str
    deadline_ns: int
    job: Job


def read_job(path: Path) -> WorkerJob:
    """Read a job as ``loadgen`` wrote it (``dataclasses.asdict``)."""
    raw: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    job = raw.pop("job")
    stores = Stores(**job.pop("stores"))
    # JSON knows no tuple, and a kind must be hashable.
    kinds = tuple(Kind(**kind | {"without": tuple(kind["without"])}) for kind in job.pop("kinds"))
    return WorkerJob(job=Job(kinds=kinds, stores=stores, **job), **raw)


def main(path: Path) -> int:
    """Run one worker from its job file; returns the exit code."""
    job = read_job(path)
    bind_to_parent(signal.SIGKILL, job.parent_pid)
    faulthandler.enable()
    allow_all_descriptors()
    slots = SlotFile(Path(job.slots))
    journal = JournalWriter(Path(job.journal))
    play = play_tasks if job.mode == "asyncio" else play_threads
    return play(job, import_module(f"perf_pipeline.targets.{job.target}.adapter"), journal, slots)


def play_threads(
    job: WorkerJob, module: ModuleType, journal: JournalWriter, slots: SlotFile
) -> int:
    """Play with a thread a slot."""
    adapter = cast("Adapter", module)
    target = adapter.open_target(job.job)
    threads: list[int] = []
    recorder = Recorder(journal, slots, time.monotonic_ns, WaitSampler(threads))
    loop = ClosedLoop(
        target=target,
        classify=adapter.classify,
        recorder=recorder,
        slots=slots,
        numbers=itertools.count(job.worker, job.workers),
        kinds=read_words(job.kinds),
        kind_count=len(job.job.kinds),
        ramp_ns=read_words(job.ramp),
        deadline_ns=job.deadline_ns,
        clock_ns=time.monotonic_ns,
        sleep=time.sleep,
        threads=threads,
    )
    get_ready(loop, job, journal, slots, executes_at_once=None)
    return supervise(loop, recorder, journal, slots)


def play_tasks(job: WorkerJob, module: ModuleType, journal: JournalWriter, slots: SlotFile) -> int:
    """Play with a task a slot, all on one event loop."""
    adapter = cast("AsyncAdapter", module)
    events = EventThread()
    target = events.run(adapter.open_target(job.job))
    sample = TaskSampler(lambda: slots.totals().in_flight, target.executing)
    recorder = Recorder(journal, slots, time.monotonic_ns)
    loop = AsyncLoop(
        target=target,
        events=events,
        classify=adapter.classify,
        recorder=recorder,
        slots=slots,
        numbers=itertools.count(job.worker, job.workers),
        kinds=read_words(job.kinds),
        kind_count=len(job.job.kinds),
        ramp_ns=read_words(job.ramp),
        deadline_ns=job.deadline_ns,
        clock_ns=time.monotonic_ns,
        sleep=asyncio.sleep,
    )
    get_ready(loop, job, journal, slots, executes_at_once=target.at_once)
    return supervise(loop, recorder, journal, slots, sample)


def get_ready(
    loop: ClosedLoop | AsyncLoop,
    job: WorkerJob,
    journal: JournalWriter,
    slots: SlotFile,
    *,
    executes_at_once: int | None,
) -> None:
    """Execute every kind once, as the first workflows of this process; then let the slots wait.

    The numbers of the cold starts are negative, so that they never meet a number of the plan.
    """
    kinds = len(job.job.kinds)
    loop.cold_start(cold_number(kind, job.worker, kinds) for kind in range(kinds))
    at_once = "" if executes_at_once is None else str(executes_at_once)
    journal.facts(process_facts() | {"executes_at_once": at_once})
    loop.start()
    slots.words[STATE] = READY


def supervise(
    loop: ClosedLoop | AsyncLoop,
    recorder: Recorder,
    journal: JournalWriter,
    slots: SlotFile,
    sample_waits: Callable[[int], dict[str, int]] = lambda _now_ns: {},
) -> int:
    """Keep the journal going until the stop and the drain are over; then close everything.

    Args:
        loop: What plays.
        recorder: What keeps its records.
        journal: Where they go.
        slots: When to go and to stop.
        sample_waits: Asked every ``TICK_S`` what the workflows are doing; empty for nothing.
    """
    words = slots.words
    while not words[GO_NS] and time.monotonic_ns() < words[STOP_NS]:
        time.sleep(TICK_S)
        recorder.commit_if_due(time.monotonic_ns())  # the cold starts
    words[STATE] = PLAYING
    while loop.alive() and time.monotonic_ns() < words[STOP_NS] + words[DRAIN_NS]:
        time.sleep(TICK_S)
        now_ns = time.monotonic_ns()
        recorder.commit_if_due(now_ns)
        recorder.waits(now_ns, sample_waits(now_ns))
    recorder.finish(loop.in_flight)
    for problem in loop.problems[:10]:
        print(problem, file=sys.stderr)  # noqa: T201 standard error is the worker's log
    ended = not loop.alive()
    if recorder.problem is None:
        words[STATE] = CLOSED
    if ended:
        loop.close()
        journal.close()
    if recorder.problem:
        print(recorder.problem, file=sys.stderr)  # noqa: T201
        return 2
    return 1 if loop.problems else 0


def allow_all_descriptors() -> None:
    """Raise the limit on descriptors as far as allowed: a slot of kailash takes three."""
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))


def read_words(path: str) -> array[int]:
    """Read a file of little-endian int64."""
    words = array("q")
    words.frombytes(Path(path).read_bytes())
    return words


def process_facts() -> dict[str, str]:
    """Say what this process is, for the manifest."""
    return {
        "python": platform.python_version(),
        "executable": sys.executable,
        "switch_interval_s": str(sys.getswitchinterval()),
        "gc_enabled": str(gc.isenabled()),
        "gc_threshold": str(gc.get_threshold()),
        "environment": " ".join(sorted(os.environ)),
        "modules": " ".join(sorted(sys.modules)),
        "nofile": str(resource.getrlimit(resource.RLIMIT_NOFILE)),
    }


if __name__ == "__main__":
    code = main(Path(sys.argv[1]))
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(code)  # threads still inside a workflow cannot be joined, and are recorded already
