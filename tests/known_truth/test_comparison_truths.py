"""Sides whose truth is known, compared again and again: how often is the verdict wrong?"""

from __future__ import annotations

import math
from random import Random

import pytest

from perf_pipeline.analysis.comparison.compare import compare_sides
from perf_pipeline.analysis.comparison.compared_metric import METRICS
from perf_pipeline.analysis.comparison.correction import MAX_ALPHA
from perf_pipeline.analysis.comparison.estimate import estimate
from perf_pipeline.analysis.comparison.judge import judge
from perf_pipeline.analysis.comparison.observation import Observation
from perf_pipeline.analysis.comparison.side import MeasuredLevel, Side

THROUGHPUT, CPU = METRICS["throughput_per_s"], METRICS["cpu_per_workflow_s"]
ERRORS = METRICS["error_ratio"]
FAMILIES = tuple(f"family{n}/simple" for n in range(6))


def _runs(rng: Random, count: int, cv: float, times: float = 1.0) -> list[Observation]:
    return [Observation(times * rng.lognormvariate(0, cv), samples=5000) for _ in range(count)]


def _verdicts(runs: int, cv: float, times: float, trials: int = 1000) -> dict[str, float]:
    """Return the share of each verdict on one metric whose true effect is ``times``."""
    rng = Random(1)
    found: dict[str, float] = {}
    for _ in range(trials):
        one = estimate(CPU, _runs(rng, runs, cv), _runs(rng, runs, cv, times))
        assert one is not None
        verdict = judge(CPU, one.effect, *one.interval(MAX_ALPHA))
        found[verdict] = found.get(verdict, 0.0) + 1 / trials
    return found


@pytest.mark.parametrize(("runs", "cv"), [(1, 0.03), (1, 0.05), (3, 0.05), (5, 0.10), (15, 0.03)])
def test_like_sides_are_called_a_regression_less_than_once_in_a_hundred(
    runs: int, cv: float
) -> None:
    assert _verdicts(runs, cv, 1.0).get("regression", 0.0) < 0.01


def _one_against(runs: int, cv: float, times: float, trials: int = 2000) -> tuple[float, float]:
    """Return how often one run against several is a regression, and contains the true effect."""
    rng = Random(5)
    found, contained = 0, 0
    for _ in range(trials):
        one = estimate(CPU, _runs(rng, runs, cv), _runs(rng, 1, cv, times))
        assert one is not None
        low, high = one.interval(MAX_ALPHA)
        contained += low <= times <= high
        found += judge(CPU, one.effect, low, high) == "regression"
    return found / trials, contained / trials


def test_one_run_against_the_last_ten_is_judged_by_how_these_spread() -> None:
    """The assumed 5 % would miss 10 % at a spread of 2 %."""
    false_alarms, coverage = _one_against(10, 0.02, 1.0)
    assert false_alarms < 0.01
    assert coverage > 0.985
    assert _one_against(10, 0.02, 1.10)[0] > 0.85


def test_5_percent_are_found_9_times_in_10_by_15_runs_that_spread_by_3_percent() -> None:
    """94 % of 1,500 trials; 2 % are found 18 times in 100, 10 % always."""
    assert _verdicts(15, 0.03, 1.05)["regression"] > 0.90
    assert _verdicts(15, 0.03, 1.10)["regression"] > 0.99
    assert (
        _verdicts(15, 0.03, 1.02).get("no_change", 0.0)
        + _verdicts(15, 0.03, 1.02).get("unstable", 0.0)
        < 0.95
    )


@pytest.mark.parametrize("runs", [1, 3, 5, 15])
def test_a_change_that_matters_is_hardly_ever_called_no_change(runs: int) -> None:
    """By 10 %: where the runs do not show it, the verdict is unstable."""
    assert _verdicts(runs, 0.03, 1.10).get("no_change", 0.0) < 0.01


@pytest.mark.parametrize(("runs", "cv"), [(1, 0.05), (4, 0.03), (6, 0.10), (15, 0.05)])
def test_intervals_contain_the_true_effect_as_often_as_they_claim(runs: int, cv: float) -> None:
    rng = Random(2)
    trials = 2000
    contained = 0
    for _ in range(trials):
        one = estimate(CPU, _runs(rng, runs, cv), _runs(rng, runs, cv, 1.05))
        assert one is not None
        low, high = one.interval(0.05)
        contained += low <= 1.05 <= high
    assert contained / trials > 0.94


def test_welch_agrees_with_the_textbook_formula_on_logarithms() -> None:
    """Two sides of four and five runs, by scipy."""
    from scipy.stats import ttest_ind  # noqa: PLC0415 - a second that other tests do not need

    before, after = [1.0, 1.1, 0.9, 1.05], [1.2, 1.3, 1.1, 1.25, 1.22]
    one = estimate(CPU, *([Observation(value) for value in side] for side in (before, after)))
    assert one is not None
    truth = ttest_ind(
        [math.log(value) for value in after],
        [math.log(value) for value in before],
        equal_var=False,
    )
    assert one.p == pytest.approx(truth.pvalue)
    interval = truth.confidence_interval(0.95)
    assert [math.log(end) for end in one.interval(0.05)] == pytest.approx([*interval])


@pytest.mark.parametrize(("true", "count"), [(0.0, 2000), (0.001, 2000), (0.02, 500), (0.3, 200)])
def test_the_interval_of_a_difference_of_error_ratios_contains_it(true: float, count: int) -> None:
    rng = Random(3)
    trials, contained = 1000, 0
    for _ in range(trials):
        sides = [
            [Observation(_failed(rng, share, count) / count, samples=count)]
            for share in (true, min(true + 0.01, 1.0))
        ]
        one = estimate(ERRORS, *sides)
        assert one is not None
        low, high = one.interval(0.05)
        contained += low <= 0.01 <= high
    assert contained / trials > 0.94


def _failed(rng: Random, share: float, count: int) -> int:
    return (
        rng.binomialvariate(count, share)
        if hasattr(rng, "binomialvariate")
        else sum(rng.random() < share for _ in range(count))
    )


def _side(rng: Random, runs: int, cv: float, times: float = 1.0) -> Side:
    """Return a side with 27 metrics, each with noise of its own."""
    keys = [
        ("throughput_per_s", ""),
        ("cpu_per_workflow_s", ""),
        ("memory_peak_mb", ""),
        *((name, family) for name in ("p50_s", "p90_s", "p95_s", "p99_s") for family in FAMILIES),
    ]
    levels = []
    for run in range(runs):
        values = {
            (name, family): Observation(
                (1 / times if METRICS[name].higher_is_better else times)
                * rng.lognormvariate(0, cv),
                samples=5000,
            )
            for name, family in keys
        }
        values["error_ratio", ""] = Observation(0.0, samples=5000)
        levels.append(MeasuredLevel(f"r{run}", "100", "valid", False, values))
    return Side("s", "simulated", "target", tuple(levels))


def test_like_sides_with_28_metrics_have_a_regression_at_most_one_time_in_forty() -> None:
    """5 % for a change in either direction of any metric; half of them are regressions."""
    rng = Random(4)
    verdicts = [
        compare_sides(
            _side(rng, 6, 0.03), _side(rng, 6, 0.03), comparison_id="20261129_100000-4f2c"
        ).verdict
        for _ in range(150)
    ]
    assert verdicts.count("regression") / len(verdicts) < 0.05
