"""From the cold starts to the last commit: the same for a worker of threads and one of tasks."""

from __future__ import annotations

import gc
import os
import platform
import resource
import sys
import time
from typing import TYPE_CHECKING

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
from perf_pipeline.worker.arrival_share import ArrivalShare
from perf_pipeline.worker.ledger import Ledger
from perf_pipeline.worker.timer_slack import timer_slack
from perf_pipeline.worker.worker_job import WorkerJob, read_words

if TYPE_CHECKING:
    from collections.abc import Callable

    from perf_pipeline.samples.journal import JournalWriter
    from perf_pipeline.samples.record import ErrorClass
    from perf_pipeline.worker.async_loop import AsyncLoop
    from perf_pipeline.worker.closed_loop import ClosedLoop
    from perf_pipeline.worker.recorder import Recorder

    Loop = ClosedLoop | AsyncLoop

TICK_S = 0.05


def ledger_of(
    job: WorkerJob,
    classify: Callable[[BaseException], ErrorClass],
    recorder: Recorder,
    slots: SlotFile,
) -> Ledger:
    """Make the ledger of a job, on the clock of this machine."""
    return Ledger(
        classify=classify,
        recorder=recorder,
        slots=slots,
        kinds=read_words(job.kinds),
        kind_count=len(job.job.kinds),
        deadline_ns=job.deadline_ns,
        clock_ns=time.monotonic_ns,
    )


def share_of(job: WorkerJob) -> ArrivalShare:
    """Read the schedule of an open loop's job."""
    return ArrivalShare(read_words(job.intended), job.start_timeout_ns)


def get_ready(
    loop: Loop,
    job: WorkerJob,
    journal: JournalWriter,
    slots: SlotFile,
    facts: dict[str, str],
) -> None:
    """Execute every kind once, as the first workflows of this process; then let the slots wait.

    The numbers of the cold starts are negative, so that they never meet a number of the plan.
    """
    kinds = len(job.job.kinds)
    loop.cold_start(cold_number(kind, job.worker, kinds) for kind in range(kinds))
    journal.facts(process_facts() | facts)
    loop.start()
    slots.words[STATE] = READY


def supervise(
    loop: Loop,
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


def target_facts(target: object, *, executes_at_once: int | None) -> dict[str, str]:
    """Say what the target is in this process, for the manifest and the report.

    Args:
        target: A target may have ``remarks``: what its adapter did to it, in words.
        executes_at_once: Workflows; None when nothing bounds them.
    """
    return {
        "executes_at_once": "" if executes_at_once is None else str(executes_at_once),
        "remarks": "\n".join(getattr(target, "remarks", ())),
    }


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
        "timer_slack_ns": timer_slack(),
    }
