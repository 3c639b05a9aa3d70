"""A scaled hour says of 1000 workflows what a real one says: equivalence, by two one-sided tests.

That two figures do not differ significantly proves nothing. Here the whole 90 % interval of their
difference must lie within a quarter of the figure (Schuirmann, 1987).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pytest
from scipy.stats import ttest_ind

from perf_pipeline.analysis.endurance.leak import judge_leak
from perf_pipeline.analysis.endurance.signal_series import SignalSeries
from tests.leak_shapes import correlated

if TYPE_CHECKING:
    from collections.abc import Sequence

MARGIN = 0.25
ALPHA = 0.05
RUNS = 5
HOURS = 24
REAL_HOUR_S, SCALED_HOUR_S = 3600.0, 150.0
SAMPLES = 2880
"""30 s apart in real hours, 1.25 s in scaled ones: the same share of an hour."""

WORKFLOWS = 36_000 * HOURS
"""Of both: the scaled run is work-equivalent, at 24 times the rate."""

LEVEL = 400_000.0
BLOCKS_A_1000 = 30.0
"""What leaks: 26,000 blocks over the run, 6 % of the level."""


def growths(
    hour_seconds: float, seeds: range, *, blocks_a_second: float = 0.0, ttl_s: float = 0.0
) -> list[float]:
    """Return what simulated runs say that a heap grows in 1000 workflows.

    Args:
        hour_seconds: Length of an hour.
        seeds: Of the runs.
        blocks_a_second: What leaks with the time, whatever the work.
        ttl_s: How long a cache keeps what 1000 workflows leave in it, s; 0 for no cache.
    """
    found = []
    for seed in seeds:
        rng = np.random.default_rng([int(hour_seconds), seed])
        seconds = np.arange(SAMPLES) * HOURS * hour_seconds / SAMPLES
        workflows = np.floor(WORKFLOWS * np.arange(SAMPLES) / SAMPLES)
        heap = LEVEL * (1.0 + 0.004 * correlated(rng, SAMPLES, 0.9))
        heap += 20_000.0 * np.minimum(workflows / 2500.0, 1.0)  # a list that fills up
        heap += 8_000.0 * (workflows % 7_000) / 7_000  # garbage until it is collected
        heap += BLOCKS_A_1000 * workflows / 1000.0 + blocks_a_second * seconds
        if ttl_s:
            kept_s = np.minimum(seconds, ttl_s)
            heap += 10.0 * kept_s * WORKFLOWS / (HOURS * hour_seconds) / 1000.0
        series = SignalSeries(
            "heap", tuple(seconds.tolist()), tuple(heap.tolist()), tuple(workflows.tolist())
        )
        growth = judge_leak(series, hour_seconds=hour_seconds).growth_per_1000_workflows
        assert growth is not None
        found.append(growth)
    return found


def equivalence_p(scaled: Sequence[float], real: Sequence[float]) -> float:
    """Return the greater p-value of the two one-sided tests, with Welch's t."""
    margin = MARGIN * abs(float(np.mean(real)))
    above = ttest_ind(np.add(scaled, margin), real, equal_var=False, alternative="greater")
    below = ttest_ind(np.subtract(scaled, margin), real, equal_var=False, alternative="less")
    return max(float(above.pvalue), float(below.pvalue))


def test_a_scaled_run_and_a_real_one_grow_alike_in_1000_workflows() -> None:
    """A time constant of the target is scaled with the hours: its cache lasts for one of them."""
    real, scaled = (growths(one, range(RUNS), ttl_s=one) for one in (REAL_HOUR_S, SCALED_HOUR_S))
    assert np.mean(real) == pytest.approx(BLOCKS_A_1000, rel=0.1)
    assert equivalence_p(scaled, real) < ALPHA


def test_growth_with_the_time_is_not_equivalent_in_scaled_hours() -> None:
    """What is not scaled, here a timer that leaks half as much again in real hours, is found."""
    blocks_a_second = 0.5 * BLOCKS_A_1000 * WORKFLOWS / 1000.0 / (HOURS * REAL_HOUR_S)
    timed, scaled = (
        growths(one, range(RUNS), blocks_a_second=blocks_a_second)
        for one in (REAL_HOUR_S, SCALED_HOUR_S)
    )
    assert np.mean(timed) == pytest.approx(1.5 * BLOCKS_A_1000, rel=0.1)
    assert equivalence_p(scaled, timed) > 0.5


def test_the_equivalence_test_errs_at_most_as_often_as_it_says() -> None:
    """At a difference of exactly the margin: 5 % of 600 pairs of runs are called equivalent."""
    rng = np.random.default_rng(5)
    called = sum(
        equivalence_p(rng.normal(1.25, 0.05, RUNS), rng.normal(1.0, 0.0001, RUNS)) < ALPHA
        for _ in range(600)
    )
    assert called / 600 < 0.08
