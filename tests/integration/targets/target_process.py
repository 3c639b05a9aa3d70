"""Drives a target in its own environment for test_targets.py; standard library only.

Reads one JSON object from standard input: ``target``, ``job``, ``rounds`` (lists of
``[kind, number]``), ``threads``, ``statement_timeout_ms``. Opens and closes the target once a
round. Prints one JSON object: the outcome of every workflow, descriptors and threads after each
round, the modules imported. Then waits for the end of standard input, all closed.
"""

from __future__ import annotations

import importlib
import json
import sys
import threading
from pathlib import Path
from typing import Any

from perf_pipeline.targets import pools
from perf_pipeline.targets.target import Job, Kind, Stores


def play(adapter: Any, job: Job, round_: list[list[int]], threads: int) -> list[list[Any]]:
    """Execute a round on threads, each with a slot of its own."""
    target = adapter.open_target(job)
    outcomes: list[list[Any]] = []
    waiting = list(reversed(round_))

    def work() -> None:
        slot = target.open_slot()
        while True:
            try:
                kind, number = waiting.pop()
            except IndexError:
                return
            try:
                slot.execute(kind, number)
            except Exception as error:  # noqa: BLE001 - whatever it is, it is the outcome
                outcomes.append([kind, number, adapter.classify(error).name, str(error)])
            else:
                outcomes.append([kind, number, "OK", ""])

    workers = [threading.Thread(target=work) for _ in range(threads)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    target.close()
    return outcomes


def main() -> None:
    """Do what standard input says."""
    wanted = json.loads(sys.stdin.readline())
    job = wanted["job"]
    job["kinds"] = tuple(Kind(**kind) for kind in job["kinds"])
    job["stores"] = Stores(**job["stores"])
    pools.STATEMENT_TIMEOUT_MS = wanted["statement_timeout_ms"]
    adapter = importlib.import_module(f"perf_pipeline.targets.{wanted['target']}.adapter")
    outcomes, descriptors, threads = [], [], []
    for round_ in wanted["rounds"]:
        outcomes.append(play(adapter, Job(**job), round_, wanted["threads"]))
        descriptors.append(len(list(Path("/proc/self/fd").iterdir())))
        threads.append(threading.active_count())
    answer = {
        "outcomes": outcomes,
        "descriptors": descriptors,
        "threads": threads,
        "modules": sorted(sys.modules),
    }
    sys.stdout.write(json.dumps(answer) + "\n")
    sys.stdout.flush()
    sys.stdin.read()


if __name__ == "__main__":
    main()
