"""The life of a worker process, from its cold starts to its last commit, for threads and tasks."""

from __future__ import annotations

import gc
import os
import platform
import resource
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from perf_pipeline.logs.log import PROCESS_LOG
from perf_pipeline.samples.journal import REPLACED
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
from perf_pipeline.samples.steps.step_journal import SAMPLED_EVERY
from perf_pipeline.worker.arrival_share import ArrivalShare
from perf_pipeline.worker.ledger import Ledger
from perf_pipeline.worker.own_time import monotonic_ns, write
from perf_pipeline.worker.runtime.lifecycle import NO_LIFECYCLE, Lifecycle
from perf_pipeline.worker.timer_slack import timer_slack
from perf_pipeline.worker.worker_job import WorkerJob, read_words

if TYPE_CHECKING:
    from collections.abc import Callable

    from perf_pipeline.samples.journal import JournalWriter
    from perf_pipeline.samples.record import ErrorClass
    from perf_pipeline.worker.async_loop import AsyncLoop
    from perf_pipeline.worker.bell import Bell
    from perf_pipeline.worker.closed_loop import ClosedLoop
    from perf_pipeline.worker.recorder import Recorder
    from perf_pipeline.worker.replaced import Originals
    from perf_pipeline.worker.task_waits import TaskSampler

    Loop = ClosedLoop | AsyncLoop

FAILED, NOT_STORED = 1, 2
"""Exit codes: a slot could not play; the journal could not be written."""


def ledger_of(
    job: WorkerJob,
    classify: Callable[[BaseException], ErrorClass],
    recorder: Recorder,
    slots: SlotFile,
) -> Ledger:
    """Return the ledger of a job, with the clock of this machine."""
    return Ledger(
        classify=classify,
        recorder=recorder,
        slots=slots,
        kinds=read_words(job.kinds),
        kind_count=len(job.job.kinds),
        deadline_ns=job.deadline_ns,
        clock_ns=monotonic_ns,
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
    originals: Originals,
    lifecycle: Lifecycle = NO_LIFECYCLE,
) -> None:
    """Call the setup, execute every kind once, as the first workflows here, and start the slots.

    The numbers of the cold starts are negative, so they differ from every number of the plan.

    Raises:
        RuntimeError: The setup raised, or a slot could not be started.
    """
    kinds = len(job.job.kinds)
    lifecycle.set_up(slots)
    try:
        loop.cold_start(cold_number(kind, job.worker, kinds) for kind in range(kinds))
        journal.facts(process_facts() | facts | replaced_fact(originals))
        loop.start()
    except BaseException:
        lifecycle.tear_down(journal.facts, FAILED)
        raise
    PROCESS_LOG.write("info", "worker-ready", "the target is open, and every slot waits for the go")
    slots.words[STATE] = READY


def supervise(
    loop: Loop,
    recorder: Recorder,
    journal: JournalWriter,
    slots: SlotFile,
    bell: Bell,
    originals: Originals,
    tasks: TaskSampler | None = None,
    lifecycle: Lifecycle = NO_LIFECYCLE,
) -> int:
    """Sleep until the stop and the drain are over; then close everything.

    The thread wakes when the bell rings, when a record may have waited too long for its commit,
    and when ``tasks`` are to be sampled.

    Args:
        loop: Plays the plan.
        recorder: Stores the records of the workflows.
        journal: Takes the records.
        slots: Has the times to go and to stop.
        bell: Rung by the supervisor, and by the last slot as it ends.
        originals: How the process was before the target was opened.
        tasks: Samples what the workflows of an event loop are doing; None for threads, which are
            sampled at commits.
        lifecycle: Has the teardown, which is called after everything is committed.

    Returns:
        The exit code of the process.
    """
    words = slots.words
    while not words[GO_NS] and monotonic_ns() < words[STOP_NS]:
        _sleep(bell, recorder, words[STOP_NS])
        recorder.commit_if_due(monotonic_ns())  # the cold starts
    recorder.begin_load(words[GO_NS])
    words[STATE] = PLAYING
    while loop.alive():
        now_ns = monotonic_ns()
        until_ns = words[STOP_NS] if now_ns < words[STOP_NS] else words[STOP_NS] + words[DRAIN_NS]
        if now_ns >= until_ns:
            break
        _sleep(bell, recorder, until_ns if tasks is None else min(until_ns, tasks.due_ns))
        now_ns = monotonic_ns()
        recorder.commit_if_due(now_ns)
        if tasks is not None:
            recorder.waits(now_ns, tasks(now_ns))
    recorder.finish(loop.in_flight)
    recorder.facts(replaced_fact(originals))
    for problem in loop.problems[:10]:
        log_line(problem)
        PROCESS_LOG.write("error", "slot-failed", problem, outcome="failure")
    ended = not loop.alive()
    code = FAILED if loop.problems else 0
    if recorder.problem is None:
        PROCESS_LOG.write("info", "worker-drained", "the load is over, and every record is stored")
        words[STATE] = CLOSED
    else:
        log_line(recorder.problem)
        PROCESS_LOG.write("error", "records-not-stored", recorder.problem, outcome="failure")
        code = NOT_STORED
    lifecycle.tear_down(recorder.facts, code)
    if ended:
        loop.close()
        journal.close()
    return code


def replaced_fact(originals: Originals) -> dict[str, str]:
    """Return what foreign code has replaced in this process, as a fact; none if it is nothing."""
    changes = originals.changes()
    return {REPLACED: "\n".join(changes)} if changes else {}


def log_line(text: str) -> None:
    """Write a line to this process's log, whatever the target has made of standard error."""
    write(2, f"{text}\n".encode(errors="backslashreplace"))


def _sleep(bell: Bell, recorder: Recorder, until_ns: int) -> None:
    """Sleep until the bell rings, until ``until_ns``, or until the recorder needs a look."""
    now_ns = monotonic_ns()
    bell.wait((min(until_ns, recorder.next_look_ns(now_ns)) - now_ns) / 1e9)


def target_facts(target: object, *, executes_at_once: int | None) -> dict[str, str]:
    """Return facts about the target in this process, for the manifest and the report.

    Args:
        target: May have ``remarks``: what its adapter changed in it, as text; and
            ``sampled_every``: of which workflows its own steps are recorded.
        executes_at_once: How many workflows it executes at the same time; None without a bound.
    """
    return {
        "executes_at_once": "" if executes_at_once is None else str(executes_at_once),
        "remarks": "\n".join(getattr(target, "remarks", ())),
        SAMPLED_EVERY: str(getattr(target, "sampled_every", "") or ""),
    }


def scheduling() -> str:
    """Describe what decides the share of a core that this process gets.

    With autogroup each session is a scheduling group (sched(7)); a worker process has its own.
    """
    try:
        group = Path("/proc/self/autogroup").read_text(encoding="ascii").strip()
    except OSError:
        group = "no autogroup"
    session = "own session" if os.getsid(0) == os.getpid() else f"session {os.getsid(0)}"
    return (
        f"{session}, {group}, policy {os.sched_getscheduler(0)}, "
        f"nice {os.getpriority(os.PRIO_PROCESS, 0)}"
    )


def process_facts() -> dict[str, str]:
    """Return facts about this process, for the manifest."""
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
        "scheduling": scheduling(),
    }
