"""The cost of sampled nodes, from turns whose costs are known."""

from __future__ import annotations

import numpy as np
import pytest

from perf_pipeline.selftest.steps import sampled_cost_percent


def test_the_cost_is_a_20th_of_the_timing_and_all_of_the_question() -> None:
    """A turn of 100 that costs 10 % more timed and 0.2 % more asked: 0.2 + 9.8 / 20 = 0.69 %."""
    noise = np.random.default_rng(1).normal(0.0, 0.5, (500, 3))
    turns = np.array([110.0, 100.2, 100.0]) + noise
    cost, low, high = sampled_cost_percent(turns, 20)
    assert low < 0.69 < high
    assert cost == pytest.approx(0.69, abs=0.1)
    assert high - low < 0.2


def test_a_turn_that_was_interrupted_decides_nothing() -> None:
    turns = np.tile([110.0, 100.2, 100.0], (100, 1)) + np.arange(100)[:, None] % 3
    turns[50] = [100_000.0, 100.0, 100.0]
    cost, _low, high = sampled_cost_percent(turns, 20)
    assert cost < high < 1.0
