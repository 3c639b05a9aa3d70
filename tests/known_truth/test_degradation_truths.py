"""Losses and error ratios whose truth is known: how often are their verdicts wrong?"""

from __future__ import annotations

from collections import Counter

import numpy as np
import pytest

from perf_pipeline.analysis.endurance.degradation import judge_loss
from perf_pipeline.analysis.endurance.error_stability import judge_errors
from perf_pipeline.samples.campaign.hour import DEADLINE, Hour
from tests.leak_shapes import correlated

REPEATS = 200
HOURS = 24
WORKFLOWS = 3600


def losses(loss: float, spread: float, correlation: float = 0.0) -> Counter[str]:
    """Return the verdicts on a throughput that loses a share in 24 hours, steadily."""
    at = np.arange(HOURS) + 0.5
    found: Counter[str] = Counter()
    for repeat in range(REPEATS):
        rng = np.random.default_rng([round(1000 * loss), round(1000 * spread), repeat])
        noise = spread * correlated(rng, HOURS, correlation)
        values = 100.0 * (1.0 - loss) ** (at / 24.0) * np.exp(noise)
        found[judge_loss("throughput_per_s", at, values, higher_is_better=True).verdict] += 1
    return found


def errors(first: float, last: float, spread: float = 0.0) -> Counter[str]:
    """Return the verdicts on an error ratio that rises steadily from one value to another."""
    found: Counter[str] = Counter()
    for repeat in range(REPEATS):
        rng = np.random.default_rng([round(1e4 * first), round(1e4 * last), repeat])
        ratios = np.linspace(first, last, HOURS) * np.exp(rng.normal(0.0, spread, HOURS))
        failed = rng.binomial(WORKFLOWS, ratios)
        found[judge_errors([hour(n, int(one)) for n, one in enumerate(failed)]).verdict] += 1
    return found


def hour(number: int, failed: int) -> Hour:
    return Hour(
        hour=number,
        partition="",
        boot_id="a",
        begun_s=3600.0 * number,
        ended_s=3600.0 * (number + 1),
        gap_before_s=0.0,
        ended_because=DEADLINE,
        scheduled=WORKFLOWS,
        ok=WORKFLOWS - failed,
        errors=failed,
        timeouts=0,
        dropped=0,
        abandoned=0,
        throughput_per_s=1.0,
        p50_s=None,
        p99_s=None,
        error_ratio=failed / WORKFLOWS,
        cpu_per_workflow_s=None,
    )


def test_a_loss_of_5_percent_is_proven_to_be_below_the_limit_and_one_of_15_above_it() -> None:
    """Hours that differ by 2 %."""
    assert losses(0.05, 0.02)["proven_absent"] >= 0.9 * REPEATS
    assert losses(0.15, 0.02)["degraded"] >= 0.9 * REPEATS


@pytest.mark.parametrize("correlation", [0.0, 0.5])
def test_a_loss_at_the_limit_is_called_either_hardly_more_often_than_the_interval_says(
    correlation: float,
) -> None:
    """One in forty on each side, of independent hours; neighbours that are alike cost a little."""
    found = losses(0.10, 0.04, correlation)
    assert max(found["proven_absent"], found["degraded"]) <= 0.06 * REPEATS


def test_a_loss_of_12_percent_is_hardly_ever_proven_absent() -> None:
    for spread in (0.02, 0.05):
        assert losses(0.12, spread)["proven_absent"] <= 0.02 * REPEATS


def test_an_error_ratio_that_stays_is_stable_and_one_that_rises_is_not() -> None:
    """3600 workflows an hour: 1 % that stays, and 1 % that becomes 5 %."""
    assert errors(0.01, 0.01)["stable"] >= 0.95 * REPEATS
    assert errors(0.01, 0.01, spread=0.3)["unstable"] == 0
    assert errors(0.01, 0.05)["unstable"] >= 0.95 * REPEATS


def test_an_error_ratio_that_rises_by_the_limit_is_hardly_ever_called_stable() -> None:
    """From third to third it rises by 1.4 %."""
    assert errors(0.01, 0.031)["stable"] <= 0.02 * REPEATS
