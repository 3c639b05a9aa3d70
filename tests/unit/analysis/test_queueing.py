"""Laws of queues hold where they must, and tell where a level is no steady state."""

from __future__ import annotations

import numpy as np
import pytest

from perf_pipeline.analysis.knee import knee_of
from perf_pipeline.analysis.queueing import Usl, fit_usl, little_of
from perf_pipeline.selftest.virtual.single_server import records_of
from perf_pipeline.selftest.virtual.virtual_queues import (
    closed_network,
    open_queue,
    response_beyond,
    true_in_flight,
    true_rate_per_s,
    true_times,
)
from tests.simulated_level import GO_NS, SECOND, closed_loop, frame_of


def test_the_three_sides_of_littles_law_are_those_of_a_level_that_is_known() -> None:
    """8 slots, each workflow 0.25 s: 32 a second, 8 in flight, 0.25 s."""
    frame = frame_of(closed_loop(8, lambda _slot: 0.25, 20.0))

    little = little_of(frame, GO_NS + 2 * SECOND, GO_NS + 18 * SECOND)

    assert little is not None
    assert little.in_flight == pytest.approx(8)
    assert little.ended_per_s == pytest.approx(32, rel=0.02)
    assert little.time_s == pytest.approx(0.25)
    assert little.holds


def test_littles_law_tells_of_slots_that_starve() -> None:
    """6 of 8 slots never end anything: what ended says nothing of what is in flight."""
    frame = frame_of(closed_loop(8, lambda slot: 0.25 if slot < 2 else 1000.0, 20.0))

    little = little_of(frame, GO_NS + 2 * SECOND, GO_NS + 18 * SECOND)

    assert little is not None
    assert little.in_flight == pytest.approx(8)
    assert little.ratio == pytest.approx(0.25, rel=0.05)
    assert not little.holds


def test_littles_law_tells_of_a_queue_that_grows() -> None:
    """At 1.5 times what 4 servers can do, a third of what arrives stays."""
    frame = records_of(*open_queue(4, 0.02, 300, 6000, np.random.default_rng(1)))
    last_ns = int(frame["intended_start_ns"].max())  # type: ignore[arg-type]

    little = little_of(frame, 0, last_ns, "intended_start_ns")

    assert little is not None
    assert not little.holds
    steady = records_of(*open_queue(4, 0.02, 100, 6000, np.random.default_rng(1)))
    last_ns = int(steady["intended_start_ns"].max())  # type: ignore[arg-type]
    little = little_of(steady, 0, last_ns, "intended_start_ns")
    assert little is not None
    assert little.holds


def test_nothing_that_ended_gives_no_law() -> None:
    frame = frame_of(closed_loop(2, lambda _slot: 1000.0, 5.0))

    assert little_of(frame, GO_NS + SECOND, GO_NS + 4 * SECOND) is None


def test_the_scalability_law_that_made_the_points_is_found() -> None:
    """Gunther's form with 2 % queueing and 0.05 % crosstalk: its peak is at 44 in flight."""
    law = Usl(90.0, 0.02, 0.0005, 0.0)
    loads = [1.0, 4.0, 16.0, 64.0, 256.0]

    found = fit_usl(loads, [law.throughput_per_s(n) for n in loads])

    assert found is not None
    assert found.rate_per_s == pytest.approx(90)
    assert found.queueing == pytest.approx(0.02)
    assert found.crosstalk == pytest.approx(0.0005)
    assert found.peak_in_flight == pytest.approx(44.3, abs=0.1)
    assert found.worst_ratio == pytest.approx(0, abs=1e-9)


def test_a_throughput_that_only_grows_has_no_peak_and_no_coefficient_below_zero() -> None:
    found = fit_usl([1, 2, 4, 8], [10, 20.5, 41, 83])

    assert found is not None
    assert found.queueing == 0
    assert found.crosstalk == 0
    assert found.peak_in_flight is None


def test_three_points_are_no_fit() -> None:
    assert fit_usl([1, 2, 4, 4], [10, 18, 30, 31]) is None


def test_the_knee_is_where_the_asymptotes_meet() -> None:
    """4 servers of 20 ms behind a delay of 200 ms: 200/s x 220 ms = 44 in flight."""
    loads = [1.0, 16.0, 64.0, 256.0]
    times = true_times(4, 0.02, 0.2, 256)

    knee = knee_of(loads, [n / times[int(n) - 1] for n in loads])

    assert knee is not None
    assert knee.in_flight == pytest.approx(44, rel=0.001)
    assert knee.is_reached
    assert not (knee_of([1, 2], [5.0, 10.0]) or knee).is_reached


def test_the_closed_network_in_virtual_time_has_the_mean_time_of_the_formula() -> None:
    start, end = closed_network(4, 0.02, 0.2, 60, 60_000, np.random.default_rng(1))

    mean_s = float((end - start)[5000:].mean()) / 1e9

    assert mean_s == pytest.approx(true_times(4, 0.02, 0.2, 60)[-1], rel=0.02)
    assert true_in_flight(4, 0.02, 0.2, 0.4) == 79


def test_the_open_queue_in_virtual_time_has_the_percentile_of_the_formula() -> None:
    rate = true_rate_per_s(4, 0.02, 0.99, 0.15)
    intended, _, end = open_queue(4, 0.02, rate, 400_000, np.random.default_rng(1))

    beyond = float(((end - intended)[10_000:] > 0.15e9).mean())

    assert response_beyond(4, 0.02, rate, 0.15) == pytest.approx(0.01)
    assert beyond == pytest.approx(0.01, rel=0.15)
    assert response_beyond(1, 0.02, 40, 0.1) == pytest.approx(np.exp(-(50 - 40) * 0.1))
