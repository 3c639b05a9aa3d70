"""Functions are named by how much their own CPU time per workflow moved."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from perf_pipeline.analysis.profile.arm_samples import ArmSamples
from perf_pipeline.analysis.profile.moves import MIN_SAMPLES, function_moves, unusable
from perf_pipeline.samples.stacks.raw_stacks import Frame, Stack
from perf_pipeline.samples.stacks.window import Window, WindowPair
from tests.simulated_stacks import EACH_S, equal_costs, sampled_side, stack_of


def side(stacks: dict[Stack, int], each_s: float, *, levels: int = 4) -> ArmSamples:
    """Return a side of equal levels: 100 workflows that take ``each_s`` of CPU time each."""
    window = Window(1.0, 100 * each_s, 100, 0.0)
    pair = WindowPair(replace(window, cpu_s=999.0), window, stacks)
    return ArmSamples("a side", "callable", ((pair,),) * levels)


def test_time_is_the_share_of_the_samples_times_the_time_measured_without_sampling() -> None:
    """30 of 100 samples of 2 ms a workflow are 0.6 ms; what was measured while sampling is not."""
    before = side({stack_of("parse"): 30, stack_of("score"): 70}, 2e-3)
    after = side({stack_of("parse"): 50, stack_of("score"): 50}, 3e-3)
    moves = {move.function: move for move in function_moves(before, after)}
    assert moves["parse"].baseline_s == pytest.approx(0.6e-3)
    assert moves["parse"].candidate_s == pytest.approx(1.5e-3)
    assert moves["score"].move_s == pytest.approx(1.5e-3 - 1.4e-3)
    assert list(moves) == ["parse", "score"]


def test_native_code_belongs_to_the_python_function_that_called_it_and_is_named() -> None:
    before = side({stack_of("parse"): 90, stack_of("digest", "sha_update"): 10}, 1e-3)
    after = side({stack_of("parse"): 90, stack_of("digest", "sha_update"): 60}, 1.5e-3)
    first = function_moves(before, after)[0]
    assert (first.function, first.native) == ("digest", "sha_update (libshop.so)")


def test_the_line_that_grew_is_named_and_of_what_shrank_the_line_that_shrank() -> None:
    steady = {stack_of("score", line=5): 40}
    before = side({**steady, stack_of("score", line=6): 10, stack_of("parse", line=2): 50}, 1e-3)
    after = side({**steady, stack_of("score", line=6): 55, stack_of("parse", line=2): 5}, 1e-3)
    lines = {move.function: move.line for move in function_moves(before, after)}
    assert lines == {"score": 6, "parse": 2}


def test_inclusive_time_counts_a_function_once_however_often_it_calls_itself() -> None:
    walk = Frame("walk", "tree.py", 3, is_native=False)
    before = side({(walk, walk, walk): 10, stack_of("parse"): 10}, 1e-3)
    moves = {move.function: move for move in function_moves(before, before)}
    assert moves["walk"].inclusive_baseline_s == pytest.approx(0.5e-3)
    assert moves["walk"].baseline_s == pytest.approx(0.5e-3)


def test_the_path_leads_from_the_target_to_the_function_without_the_load_generator() -> None:
    moves = function_moves(side({stack_of("parse"): 9}, 1e-3), side({stack_of("parse"): 9}, 1e-3))
    assert moves[0].path == ("work", "parse")


def test_a_move_within_what_samples_can_tell_is_not_clear() -> None:
    rng = np.random.default_rng(3)
    alike = (sampled_side(name, equal_costs(), rng) for name in ("a", "b"))
    assert not any(move.is_clear for move in function_moves(*alike))


def test_a_function_that_came_anew_is_named_with_its_whole_time() -> None:
    rng = np.random.default_rng(4)
    before = sampled_side("a", equal_costs(), rng)
    after = sampled_side("b", equal_costs(audit=EACH_S), rng)
    first = function_moves(before, after)[0]
    assert (first.function, first.baseline_s, first.baseline_samples) == ("audit", 0.0, 0)
    assert first.is_clear
    assert first.candidate_s == pytest.approx(EACH_S, rel=0.2)


def test_functions_with_hardly_a_sample_are_not_compared() -> None:
    stacks = {stack_of("parse"): 50, stack_of("rare"): 1}
    moves = function_moves(side(stacks, 1e-3, levels=3), side({stack_of("parse"): 50}, 1e-3))
    assert MIN_SAMPLES == 5
    assert [move.function for move in moves] == ["parse"]


@pytest.mark.parametrize(
    ("bad", "why"),
    [
        (side({stack_of("parse"): 9}, 1e-3, levels=1), "sampled in 1 of its levels"),
        (side({stack_of("parse", "poll"): 9}, 1e-3), "no sample of a thread that computed"),
        (
            ArmSamples("a side", "", ((WindowPair(*[Window(1.0, 1.0, 0, 0.0)] * 2, {}),),) * 3),
            "no workflow ended ok",
        ),
    ],
)
def test_a_side_that_cannot_be_compared_says_why(bad: ArmSamples, why: str) -> None:
    assert why in unusable(bad)
    assert function_moves(bad, side({stack_of("parse"): 9}, 1e-3)) == ()


def test_windows_of_one_process_are_no_further_evidence() -> None:
    """The interval comes from four processes a side, however many windows each of them has."""
    widths = []
    for pairs in (1, 20):
        rng = np.random.default_rng(5)
        sides = (
            sampled_side(name, equal_costs(), rng, pairs=pairs, samples=2000, process_spread=0.1)
            for name in ("a", "b")
        )
        moves = function_moves(*sides)
        widths.append(np.mean([move.high_s - move.low_s for move in moves]))
    assert widths[1] > 0.5 * widths[0]  # with independent windows it would be 0.22


def test_a_level_without_a_workflow_is_none() -> None:
    empty = (WindowPair(*[Window(1.0, 1.0, 0, 0.0)] * 2, {stack_of("parse"): 3}),)
    good = side({stack_of("parse"): 9}, 1e-3, levels=2)
    assert unusable(replace(good, levels=(*good.levels, empty))) == ""
    assert "sampled in 1 of its levels" in unusable(replace(good, levels=(good.levels[0], empty)))
