"""A worker whose slots are tasks of one event loop."""

from __future__ import annotations

import itertools
from asyncio import sleep as asyncio_sleep
from typing import TYPE_CHECKING, cast

from perf_pipeline.steps import record_steps
from perf_pipeline.worker.async_loop import AsyncLoop
from perf_pipeline.worker.async_open_loop import AsyncOpenLoop
from perf_pipeline.worker.event_thread import EventThread
from perf_pipeline.worker.own_time import monotonic_ns
from perf_pipeline.worker.recorder import Recorder
from perf_pipeline.worker.replaced import Originals
from perf_pipeline.worker.runtime.lifecycle import Lifecycle
from perf_pipeline.worker.stages.async_staged_loop import AsyncStagedLoop
from perf_pipeline.worker.supervision import get_ready, ledger_of, share_of, supervise, target_facts
from perf_pipeline.worker.task_waits import TaskSampler
from perf_pipeline.worker.worker_job import WorkerJob, read_words

if TYPE_CHECKING:
    from types import ModuleType

    from perf_pipeline.samples.journal import JournalWriter
    from perf_pipeline.samples.slots import SlotFile
    from perf_pipeline.targets.target import AsyncAdapter
    from perf_pipeline.worker.bell import Bell


def play(
    job: WorkerJob, module: ModuleType, journal: JournalWriter, slots: SlotFile, bell: Bell
) -> int:
    """Play the job with a task a slot; returns the exit code."""
    adapter = cast("AsyncAdapter", module)
    originals = Originals()
    steps = record_steps(monotonic_ns)
    events = EventThread()
    target = events.run(adapter.open_target(job.job))
    lifecycle = Lifecycle(
        job.job.setup, job.job.teardown, "callable_async", lambda function: events.run(function())
    )
    sample = TaskSampler(lambda: slots.totals().in_flight, target.executing)
    recorder = Recorder(journal, slots, monotonic_ns, steps=steps)
    kind_of_loop = AsyncStagedLoop if job.staged else AsyncLoop
    loop = (AsyncOpenLoop if job.intended else kind_of_loop)(
        target=target,
        events=events,
        ledger=ledger_of(job, adapter.classify, recorder, slots),
        slots=slots,
        numbers=itertools.count(job.worker, job.workers),
        ramp_ns=read_words(job.ramp),
        clock_ns=monotonic_ns,
        sleep=asyncio_sleep,
        on_last_end=bell.ring,
        think_s=job.think_draws(),
    )
    if isinstance(loop, AsyncOpenLoop):
        loop.schedule(share_of(job))
    facts = target_facts(target, executes_at_once=target.at_once)
    get_ready(loop, job, journal, slots, facts, originals, lifecycle)
    if job.trace is not None:
        from perf_pipeline.worker.tracing.tracer import begin_tracing  # noqa: PLC0415 - seldom

        begin_tracing(job.trace, job.trace_file, slots, recorder)
    return supervise(loop, recorder, journal, slots, bell, originals, sample, lifecycle)
