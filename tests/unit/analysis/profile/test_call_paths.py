"""Call paths keep all of the CPU time, small ones with their caller."""

from __future__ import annotations

import pytest

from perf_pipeline.analysis.profile.arm_samples import ArmSamples
from perf_pipeline.analysis.profile.call_paths import call_path_costs
from perf_pipeline.samples.stacks.window import Window, WindowPair
from tests.simulated_stacks import stack_of


def side(stacks: dict[str, int], each_s: float) -> ArmSamples:
    window = Window(1.0, 100 * each_s, 100, 0.0)
    counted = {stack_of(name): count for name, count in stacks.items()}
    return ArmSamples("a side", "callable", ((WindowPair(window, window, counted),),))


def test_the_paths_add_up_to_the_cpu_time_per_workflow_of_each_side() -> None:
    costs = call_path_costs(side({"parse": 30, "score": 70}, 2e-3), side({"parse": 9}, 3e-3))
    assert sum(one.baseline_s for one in costs) == pytest.approx(2e-3)
    assert sum(one.candidate_s for one in costs) == pytest.approx(3e-3)
    assert costs[0].frames[-1] == "parse (shop.py)"
    assert costs[0].candidate_s == pytest.approx(3e-3)


def test_a_path_too_small_to_see_is_added_to_its_caller() -> None:
    sides = side({"parse": 10_000, "rare": 1}, 1e-3), side({"parse": 10_000}, 1e-3)
    costs = call_path_costs(*sides)
    assert not any("rare (shop.py)" in one.frames for one in costs)
    assert sum(one.baseline_s for one in costs) == pytest.approx(1e-3)


def test_a_side_without_samples_has_no_path() -> None:
    assert call_path_costs(side({}, 1e-3), side({}, 1e-3)) == ()
