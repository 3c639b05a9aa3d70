"""Growth over intervals of equal work: what is called steady, and what is not."""

from __future__ import annotations

import math
import random
from statistics import fmean, stdev

import pytest
from scipy.stats import t

from perf_pipeline.analysis.allocations.growth import (
    VISIBLE_BYTES,
    growth_of,
    interval_growths,
    pattern_of,
)


def pattern(*growths: float, looked_at: int = 1) -> str:
    return pattern_of(growths, growth_of(growths, looked_at=looked_at))


def test_growth_is_per_1000_workflows_of_each_interval() -> None:
    assert interval_growths([100, 300, 300, 200], [0, 500, 1000, 1200]) == (400.0, 0.0, -500.0)


@pytest.mark.parametrize("looked_at", [1, 40])
def test_the_interval_is_that_of_students_t_for_all_places_together(looked_at: int) -> None:
    values = [5.0, 7.0, 6.0, 9.0, 4.0, 5.0]
    half = t.ppf(1 - 0.025 / looked_at, 5) * stdev(values) / math.sqrt(6)
    growth = growth_of(values, looked_at=looked_at)
    assert growth.per_1000 == pytest.approx(fmean(values))
    assert (growth.low, growth.high) == pytest.approx((fmean(values) - half, fmean(values) + half))


@pytest.mark.parametrize("filled", [1, 2, 3, 4, 5, 5.5])
def test_a_cache_that_fills_before_the_end_is_not_steady(filled: float) -> None:
    """It grows by 100 KB in each interval until it is full."""
    holds = [100_000 * min(at, filled) for at in range(7)]
    growths = interval_growths(holds, [1000 * at for at in range(7)])
    assert pattern(*growths) != "steady"


@pytest.mark.parametrize("at", range(6))
def test_a_place_that_grew_once_is_not_steady(at: int) -> None:
    growths = [0.0] * 6
    growths[at] = 1e6
    assert pattern(*growths) in {"in_steps", "slowing"}


def test_growth_with_the_logarithm_of_the_work_is_slowing() -> None:
    """Distinct values of a skewed key fill a cache so; from 2500 to 5500 workflows."""
    workflows = [2500 + 500 * at for at in range(7)]
    holds = [1e6 * math.log(one) for one in workflows]
    assert pattern(*interval_growths(holds, workflows)) == "slowing"


def test_growth_below_what_matters_is_not_steady() -> None:
    assert pattern(*[VISIBLE_BYTES / 2] * 6) == "in_steps"
    assert pattern(*[VISIBLE_BYTES * 2] * 6) == "steady"


def test_a_leak_in_one_workflow_of_ten_is_steady_nearly_always() -> None:
    """Poisson counts of 100 an interval of 1000 workflows, picked among 300 places."""
    rng = random.Random(7)
    steady = sum(
        pattern(*(100 * rng.gauss(100, 10) for _ in range(6)), looked_at=300) == "steady"
        for _ in range(300)
    )
    assert steady >= 0.95 * 300


def test_places_that_hold_more_or_less_by_chance_are_never_steady() -> None:
    """300 places of a trace, whose contents vary by 100 KB: at most one in 40 traces is named."""
    rng = random.Random(11)
    named = 0
    for _ in range(40):
        for _place in range(300):
            holds = [rng.gauss(1e6, 1e5) for _ in range(7)]
            growths = interval_growths(holds, [1000 * at for at in range(7)])
            named += pattern(*growths, looked_at=300) == "steady"
    assert named <= 1
