"""What became of an open level's arrivals, second by second, against the naive sums."""

from __future__ import annotations

import numpy as np
import polars as pl
import pytest

from perf_pipeline.metrics.records.open_level import _seconds
from perf_pipeline.metrics.survival.window_times import window_responses
from perf_pipeline.samples.record import NOT_STARTED, TIMES_LOST, Outcome

GO_NS = 5_000_000_000


def _frame(rows: list[tuple[float, float, float, Outcome, int]]) -> pl.DataFrame:
    """Return records of (intended, start, end) in seconds after the go, outcome and flags."""
    times = np.array([row[:3] for row in rows])
    columns = {
        name: GO_NS + (times[:, place] * 1e9).round().astype(np.int64)
        for place, name in enumerate(("intended_start_ns", "start_ns", "end_ns"))
    }
    return pl.DataFrame(
        {**columns, "outcome": [int(row[3]) for row in rows], "flags": [row[4] for row in rows]}
    )


def test_a_second_holds_the_response_times_of_what_was_to_start_in_it_and_what_waited() -> None:
    """In second 0 one waits 0.5 s and takes 1 s, one is dropped after 2.5 s; nothing in second 1.

    Waiting in second 0: 0.5 s of the first and 0.8 s of the second; in second 1 all of the second;
    in second 2 its last 0.7 s.
    """
    frame = _frame(
        [
            (0.0, 0.5, 1.5, Outcome.OK, 0),
            (0.2, 2.7, 2.7, Outcome.DROPPED, NOT_STARTED),
            (2.0, 2.0, 2.25, Outcome.OK, 0),
        ]
    )
    zero, one, two = _seconds(frame, {"go_ns": GO_NS})
    assert (zero.p50_s, zero.p99_s, zero.dropped) == (1.5, 2.5, 1)
    assert (one.p50_s, one.p99_s, one.scheduled) == (None, None, 0)
    assert (two.p50_s, two.ok) == (0.25, 1)
    assert [each.waiting for each in (zero, one, two)] == pytest.approx([1.3, 1.0, 0.7])


def test_what_a_lost_worker_took_with_it_has_an_outcome_and_no_time() -> None:
    frame = _frame([(0.0, 0.0, 0.5, Outcome.OK, 0), (0.1, 9.0, 9.0, Outcome.ABANDONED, TIMES_LOST)])
    (zero,) = _seconds(frame, {"go_ns": GO_NS})
    assert (zero.scheduled, zero.abandoned, zero.p99_s, zero.waiting) == (2, 1, 0.5, 0.0)


def test_what_was_answered_and_what_was_not_are_told_apart() -> None:
    frame = _frame(
        [
            (0.0, 0.5, 1.5, Outcome.OK, 0),
            (0.2, 2.7, 2.7, Outcome.DROPPED, NOT_STARTED),
            (0.5, 0.5, 9.5, Outcome.TIMEOUT, 0),
            (3.0, 3.0, 4.0, Outcome.OK, 0),
        ]
    )
    times = window_responses(frame, GO_NS, GO_NS + 2_000_000_000)
    histogram = times.histogram()
    assert (histogram.count_ended, histogram.count_censored) == (1, 2)
    assert (times.min_ns, times.min_censored_ns, times.max_ns) == (
        1_500_000_000,
        2_500_000_000,
        9_000_000_000,
    )
