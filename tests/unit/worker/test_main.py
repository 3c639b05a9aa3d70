"""The worker process: its job file, its cold starts, and how it ends."""

from __future__ import annotations

import asyncio
import json
import os
import struct
import subprocess
import sys
import threading
import time
from dataclasses import asdict, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from perf_pipeline.loadgen.environment.user_code import NO_USER_CODE
from perf_pipeline.samples.journal import read_journal
from perf_pipeline.samples.record import COLD, RECORD, ErrorClass, Outcome
from perf_pipeline.samples.slots import (
    CLOSED,
    DRAIN_NS,
    GO_NS,
    NEVER_NS,
    PLAYING,
    READY,
    STATE,
    STOP_NS,
    SlotFile,
)
from perf_pipeline.targets.target import Job, Kind, ServerAccess, ServerAddress
from perf_pipeline.worker.event_thread import EventThread
from perf_pipeline.worker.replaced import Originals
from perf_pipeline.worker.supervision import get_ready, supervise, target_facts
from perf_pipeline.worker.task_waits import TaskSampler
from perf_pipeline.worker.worker_job import WorkerJob, read_job, read_words
from tests.unit.worker.conftest import Bench, ScriptedAsyncTarget, ScriptedTarget, join

if TYPE_CHECKING:
    from collections.abc import Callable

KINDS = (Kind("transformation", "simple"), Kind("analytics", "complex", ("redis",)))

_SERVERS = ServerAccess({"postgres": ServerAddress("postgresql://u:p@h/d", "s")}, 25, 30.0)


def _job(tmp_path: Path, worker: int = 1) -> WorkerJob:
    return WorkerJob(
        worker=worker,
        workers=4,
        target="control",
        mode="threads",
        kinds=str(tmp_path / "kinds"),
        ramp=str(tmp_path / "ramp"),
        journal=str(tmp_path / "journal"),
        slots=str(tmp_path / "slots"),
        bell=0,
        deadline_ns=5,
        job=Job(KINDS, "lean", 3, "run", 2, _SERVERS),
    )


def test_a_job_is_read_as_it_was_written(tmp_path: Path) -> None:
    job = _job(tmp_path)
    path = tmp_path / "job.json"
    path.write_text(json.dumps(asdict(job)))

    assert read_job(path) == job


def test_integers_are_little_endian_int64(tmp_path: Path) -> None:
    words = [0, -1, 2**63 - 1, -(2**63)]
    (tmp_path / "words").write_bytes(struct.pack("<4q", *words))

    assert list(read_words(str(tmp_path / "words"))) == words


def test_every_kind_starts_cold_once_and_is_flagged(
    bench: Callable[[int], Bench], tmp_path: Path
) -> None:
    """Also when one fails; their numbers never meet the plan's or another worker's."""
    b = bench(2)

    def work(kind: int, _number: int) -> None:
        b.clock.sleep(1 + kind)
        if kind == 1:
            raise ValueError("cold and broken")

    target = ScriptedTarget(work)
    loop = b.loop(target, kind_count=2, run_s=0)
    get_ready(loop, _job(tmp_path), b.journal, b.slots, {}, Originals())
    join(loop)
    b.recorder.finish(loop.in_flight)

    rows = b.committed()
    assert [(row.number, row.kind, row.slot) for row in rows] == [(-3, 0, 0), (-4, 1, 0)]
    assert [row.end_ns - row.start_ns for row in rows] == [1_000_000_000, 2_000_000_000]
    assert all(row.flags & COLD for row in rows)
    assert [row.outcome for row in rows] == [Outcome.OK, Outcome.ERROR]


def test_a_worker_that_is_done_has_everything_committed_and_its_target_closed(
    bench: Callable[[int], Bench],
) -> None:
    b, target = bench(3), ScriptedTarget(lambda _kind, _number: time.sleep(0.001))
    loop = b.loop(target, clock_ns=time.monotonic_ns, sleep=time.sleep)
    b.slots.words[GO_NS] = time.monotonic_ns()
    b.slots.words[STOP_NS] = time.monotonic_ns() + 200_000_000
    b.slots.words[DRAIN_NS] = 5_000_000_000
    loop.start()

    code = supervise(loop, b.recorder, b.journal, b.slots, b.bell, Originals())

    assert code == 0
    assert target.closed
    assert b.slots.words[STATE] == CLOSED
    assert b.slots.totals().started == len(b.committed()) > 10


