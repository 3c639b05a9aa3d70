"""The main thread of a lasting worker: begins the hours that are announced, and ends each."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

from perf_pipeline.samples.slots import (
    CLOSED,
    DRAIN_NS,
    HEAP_BLOCKS,
    HOUR,
    MALLOC_BYTES,
    MALLOC_FREE_BYTES,
    NEVER_NS,
    STATE,
    STOP_NS,
    WORKFLOWS,
)
from perf_pipeline.worker.endurance.malloc_use import MallocReader
from perf_pipeline.worker.own_time import monotonic_ns
from perf_pipeline.worker.supervision import FAILED, log_line

if TYPE_CHECKING:
    from collections.abc import Callable

    from perf_pipeline.samples.journal import JournalWriter
    from perf_pipeline.samples.slots import SlotFile
    from perf_pipeline.worker.bell import Bell
    from perf_pipeline.worker.endurance.hour_tasks import LastingTasks
    from perf_pipeline.worker.endurance.lasting_loop import LastingLoop
    from perf_pipeline.worker.endurance.worker_hour import WorkerHour
    from perf_pipeline.worker.runtime.lifecycle import Lifecycle


def play_hours(
    loop: LastingLoop | LastingTasks,
    slots: SlotFile,
    bell: Bell,
    begin: Callable[[int], WorkerHour],
    every_s: float,
) -> None:
    """Play the hours that are announced, until the stop or the loss of a slot.

    Args:
        loop: Has the slots of the process.
        slots: Slot file of this life of the target: the latest hour, and the stop.
        bell: Rung by the keeper, and by the last slot of an hour as it ends.
        begin: Makes an hour, whose slots then play.
        every_s: How often the process says at least how much memory it has allocated.
    """
    hours: list[WorkerHour] = []
    malloc = MallocReader()
    words, announced, ended = slots.words, 0, 0
    while monotonic_ns() < words[STOP_NS] and not loop.problems:
        if words[HOUR] != announced:
            announced = words[HOUR]
            hours.append(begin(announced - 1))
        words[HEAP_BLOCKS] = sys.getallocatedblocks()
        use = malloc.read()
        words[MALLOC_BYTES], words[MALLOC_FREE_BYTES] = use.used_bytes, use.free_bytes
        words[WORKFLOWS] = ended + sum(hour.ended() for hour in hours)
        now_ns = monotonic_ns()
        due_ns = min(now_ns + int(every_s * 1e9), words[STOP_NS])
        for hour in list(hours):
            again_ns = hour.look(now_ns)
            if again_ns == NEVER_NS:
                hours.remove(hour)
                ended += hour.ended()
            due_ns = min(due_ns, again_ns)
        bell.wait((due_ns - monotonic_ns()) / 1e9)
    for hour in hours:
        hour.close()


def end_worker(
    loop: LastingLoop | LastingTasks,
    slots: SlotFile,
    bell: Bell,
    lifecycle: Lifecycle,
    journal: JournalWriter,
) -> int:
    """Wait for the slots, within the drain, and close everything; returns the exit code."""
    end_ns = monotonic_ns() + slots.words[DRAIN_NS]
    while loop.alive() and (left_ns := end_ns - monotonic_ns()) > 0:
        bell.wait(left_ns / 1e9)
    for problem in loop.problems[:10]:
        log_line(problem)
    code = FAILED if loop.problems else 0
    slots.words[STATE] = CLOSED
    lifecycle.tear_down(journal.facts, code)
    if not loop.alive():
        loop.close()
    journal.close()
    return code
