"""A worker whose slots are threads."""

from __future__ import annotations

import itertools
from typing import TYPE_CHECKING, cast

from perf_pipeline.steps import record_steps
from perf_pipeline.worker.closed_loop import ClosedLoop
from perf_pipeline.worker.open_loop import OpenLoop
from perf_pipeline.worker.own_time import monotonic_ns, sleep
from perf_pipeline.worker.recorder import Recorder
from perf_pipeline.worker.replaced import Originals
from perf_pipeline.worker.runtime.lifecycle import Lifecycle
from perf_pipeline.worker.stages.staged_loop import StagedLoop
from perf_pipeline.worker.supervision import get_ready, ledger_of, share_of, supervise, target_facts
from perf_pipeline.worker.waits import WaitSampler
from perf_pipeline.worker.worker_job import WorkerJob, read_words

if TYPE_CHECKING:
    from types import ModuleType

    from perf_pipeline.samples.journal import JournalWriter
    from perf_pipeline.samples.slots import SlotFile
    from perf_pipeline.targets.target import Adapter
    from perf_pipeline.worker.bell import Bell


def play(
    job: WorkerJob, module: ModuleType, journal: JournalWriter, slots: SlotFile, bell: Bell
) -> int:
    """Play the job with a thread a slot; returns the exit code."""
    adapter = cast("Adapter", module)
    originals = Originals()
    steps = record_steps(monotonic_ns)
    target = adapter.open_target(job.job)
    lifecycle = Lifecycle(job.job.setup, job.job.teardown)
    threads: list[int] = []
    recorder = Recorder(journal, slots, monotonic_ns, WaitSampler(threads), steps)
    kind_of_loop = StagedLoop if job.staged else ClosedLoop
    loop = (OpenLoop if job.intended else kind_of_loop)(
        target=target,
        ledger=ledger_of(job, adapter.classify, recorder, slots),
        slots=slots,
        numbers=itertools.count(job.worker, job.workers),
        ramp_ns=read_words(job.ramp),
        clock_ns=monotonic_ns,
        sleep=sleep,
        threads=threads,
        on_last_end=bell.ring,
        think_s=job.think_draws(),
    )
    if isinstance(loop, OpenLoop):
        loop.schedule(share_of(job))
    facts = target_facts(target, executes_at_once=None)
    get_ready(loop, job, journal, slots, facts, originals, lifecycle)
    if job.trace is not None:
        from perf_pipeline.worker.tracing.tracer import begin_tracing  # noqa: PLC0415 - seldom

        begin_tracing(job.trace, job.trace_file, slots, recorder)
    return supervise(loop, recorder, journal, slots, bell, originals, lifecycle=lifecycle)
