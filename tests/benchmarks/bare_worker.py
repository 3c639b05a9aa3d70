"""A bare loop around the target: the same work as a worker, without stamps, records or journal.

Runs in the target's environment: ``python bare_worker.py JOB.json THREADS WORKER WORKERS WARM_S
MEASURE_S`` prints ``ready``, waits for a line on standard input, then loops in ``THREADS``
threads and prints one JSON object with the workflows and CPU seconds of the measured window.
"""

import itertools
import json
import os
import sys
import threading
import time
from importlib import import_module
from pathlib import Path

from perf_pipeline.worker.__main__ import allow_all_descriptors
from perf_pipeline.worker.worker_job import read_job


def main() -> None:
    """Loop until the window is over."""
    job = read_job(Path(sys.argv[1]))
    threads, worker, workers = (int(argument) for argument in sys.argv[2:5])
    warm_s, measure_s = (float(argument) for argument in sys.argv[5:7])
    allow_all_descriptors()
    target = import_module(f"perf_pipeline.targets.{job.target}.adapter").open_target(job.job)
    kinds = len(job.job.kinds)
    first = target.open_slot()
    for kind in range(kinds):
        first.execute(kind, -1 - kind)
    numbers = itertools.count(worker, workers)
    counts = [0] * threads
    go, stop = threading.Event(), threading.Event()

    def play(slot: int) -> None:
        target_slot = target.open_slot()
        go.wait()
        while not stop.is_set():
            number = next(numbers)
            target_slot.execute(number % kinds, number)
            counts[slot] += 1

    for slot in range(threads):
        threading.Thread(target=play, args=(slot,), daemon=True).start()
    print("ready", flush=True)
    sys.stdin.readline()
    go.set()
    time.sleep(warm_s)
    start = (time.monotonic(), sum(counts), time.process_time())
    time.sleep(measure_s)
    end = (time.monotonic(), sum(counts), time.process_time())
    elapsed_s, ended, cpu_s = (after - before for before, after in zip(start, end, strict=True))
    print(json.dumps({"elapsed_s": elapsed_s, "ended": ended, "cpu_s": cpu_s}), flush=True)
    os._exit(0)


main()
