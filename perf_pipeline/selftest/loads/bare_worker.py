"""A bare loop around the target: the same work as a worker, without stamps, records or journal.

Runs in the target's environment: ``python bare_worker.py JOB.json COUNTS THREADS WORKER WORKERS``
prints ``ready``, waits for a line on standard input, then loops in ``THREADS`` threads until it is
killed. ``COUNTS`` is a file of int64, one a thread: the workflows that it has ended, for whoever
looks.
"""

from __future__ import annotations

import itertools
import mmap
import sys
import threading
from importlib import import_module
from pathlib import Path

from perf_pipeline.worker.__main__ import allow_all_descriptors
from perf_pipeline.worker.worker_job import read_job


def main() -> None:
    """Loop until killed."""
    job = read_job(Path(sys.argv[1]))
    threads, worker, workers = (int(argument) for argument in sys.argv[3:6])
    allow_all_descriptors()
    target = import_module(f"perf_pipeline.targets.{job.target}.adapter").open_target(job.job)
    kinds = len(job.job.kinds)
    first = target.open_slot()
    for kind in range(kinds):
        first.execute(kind, -1 - kind)
    numbers = itertools.count(worker, workers)
    go = threading.Event()
    with Path(sys.argv[2]).open("r+b") as file:
        counts = memoryview(mmap.mmap(file.fileno(), 8 * threads)).cast("q")

    def play(slot: int) -> None:
        target_slot = target.open_slot()
        go.wait()
        while True:
            number = next(numbers)
            target_slot.execute(number % kinds, number)
            counts[slot] += 1

    for slot in range(threads):
        threading.Thread(target=play, args=(slot,), daemon=True).start()
    sys.stdout.write("ready\n")
    sys.stdout.flush()
    sys.stdin.readline()
    go.set()
    threading.Event().wait()


if __name__ == "__main__":
    main()
