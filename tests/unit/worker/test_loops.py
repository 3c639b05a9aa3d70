"""What both closed loops do alike: slots that are threads, and slots that are tasks."""

from __future__ import annotations

import asyncio
import time
from itertools import repeat
from typing import TYPE_CHECKING, Any

import pytest

from perf_pipeline.samples.record import ErrorClass, Outcome
from perf_pipeline.samples.slots import GO_NS, NEVER_NS, STARTED, STOP_NS, SlotFile
from perf_pipeline.worker.closed_loop import ClosedLoop
from tests.unit.worker.conftest import ScriptedAsyncTarget, ScriptedTarget, join, wait_for_end

if TYPE_CHECKING:
    from collections.abc import Callable

    from perf_pipeline.worker.async_loop import AsyncLoop
    from perf_pipeline.worker.event_thread import EventThread
    from tests.unit.worker.conftest import Bench

    Work = Callable[[int, int], object]

SECOND = 1_000_000_000


class Loops:
    """Makes loops of one of the two kinds; ``events`` runs the tasks, None for threads."""

    def __init__(self, events: EventThread | None) -> None:
        self.events = events

    def target(self, work: Work) -> ScriptedTarget | ScriptedAsyncTarget:
        """Return a target whose every workflow is one call of ``work``."""
        if self.events is None:
            return ScriptedTarget(work)

        async def work_async(kind: int, number: int) -> None:
            work(kind, number)
            await asyncio.sleep(0)

        return ScriptedAsyncTarget(work_async)

    def loop(self, b: Bench, target: object, **changes: Any) -> ClosedLoop | AsyncLoop:
        """Return a loop over everything in ``b``."""
        if self.events is None:
            return b.loop(target, **changes)
        return b.async_loop(target, self.events, **changes)

    def on_real_time(self, b: Bench, target: object, **changes: Any) -> ClosedLoop | AsyncLoop:
        """Return a loop that sleeps by the clock of the machine."""
        sleep: Any = time.sleep if self.events is None else asyncio.sleep
        return self.loop(b, target, clock_ns=time.monotonic_ns, sleep=sleep, **changes)

    @staticmethod
    def play(loop: ClosedLoop | AsyncLoop, timeout_s: float = 10.0) -> None:
        """Start a loop and wait for the end of all slots."""
        loop.start()
        if isinstance(loop, ClosedLoop):
            join(loop, timeout_s)
        else:
            wait_for_end(loop, timeout_s)


@pytest.fixture(params=["threads", "tasks"])
def loops(request: pytest.FixtureRequest) -> Loops:
    """Loops of threads, then of tasks."""
    return Loops(request.getfixturevalue("events") if request.param == "tasks" else None)


def test_a_slot_starts_its_next_workflow_as_soon_as_the_last_is_answered(
    bench: Callable[[int], Bench], loops: Loops
) -> None:
    """Service times 1, 2, 3, 1, 2, 3, ... s for 10 s; the one in flight at the stop may end."""
    b = bench(1)
    begin_ns = b.clock()
    loop = loops.loop(b, loops.target(lambda _kind, number: b.clock.sleep(1 + number % 3)))
    loops.play(loop)
    b.recorder.finish(loop.in_flight)

    rows = b.committed()
    times = [((r.start_ns - begin_ns) / SECOND, (r.end_ns - begin_ns) / SECOND) for r in rows]
    assert times == [(0, 1), (1, 3), (3, 6), (6, 7), (7, 9), (9, 12)]
    assert [row.number for row in rows] == [0, 1, 2, 3, 4, 5]
    assert {row.outcome for row in rows} == {Outcome.OK}
    assert loop.problems == []


def test_a_user_thinks_between_the_end_of_a_workflow_and_its_next_start(
    bench: Callable[[int], Bench], loops: Loops
) -> None:
    """Service time 1 s, think times 2, 0, 3, 4 s in turn, stop at 12 s: while the user thinks."""
    b = bench(1)
    begin_ns = b.clock()
    loop = loops.loop(
        b,
        loops.target(lambda _kind, _number: b.clock.sleep(1)),
        run_s=12,
        think_s=[iter([2, 0, 3, 4])],
    )
    loops.play(loop)
    b.recorder.finish(loop.in_flight)

    rows = b.committed()
    times = [((r.start_ns - begin_ns) / SECOND, (r.end_ns - begin_ns) / SECOND) for r in rows]
    assert times == [(0, 1), (3, 4), (4, 5), (8, 9)]
    assert b.clock() - begin_ns <= 12.5 * SECOND
    assert loop.problems == []


