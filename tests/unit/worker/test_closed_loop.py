"""The closed loop of threads; ``test_loops.py`` has what it shares with that of tasks."""

from __future__ import annotations

import itertools
import threading
import time
from array import array
from typing import TYPE_CHECKING

import pytest

from perf_pipeline.samples.record import ErrorClass, Outcome
from perf_pipeline.samples.slots import GO_NS, HEADER_WORDS, NEVER_NS, STOP_NS, SlotFile
from perf_pipeline.targets.classification import classify
from perf_pipeline.worker import closed_loop
from perf_pipeline.worker.own_time import start_thread
from tests.unit.worker.conftest import Bench, ScriptedTarget, join

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

SECOND = 1_000_000_000


def test_n_workflows_are_in_flight_at_once(bench: Callable[[int], Bench]) -> None:
    """50 wait inside the target until all are there, five times; then the stop is set."""
    slots, rounds = 50, 5
    b = bench(slots)
    seen: list[int] = []

    def look() -> None:  # runs while every thread is inside
        seen.append(b.slots.totals().in_flight)
        if len(seen) == rounds:
            b.slots.words[STOP_NS] = 0

    all_inside = threading.Barrier(slots, look)
    loop = b.loop(ScriptedTarget(lambda _kind, _number: all_inside.wait(timeout=20)))
    loop.start()
    join(loop, 30)
    b.recorder.finish(loop.in_flight)

    assert seen == [slots] * rounds
    rows = b.committed()
    assert sorted(row.number for row in rows) == list(range(slots * rounds))
    assert {row.outcome for row in rows} == {Outcome.OK}


class _UnreadableError(Exception):
    def __str__(self) -> str:
        raise RuntimeError("this text cannot be had")


_RAISED: list[tuple[BaseException, ErrorClass]] = [
    (ValueError("no"), ErrorClass.WORKFLOW_ERROR),
    (SystemExit(1), ErrorClass.OTHER),
    (KeyboardInterrupt(), ErrorClass.OTHER),
    (GeneratorExit(), ErrorClass.OTHER),
    (MemoryError(), ErrorClass.RESOURCE_EXHAUSTION),
    (RecursionError("deep"), ErrorClass.WORKFLOW_ERROR),
    (BaseExceptionGroup("many", [SystemExit(2)]), ErrorClass.OTHER),
    (FileNotFoundError("\udcff"), ErrorClass.WORKFLOW_ERROR),
    (_UnreadableError(), ErrorClass.OTHER),
]


def test_whatever_a_target_raises_becomes_a_record_and_the_slot_plays_on(
    bench: Callable[[int], Bench],
) -> None:
    b = bench(1)

    def work(_kind: int, number: int) -> None:
        b.clock.sleep(1)
        if number < len(_RAISED):
            raise _RAISED[number][0]

    loop = b.loop(
        ScriptedTarget(work),
        run_s=len(_RAISED) + 3,
        classify=lambda error: classify(error) if str(error) is not None else ErrorClass.NONE,
    )
    loop.start()
    join(loop)
    b.recorder.finish(loop.in_flight)

    rows = b.committed()
    assert [row.number for row in rows] == list(range(len(_RAISED) + 3))
    failed = rows[: len(_RAISED)]
    assert {row.outcome for row in failed} == {Outcome.ERROR}
    assert [row.error_class for row in failed] == [error_class for _, error_class in _RAISED]
    assert {row.outcome for row in rows[len(_RAISED) :]} == {Outcome.OK}
    assert loop.problems == []
    texts = [text for _, text in b.examples()]
    assert "ValueError: no" in texts
    assert "FileNotFoundError: \\udcff" in texts
    assert b.slots.totals().failed == len(_RAISED)


def test_an_error_that_cannot_be_read_keeps_its_name(bench: Callable[[int], Bench]) -> None:
    b = bench(1)

    def work(_kind: int, _number: int) -> None:
        b.clock.sleep(100)
        raise _UnreadableError

    loop = b.loop(ScriptedTarget(work), deadline_ns=10**12)
    loop.start()
    join(loop)

    assert b.examples() == (
        (ErrorClass.OTHER, "_UnreadableError, which cannot be read: RuntimeError"),
    )


def test_a_clean_stop_adds_no_errors(bench: Callable[[int], Bench]) -> None:
    """8 in flight at the stop, 3 of them past their deadline: abandoned and timeouts, no error."""
    b = bench(8)
    inside, release = threading.Barrier(9), threading.Event()

    def work(_kind: int, _number: int) -> None:
        inside.wait(timeout=10)
        release.wait(timeout=20)

    b.clock.now_ns += 1
    loop = b.loop(ScriptedTarget(work))
    loop.start()
    inside.wait(timeout=10)
    b.slots.words[STOP_NS] = 0
    for slot in range(3):
        b.slots.words[SlotFile.base(slot) + 4] -= 6 * SECOND
    b.clock.sleep(1)

    assert b.recorder.finish(loop.in_flight) == 8

    release.set()
    join(loop)
    outcomes = [row.outcome for row in sorted(b.committed(), key=lambda row: row.slot)]
    assert outcomes == [Outcome.TIMEOUT] * 3 + [Outcome.ABANDONED] * 5
    assert {row.error_class for row in b.committed()} == {ErrorClass.NONE}