def test_the_main_thread_sleeps_while_workflows_run_and_wakes_at_once_for_a_stop(
    bench: Callable[[int], Bench],
) -> None:
    """2 s with 4 slots: its thread is scheduled fewer than 10 times; at 50 ms it was 40.

    A workflow takes 1 ms, so the threads of the slots commit. The stop comes without warning.
    """
    b, target = bench(4), ScriptedTarget(lambda _kind, _number: time.sleep(0.001))
    b.recorder._clock_ns = time.monotonic_ns
    loop = b.loop(target, clock_ns=time.monotonic_ns, sleep=time.sleep)
    b.slots.words[GO_NS], b.slots.words[STOP_NS] = time.monotonic_ns(), NEVER_NS
    b.slots.words[DRAIN_NS] = 5_000_000_000
    loop.start()
    main = threading.Thread(
        target=supervise, args=(loop, b.recorder, b.journal, b.slots, b.bell, Originals())
    )
    main.start()
    time.sleep(0.2)
    before = _switches(main.native_id)
    time.sleep(2.0)
    woken = _switches(main.native_id) - before

    b.slots.words[STOP_NS] = stop_ns = time.monotonic_ns()
    b.bell.ring()
    main.join(5)

    assert woken < 10
    assert time.monotonic_ns() - stop_ns < 500_000_000
    assert b.slots.words[STATE] == CLOSED
    assert b.slots.totals().started == len(b.committed())


def _switches(thread: int | None) -> int:
    """Return how often a thread of this process went to sleep by itself."""
    status = Path(f"/proc/self/task/{thread}/status").read_text(encoding="ascii")
    line = next(line for line in status.splitlines() if line.startswith("voluntary"))
    return int(line.split()[1])


def test_a_record_is_committed_within_about_a_second_though_no_other_workflow_ends(
    bench: Callable[[int], Bench],
) -> None:
    """Two short workflows, then one that goes on: nobody but the main thread can commit."""
    b, release = bench(1), threading.Event()
    b.recorder._clock_ns = time.monotonic_ns

    def work(_kind: int, number: int) -> None:
        if number == 2:
            release.wait(10)

    loop = b.loop(ScriptedTarget(work), clock_ns=time.monotonic_ns, sleep=time.sleep)
    b.slots.words[GO_NS], b.slots.words[STOP_NS] = time.monotonic_ns(), NEVER_NS
    b.slots.words[DRAIN_NS] = 5_000_000_000
    loop.start()
    main = threading.Thread(
        target=supervise, args=(loop, b.recorder, b.journal, b.slots, b.bell, Originals())
    )
    main.start()
    begin_s = time.monotonic()
    while len(b.committed()) < 2 and time.monotonic() - begin_s < 5:
        time.sleep(0.02)
    waited_s = time.monotonic() - begin_s
    release.set()
    b.slots.words[STOP_NS] = 0
    b.bell.ring()
    main.join(5)

    assert waited_s < 4  # due after half a second; others may have the cores
    assert [row.number for row in b.committed()] == [0, 1, 2]


def test_cold_starts_are_committed_while_other_workers_are_still_starting(
    bench: Callable[[int], Bench],
) -> None:
    """A worker may be ready two minutes before the go: a kill must not cost its cold starts."""
    b, target = bench(1), ScriptedTarget(lambda _kind, _number: None)
    b.recorder.due_ns = 0
    b.recorder._clock_ns = time.monotonic_ns
    b.recorder.keep((0, 0, 0, 0, 0))
    loop = b.loop(target, clock_ns=time.monotonic_ns, sleep=time.sleep)
    b.slots.words[GO_NS] = 0
    b.slots.words[STOP_NS] = time.monotonic_ns() + 300_000_000
    committed: list[int] = []
    finish = b.recorder.finish

    def look_then_finish(*arguments: object) -> int:
        committed.append(len(b.committed()))
        return finish(*arguments)  # type: ignore[arg-type]

    b.recorder.finish = look_then_finish  # type: ignore[method-assign, assignment]

    supervise(loop, b.recorder, b.journal, b.slots, b.bell, Originals())

    assert committed == [1]


def test_a_worker_whose_last_block_cannot_be_committed_never_reports_that_it_is_closed(
    bench: Callable[[int], Bench], capfd: pytest.CaptureFixture[str]
) -> None:
    b, target = bench(1), ScriptedTarget(lambda _kind, _number: time.sleep(0.001))
    loop = b.loop(target, clock_ns=time.monotonic_ns, sleep=time.sleep)
    b.slots.words[GO_NS] = time.monotonic_ns()
    b.slots.words[STOP_NS] = time.monotonic_ns() + 50_000_000
    b.slots.words[DRAIN_NS] = 5_000_000_000
    b.journal._db.execute("PRAGMA query_only = 1")
    loop.start()

    code = supervise(loop, b.recorder, b.journal, b.slots, b.bell, Originals())

    assert code == 2
    assert b.slots.words[STATE] == PLAYING
    assert "journal could not be written" in capfd.readouterr().err


