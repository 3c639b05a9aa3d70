"""Where a warm-up ends, and what drifts."""

from __future__ import annotations

import numpy as np
import pytest

from perf_pipeline.metrics.steady.warm_up import drift_of, end_of_warm_up

COUNT = 400


def _noise(seed: int = 1, count: int = COUNT) -> np.ndarray[tuple[int], np.dtype[np.float64]]:
    values: np.ndarray[tuple[int], np.dtype[np.float64]] = np.random.default_rng(seed).normal(
        1.0, 0.1, count
    )
    return values


@pytest.mark.parametrize("height", [-0.4, 0.4])
def test_the_end_of_a_step_is_found_to_a_batch(height: float) -> None:
    series = _noise()
    series[:100] += height
    assert end_of_warm_up(series, COUNT // 2) == pytest.approx(100, abs=5)


def test_a_decay_has_ended_when_less_than_five_percent_is_left() -> None:
    """From 2 above with a time constant of 25: 2 * exp(-t / 25) = 0.05 at t = 92."""
    series = _noise() + 2.0 * np.exp(-np.arange(COUNT) / 25.0)
    assert end_of_warm_up(series, COUNT // 2) == pytest.approx(92, rel=0.15)


def test_a_slope_ends_where_it_is_level() -> None:
    """A rise over 120 values from a fifth of the level; at 113 it is within 5 % of it."""
    series = _noise() - 0.8 * np.maximum(0.0, 1.0 - np.arange(COUNT) / 120.0)
    assert end_of_warm_up(series, COUNT // 2) == pytest.approx(113, rel=0.15)


def test_noise_has_no_warm_up() -> None:
    found = [end_of_warm_up(_noise(seed), COUNT // 2) for seed in range(100)]
    assert found.count(0) >= 98


def test_a_difference_of_no_consequence_is_no_warm_up() -> None:
    """A step of 3 % in a series almost without noise is as sure as it is small."""
    series = 1.0 + 0.001 * (_noise() - 1.0)
    series[:100] += 0.03
    assert end_of_warm_up(series, COUNT // 2) == 0
    series[:100] += 0.03
    assert end_of_warm_up(series, COUNT // 2) == 100


def test_a_warm_up_beyond_the_latest_end_has_no_end() -> None:
    series = _noise()
    series[:250] += 0.5
    assert end_of_warm_up(series, COUNT // 2) is None
    assert end_of_warm_up(series, 300) == pytest.approx(250, abs=5)


def test_a_drift_is_told_with_its_size_and_interval() -> None:
    """From 0.8 to 1.2: 40 % of the mean."""
    found = drift_of(_noise() + 0.4 * (np.arange(COUNT) / COUNT - 0.5))
    assert found.found
    assert found.change_ratio == pytest.approx(0.4, abs=0.08)
    assert found.low_ratio < 0.4 < found.high_ratio


def test_a_drift_of_three_percent_is_none_to_speak_of() -> None:
    found = drift_of(1.0 + 0.03 * np.arange(COUNT) / COUNT)
    assert found.low_ratio > 0
    assert not found.found


def test_series_whose_neighbours_are_alike_do_not_drift() -> None:
    """Autocorrelation 0.8 from one value to the next: at most 5 of 200 series of 1000 values."""
    called = 0
    for seed in range(200):
        draws = np.random.default_rng(seed).normal(0.0, 0.06, 1100)
        weights = 0.8 ** np.arange(60)
        called += drift_of(1.0 + np.convolve(draws, weights, "valid")[:1000]).found
    assert called <= 5