def test_slots_start_at_their_time_in_the_ramp(bench: Callable[[int], Bench]) -> None:
    """The clock is moved by whoever sleeps; no slot goes on until all four have started."""
    b = bench(4)
    ramp_ns = array("q", [0, 1 * SECOND, 2 * SECOND, 3 * SECOND])
    all_started = threading.Barrier(4, lambda: b.clock.sleep(10))
    loop = b.loop(
        ScriptedTarget(lambda _k, _n: all_started.wait(timeout=20)), ramp_ns=ramp_ns, run_s=10
    )
    begin_ns = b.clock()
    loop.start()
    join(loop)
    b.recorder.finish(loop.in_flight)

    start_ns = {row.slot: row.start_ns - begin_ns for row in b.committed()}
    assert start_ns.keys() == {0, 1, 2, 3}
    assert all(start_ns[slot] >= ramp_ns[slot] for slot in start_ns)


def test_nothing_starts_before_the_go(bench: Callable[[int], Bench]) -> None:
    b = bench(2)
    loop = b.loop(ScriptedTarget(lambda _k, _n: None), clock_ns=time.monotonic_ns, sleep=time.sleep)
    b.slots.words[GO_NS], b.slots.words[STOP_NS] = 0, NEVER_NS
    loop.start()
    time.sleep(0.1)
    assert b.slots.totals().started == 0
    assert loop.alive() == 2

    go_ns = time.monotonic_ns() + SECOND // 5
    b.slots.words[GO_NS] = go_ns
    while b.slots.totals().started < 10:
        time.sleep(0.01)
    b.slots.words[STOP_NS] = 0
    join(loop)
    b.recorder.finish(loop.in_flight)
    assert min(row.start_ns for row in b.committed()) >= go_ns


def test_each_number_has_the_kind_that_the_plan_gives_it(bench: Callable[[int], Bench]) -> None:
    b = bench(1)
    given: list[tuple[int, int]] = []

    def work(kind: int, number: int) -> None:
        given.append((kind, number))
        b.clock.sleep(1)

    kinds = array("q", [2, 0, 1])
    loop = b.loop(ScriptedTarget(work), kinds=kinds, kind_count=3, run_s=7)
    loop.start()
    join(loop)
    b.recorder.finish(loop.in_flight)

    assert given == [(kinds[n % 3], n) for n in range(7)]
    assert [(row.kind, row.number) for row in b.committed()] == given
    assert [loop._ledger.kind_of(number) for number in (-1, -2, -3, -4)] == [0, 1, 2, 0]


def test_a_machine_without_room_for_the_threads_names_how_many_fit(
    bench: Callable[[int], Bench], monkeypatch: pytest.MonkeyPatch
) -> None:
    b = bench(10)
    loop = b.loop(ScriptedTarget(lambda _kind, _number: b.clock.sleep(1)))
    started = iter(range(10))

    def start_four(function: Callable[..., object], arguments: tuple[object, ...]) -> int:
        if next(started) == 4:
            raise RuntimeError("can't start new thread")
        return start_thread(function, arguments)

    monkeypatch.setattr(closed_loop, "start_thread", start_four)

    with pytest.raises(RuntimeError, match=r"only 4 of 10 threads.*lower concurrency"):
        loop.start()
    join(loop)


def test_the_loop_in_one_frame_keeps_the_books_that_start_and_end_keep(
    tmp_path: Path,
) -> None:
    """Workflows end well, late, or not at all; the words of the slot and all records are equal."""

    def work(b: Bench) -> Callable[[int, int], None]:
        def execute(_kind: int, number: int) -> None:
            b.clock.sleep(6.0 if number % 7 == 3 else 0.25)
            if number % 5 == 2:
                raise ValueError(f"workflow {number}")

        return execute

    kinds = array("q", [0, 1, 2])
    books = []
    for way in ("one frame", "start and end"):
        (tmp_path / way).mkdir()
        b = Bench(tmp_path / way, 1)
        loop = b.loop(ScriptedTarget(work(b)), run_s=60, kinds=kinds, kind_count=3)
        if way == "one frame":
            loop.start()
            join(loop)
        else:
            numbers = itertools.count()
            while b.clock() < b.slots.words[STOP_NS]:
                loop.execute(ScriptedTarget(work(b)), 0, next(numbers))
        assert b.recorder.finish(loop.in_flight) == 0
        books.append((b.committed(), list(b.slots.words[HEADER_WORDS:]), b.examples()))
        b.journal.close()

    assert len(books[0][0]) > 20
    assert {row.outcome for row in books[0][0]} == {Outcome.OK, Outcome.ERROR, Outcome.TIMEOUT}
    assert books[0] == books[1]
