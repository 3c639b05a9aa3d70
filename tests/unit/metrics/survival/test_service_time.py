"""Service times of a window: what ended, and what had not."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from perf_pipeline.metrics.survival.service_time import (
    WindowTimes,
    ended_within,
    product_limit_percentiles,
    service_times,
)
from perf_pipeline.samples.record import ErrorClass, Outcome
from tests.simulated_level import GO_NS, SECOND, at_s, closed_loop, frame_of

if TYPE_CHECKING:
    from perf_pipeline.metrics.types.service_times import Percentile

START, END = GO_NS + 10 * SECOND, GO_NS + 20 * SECOND


def _seconds(*values: float) -> np.ndarray[tuple[int], np.dtype[np.int64]]:
    return np.array([round(value * 1e9) for value in values], dtype=np.int64)


def _estimate(ended_s: list[float], open_s: list[float], p: float) -> Percentile:
    return product_limit_percentiles(_seconds(*ended_s), _seconds(*open_s), (p,))[0]


@given(st.lists(st.integers(0, 50), min_size=1, max_size=300), st.integers(1, 99))
def test_when_everything_ended_a_percentile_is_the_nearest_rank(
    durations_s: list[int], percent: int
) -> None:
    found = _estimate([float(d) for d in durations_s], [], percent / 100)

    rank = math.ceil(percent * len(durations_s) / 100)
    expected = sorted(durations_s)[rank - 1]
    assert found.value_s == expected
    assert not found.at_least
    assert found.samples_beyond == sum(d > expected for d in durations_s)


REMISSION_ENDED = [6, 6, 6, 7, 10, 13, 16, 22, 23]
REMISSION_GOING_ON = [6, 9, 10, 11, 17, 19, 20, 25, 32, 32, 34, 35]


def test_the_textbook_example_of_kaplan_and_meier_comes_out() -> None:
    """Weeks of remission under 6-MP: S(6) = 0.857, S(16) = 0.627, S(22) = 0.538, S(23) = 0.448.

    Source:
        Freireich et al., Blood 21, 1963, as estimated in Klein, Moeschberger, "Survival
        Analysis", 2nd edition, table 4.1A; the median remission is 23 weeks.
    """
    survival = {6: 0.857, 7: 0.807, 10: 0.753, 13: 0.690, 16: 0.627, 22: 0.538, 23: 0.448}
    ended = [float(week) for week in REMISSION_ENDED]
    going_on = [float(week) for week in REMISSION_GOING_ON]
    for week, surviving in survival.items():
        assert _estimate(ended, going_on, 1 - surviving - 0.002).value_s == week
        assert _estimate(ended, going_on, 1 - surviving + 0.002).value_s != week
    median = _estimate(ended, going_on, 0.5)
    assert (median.value_s, median.at_least, median.samples_beyond) == (23, False, 5)

    unreached = _estimate(ended, going_on, 0.6)
    assert (unreached.value_s, unreached.at_least) == (35, True)


def test_a_percentile_among_what_has_not_ended_is_at_least_the_longest_time_seen() -> None:
    """Nine ended after 1 s and three wait since 2, 5 and 8 s: the median is known, p90 is not."""
    ended, waiting = [1.0] * 9, [2.0, 5.0, 8.0]

    assert _estimate(ended, waiting, 0.5).value_s == 1
    p90 = _estimate(ended, waiting, 0.9)
    assert (p90.value_s, p90.at_least, p90.samples_beyond) == (8, True, 0)


def test_without_any_sample_there_is_no_percentile() -> None:
    nothing = _estimate([], [], 0.5)
    assert (nothing.value_s, nothing.at_least, nothing.samples_beyond) == (None, False, 0)
    none_ended = _estimate([], [3.0, 4.0], 0.5)
    assert (none_ended.value_s, none_ended.at_least) == (4, True)


def _naive_delayed_entry(
    ended: list[tuple[int, int]], open_s: list[int], p: float
) -> tuple[float, bool]:
    """Percentile from (joined, ended) ages by the definition: hazards over explicit risk sets."""
    surviving = 1.0
    for t in sorted({end for _, end in ended}):
        events = sum(end == t for _, end in ended)
        at_risk = sum((joined < t or joined == 0) and end >= t for joined, end in ended)
        at_risk += sum(age >= t for age in open_s)
        surviving *= 1 - events / at_risk
        if surviving <= 1 - p + 1e-9:
            return t, False
    return max([end for _, end in ended] + open_s), True


_JOINED_AND_ENDED = (
    st.tuples(st.integers(0, 9), st.integers(0, 9))
    .map(sorted)
    .filter(lambda ages: ages[0] < ages[1] or ages[0] == 0)
)


@given(
    st.lists(_JOINED_AND_ENDED, min_size=1, max_size=40),
    st.lists(st.integers(0, 12), max_size=20),
    st.sampled_from([0.25, 0.5, 0.9, 0.99]),
)
def test_what_joined_late_is_at_risk_from_then_on(
    ended: list[list[int]], open_s: list[int], p: float
) -> None:
    joined, ends = zip(*ended, strict=True)

    found = product_limit_percentiles(_seconds(*ends), _seconds(*open_s), (p,), _seconds(*joined))

    pairs = [(joined_s, end_s) for joined_s, end_s in ended]
    assert (found[0].value_s, found[0].at_least) == _naive_delayed_entry(pairs, open_s, p)


def test_what_ended_at_the_very_start_of_the_window_says_nothing_of_percentiles() -> None:
    """It came under observation as it ended: an event without anybody at risk."""
    ended, joined = _seconds(5, 1, 1), _seconds(5, 0, 0)

    found = product_limit_percentiles(ended, _seconds(9), (0.5, 0.9), joined)

    assert [(p.value_s, p.at_least) for p in found] == [(1, False), (9, True)]


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
    assert [p.at_least for p in times.percentiles] == [False, True, True]


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
        seen = [r for r in ended if r.end_ns > start or r.start_ns >= start]
        cut = [
            r
            for r in own
            if r.start_ns < end
            and (r.end_ns >= end or (r.outcome == Outcome.ABANDONED and r.end_ns >= start))
        ]
        inside = [min(r.end_ns, end) - max(r.start_ns, start) for r in own]
        assert times.ended.runs[0].tolist() == sorted(r.end_ns - r.start_ns for r in seen)
        assert times.late.tolist() == sorted(start - r.start_ns for r in seen if r.start_ns < start)
        assert times.still.tolist() == sorted(min(r.end_ns, end) - r.start_ns for r in cut)
        assert len(times.unseen) == len(ended) - len(seen)
        assert times.inside_ns == sum(ns for ns in inside if ns > 0)