def test_a_lost_slot_makes_the_worker_end_with_its_text(
    bench: Callable[[int], Bench], capfd: pytest.CaptureFixture[str]
) -> None:
    b, target = bench(2), ScriptedTarget(lambda _kind, _number: time.sleep(0.001))
    loop = b.loop(target, clock_ns=time.monotonic_ns, sleep=time.sleep)
    b.slots.words[GO_NS] = time.monotonic_ns()
    b.slots.words[STOP_NS] = time.monotonic_ns() + 50_000_000
    b.slots.words[DRAIN_NS] = 5_000_000_000
    loop.problems.append("slot 1 could not be opened: OSError: no more files")
    loop.start()

    assert supervise(loop, b.recorder, b.journal, b.slots, b.bell, Originals()) == 1
    assert "slot 1 could not be opened: OSError" in capfd.readouterr().err
    assert {row.error_class for row in b.committed()} == {ErrorClass.NONE}


def test_a_worker_of_tasks_notes_what_its_workflows_wait_for_and_closes_its_target(
    bench: Callable[[int], Bench],
) -> None:
    """20 in flight, of which the target reports that it executes 3."""
    b, events = bench(20), EventThread()
    b.recorder._clock_ns = time.monotonic_ns
    target = ScriptedAsyncTarget(lambda _kind, _number: asyncio.sleep(0.02))
    loop = b.async_loop(target, events, clock_ns=time.monotonic_ns, sleep=asyncio.sleep)
    b.slots.words[GO_NS] = time.monotonic_ns()
    b.slots.words[STOP_NS] = time.monotonic_ns() + 800_000_000
    b.slots.words[DRAIN_NS] = 5_000_000_000
    loop.start()
    sample = TaskSampler(lambda: b.slots.totals().in_flight, lambda: 3)

    code = supervise(loop, b.recorder, b.journal, b.slots, b.bell, Originals(), sample)

    journal = read_journal(b.folder / "worker-0.sqlite")
    waits = {what: count for _, what, count in journal.waits}
    assert (code, target.closed, b.slots.words[STATE]) == (0, True, CLOSED)
    assert events._loop.is_closed()
    assert waits["runtime"] == 3
    assert 10 < waits["queued"] <= 17
    assert b.slots.totals().started == len(b.committed())


@pytest.mark.parametrize(("at_once", "fact"), [(4, "4"), (None, "")])
def test_the_journal_has_how_many_workflows_the_target_executes_at_once_and_its_remarks(
    bench: Callable[[int], Bench], tmp_path: Path, at_once: int | None, fact: str
) -> None:
    b = bench(1)
    target: Any = ScriptedTarget(lambda _kind, _number: None)
    target.remarks = ("an old release", "changed")
    loop = b.loop(target, kind_count=2, run_s=0)

    get_ready(
        loop,
        _job(tmp_path),
        b.journal,
        b.slots,
        target_facts(target, executes_at_once=at_once),
        Originals(),
    )

    join(loop)
    facts = read_journal(b.folder / "worker-0.sqlite").facts
    assert (facts["executes_at_once"], facts["remarks"]) == (fact, "an old release\nchanged")
    assert b.slots.words[STATE] == READY


@pytest.mark.parametrize("mode", ["threads", "asyncio"])
def test_a_worker_process_plays_in_the_mode_of_its_job(tmp_path: Path, mode: str) -> None:
    """A whole process, 8 slots for 0.3 s of the control targets, which need no server here."""
    slots = SlotFile.create(tmp_path / "slots", 8, 5_000_000_000)
    bell = os.eventfd(0)
    (tmp_path / "kinds").write_bytes(struct.pack("<q", 0))
    (tmp_path / "ramp").write_bytes(bytes(8 * 8))
    target = {"threads": "control", "asyncio": "control_async"}[mode]
    kinds = (Kind("transformation", "simple"),)
    job = replace(
        _job(tmp_path, worker=0), mode=mode, target=target, bell=bell,
        deadline_ns=10**10, job=Job(kinds, "lean", 3, "run", 2, _SERVERS),
    )  # fmt: skip
    (tmp_path / "job.json").write_text(json.dumps(asdict(job)))

    worker = subprocess.Popen(
        NO_USER_CODE.command(
            Path(sys.executable), "perf_pipeline.worker", str(tmp_path / "job.json")
        ),
        pass_fds=(bell,),
    )
    try:
        end = time.monotonic() + 30
        while slots.words[STATE] < READY and time.monotonic() < end:
            time.sleep(0.01)
        slots.words[GO_NS] = time.monotonic_ns()
        slots.words[STOP_NS] = time.monotonic_ns() + 300_000_000
        os.eventfd_write(bell, 1)
        assert worker.wait(30) == 0
    finally:
        worker.kill()
        worker.wait()
        os.close(bell)

    journal = read_journal(tmp_path / "journal")
    rows = list(RECORD.iter_unpack(journal.payload))
    started = slots.totals().started
    slots.close()
    assert len(rows) == started > 100
    assert {row[6] for row in rows} == {Outcome.OK}
    assert sorted(row[0] for row in rows if row[0] >= 0) == [4 * n for n in range(len(rows) - 1)]
    assert journal.facts["executes_at_once"] == {"threads": "", "asyncio": "1"}[mode]
    assert {what for _, what, _ in journal.waits} <= {"runtime", "queued"}
