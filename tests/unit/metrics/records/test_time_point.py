"""A level second by second."""

from __future__ import annotations

import math
import random

import pytest

from perf_pipeline.metrics.records.in_flight import InFlightCurve
from perf_pipeline.metrics.records.time_point import seconds_of
from perf_pipeline.samples.record import Outcome
from tests.simulated_level import GO_NS, SECOND, at_s, closed_loop, frame_of


def test_seconds_sum_to_what_ended_and_hold_every_second_once() -> None:
    rng = random.Random(1)
    rows = closed_loop(20, lambda _slot: rng.expovariate(3), until_s=30)
    rows = [r._replace(outcome=rng.choice([0, 0, 0, 1, 2, 4])) for r in rows]
    frame = frame_of(rows)

    seconds = seconds_of(frame, InFlightCurve.of(frame), GO_NS, GO_NS + 30 * SECOND + 700_000_000)

    inside = [r for r in rows if r.end_ns < GO_NS + 30 * SECOND]
    assert [s.t_s for s in seconds] == [float(t) for t in range(30)]
    assert sum(s.ended_ok for s in seconds) == sum(r.outcome == Outcome.OK for r in inside)
    assert sum(s.ended_not_ok for s in seconds) == sum(r.outcome in {1, 2} for r in inside)
    assert all(s.in_flight == pytest.approx(20) for s in seconds)


def test_the_percentiles_of_a_second_are_nearest_ranks_of_what_ended_in_it() -> None:
    """N = 1 to 12 in a second each, durations in shuffled order; the naive rank is ceil(p n)."""
    rng = random.Random(2)
    rows, expected = [], []
    for second in range(12):
        durations = rng.sample(range(1, 900), second + 1)
        rows += [
            at_s(100 * second + i, second + 0.95 - d / 1000, second + 0.95)
            for i, d in enumerate(durations)
        ]
        ordered = sorted(durations)
        expected.append([ordered[math.ceil(p * len(ordered)) - 1] / 1000 for p in (0.5, 0.99)])
    frame = frame_of(rows)

    seconds = seconds_of(frame, InFlightCurve.of(frame), GO_NS, GO_NS + 12 * SECOND)

    assert [[s.p50_s, s.p99_s] for s in seconds] == [pytest.approx(e) for e in expected]


def test_a_second_in_which_nothing_ended_has_no_percentile_but_what_was_in_flight() -> None:
    frame = frame_of([at_s(0, 0.5, 3.25), at_s(1, 3.0, 3.5, outcome=Outcome.ERROR)])

    seconds = seconds_of(frame, InFlightCurve.of(frame), GO_NS, GO_NS + 4 * SECOND)

    assert [(s.ended_ok, s.ended_not_ok) for s in seconds] == [(0, 0), (0, 0), (0, 0), (1, 1)]
    assert [s.p50_s is None for s in seconds] == [True, True, True, False]
    assert [s.in_flight for s in seconds] == pytest.approx([0.5, 1, 1, 0.25 + 0.5])


def test_a_level_of_less_than_a_second_has_no_seconds() -> None:
    frame = frame_of([at_s(0, 0, 0.5)])
    curve = InFlightCurve.of(frame)

    assert seconds_of(frame, curve, GO_NS, GO_NS + SECOND - 1) == ()
    assert seconds_of(frame, curve, GO_NS, GO_NS - SECOND) == ()
