"""The selftest of neighbours: its turns, and the bias that it computes from them."""

from __future__ import annotations

import random
from collections import Counter

import pytest

from perf_pipeline.selftest.noise import PLANS, Turn, bias_percent, turn_order


def test_every_pair_of_turns_is_one_with_the_neighbour_and_one_without() -> None:
    for plan in PLANS.values():
        order = turn_order(plan, random.Random(3))
        pairs = Counter(max(pair) for pair in zip(order[::2], order[1::2], strict=True))
        assert pairs == dict.fromkeys(plan.shares, plan.pairs)
        assert all(min(pair) == 0.0 for pair in zip(order[::2], order[1::2], strict=True))


def test_the_bias_is_the_mean_ratio_of_the_pairs_with_its_interval() -> None:
    """-10 and -20 %: t of one degree of freedom is 12.7, the standard error 5 %."""
    mean, half = bias_percent([90.0, 160.0], [100.0, 200.0])
    assert mean == pytest.approx(-15.0)
    assert half == pytest.approx(12.706 * 5.0, rel=1e-3)


def test_a_turn_beside_a_program_that_was_not_planted_is_disturbed() -> None:
    assert Turn(0.0, 100.0, 0.01, 30.0).is_disturbed
    assert not Turn(0.4, 100.0, 0.01, 21.0).is_disturbed
