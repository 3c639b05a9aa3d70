"""Service times of a window: of workflows that ended, and of those that had not."""

from __future__ import annotations

import numpy as np
import pytest

from perf_pipeline.metrics.survival.log_buckets import BUCKETS, bucket_of
from perf_pipeline.metrics.survival.outcomes import ended_within
from perf_pipeline.metrics.survival.window_times import WindowTimes, service_times
from perf_pipeline.samples.record import ErrorClass, Outcome
from tests.simulated_level import GO_NS, SECOND, at_s, closed_loop, frame_of

START, END = GO_NS + 10 * SECOND, GO_NS + 20 * SECOND


def test_a_window_holds_its_start_and_not_its_end() -> None:
    """So that windows that touch share no workflow and lose none."""
    frame = frame_of([at_s(n, 0, end) for n, end in enumerate((9.9, 10, 15, 20, 20.1))])

    assert ended_within(frame, START, END)["number"].to_list() == [1, 2]


def test_only_what_was_answered_has_ended() -> None:
    frame = frame_of([at_s(n, 11, 12, outcome=n) for n in range(5)])

    outcomes = ended_within(frame, START, END)["outcome"].to_list()

    assert outcomes == [Outcome.OK, Outcome.ERROR, Outcome.TIMEOUT]


def test_the_average_counts_time_in_flight_inside_the_window_only() -> None:
    """Window 10 to 20 s. Inside it: 2 of 5 s, all of 3 s, 4 of 14 s, 10 of 30 s; two ended."""
    frame = frame_of(
        [
            at_s(0, 7, 12, slot=0),
            at_s(1, 14, 17, slot=1),
            at_s(2, 16, 30, slot=2),
            at_s(3, 0, 30, slot=3, outcome=Outcome.ABANDONED),
            at_s(4, 2, 9, slot=4),
            at_s(5, 21, 22, slot=4),
        ]
    )

    times = service_times(frame, START, END)

    assert (times.samples, times.in_flight_at_end) == (2, 2)
    assert times.avg_s == pytest.approx((2 + 3 + 4 + 10) / 2)
    assert (times.min_s, times.max_s) == (3, 20)
    assert [p.at_least for p in times.percentiles] == [False, True, True, True, True]


def test_errors_and_timeouts_are_service_times_too() -> None:
    """A target that fails fast must not look slow, nor one that times out look fast."""
    frame = frame_of(
        [
            at_s(0, 11, 12, outcome=Outcome.ERROR, error_class=ErrorClass.OTHER),
            at_s(1, 11, 19, outcome=Outcome.TIMEOUT),
        ]
    )

    times = service_times(frame, START, END)

    assert (times.samples, times.min_s, times.max_s) == (2, 1, 8)


def test_what_was_cut_short_before_the_windows_end_was_in_flight_too() -> None:
    """A killed supervisor: the window ends with the last word of the last worker."""
    frame = frame_of(
        [at_s(n, 11, 12) for n in range(4)]
        + [at_s(10 + n, 12, 19.7, outcome=Outcome.ABANDONED) for n in range(4)]
    )

    times = service_times(frame, START, END)

    assert (times.samples, times.in_flight_at_end) == (4, 4)
    assert times.max_s == pytest.approx(7.7)
    assert times.percentiles[1].at_least


def test_nothing_ended_gives_no_average_rather_than_zero() -> None:
    times = service_times(frame_of([at_s(0, 0, 30)]), START, END)
    assert (times.samples, times.avg_s, times.min_s, times.max_s) == (0, None, None, 20)

    empty = service_times(frame_of([]), START, END)
    assert (empty.avg_s, empty.max_s, empty.p99.value_s) == (None, None, None)


def test_the_times_of_a_window_are_those_of_looking_at_every_record() -> None:
    """Two kinds in ten slots; one that ends just as the window begins, and slots that never end."""
    rng = np.random.default_rng(8)
    rows = closed_loop(10, lambda slot: float(rng.exponential(0.6)) if slot else 100.0, 11.0)
    rows += [at_s(9001, 0.5, 2.0), at_s(9002, 2.0, 2.0), at_s(9003, 0.25, 9.5, kind=1)]
    rows = [row._replace(kind=row.number % 2) for row in rows]
    start, end = GO_NS + 2 * SECOND, GO_NS + 10 * SECOND

    for kind, times in enumerate(WindowTimes.by_kind(frame_of(rows), start, end, 2)):
        own = [row for row in rows if row.kind == kind]
        ended = [r for r in own if start <= r.end_ns < end and r.outcome <= Outcome.TIMEOUT]
        censored = [
            min(r.end_ns, end) - r.start_ns
            for r in own
            if r.start_ns < end
            and (r.end_ns >= end or (r.outcome == Outcome.ABANDONED and r.end_ns >= start))
        ]
        lasted = [r.end_ns - r.start_ns for r in ended]
        inside = [min(r.end_ns, end) - max(r.start_ns, start) for r in own]
        histogram = times.histogram()
        assert histogram.ended.tolist() == _buckets(lasted)
        assert histogram.censored.tolist() == _buckets(censored)
        entered = sum(start - r.start_ns > 0 for r in ended)
        assert histogram.delayed_entries.sum() == entered
        assert (times.min_ns, times.min_censored_ns) == (min(lasted), min(censored, default=None))
        assert times.max_ns == max(lasted + censored)
        assert times.total_ns == sum(ns for ns in inside if ns > 0)


def _buckets(times_ns: list[int]) -> list[int]:
    places = bucket_of(np.array(times_ns, dtype=np.int64))
    return np.bincount(places, minlength=BUCKETS).tolist()
