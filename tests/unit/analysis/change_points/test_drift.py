"""A drift is called one, and its parts are no steps."""

from __future__ import annotations

import numpy as np
import pytest

from perf_pipeline.analysis.change_points.drift import find_drift
from perf_pipeline.analysis.change_points.find import find_change_points
from perf_pipeline.selftest.detect import structureless


@pytest.mark.parametrize("ratio", [-0.1, 0.1])
def test_a_drift_of_10_percent_is_mostly_a_drift_and_no_step(ratio: float) -> None:
    """Over 200 values with noise of 1 %; one of five is still taken for steps."""
    steps = 0
    for seed in range(10):
        noise = np.random.default_rng(seed).normal(0, 0.01, 200)
        values = 1.0 + ratio * np.arange(200) / 200 + noise
        steps += bool(find_change_points(values))
        drift = find_drift(values, ())
        assert drift is not None
        assert drift.start == 0
        assert drift.effect == pytest.approx(1.0 + ratio, abs=0.015)
        assert drift.low is not None
        assert drift.high is not None
        assert drift.low < drift.effect < drift.high
    assert steps <= 3


def test_the_drift_is_that_of_the_last_level() -> None:
    """A step up by half; only what follows it rises."""
    rng = np.random.default_rng(2)
    values = np.concatenate([np.ones(80), 1.5 + 0.15 * np.arange(80) / 80])
    values += rng.normal(0, 0.01, 160)
    points = find_change_points(values)
    assert points[0].index == pytest.approx(80, abs=1)
    drift = find_drift(values, points[:1])
    assert drift is not None
    assert drift.start == points[0].index
    assert drift.effect == pytest.approx(1.1, abs=0.02)


def test_noise_is_no_drift() -> None:
    series = structureless(np.random.default_rng(9), 200)
    assert {kind for kind, values in series.items() if find_drift(values, ())} == set()


def test_too_few_or_equal_values_are_no_drift() -> None:
    assert find_drift(np.arange(19.0), ()) is None
    assert find_drift([2.0] * 50, ()) is None


def test_a_straight_line_is_a_drift() -> None:
    drift = find_drift(np.linspace(1.0, 2.0, 50), ())
    assert drift is not None
    assert drift.effect == pytest.approx(2.0, rel=0.1)
