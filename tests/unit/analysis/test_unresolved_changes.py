"""What is worse in a history, and what raises an alert: one rule for pages and alerts."""

from __future__ import annotations

import numpy as np
import pytest

from perf_pipeline.analysis.change_points.find import find_change_points
from perf_pipeline.analysis.comparison.compared_metric import METRICS
from perf_pipeline.analysis.unresolved_changes import (
    MetricHistory,
    UnresolvedChange,
    unresolved_drifts,
    unresolved_steps,
)

CPU, ERRORS, RATE = (
    METRICS[name] for name in ("cpu_per_workflow_s", "error_ratio", "throughput_per_s")
)
RUNS = 60
RISING = np.arange(RUNS) / (RUNS - 1)


def noisy(level: np.ndarray, seed: int, spread: float = 0.01) -> list[float]:
    return list(level * np.exp(np.random.default_rng(seed).normal(0, spread, len(level))))


def drift_of(values: list[float], metric: str = "cpu_per_workflow_s") -> UnresolvedChange | None:
    found = unresolved_drifts(
        MetricHistory(METRICS[metric], "", values, find_change_points(values))
    )
    return next((one for one in found if one.is_sure), None)


def test_a_drift_to_the_worse_has_its_effect_and_the_first_run_that_matters() -> None:
    """10 % more CPU time over 60 runs is 1 % more after six of them."""
    found = drift_of(noisy(1 + 0.1 * RISING, 1))
    assert found is not None
    assert (found.good, found.tier, found.raises_alert, found.is_sure) == (
        0, "confirmed", True, True,
    )  # fmt: skip
    assert found.effect == pytest.approx(1.1, abs=0.015)
    assert found.low < 1.1 < found.high
    assert found.index == pytest.approx(6, abs=1)


def test_a_drift_to_the_better_or_of_less_than_matters_is_none() -> None:
    assert drift_of(noisy(1 - 0.1 * RISING, 2)) is None
    assert drift_of(noisy(1 + 0.1 * RISING, 2), "throughput_per_s") is None
    assert drift_of(noisy(1 + 0.005 * RISING, 3, spread=0.0005)) is None


def test_of_a_difference_the_drift_is_in_its_own_unit() -> None:
    """The error ratio rises from 0 to 3 points: no ratio says how much that is."""
    rng = np.random.default_rng(4)
    values = list(np.clip(0.03 * RISING + rng.normal(0, 0.001, RUNS), 0, None))
    (found,) = unresolved_drifts(MetricHistory(ERRORS, "", values, find_change_points(values)))
    assert found.effect == pytest.approx(0.03, abs=0.002)
    assert found.low < 0.03 < found.high


def test_a_drift_of_one_kind_of_workflow_raises_no_alert_of_its_own() -> None:
    values = noisy(1 + 0.1 * RISING, 5)
    (found,) = unresolved_drifts(
        MetricHistory(CPU, "analytics", values, find_change_points(values))
    )
    assert not found.raises_alert


def test_a_step_that_is_not_confirmed_yet_is_no_drift() -> None:
    """Between the first bad run and its confirmation a line through all runs rises as well."""
    for seed in range(8):
        level = np.where(np.arange(RUNS) < 40, 1.0, 1.1)
        values = noisy(level, seed, spread=0.02)
        for runs in range(41, RUNS):
            assert drift_of(values[:runs]) is None, (seed, runs)


def test_histories_without_a_drift_nearly_never_show_one_while_they_grow() -> None:
    """Sixty histories of 60 runs, looked at after every eighth run."""
    shown = sum(
        any(
            found.raises_alert
            for runs in range(20, RUNS + 1, 8)
            if (found := drift_of(values[:runs])) is not None
        )
        for values in (noisy(np.ones(RUNS), seed, spread=0.03) for seed in range(60))
    )
    assert shown <= 1


def test_a_drift_stands_after_a_step_until_one_takes_it_back() -> None:
    worse = [*(1 + 0.06 * RISING[::2] / RISING[-2]), *np.full(20, 1.5)]
    mended = [*worse[:30], *np.ones(20)]
    for level, stands in ((worse, True), (mended, False)):
        values = noisy(np.array(level), 7)
        found = list(unresolved_drifts(MetricHistory(CPU, "", values, find_change_points(values))))
        assert [one.raises_alert for one in found] == [False] * stands


def test_a_regression_that_a_later_one_took_back_does_not_stand() -> None:
    there_and_back = np.repeat([1.0, 1.2, 1.0], 20)
    values = noisy(there_and_back, 6)
    assert list(unresolved_steps(MetricHistory(CPU, "", values, find_change_points(values)))) == []
    half = noisy(np.repeat([1.0, 1.2, 1.1], 20), 6)
    (left,) = unresolved_steps(MetricHistory(CPU, "", half, find_change_points(half)))
    assert left.index == pytest.approx(20, abs=1)
    assert not left.raises_alert  # it is older than the runs that raise one


def test_a_fall_of_throughput_to_nothing_is_a_regression() -> None:
    values = [200.0] * 20 + [1e-12] * 20
    (step,) = unresolved_steps(MetricHistory(RATE, "", values, find_change_points(values)))
    assert step.raises_alert
