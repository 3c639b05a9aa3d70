"""A lasting worker whose slots are tasks of one event loop."""

from __future__ import annotations

import itertools
from array import array
from asyncio import sleep as asyncio_sleep
from typing import TYPE_CHECKING, cast

from perf_pipeline.worker.endurance.hour_tasks import HourTasks, LastingTasks
from perf_pipeline.worker.endurance.hours import end_worker, play_hours
from perf_pipeline.worker.endurance.planted_leak import LeakingTasks, begin_leak, planted_leak
from perf_pipeline.worker.endurance.worker_hour import WorkerHour
from perf_pipeline.worker.event_thread import EventThread
from perf_pipeline.worker.own_time import monotonic_ns
from perf_pipeline.worker.recorder import Recorder
from perf_pipeline.worker.replaced import Originals
from perf_pipeline.worker.runtime.lifecycle import Lifecycle
from perf_pipeline.worker.supervision import get_ready, ledger_of, target_facts

if TYPE_CHECKING:
    from types import ModuleType

    from perf_pipeline.samples.journal import JournalWriter
    from perf_pipeline.samples.slots import SlotFile
    from perf_pipeline.targets.target import AsyncAdapter
    from perf_pipeline.worker.bell import Bell
    from perf_pipeline.worker.ledger import Ledger
    from perf_pipeline.worker.worker_job import WorkerJob


def play(
    job: WorkerJob, module: ModuleType, journal: JournalWriter, slots: SlotFile, bell: Bell
) -> int:
    """As ``thread_worker.play``, with a task a slot."""
    adapter = cast("AsyncAdapter", module)
    originals = Originals()
    events = EventThread()
    target = events.run(adapter.open_target(job.job))
    facts = target_facts(target, executes_at_once=target.at_once)
    lifecycle = Lifecycle(
        job.job.setup, job.job.teardown, "callable_async", lambda function: events.run(function())
    )
    recorder = Recorder(journal, slots, monotonic_ns)
    loop = LastingTasks(
        target=target,
        events=events,
        ledger=ledger_of(job, adapter.classify, recorder, slots),
        slots=slots,
        numbers=iter(()),
        ramp_ns=array("q"),
        clock_ns=monotonic_ns,
        sleep=asyncio_sleep,
        on_last_end=bell.ring,
    )
    get_ready(loop, job, journal, slots, facts, originals, lifecycle)
    recorder.finish(loop.in_flight)  # the cold starts: from now on each hour has its own
    leak = planted_leak(job)
    begin_leak(leak)
    played = target if leak is None else LeakingTasks(target, leak)

    def hour_tasks(ledger: Ledger, hour_slots: SlotFile) -> HourTasks:
        return HourTasks(
            target=played,
            events=events,
            ledger=ledger,
            slots=hour_slots,
            numbers=itertools.count(job.worker, job.workers),
            ramp_ns=array("q", [0]) * hour_slots.slots,
            clock_ns=monotonic_ns,
            sleep=asyncio_sleep,
            on_last_end=bell.ring,
        )

    def begin(number: int) -> WorkerHour:
        hour = WorkerHour(job, number, adapter.classify, hour_tasks)
        hour.loop.start()
        return hour

    play_hours(loop, slots, bell, begin, job.look_every_s)
    return end_worker(loop, slots, bell, lifecycle, journal)
