"""A level ends early when, and only when, the limit of the scenario is passed."""

from __future__ import annotations

import os
import resource
from typing import TYPE_CHECKING

import pytest

from perf_pipeline.config.scenario.scenario import Stop
from perf_pipeline.loadgen.supervise.early_stop import StopWatch, descriptors_free_of
from perf_pipeline.samples.ended_because import EndedBecause
from perf_pipeline.samples.slots import Totals

if TYPE_CHECKING:
    from collections.abc import Callable

SECOND_NS = 1_000_000_000


def _watch(stop: Stop, memory: Callable[[], int | None] = lambda: None) -> StopWatch:
    watch = StopWatch(stop, memory_free_bytes=memory, descriptors_free=lambda _pid: 40)
    watch.begin(0, Totals(0, 0, 0))
    return watch


def test_more_than_half_failing_in_the_window_ends_the_level_and_half_does_not() -> None:
    watch = _watch(Stop(error_ratio=0.5))

    assert watch.look(5 * SECOND_NS, Totals(200, 100, 50), []) is None
    ended = watch.look(6 * SECOND_NS, Totals(300, 200, 101), [])
    assert ended is not None
    assert ended.because == EndedBecause.MOSTLY_FAILING
    assert ended.detail == (
        "50.5 % of the 200 workflows that ended in the last 6 s failed (limit 50 %)"
    )


def test_a_limit_of_1_ends_no_level_though_a_failure_is_counted_before_its_end() -> None:
    """Read while a slot is between the two, there are more failures than ends."""
    watch = _watch(Stop(error_ratio=1.0))

    assert watch.look(5 * SECOND_NS, Totals(203, 200, 203), []) is None


def test_failures_older_than_the_window_do_not_count() -> None:
    """90 of 100 failed in second 1; after the window has passed only what came later counts."""
    watch = _watch(Stop(error_ratio=0.5))
    assert watch.look(SECOND_NS, Totals(100, 100, 90), []) is not None

    later = [watch.look(at * SECOND_NS, Totals(0, 100 + 3 * at, 90), []) for at in range(2, 14)]
    assert later[0] is not None
    assert later[-1] is None


def test_a_few_failures_are_no_share() -> None:
    watch = _watch(Stop(error_ratio=0.5))

    assert watch.look(SECOND_NS, Totals(19, 19, 19), []) is None
    assert watch.look(2 * SECOND_NS, Totals(20, 20, 20), []) is not None


def test_what_ended_before_the_load_began_does_not_count() -> None:
    """The cold starts, 30 of which failed."""
    watch = StopWatch(Stop(error_ratio=0.5))
    watch.begin(0, Totals(30, 30, 30))

    assert watch.look(SECOND_NS, Totals(60, 60, 40), []) is None


def test_without_a_limit_all_may_fail() -> None:
    watch = _watch(Stop())

    assert watch.look(SECOND_NS, Totals(500, 500, 500), []) is None


@pytest.mark.parametrize(("free_mb", "ends"), [(301, False), (299, True), (None, False)])
def test_memory_below_its_floor_ends_the_level(free_mb: int | None, ends: bool) -> None:  # noqa: FBT001
    """What cannot be known ends nothing."""
    free = None if free_mb is None else free_mb * 1_000_000
    found = _watch(Stop(memory_free_mb=300), lambda: free).look(0, Totals(0, 0, 0), [])

    assert (found is not None and found.because == EndedBecause.HOST_FLOOR) is ends


def test_descriptors_below_their_floor_end_the_level() -> None:
    found = _watch(Stop(descriptors_free=50)).look(0, Totals(0, 0, 0), [7])

    assert found == (
        EndedBecause.HOST_FLOOR,
        "worker process 7 could open 40 more files (floor 50)",
    )


def test_free_descriptors_are_the_limit_less_the_open_ones() -> None:
    soft, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
    before = descriptors_free_of(os.getpid())
    assert before is not None
    assert before <= soft

    reading, writing = os.pipe()
    try:
        assert descriptors_free_of(os.getpid()) == before - 2
    finally:
        os.close(reading)
        os.close(writing)
    assert descriptors_free_of(2**22 + 1) is None
