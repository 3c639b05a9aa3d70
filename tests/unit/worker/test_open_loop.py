"""Open loop in virtual time: what a workflow waits before its start is in its record."""

from __future__ import annotations

import time
from array import array
from typing import TYPE_CHECKING, Any

import pytest

from perf_pipeline.samples.journal import read_journal
from perf_pipeline.samples.record import NOT_STARTED, RECORD, Outcome
from perf_pipeline.samples.slots import GO_NS, SLOTS_ENDED, STOP_NS
from perf_pipeline.worker.arrival_share import ArrivalShare
from perf_pipeline.worker.async_loop import AsyncLoop
from perf_pipeline.worker.async_open_loop import AsyncOpenLoop
from perf_pipeline.worker.closed_loop import ClosedLoop
from perf_pipeline.worker.open_loop import OpenLoop
from tests.unit.worker.conftest import ScriptedAsyncTarget, ScriptedTarget

if TYPE_CHECKING:
    from collections.abc import Callable

    from perf_pipeline.worker.event_thread import EventThread
    from tests.unit.worker.conftest import Bench

MS = 1_000_000


def _play(
    b: Bench,
    events: EventThread | None,
    arrivals_ms: list[int],
    service_ms: Callable[[int], int],
    *,
    start_timeout_ms: int = 10_000,
    run_s: float = 10.0,
) -> list[tuple[int, ...]]:
    """Play arrivals with one slot; returns (number, intended, start, end, outcome, flags), ms."""

    def work(_kind: int, number: int) -> None:
        b.clock.sleep(service_ms(number) / 1000)

    async def work_async(kind: int, number: int) -> None:
        work(kind, number)

    loop: OpenLoop | AsyncOpenLoop
    if events is None:
        target = ScriptedTarget(work)
        own: dict[str, Any] = {"sleep": b.clock.sleep, "threads": []}
        loop = OpenLoop(**own | b._arguments(target, {"run_s": run_s, "deadline_ns": 10**12}))
    else:
        async_target = ScriptedAsyncTarget(work_async)
        own = {"sleep": b.clock.sleep_on_loop, "events": events}
        arguments = b._arguments(async_target, {"run_s": run_s, "deadline_ns": 10**12})
        loop = AsyncOpenLoop(**own | arguments)
    go_ns = b.slots.words[GO_NS]
    loop.schedule(ArrivalShare(array("q", [at * MS for at in arrivals_ms]), start_timeout_ms * MS))
    loop.start()
    _wait_until_over(b, loop)
    b.recorder.finish(loop.in_flight)
    payload = read_journal(b.folder / "worker-0.sqlite").payload
    return [
        (number, *((at - go_ns) // MS for at in (intended, start, end)), outcome, flags)
        for number, intended, start, end, _, _, outcome, _, flags in RECORD.iter_unpack(payload)
    ]


def _wait_until_over(b: Bench, loop: OpenLoop | AsyncOpenLoop) -> None:
    """Wait for the slots, then let the stop come, for which they wait."""
    end = time.monotonic() + 5.0
    while time.monotonic() < end:
        living = ClosedLoop.alive(loop) if isinstance(loop, OpenLoop) else AsyncLoop.alive(loop)
        if not living:
            break
        time.sleep(0.001)
    b.clock.now_ns = max(b.clock.now_ns, b.slots.words[STOP_NS])
    assert loop.alive() == 0


@pytest.fixture(params=["threads", "asyncio"])
def loop_of(request: pytest.FixtureRequest) -> EventThread | None:
    """None for threads; an event loop for tasks."""
    events: EventThread | None = (
        request.getfixturevalue("events") if request.param == "asyncio" else None
    )
    return events


def test_a_workflow_without_a_free_slot_waits_and_the_wait_is_in_its_record(
    bench: Callable[[int], Bench], loop_of: EventThread | None
) -> None:
    """One slot; the first takes 250 ms, the others 10. Against Lindley's recursion, written out."""
    arrivals = [0, 100, 200, 300, 305]
    service = [250, 10, 10, 10, 10]
    rows = _play(bench(1), loop_of, arrivals, lambda number: service[number])
    expected, free = [], 0
    for number, (at, takes) in enumerate(zip(arrivals, service, strict=True)):
        start = max(at, free)
        free = start + takes
        expected.append((number, at, start, free, Outcome.OK, 0))
    assert rows == expected
    assert [start - intended for _, intended, start, *_ in rows] == [0, 150, 60, 0, 5]


def test_what_waits_longer_than_the_start_timeout_is_dropped_and_no_sooner(
    bench: Callable[[int], Bench], loop_of: EventThread | None
) -> None:
    """250 ms each, at most 100 ms of waiting: the second waited 150, the third 50, the last 240."""
    rows = _play(bench(1), loop_of, [0, 100, 200, 260], lambda _n: 250, start_timeout_ms=100)
    assert [(number, start, end, outcome) for number, _, start, end, outcome, _ in rows] == [
        (0, 0, 250, Outcome.OK),
        (1, 250, 250, Outcome.DROPPED),
        (2, 250, 500, Outcome.OK),
        (3, 500, 500, Outcome.DROPPED),
    ]
    assert [flags for *_, flags in rows] == [0, NOT_STARTED, 0, NOT_STARTED]


def test_what_arrived_before_the_end_of_the_schedule_may_start_after_it(
    bench: Callable[[int], Bench], loop_of: EventThread | None
) -> None:
    rows = _play(bench(1), loop_of, [0, 10, 20], lambda _n: 250, run_s=0.1)
    assert [start for _, _, start, *_ in rows] == [0, 250, 500]


def test_a_schedule_that_is_cut_short_starts_nothing_more(
    bench: Callable[[int], Bench], loop_of: EventThread | None
) -> None:
    """Stopped at 150 ms of a schedule of 5 s: what arrived at 160 ms and later is not started."""
    rows = _play(bench(1), loop_of, [0, 100, 160, 5000], lambda _n: 10, run_s=0.15)
    assert [number for number, *_ in rows] == [0, 1]


def test_a_worker_that_has_played_everything_stays_until_the_stop(
    bench: Callable[[int], Bench],
) -> None:
    """Else its supervisor would take it for one that was lost."""
    b = bench(3)
    loop = OpenLoop(sleep=b.clock.sleep, threads=[], **b._arguments(ScriptedTarget(print), {}))
    loop.schedule(ArrivalShare(array("q"), 0))
    loop.start()
    while b.slots.words[SLOTS_ENDED] < 3:
        time.sleep(0.001)
    assert loop.alive() == 3
    b.clock.now_ns = b.slots.words[STOP_NS]
    assert loop.alive() == 0
