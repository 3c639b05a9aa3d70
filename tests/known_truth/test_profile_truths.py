"""Differential profiles of sides whose truth is known, by simulation."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pytest

from perf_pipeline.analysis.profile.moves import function_moves
from tests.simulated_stacks import EACH_S, FUNCTIONS, equal_costs, interleaved_sides

if TYPE_CHECKING:
    from perf_pipeline.metrics.types.profile import FunctionMove

TRIALS = 200
MACHINES = [
    pytest.param(0.0, 0.0, id="alike"),
    pytest.param(0.03, 0.0, id="processes-differ"),
    pytest.param(0.02, 0.03, id="machine-drifts"),
    pytest.param(0.25, 0.0, id="processes-differ-much"),
]
"""Coefficient of variation between processes, and the machine's step from level to level."""

MANY = {f"small_{at}": 0.1 * EACH_S / (at + 1) for at in range(15)}
"""Functions of a real profile, most of which have a few samples."""


def moves_of(
    before: dict[str, float],
    after: dict[str, float],
    rng: np.random.Generator,
    spreads: tuple[float, float] = (0.02, 0.0),
    levels: int = 4,
) -> tuple[FunctionMove, ...]:
    process, machine = spreads
    sides = interleaved_sides(
        (before, after), rng, levels=levels, process_spread=process, machine_spread=machine
    )
    return function_moves(*sides)


def test_a_function_that_slows_a_workflow_by_a_tenth_is_named_first_in_nine_of_ten_trials() -> None:
    """Half as much again in one of five functions, with 800 samples a side."""
    rng = np.random.default_rng(1)
    named = 0
    for _ in range(TRIALS):
        planted = str(rng.choice(FUNCTIONS))
        moves = moves_of(equal_costs(), equal_costs(**{planted: 1.5 * EACH_S}), rng)
        named += moves[0].function == planted
    assert named >= 0.9 * TRIALS


@pytest.mark.parametrize("levels", [2, 4])
@pytest.mark.parametrize(("process", "machine"), MACHINES)
def test_sides_that_are_alike_have_a_clear_move_in_at_most_one_of_twenty_comparisons(
    process: float, machine: float, levels: int
) -> None:
    """The intervals hold for all functions at once, on whatever machine; 20 functions."""
    rng = np.random.default_rng(2)
    costs = equal_costs(**MANY)
    false = sum(
        any(move.is_clear for move in moves_of(costs, costs, rng, (process, machine), levels))
        for _ in range(TRIALS)
    )
    assert false <= 0.05 * TRIALS


@pytest.mark.parametrize(("process", "machine"), MACHINES)
def test_the_interval_of_a_move_contains_the_truth_in_nineteen_of_twenty_comparisons(
    process: float, machine: float
) -> None:
    rng = np.random.default_rng(3)
    inside = 0
    for _ in range(TRIALS):
        costs = equal_costs(), equal_costs(score=1.3 * EACH_S)
        found = moves_of(*costs, rng, (process, machine))
        score = next(move for move in found if move.function == "score")
        inside += score.low_s <= 0.3 * EACH_S <= score.high_s
    assert inside >= 0.95 * TRIALS


def test_a_function_that_takes_three_quarters_more_is_clear_in_nine_of_ten_trials() -> None:
    """The slowdown of ``selftest why``: wide intervals must not hide what is looked for."""
    rng = np.random.default_rng(4)
    clear = 0
    for _ in range(TRIALS):
        moves = moves_of(equal_costs(), equal_costs(fold=1.75 * EACH_S), rng)
        clear += moves[0].function == "fold" and moves[0].is_clear
    assert clear >= 0.9 * TRIALS
