"""The number in flight as a step function, against counting it instant by instant."""

from __future__ import annotations

import itertools
from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from perf_pipeline.metrics.records.in_flight import InFlightCurve
from tests.simulated_level import Row, frame_of

if TYPE_CHECKING:
    from collections.abc import Sequence

_TICKS = 30
_INTERVALS = st.lists(
    st.tuples(st.integers(0, _TICKS), st.integers(0, _TICKS)).map(sorted),
    max_size=12,
)
_WINDOW = st.tuples(st.integers(0, _TICKS), st.integers(1, _TICKS)).map(
    lambda w: (w[0], w[0] + w[1])
)


def _curve(intervals: Sequence[Sequence[int]]) -> InFlightCurve:
    return InFlightCurve.of(frame_of(Row(n, s, e) for n, (s, e) in enumerate(intervals)))


def _naive(intervals: Sequence[Sequence[int]], start: int, end: int) -> list[int]:
    """Count, for every unit of time, the intervals that cover it: O(time x intervals)."""
    return [sum(s <= t < e for s, e in intervals) for t in range(start, end)]


@given(_INTERVALS.filter(bool), _WINDOW)
def test_median_and_least_are_those_of_counting_every_instant(
    intervals: list[list[int]], window: tuple[int, int]
) -> None:
    """Windows reach before the first start and beyond the last end, where nothing is in flight."""
    curve, counts = _curve(intervals), _naive(intervals, *window)

    median = sorted(counts)[(len(counts) - 1) // 2]
    assert curve.median_and_min(*window) == (median, min(counts))


@given(_INTERVALS, st.lists(st.integers(0, 2 * _TICKS), min_size=2, max_size=6, unique=True))
def test_means_are_those_of_integrating_every_instant(
    intervals: list[list[int]], edges: list[int]
) -> None:
    edges.sort()
    means = _curve(intervals).means(np.array(edges, dtype=np.int64))

    naive = [
        float(np.mean(_naive(intervals, start, end))) for start, end in itertools.pairwise(edges)
    ]
    assert means == pytest.approx(naive, abs=1e-9)


def test_a_slot_that_goes_on_at_once_is_never_counted_twice() -> None:
    """Ten workflows back to back in one slot: one in flight at every instant, never two or none."""
    curve = _curve([(t, t + 1) for t in range(10)])

    assert [curve.time_at_or_above_ns(count, 0, 10) for count in (1, 2)] == [10, 0]


def test_the_median_is_weighted_by_time_not_by_steps() -> None:
    """5 in flight for 60 of 100 ns; the other 40 ns hold most of the steps, at 0 and 1."""
    curve = _curve([(0, 60)] * 5 + [(t, t + 1) for t in range(60, 100, 2)])

    assert curve.median_and_min(0, 100) == (5, 0)
    assert curve.median_and_min(0, 60) == (5, 5)


@pytest.mark.parametrize("at_a_time", [1, 2, 7])
def test_a_curve_of_many_pieces_is_that_of_one(at_a_time: int) -> None:
    """Ten million workflows are walked through piece by piece, so that memory holds."""
    rng = np.random.default_rng(6)
    starts = rng.integers(0, 200, 60)
    curve = _curve(list(zip(starts, starts + rng.integers(0, 40, 60), strict=True)))
    counts = np.array(_naive(list(zip(curve.starts_ns, curve.ends_ns, strict=True)), 20, 180))

    curve = replace(curve, chunk=at_a_time)

    for count in range(1, 20):
        assert curve.time_at_or_above_ns(count, 20, 180) == (counts >= count).sum()
    assert curve.median_and_min(20, 180) == (np.sort(counts)[79], counts.min())


def test_of_no_records_nothing_is_known() -> None:
    curve = _curve([])

    assert curve.median_and_min(0, 10) == (None, None)
    assert _curve([(0, 5)]).median_and_min(5, 5) == (None, None)
    assert list(curve.means(np.array([0, 5, 10]))) == [0.0, 0.0]


def test_times_since_the_boot_do_not_cost_precision() -> None:
    """A month of uptime is 2.6e15 ns; steps of one ns must still show."""
    uptime_ns = 2_600_000_000_000_000
    curve = _curve([(uptime_ns, uptime_ns + 3), (uptime_ns + 1, uptime_ns + 2)])

    edges = uptime_ns + np.arange(4)
    assert list(curve.means(edges)) == [1.0, 2.0, 1.0]
