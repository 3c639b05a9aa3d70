"""Kills processes at random moments, and holds what was recovered against the witnesses."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections import Counter
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import psutil

from perf_pipeline.samples.level_records import SCHEMA, read_level
from perf_pipeline.samples.record import ErrorClass, Outcome
from tests.integration.runs.kills.witness import acknowledged, started
from tests.sandbox import until

if TYPE_CHECKING:
    import random
    import threading
    from collections.abc import Callable, Collection, Iterable, Mapping

    from perf_pipeline.config.scenario.scenario import Scenario
    from perf_pipeline.servers.lifecycle.services import ServiceSession
    from tests.integration.runs.kills.witness import Block

ROOT = Path(__file__).resolve().parents[4]
_GONE_S = 10.0
_RECORDS_S = 60.0

ENOUGH = 300
"""Records after which a level is certainly playing, on however slow a machine."""

LevelBlocks = dict[Path, set["Block"]]
"""Folder of a level to the blocks that were acknowledged in it."""


@dataclass(frozen=True)
class Account:
    """Workflows of a level by what is known of them; checked by ``check_level``."""

    started: int
    acknowledged: int
    made: int
    may_be_missing: int
    rows: int
    rows_without_record: int


def check_level(
    level: Path,
    scenario: Scenario,
    before: Collection[Block],
    rows: list[int] | None,
    errors: Collection[ErrorClass] = (),
) -> Account:
    """Compare what is read back of a level with what its witnesses say.

    Args:
        level: Its folder; none of its workers lives.
        scenario: What was run.
        before: Blocks that were acknowledged before the kill.
        rows: Number of every row that the server committed, as often as it did; None when its
            data went with the server.
        errors: Classes that recorded errors may have.
    """
    left = read_level(level, len(scenario.workloads))
    read = Counter(left.frame.select(list(SCHEMA)[2:]).iter_rows())
    now = acknowledged(level)
    assert set(before) <= now, "blocks that were acknowledged before the kill are gone"
    records = [record for block in now for record in block.records]
    assert not Counter(records) - read, "acknowledged records were not read back"
    assert left.frame["number"].n_unique() == len(read) == read.total(), "counted twice"
    begun, made = started(level), read.total() - len(records)
    assert begun == len(records) + made + left.may_be_missing
    classes = {ErrorClass(r[7]) for r in records if r[6] == Outcome.ERROR}
    assert classes <= set(errors), f"errors of class {classes}"

    lost_rows = 0 if rows is None else _check_rows(records, scenario, rows)
    assert lost_rows <= begun - len(records), "rows of workflows that were never started"
    return Account(
        started=begun,
        acknowledged=len(records),
        made=made,
        may_be_missing=left.may_be_missing,
        rows=len(rows or ()),
        rows_without_record=lost_rows,
    )


def _check_rows(records: list[tuple[int, ...]], scenario: Scenario, rows: list[int]) -> int:
    """Compare records with rows; returns how many rows no acknowledged record speaks of."""
    writing = [i for i, w in enumerate(scenario.workloads) if w.family == "analytics"]
    ok = {r[0] for r in records if r[6] == Outcome.OK and r[5] in writing}
    assert len(rows) == len(set(rows)), "rows were committed twice"
    assert ok <= set(rows), f"{len(ok - set(rows))} ok workflows have no row"
    return len(set(rows) - {r[0] for r in records})


def start_step(
    scenario: Scenario, folder: Path, run_id: str, urls: Mapping[str, str], log: Path
) -> subprocess.Popen[bytes]:
    """Start step_process.py; without URLs it starts servers of its own."""
    where = [urls[name] for name in ("postgres", "redis")] if urls else []
    command = [
        sys.executable,
        "-m",
        "tests.integration.servers.step_process",
        scenario.name,
        str(folder),
    ]
    with log.open("wb") as output:
        return subprocess.Popen([*command, run_id, *where], cwd=ROOT, stdout=output, stderr=output)


def workers_of(level: Path) -> list[int]:
    """Return the workers of a level, or of all levels of a run, by the path of their job."""
    return [
        process.pid
        for process in psutil.process_iter(["cmdline"])
        if any(word.startswith(f"{level}/") for word in process.info["cmdline"] or [])
    ]


def wait_for_records(
    levels: Callable[[], Iterable[Path]], over: Callable[[], bool], records: int = ENOUGH
) -> None:
    """Wait until the levels have acknowledged so many records, or are over."""

    def enough() -> bool:
        blocks = (block for level in levels() for block in acknowledged(level))
        return sum(len(block.records) for block in blocks) >= records

    until(lambda: over() or enough(), _RECORDS_S)


def living(processes: Iterable[psutil.Process]) -> list[psutil.Process]:
    """Return those of the processes that have not ended; a zombie has."""
    return [one for one in processes if one.is_running() and _status(one) != psutil.STATUS_ZOMBIE]


def kill_step(step: subprocess.Popen[bytes], run: Path) -> LevelBlocks:
    """Kill a step, and see that all its processes end with it.

    Returns:
        What was acknowledged right before.
    """
    family = psutil.Process(step.pid).children(recursive=True)
    before = {level: acknowledged(level) for level in (run / "levels").glob("*")}
    step.send_signal(signal.SIGKILL)
    step.wait()
    assert until(lambda: not living(family), _GONE_S), "the step's processes live on"
    assert until(lambda: not workers_of(run), _GONE_S), "workers live on"
    return before


def kill_workers(run: Path, rng: random.Random, over: threading.Event) -> LevelBlocks:
    """Kill one worker of every level at a random moment, until the run is over.

    Of every two levels, the first is killed after it has acknowledged ``ENOUGH`` records.
    """
    before: LevelBlocks = {}
    while not over.is_set():
        levels = [one for one in (run / "levels").glob("*") if one not in before]
        if not levels or not (workers := workers_of(levels[0])):
            time.sleep(0.01)
            continue
        if len(before) % 2 == 0:
            wait_for_records(lambda now=levels[:1]: now, over.is_set)
        time.sleep(rng.uniform(0.0, 3.5))
        victim = rng.choice(workers)
        before[levels[0]] = acknowledged(levels[0])
        os.kill(victim, signal.SIGKILL)
    return before


def kill_postgres(
    session: ServiceSession, level: Path, rng: random.Random, over: threading.Event, for_s: float
) -> tuple[int, int]:
    """Kill PostgreSQL at random moments of a level, and start it again on its data each time.

    Now the main process alone is killed, whose back ends may still commit what they were at, now
    all processes at once; and in between a single back end, upon which PostgreSQL restarts itself.

    Args:
        session: Whose PostgreSQL.
        level: Folder of the level; the killing begins with its workers.
        rng: Draws moments and victims.
        over: Set when the load is over.
        for_s: How long to go on.

    Returns:
        How often the server was killed, and how often a back end.
    """
    while not over.is_set() and not list(level.glob("worker-*.slots")):
        time.sleep(0.01)
    until_s = time.monotonic() + for_s
    servers = back_ends = 0
    while not over.is_set() and time.monotonic() < until_s:
        time.sleep(rng.uniform(0.1, 1.0))
        main = psutil.Process(session.servers["postgres"].pids[0])
        if rng.random() < 1 / 4:
            back_ends += _kill_client(main, rng)
            time.sleep(rng.uniform(0.0, 1.0))
        family = main.children()
        servers += _kill(main)
        if rng.random() < 1 / 2:
            for process in family:
                _kill(process)
        time.sleep(rng.uniform(0.0, 0.5))
        session.restart("postgres")
    return servers, back_ends


def _kill_client(main: psutil.Process, rng: random.Random) -> int:
    """Kill a back end that serves a worker; its title names the client's address."""
    clients = [one for one in main.children() if "127.0.0.1(" in " ".join(_command_of(one))]
    return _kill(rng.choice(clients)) if clients else 0


def _status(process: psutil.Process) -> str:
    try:
        return process.status()
    except psutil.NoSuchProcess:
        return psutil.STATUS_ZOMBIE


def _kill(process: psutil.Process) -> int:
    try:
        process.kill()
    except psutil.NoSuchProcess:
        return 0
    return 1


def _command_of(process: psutil.Process) -> list[str]:
    try:
        return process.cmdline()
    except psutil.NoSuchProcess:
        return []
