"""A lasting worker whose slots are threads."""

from __future__ import annotations

import sys
from array import array
from typing import TYPE_CHECKING, cast

from perf_pipeline.samples.slots import (
    CLOSED,
    DRAIN_NS,
    HEAP_BLOCKS,
    HOUR,
    NEVER_NS,
    STATE,
    STOP_NS,
    WORKFLOWS,
)
from perf_pipeline.worker.endurance.hour_link import HourLink
from perf_pipeline.worker.endurance.lasting_loop import LastingLoop
from perf_pipeline.worker.endurance.worker_hour import WorkerHour
from perf_pipeline.worker.own_time import monotonic_ns, sleep
from perf_pipeline.worker.recorder import Recorder
from perf_pipeline.worker.replaced import Originals
from perf_pipeline.worker.runtime.lifecycle import Lifecycle
from perf_pipeline.worker.supervision import FAILED, get_ready, ledger_of, log_line, target_facts

if TYPE_CHECKING:
    from types import ModuleType

    from perf_pipeline.samples.journal import JournalWriter
    from perf_pipeline.samples.slots import SlotFile
    from perf_pipeline.targets.target import Adapter
    from perf_pipeline.worker.bell import Bell
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
    last = HourLink()
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
    loop.follow(last, job.leak_bytes)
    facts = target_facts(target, executes_at_once=None)
    get_ready(loop, job, journal, slots, facts, originals, lifecycle)
    recorder.finish(loop.in_flight)  # the cold starts: from now on each hour has its own
    hours: dict[HourLink, WorkerHour] = {}
    every_ns = int(job.look_every_s * 1e9)
    words, announced, ended = slots.words, 0, 0
    while monotonic_ns() < words[STOP_NS] and not loop.problems:
        if words[HOUR] != announced:
            announced = words[HOUR]
            hour = WorkerHour(
                job,
                announced - 1,
                target=target,
                classify=adapter.classify,
                threads=threads,
                ring=bell.ring,
            )
            hours[last] = hour
            last = last.announce(hour.loop)
        words[HEAP_BLOCKS] = sys.getallocatedblocks()
        words[WORKFLOWS] = ended + sum(hour.ended() for hour in hours.values())
        now_ns = monotonic_ns()
        due_ns = min(now_ns + every_ns, words[STOP_NS])
        for link, hour in list(hours.items()):
            again_ns = hour.look(now_ns)
            if again_ns == NEVER_NS:
                ended += hours.pop(link).ended()
                link.hour = None
            due_ns = min(due_ns, again_ns)
        bell.wait((due_ns - monotonic_ns()) / 1e9)
    last.end()
    for hour in hours.values():
        hour.close()
    end_ns = monotonic_ns() + words[DRAIN_NS]
    while loop.alive() and (left_ns := end_ns - monotonic_ns()) > 0:
        bell.wait(left_ns / 1e9)
    for problem in loop.problems[:10]:
        log_line(problem)
    code = FAILED if loop.problems else 0
    words[STATE] = CLOSED
    lifecycle.tear_down(journal.facts, code)
    if not loop.alive():
        loop.close()
    journal.close()
    return code
