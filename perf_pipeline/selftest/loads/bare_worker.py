"""The worker process of the bare loop: a worker without stamps, records or journal.

Started by ``WorkerProcess`` in place of ``perf_pipeline.worker``, so it has the same session,
environment, descriptors and files, and it does what ``perf_pipeline.worker`` does in the same
order: tightens the timers, opens the target, executes each kind once,
starts all threads, says that it is ready and waits for the go. Then every thread executes one
workflow after the other, in a closed loop or when the schedule says, until the process is killed.
"""

from __future__ import annotations

import faulthandler
import itertools
import threading
import time
from importlib import import_module
from pathlib import Path
from queue import SimpleQueue
from typing import TYPE_CHECKING

from perf_pipeline.samples.record import cold_number
from perf_pipeline.samples.slots import GO_NS, READY, STATE, SlotFile
from perf_pipeline.worker.__main__ import allow_all_descriptors
from perf_pipeline.worker.closed_loop import WAIT_FOR_GO_S
from perf_pipeline.worker.open_loop import TURNS
from perf_pipeline.worker.timer_slack import tighten_timers
from perf_pipeline.worker.worker_job import WorkerJob, job_arguments, read_job, read_words

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator


def main(arguments: list[str]) -> int:
    """Loop until killed; the arguments are those of a worker."""
    job = read_job(*job_arguments(arguments))
    faulthandler.enable()
    allow_all_descriptors()
    tighten_timers()
    slots = SlotFile(Path(job.slots))
    target = import_module(f"perf_pipeline.targets.{job.target}.adapter").open_target(job.job)
    kinds = len(job.job.kinds)
    first = target.open_slot()
    for kind in range(kinds):
        first.execute(kind, cold_number(kind, job.worker, kinds))
    numbers = itertools.count(job.worker, job.workers)
    looking_for_go = threading.Lock()
    play = _open_loop(job, slots, numbers) if job.intended else _closed_loop(job, numbers)
    ramp_ns = read_words(job.ramp)

    def play_slot(slot: int) -> None:
        target_slot = target.open_slot()
        with looking_for_go:
            while not slots.words[GO_NS]:
                time.sleep(WAIT_FOR_GO_S)
        _sleep_until(slots.words[GO_NS] + ramp_ns[slot])
        play(target_slot.execute)

    for slot in range(slots.slots):
        threading.Thread(target=play_slot, args=(slot,), daemon=True).start()
    slots.words[STATE] = READY
    threading.Event().wait()
    return 0


def _closed_loop(
    job: WorkerJob, numbers: Iterator[int]
) -> Callable[[Callable[[int, int], None]], None]:
    kinds = read_words(job.kinds)
    cycle = len(kinds)

    def play(execute: Callable[[int, int], None]) -> None:
        for number in numbers:
            execute(kinds[number % cycle], number)

    return play


def _open_loop(
    job: WorkerJob, slots: SlotFile, numbers: Iterator[int]
) -> Callable[[Callable[[int, int], None]], None]:
    kinds, intended_ns = read_words(job.kinds), read_words(job.intended)
    cycle = len(kinds)
    turns: SimpleQueue[None] = SimpleQueue()
    for _ in range(TURNS):
        turns.put(None)

    def play(execute: Callable[[int, int], None]) -> None:
        go_ns = slots.words[GO_NS]
        while True:
            turns.get()
            number = next(numbers)
            if number < len(intended_ns):
                _sleep_until(go_ns + intended_ns[number])
            turns.put(None)
            if number >= len(intended_ns):
                return
            execute(kinds[number % cycle], number)

    return play


def _sleep_until(due_ns: int) -> None:
    while (wait_ns := due_ns - time.monotonic_ns()) > 0:
        time.sleep(wait_ns / 1e9)
