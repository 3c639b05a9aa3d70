"""Drives a target in its own environment for test_targets.py; standard library only.

Reads one JSON object from standard input: ``target``, ``job``, ``rounds`` (lists of
``[kind, number]``), ``threads`` (or tasks), ``statement_timeout_ms``. Opens and closes the target
once a round. Prints one JSON object: the outcome of every workflow, descriptors and threads after
each round, how many workflows an asynchronous target may execute at once and did in each round,
the modules imported. Then waits for the end of standard input, all closed.
"""

from __future__ import annotations

import asyncio
import importlib
import inspect
import json
import sys
import threading
import time
from pathlib import Path
from typing import Any

from perf_pipeline.targets import pools
from perf_pipeline.targets.target import Job, Kind, ServerAccess


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


def play_tasks(
    adapter: Any, job: Job, round_: list[list[int]], tasks: int
) -> tuple[list[list[Any]], list[Any]]:
    """Execute a round as tasks; also gives ``at_once`` and the most that were executing."""
    outcomes: list[list[Any]] = []
    waiting = list(reversed(round_))
    executing = [0]
    over = threading.Event()

    async def work(target: Any) -> None:
        slot = target.open_slot()
        while waiting:
            kind, number = waiting.pop()
            try:
                await slot.execute(kind, number)
            except Exception as error:  # noqa: BLE001 - whatever it is, it is the outcome
                outcomes.append([kind, number, adapter.classify(error).name, str(error)])
            else:
                outcomes.append([kind, number, "OK", ""])

    def watch(target: Any) -> None:
        while not over.is_set():
            executing.append(target.executing())
            time.sleep(0.01)

    async def play_all() -> int | None:
        target = await adapter.open_target(job)
        watcher = threading.Thread(target=watch, args=(target,))
        watcher.start()
        await asyncio.gather(*(work(target) for _ in range(tasks)))
        over.set()
        watcher.join()
        await target.close()
        return target.at_once  # type: ignore[no-any-return]

    at_once = asyncio.run(play_all())
    return outcomes, [at_once, max(executing)]


def job_of(fields: dict[str, Any]) -> Job:
    """Return the job that standard input describes."""
    kinds = tuple(Kind(**kind) for kind in fields["kinds"])
    servers = ServerAccess.from_json(fields["servers"])
    return Job(**{**fields, "kinds": kinds, "servers": servers})


def main() -> None:
    """Do what standard input says."""
    wanted = json.loads(sys.stdin.readline())
    pools.STATEMENT_TIMEOUT_MS = wanted["statement_timeout_ms"]
    pools.SELECTION_TIMEOUT_S = wanted["selection_timeout_s"]
    adapter = importlib.import_module(f"perf_pipeline.targets.{wanted['target']}.adapter")
    outcomes, descriptors, threads, executing = [], [], [], []
    for fields, round_ in zip(wanted["jobs"], wanted["rounds"], strict=True):
        job = job_of(fields)
        if inspect.iscoroutinefunction(adapter.open_target):
            ended, executed = play_tasks(adapter, job, round_, wanted["threads"])
            outcomes.append(ended)
            executing.append(executed)
        else:
            outcomes.append(play(adapter, job, round_, wanted["threads"]))
        descriptors.append(len(list(Path("/proc/self/fd").iterdir())))
        threads.append(threading.active_count())
    answer = {
        "outcomes": outcomes,
        "descriptors": descriptors,
        "threads": threads,
        "executing": executing,
        "modules": sorted(sys.modules),
    }
    sys.stdout.write(json.dumps(answer) + "\n")
    sys.stdout.flush()
    sys.stdin.read()


if __name__ == "__main__":
    main()
