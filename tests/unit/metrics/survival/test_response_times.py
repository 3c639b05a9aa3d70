"""Response times begin when a workflow should have started; being late leaves nobody out."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import polars as pl
import pytest

from perf_pipeline.metrics.survival.window_times import response_times
from perf_pipeline.samples.record import COLD, NOT_STARTED, TIMES_LOST, Outcome
from tests.simulated_level import GO_NS, SECOND, at_s, frame_of

if TYPE_CHECKING:
    from collections.abc import Sequence


def frame(rows: Sequence[tuple[float, float, float, int, int]]) -> pl.DataFrame:
    """Make records of (intended, start, end, outcome, flags), seconds after the go."""
    made = frame_of(
        at_s(number, start, end, outcome=outcome, flags=flags)
        for number, (_, start, end, outcome, flags) in enumerate(rows)
    )
    due = [GO_NS + round(intended * SECOND) for intended, *_ in rows]
    return made.with_columns(intended_start_ns=pl.Series(due, dtype=pl.Int64))


def window(start_s: float, end_s: float) -> tuple[int, int]:
    return GO_NS + round(start_s * SECOND), GO_NS + round(end_s * SECOND)


def test_response_time_counts_the_wait_behind_one_stalled_request() -> None:
    """Ten a second, 10 ms each, one slot; the one due at 1 s takes 2 s: Lindley's recursion."""
    rows, free = [], 0.0
    for number in range(100):
        due = number / 10
        start = max(due, free)
        free = start + (2.0 if number == 10 else 0.01)
        rows.append((due, start, free, Outcome.OK, 0))
    times = response_times(frame(rows), *window(0, 10))
    took = np.sort([end - due for due, _, end, *_ in rows])
    assert times.samples == 100
    assert times.avg_s == pytest.approx(took.mean())
    exact = [took[49], took[89], took[94], took[98], took[99]]
    assert [p.value_s for p in times.percentiles] == pytest.approx(exact, rel=1 / 256)


def test_those_that_were_to_start_in_the_window_count_whenever_they_ended() -> None:
    rows = [
        (0.9, 0.9, 1.5, Outcome.OK, 0),  # due before
        (1.0, 5.0, 9.0, Outcome.OK, 0),  # started and ended after
        (1.9, 1.9, 2.0, Outcome.ERROR, 0),
        (2.0, 2.0, 2.1, Outcome.OK, 0),  # due after
        (1.5, 1.5, 1.6, Outcome.OK, COLD),
        (1.5, 9.0, 9.0, Outcome.ERROR, TIMES_LOST),
    ]
    times = response_times(frame(rows), *window(1, 2))
    assert (times.samples, times.in_flight_at_end) == (2, 0)
    assert (times.min_s, times.max_s) == pytest.approx((0.1, 8.0))


@pytest.mark.parametrize(
    ("outcome", "flags"),
    [
        (Outcome.DROPPED, NOT_STARTED),
        (Outcome.TIMEOUT, 0),
        (Outcome.ABANDONED, 0),
        (Outcome.ABANDONED, NOT_STARTED),
    ],
)
def test_what_was_not_answered_counts_as_at_least_this_long(outcome: int, flags: int) -> None:
    """Of 100, 95 took 1 s and 5 had waited 3 s in vain: p90 is 1 s, p99 at least 3."""
    rows = [(0.0, 0.0, 1.0, Outcome.OK, 0)] * 95 + [(0.0, 3.0, 3.0, outcome, flags)] * 5
    times = response_times(frame(rows), *window(0, 1))
    _, p90, _, p99, _ = times.percentiles
    assert (p90.value_s, p90.at_least) == (pytest.approx(1.0, rel=1 / 256), False)
    assert (p99.value_s, p99.at_least) == (3.0, True)
    assert (times.samples, times.in_flight_at_end) == (95, 5)


def test_with_most_arrivals_dropped_no_percentile_is_that_of_the_answered() -> None:
    """Of 100, 12 took 3 s and 88 were dropped at 2 s: the product-limit curve says 3 s for all."""
    rows = [(0.0, 2.5, 3.0, Outcome.OK, 0)] * 12 + [
        (0.0, 2.0, 2.0, Outcome.DROPPED, NOT_STARTED)
    ] * 88
    times = response_times(frame(rows), *window(0, 1))
    assert [p.at_least for p in times.percentiles] == [True] * 5
    values = [p.value_s for p in times.percentiles]
    assert values == pytest.approx([2.0, 3.0, 3.0, 3.0, 3.0], rel=1 / 256)
    assert values[0] == 2.0  # a bound is never above the truth
