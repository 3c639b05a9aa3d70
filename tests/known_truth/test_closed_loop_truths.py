"""Simulated levels whose truth is known by mathematics; the summary must find it."""

from __future__ import annotations

import math
import random
from typing import TYPE_CHECKING

import numpy as np
import pytest

from perf_pipeline.metrics.records.fairness import fairness_of
from perf_pipeline.metrics.records.in_flight import InFlightCurve
from perf_pipeline.metrics.survival.outcomes import ended_within
from perf_pipeline.metrics.survival.window_times import service_times
from tests.simulated_level import GO_NS, SECOND, closed_loop, frame_of

if TYPE_CHECKING:
    from collections.abc import Callable

    from perf_pipeline.metrics.types.service_times import Percentile, ServiceTimes

WARM_UP_S = 10.0
SLOTS = 200
BUCKET = 2.0**-8
"""Relative width of a bucket: how exact a percentile is. Averages and counts are exact."""


def _window(steady_s: float) -> tuple[int, int]:
    start_ns = GO_NS + round(WARM_UP_S * SECOND)
    return start_ns, start_ns + round(steady_s * SECOND)


def _measure(
    service_s: Callable[[int], float], steady_s: float, slots: int = SLOTS
) -> ServiceTimes:
    rows = closed_loop(slots, service_s, WARM_UP_S + steady_s)
    return service_times(frame_of(rows), *_window(steady_s))


def test_average_times_throughput_is_the_number_in_flight() -> None:
    """Little's law holds exactly on any closed loop: X R = N, whatever the service times."""
    rng = random.Random(1)
    for draw in (
        lambda _slot: 0.25,
        lambda _slot: rng.expovariate(2),
        lambda slot: 0.05 + slot / 100,
        lambda _slot: rng.paretovariate(1.5) / 10,
    ):
        rows = closed_loop(SLOTS, draw, WARM_UP_S + 20)
        frame, window = frame_of(rows), _window(20)

        times = service_times(frame, *window)

        throughput_per_s = len(ended_within(frame, *window)) / 20
        assert times.avg_s == pytest.approx(SLOTS / throughput_per_s, rel=1e-6)
        assert InFlightCurve.of(frame).median_and_min(*window) == (SLOTS, SLOTS)


def _three(times: ServiceTimes) -> list[Percentile]:
    """Return p50, p90 and p99."""
    return [p for p in times.percentiles if p.name in {"p50", "p90", "p99"}]


def test_percentiles_of_equal_service_times_are_that_time_from_the_first_turnovers_on() -> None:
    """0.9 s each; 3.3 turnovers, so a whole N is cut by each edge of the window."""
    rng = random.Random(2)
    first = {slot: rng.uniform(0.1, 0.9) for slot in range(SLOTS)}

    times = _measure(lambda slot: first.pop(slot, 0.9), steady_s=3.0)

    assert [p.value_s for p in times.percentiles] == pytest.approx([0.9] * 5, rel=BUCKET)
    assert not any(p.at_least for p in times.percentiles)


@pytest.mark.parametrize("turnovers", [3, 6, 20])
def test_percentiles_of_exponential_times_are_right_with_few_turnovers_too(turnovers: int) -> None:
    """Mean 1 s: p50 0.693, p90 2.303, p99 4.605 s; the mean of 10 levels within 6, 8, 12 %.

    Counting in full both what the window's start cut and what its end cut gives 0.92, 3.06 and
    6.07 s at three turnovers: a third too long.
    """
    rng = random.Random(turnovers)
    found = [
        [p.value_s or 0.0 for p in _three(_measure(lambda _s: rng.expovariate(1), turnovers))]
        for _ in range(10)
    ]

    p50, p90, p99 = np.mean(found, axis=0)
    assert p50 == pytest.approx(-math.log(0.5), rel=0.06)
    assert p90 == pytest.approx(-math.log(0.1), rel=0.08)
    assert p99 == pytest.approx(-math.log(0.01), rel=0.12)


def test_slots_that_never_end_anything_are_in_the_average_and_bound_the_percentiles() -> None:
    """Half of the slots take 0.5 s, the other half never ends: so it was with 1000 code threads.

    Of those that ended the average is 0.5 s, which would be a lie; N / X is 1 s. 4000 ended and
    100 did not: p50 and p90 lie among the ended, p99 (at 4059 of 4100) does not.
    """
    times = _measure(lambda slot: 0.5 if slot % 2 else math.inf, steady_s=20.0)

    assert times.samples == pytest.approx(4000, abs=100)
    assert times.in_flight_at_end == SLOTS
    assert times.avg_s == pytest.approx(1.0, rel=0.03)
    values_s = [p.value_s for p in _three(times)]
    assert values_s[:2] == pytest.approx([0.5, 0.5], rel=BUCKET)
    assert values_s[2] == pytest.approx(WARM_UP_S + 20)
    assert [p.at_least for p in _three(times)] == [False, False, True]


def test_fewer_turnovers_bring_the_starved_slots_into_lower_percentiles() -> None:
    """With 3 turnovers of the served half there are 300 ended and 100 that did not: p90 too."""
    times = _measure(lambda slot: 1.0 if slot % 2 else math.inf, steady_s=3.0)

    assert times.percentiles[0].value_s == pytest.approx(1.0, rel=BUCKET)
    assert [p.at_least for p in _three(times)] == [False, True, True]


def test_a_target_that_freezes_in_mid_window_does_not_look_fast() -> None:
    """100 ms each until the 5th second of 20, then nothing ends any more.

    A nearest rank of what ended says p99 = 0.1 s. 10,000 ended and 200 have waited for 15 s:
    that is 2 %, so p99 is 15 s or more, and the average 20 s x 200 / 10,000 = 0.4 s.
    """
    clock_s: dict[int, float] = {}

    def freeze(slot: int) -> float:
        now_s = clock_s.get(slot, 0.0)
        clock_s[slot] = now_s + 0.1
        return 0.1 if now_s + 0.1 <= WARM_UP_S + 5 else math.inf

    times = _measure(freeze, steady_s=20.0)

    assert times.percentiles[1].value_s == pytest.approx(0.1, rel=BUCKET)
    assert times.p99.at_least
    assert times.p99.value_s == pytest.approx(15, abs=0.2)
    assert times.avg_s == pytest.approx(0.4, rel=0.05)


def test_fairness_of_a_half_starved_level_is_one_half() -> None:
    rows = closed_loop(SLOTS, lambda slot: 0.5 if slot % 2 else math.inf, WARM_UP_S + 20)

    fairness = fairness_of(ended_within(frame_of(rows), *_window(20)), SLOTS)

    assert fairness.jain_index == pytest.approx(0.5, rel=0.01)
    assert fairness.starved == SLOTS // 2
