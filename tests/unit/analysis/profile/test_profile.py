"""A differential profile says what weakens it, and why there is none."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from perf_pipeline.analysis.profile.profile import Sampling, differential_profile, no_profile
from tests.simulated_stacks import equal_costs, sampled_side

if TYPE_CHECKING:
    from perf_pipeline.analysis.profile.arm_samples import ArmSamples

NATIVE = Sampling("20260114_093012-4f2c", 8, 8, "py-spy 0.4.3", 100, is_native=True)


def sides(**other: int) -> tuple[ArmSamples, ArmSamples]:
    rng = np.random.default_rng(1)
    return (
        sampled_side("old", equal_costs(), rng, **other),
        sampled_side("new", equal_costs(score=0.4e-3), rng, **other),
    )


def test_a_profile_names_the_function_and_has_no_warning_where_all_was_well() -> None:
    profile = differential_profile(NATIVE, *sides())
    assert profile.moves[0].function == "score"
    assert profile.warnings == ()
    assert profile.problem == ""
    assert profile.role == "explain"


def test_a_profile_with_fewer_workflows_in_flight_than_the_level_says_so() -> None:
    profile = differential_profile(replace(NATIVE, asked_in_flight=500), *sides())
    assert "sampled with 8 workflows in flight in place of 500" in profile.warnings[0]


def test_a_profile_without_native_frames_says_what_is_missing() -> None:
    profile = differential_profile(replace(NATIVE, is_native=False), *sides())
    assert "native code that releases it is missing" in profile.warnings[0]


def test_few_samples_are_a_warning_for_each_side() -> None:
    warnings = differential_profile(NATIVE, *sides(samples=10)).warnings
    assert [one.partition(" samples")[0] for one in warnings] == ["old: only 80", "new: only 80"]


def test_a_side_whose_threads_had_to_wait_for_a_core_is_a_warning() -> None:
    """Two seconds of waiting for each on a core: a sample may be of either."""
    old, new = sides()
    crowded = tuple(
        (replace(pair, sampled=replace(pair.sampled, core_wait_s=2 * pair.sampled.cpu_s)),)
        for pair in new.pairs
    )
    warnings = differential_profile(NATIVE, old, replace(new, levels=crowded)).warnings
    assert warnings[0].startswith("new: its threads waited 2 s for a core for each second on one")


def test_sampling_that_costs_more_than_a_tenth_of_the_throughput_is_a_warning() -> None:
    old, new = sides()
    slow = tuple(
        (replace(pair, sampled=replace(pair.sampled, workflows=pair.sampled.workflows // 2)),)
        for pair in old.pairs
    )
    warnings = differential_profile(NATIVE, replace(old, levels=slow), new).warnings
    assert warnings[0].startswith("old: sampling itself took 5")


def test_a_problem_leaves_no_move_that_could_be_believed() -> None:
    profile = differential_profile(NATIVE, *sides(), problem="new: the worker ended")
    assert (profile.moves, profile.stacks) == ((), ())
    assert profile.problem == "new: the worker ended"
    assert no_profile(NATIVE, ("old", "new"), "no ptrace").problem == "no ptrace"


def test_sides_of_one_process_each_are_a_problem() -> None:
    assert "sampled in 1 of its levels" in differential_profile(NATIVE, *sides(levels=1)).problem
