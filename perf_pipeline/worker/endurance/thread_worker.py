"""A lasting worker whose slots are threads."""

from __future__ import annotations

import itertools
from array import array
from typing import TYPE_CHECKING, cast

from perf_pipeline.worker.endurance.hour_link import HourLink
from perf_pipeline.worker.endurance.hour_loop import HourLoop
from perf_pipeline.worker.endurance.hours import end_worker, play_hours
from perf_pipeline.worker.endurance.lasting_loop import LastingLoop
from perf_pipeline.worker.endurance.planted_leak import begin_leak, planted_leak
from perf_pipeline.worker.endurance.worker_hour import WorkerHour
from perf_pipeline.worker.own_time import monotonic_ns, sleep
from perf_pipeline.worker.recorder import Recorder
from perf_pipeline.worker.replaced import Originals
from perf_pipeline.worker.runtime.lifecycle import Lifecycle
from perf_pipeline.worker.supervision import get_ready, ledger_of, target_facts

if TYPE_CHECKING:
    from types import ModuleType

    from perf_pipeline.samples.journal import JournalWriter
    from perf_pipeline.samples.slots import SlotFile
    from perf_pipeline.targets.target import Adapter
    from perf_pipeline.worker.bell import Bell
    from perf_pipeline.worker.ledger import Ledger
    from perf_pipeline.worker.worker_job import WorkerJob


def play(
    job: WorkerJob, module: ModuleType, journal: JournalWriter, slots: SlotFile, bell: Bell
) -> int:
    """Play the hours that are announced until the stop; returns the exit code.

    ``journal`` and ``slots`` are those of this life of the target: the cold starts are recorded
    there. Each hour has its own.
    """
    adapter = cast("Adapter", module)
    originals = Originals()
    target = adapter.open_target(job.job)
    lifecycle = Lifecycle(job.job.setup, job.job.teardown)
    threads: list[int] = []
    recorder = Recorder(journal, slots, monotonic_ns)
    last, leak = HourLink(), planted_leak(job)
    loop = LastingLoop(
        target=target,
        ledger=ledger_of(job, adapter.classify, recorder, slots),
        slots=slots,
        numbers=iter(()),
        ramp_ns=array("q"),
        clock_ns=monotonic_ns,
        sleep=sleep,
        threads=threads,
        on_last_end=bell.ring,
    )
    loop.follow(last, leak)
    facts = target_facts(target, executes_at_once=None)
    get_ready(loop, job, journal, slots, facts, originals, lifecycle)
    recorder.finish(loop.in_flight)  # the cold starts: from now on each hour has its own
    begin_leak(leak)

    def hour_loop(ledger: Ledger, hour_slots: SlotFile) -> HourLoop:
        return HourLoop(
            target=target,
            ledger=ledger,
            slots=hour_slots,
            numbers=itertools.count(job.worker, job.workers),
            ramp_ns=array("q"),
            clock_ns=monotonic_ns,
            sleep=sleep,
            threads=threads,
            on_last_end=bell.ring,
        )

    def begin(number: int) -> WorkerHour:
        nonlocal last
        hour = WorkerHour(job, number, adapter.classify, hour_loop, over=last.clear)
        last = last.announce(cast("HourLoop", hour.loop))
        return hour

    play_hours(loop, slots, bell, begin, job.look_every_s)
    last.end()
    return end_worker(loop, slots, bell, lifecycle, journal)
