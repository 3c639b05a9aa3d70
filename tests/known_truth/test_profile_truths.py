"""Differential profiles of sides whose truth is known, by simulation."""

from __future__ import annotations

import numpy as np

from perf_pipeline.analysis.profile.moves import function_moves
from tests.simulated_stacks import EACH_S, FUNCTIONS, equal_costs, sampled_side

TRIALS = 100


def test_a_function_that_slows_a_workflow_by_a_tenth_is_named_first_in_nine_of_ten_trials() -> None:
    """Half as much again in one of five functions, with 1,000 samples a side."""
    rng = np.random.default_rng(1)
    named = 0
    for _ in range(TRIALS):
        planted = str(rng.choice(FUNCTIONS))
        before = sampled_side("a", equal_costs(), rng)
        after = sampled_side("b", equal_costs(**{planted: 1.5 * EACH_S}), rng)
        named += function_moves(before, after)[0].function == planted
    assert named >= 0.9 * TRIALS


def test_sides_that_are_alike_have_a_clear_move_in_at_most_one_of_twenty_comparisons() -> None:
    """The intervals hold for all functions at once."""
    rng = np.random.default_rng(2)
    false = 0
    for _ in range(TRIALS):
        sides = [sampled_side(name, equal_costs(), rng, pairs=5) for name in ("a", "b")]
        false += any(move.is_clear for move in function_moves(*sides))
    assert false <= 0.05 * TRIALS


def test_the_interval_of_a_move_contains_the_truth_in_nineteen_of_twenty_comparisons() -> None:
    rng = np.random.default_rng(3)
    inside = 0
    for _ in range(TRIALS):
        before = sampled_side("a", equal_costs(), rng)
        after = sampled_side("b", equal_costs(score=1.3 * EACH_S), rng)
        moves = {move.function: move for move in function_moves(before, after)}
        inside += moves["score"].low_s <= 0.3 * EACH_S <= moves["score"].high_s
    assert inside >= 0.95 * TRIALS
