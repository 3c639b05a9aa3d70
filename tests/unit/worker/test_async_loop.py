"""The closed loop of tasks; ``test_loops.py`` has what it shares with that of threads."""

from __future__ import annotations

import asyncio
import threading
import time
from array import array
from collections import Counter
from typing import TYPE_CHECKING

import pytest

from perf_pipeline.samples.record import COLD, ErrorClass, Outcome
from perf_pipeline.samples.slots import GO_NS, NEVER_NS, STARTED, STOP_NS, SlotFile
from perf_pipeline.targets.classification import classify
from tests.unit.worker.conftest import Bench, ScriptedAsyncTarget, wait_for_end

if TYPE_CHECKING:
    from collections.abc import Callable

    from perf_pipeline.worker.async_loop import AsyncLoop
    from perf_pipeline.worker.event_thread import EventThread

    Benches = Callable[[int], Bench]

SECOND = 1_000_000_000


def _play(b: Bench, loop: AsyncLoop) -> None:
    loop.start()
    wait_for_end(loop)
    b.recorder.finish(loop.in_flight)


def test_n_workflows_are_in_flight_at_once(bench: Benches, events: EventThread) -> None:
    """3000 wait inside the target until all are there, three times; then the stop is set."""
    slots, rounds = 3000, 3
    b = bench(slots)
    seen: list[int] = []
    waiting: list[asyncio.Future[None]] = []

    async def work(_kind: int, _number: int) -> None:
        waiting.append(asyncio.get_running_loop().create_future())
        if len(waiting) < slots:
            await waiting[-1]
            return
        seen.append(b.slots.totals().in_flight)
        if len(seen) == rounds:
            b.slots.words[STOP_NS] = 0
        for one in waiting[:-1]:
            one.set_result(None)
        waiting.clear()

    _play(b, b.async_loop(ScriptedAsyncTarget(work), events))

    assert seen == [slots] * rounds
    assert sorted(row.number for row in b.committed()) == list(range(slots * rounds))
    assert {row.outcome for row in b.committed()} == {Outcome.OK}