def test_a_stop_ends_users_who_think(bench: Callable[[int], Bench], loops: Loops) -> None:
    """Each would think for an hour."""
    b = bench(3)
    loop = loops.on_real_time(b, loops.target(lambda _k, _n: None), think_s=[repeat(3600.0)] * 3)
    b.slots.words[GO_NS], b.slots.words[STOP_NS] = time.monotonic_ns(), NEVER_NS
    loop.start()
    end_s = time.monotonic() + 10
    while b.slots.totals().ended < 3 and time.monotonic() < end_s:
        time.sleep(0.001)
    b.slots.words[STOP_NS] = time.monotonic_ns()

    wait_for_end(loop, 5)

    assert b.slots.totals().started == 3


def test_what_takes_longer_than_the_deadline_is_a_timeout_even_if_the_answer_comes(
    bench: Callable[[int], Bench], loops: Loops
) -> None:
    """Deadline 5 s; the workflows take 5 s (in time), 5.000000001 s, and 6 s ending in an error."""
    b = bench(1)

    def work(_kind: int, number: int) -> None:
        b.clock.sleep((5, 5.000000001, 6)[number])
        if number == 2:
            raise ValueError("too late to matter")

    loop = loops.loop(b, loops.target(work), run_s=11)
    loops.play(loop)
    b.recorder.finish(loop.in_flight)

    rows = b.committed()
    assert [row.outcome for row in rows] == [Outcome.OK, Outcome.TIMEOUT, Outcome.TIMEOUT]
    assert {row.error_class for row in rows} == {ErrorClass.NONE}


def test_a_stop_without_a_go_ends_every_slot(bench: Callable[[int], Bench], loops: Loops) -> None:
    """Another worker could not open its target: this one has nothing to wait for any more."""
    b = bench(3)
    loop = loops.on_real_time(b, loops.target(lambda _kind, _number: None))
    b.slots.words[GO_NS], b.slots.words[STOP_NS] = 0, time.monotonic_ns()

    loops.play(loop, 2)

    assert b.slots.totals().started == 0


def test_the_last_slot_to_end_rings_the_bell(bench: Callable[[int], Bench], loops: Loops) -> None:
    """So the main thread need not ask the slots whether they have ended."""
    b = bench(3)
    loop = loops.loop(b, loops.target(lambda _kind, _number: b.clock.sleep(1)), run_s=6)
    loops.play(loop)

    begin_s = time.monotonic()
    b.bell.wait(10)
    assert time.monotonic() - begin_s < 5


@pytest.mark.parametrize("error", [OSError("no more files"), SystemExit(3)])
def test_a_slot_that_cannot_be_opened_is_reported_and_the_others_play(
    bench: Callable[[int], Bench], loops: Loops, error: BaseException
) -> None:
    b = bench(3)
    target = loops.target(lambda _kind, _number: b.clock.sleep(1))
    errors = [error]

    def open_slot() -> object:
        if errors:
            raise errors.pop()
        return target

    target.open_slot = open_slot  # type: ignore[method-assign, assignment]
    loop = loops.loop(b, target, run_s=6)
    loops.play(loop)

    (problem,) = loop.problems
    lost = int(problem.split()[1])  # threads open their slots in any order
    assert problem == f"slot {lost} could not be opened: {type(error).__name__}: {error}"
    started = [b.slots.words[SlotFile.base(slot) + STARTED] for slot in range(3)]
    assert started[lost] == 0
    assert sum(started) >= 6


def test_a_slot_whose_records_cannot_be_stored_is_reported_and_its_workflow_counted(
    bench: Callable[[int], Bench], loops: Loops, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A code node's limit on the address space can hit any allocation of the process."""
    b = bench(1)
    loop = loops.loop(b, loops.target(lambda _kind, _number: b.clock.sleep(1)))

    def no_memory(*_arguments: object, **_named: object) -> None:
        raise MemoryError

    monkeypatch.setattr(b.recorder, "keep", no_memory)
    loops.play(loop)

    assert loop.problems == ["slot 0 could not be played on: MemoryError: "]
    assert b.recorder.finish(loop.in_flight) == 1
    assert [row.outcome for row in b.committed()] == [Outcome.ABANDONED]