def test_a_target_that_never_suspends_has_n_in_flight_and_every_slot_its_turn(
    bench: Benches, events: EventThread
) -> None:
    """200 slots, 10,000 workflows of 1 ms: all but the ramp sees 200 in flight, slots are even.

    With the start stamped behind the way through the loop, or without that way, 1 is in flight.
    """
    b = bench(200)
    seen: Counter[int] = Counter()

    async def work(_kind: int, number: int) -> None:
        seen[b.slots.totals().in_flight] += 1
        b.clock.sleep(0.001)
        if number == 10_000:
            b.slots.words[STOP_NS] = 0

    _play(b, b.async_loop(ScriptedAsyncTarget(work), events, run_s=1000))

    # Its last record is written before the next workflow of the slot is stamped.
    assert seen[200] > 9_500
    started = [b.slots.words[SlotFile.base(slot) + STARTED] for slot in range(200)]
    assert max(started) - min(started) <= 2
    rows = b.committed()
    middle = sorted(row.end_ns - row.start_ns for row in rows)[len(rows) // 2]
    assert middle == pytest.approx(200 * 1_000_000, rel=0.01)  # Little: N x service time


_RAISED: list[tuple[BaseException, ErrorClass]] = [
    (ValueError("no"), ErrorClass.WORKFLOW_ERROR),
    (asyncio.CancelledError(), ErrorClass.OTHER),
    (TimeoutError(), ErrorClass.TIMEOUT),
    (SystemExit(1), ErrorClass.OTHER),
    (KeyboardInterrupt(), ErrorClass.OTHER),
    (GeneratorExit(), ErrorClass.OTHER),
    (StopIteration(), ErrorClass.WORKFLOW_ERROR),
    (MemoryError(), ErrorClass.RESOURCE_EXHAUSTION),
    (BaseExceptionGroup("many", [SystemExit(2)]), ErrorClass.OTHER),
]


@pytest.mark.parametrize("where", ["in the task", "in a task of the target's own"])
def test_whatever_a_target_raises_becomes_a_record_and_all_slots_play_on(
    bench: Benches, events: EventThread, where: str
) -> None:
    """SystemExit and KeyboardInterrupt of any task end asyncio's loop.

    A GeneratorExit from another task is left out: Python closes with it whatever awaits, so it
    costs the slot, which is reported.
    """
    own = where == "in the task"
    raised = [one for one in _RAISED if own or not isinstance(one[0], GeneratorExit)]
    b = bench(2)

    async def fail(number: int) -> None:
        await asyncio.sleep(0)
        if number < len(raised):
            raise raised[number][0]

    async def work(_kind: int, number: int) -> None:
        b.clock.sleep(1)
        await (fail(number) if own else asyncio.create_task(fail(number)))

    loop = b.async_loop(
        ScriptedAsyncTarget(work), events, run_s=30, deadline_ns=10**12, classify=classify
    )
    _play(b, loop)

    by_number = {row.number: row for row in b.committed()}
    assert len(by_number) >= 30
    classes = [by_number[n].error_class for n in range(len(raised))]
    assert classes == [error_class for _, error_class in raised]
    assert {by_number[n].outcome for n in range(len(raised))} == {Outcome.ERROR}
    others = [row for number, row in by_number.items() if number >= len(raised)]
    assert {row.outcome for row in others} == {Outcome.OK}
    assert loop.problems == []


def test_a_clean_stop_adds_no_errors(bench: Benches, events: EventThread) -> None:
    """8 in flight at the stop, 3 of them past their deadline: abandoned and timeouts, no error."""
    b = bench(8)
    inside, release = threading.Semaphore(0), asyncio.Event()

    async def work(_kind: int, _number: int) -> None:
        inside.release()
        await release.wait()

    b.clock.now_ns += 1
    loop = b.async_loop(ScriptedAsyncTarget(work), events)
    loop.start()
    for _ in range(8):
        assert inside.acquire(timeout=10)
    b.slots.words[STOP_NS] = 0
    for slot in range(3):
        b.slots.words[SlotFile.base(slot) + 4] -= 6 * SECOND
    b.clock.sleep(1)

    assert b.recorder.finish(loop.in_flight) == 8

    events._loop.call_soon_threadsafe(release.set)
    wait_for_end(loop)
    outcomes = [row.outcome for row in sorted(b.committed(), key=lambda row: row.slot)]
    assert outcomes == [Outcome.TIMEOUT] * 3 + [Outcome.ABANDONED] * 5
    assert {row.error_class for row in b.committed()} == {ErrorClass.NONE}


def test_slots_start_at_their_time_in_the_ramp_and_not_later(
    bench: Benches, events: EventThread
) -> None:
    """Every 0.25 s, in whatever order the plan has them; workflows take 50 ms of the clock."""
    b = bench(4)
    ramp_ns = array("q", [0, SECOND // 2, SECOND // 4, 3 * SECOND // 4])
    work = ScriptedAsyncTarget(lambda _k, _n: asyncio.sleep(0.02))
    loop = b.async_loop(
        work, events, ramp_ns=ramp_ns, run_s=1, clock_ns=time.monotonic_ns, sleep=asyncio.sleep
    )
    b.slots.words[GO_NS] = go_ns = time.monotonic_ns() + SECOND // 5
    b.slots.words[STOP_NS] = go_ns + SECOND
    _play(b, loop)

    first = [
        min(row.start_ns - go_ns for row in b.committed() if row.slot == slot) for slot in range(4)
    ]
    assert all(0 <= at - planned < SECOND // 5 for at, planned in zip(first, ramp_ns, strict=True))


def test_nothing_starts_before_the_go_and_waiting_for_it_costs_next_to_nothing(
    bench: Benches, events: EventThread
) -> None:
    """10,000 slots wait for 0.2 s with less than 20 ms of CPU, once all of them have begun to."""
    b = bench(10_000)
    loop = b.async_loop(
        ScriptedAsyncTarget(lambda _k, _n: asyncio.sleep(0.01)),
        events, clock_ns=time.monotonic_ns, sleep=asyncio.sleep,
    )  # fmt: skip
    b.slots.words[GO_NS], b.slots.words[STOP_NS] = 0, NEVER_NS
    loop.start()
    used_s = []
    for _ in range(3):
        before_s = time.process_time()
        time.sleep(0.2)
        used_s.append(time.process_time() - before_s)
    assert min(used_s) < 0.02
    assert b.slots.totals().started == 0
    assert loop.alive() == 10_000

    b.slots.words[GO_NS] = go_ns = time.monotonic_ns() + SECOND // 5
    while b.slots.totals().started < 10_000:
        time.sleep(0.01)
    b.slots.words[STOP_NS] = 0
    wait_for_end(loop)
    b.recorder.finish(loop.in_flight)
    assert min(row.start_ns for row in b.committed()) >= go_ns


def test_cold_starts_are_flagged_and_their_numbers_have_their_kinds(
    bench: Benches, events: EventThread
) -> None:
    b = bench(2)
    given: list[tuple[int, int]] = []

    async def work(kind: int, number: int) -> None:
        given.append((kind, number))

    loop = b.async_loop(ScriptedAsyncTarget(work), events, kind_count=2)
    loop.cold_start([-3, -4])
    b.recorder.finish(loop.in_flight)

    assert given == [(0, -3), (1, -4)]
    assert [(row.number, row.slot, row.flags) for row in b.committed()] == [
        (-3, 0, COLD),
        (-4, 0, COLD),
    ]


def test_slots_that_cannot_be_started_are_reported_and_end(
    bench: Benches, events: EventThread, monkeypatch: pytest.MonkeyPatch
) -> None:
    b = bench(3)
    target = ScriptedAsyncTarget(lambda _kind, _number: b.clock.sleep_on_loop(1))
    loop = b.async_loop(target, events, ramp_ns=array("q", [0, 0, 5 * SECOND]))

    async def no_memory(_seconds: float) -> None:
        raise MemoryError

    monkeypatch.setattr(loop, "_sleep", no_memory)
    loop.start()
    wait_for_end(loop)

    assert loop.problems == ["slot 2 could not be started: MemoryError: "]
