"""What a flag changes, and what follows from it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from perf_pipeline.config.flags.overrides import Overrides
from perf_pipeline.config.scenario.builtin import open_scenario
from perf_pipeline.config.scenario.scenario import Scenario, Workload
from perf_pipeline.errors import ScenarioError

if TYPE_CHECKING:
    from perf_pipeline.config.machine import MachineLimits


def baseline(machine: MachineLimits, **flags: object) -> Scenario:
    return open_scenario("baseline", machine, Overrides(**flags))  # type: ignore[arg-type]


def arm_levels(scenario: Scenario) -> dict[str, int]:
    return {arm.label: arm.concurrency for arm in scenario.arms}


def test_a_flag_replaces_its_value_and_nothing_else(machine: MachineLimits) -> None:
    plain, changed = baseline(machine), baseline(machine, seed=0, repeats=3)
    assert (changed.seed, changed.repeats) == (0, 3)
    assert (changed.concurrency, changed.arms, changed.phases, changed.workloads) == (
        plain.concurrency,
        plain.arms,
        plain.phases,
        plain.workloads,
    )


@pytest.mark.parametrize(
    ("levels", "arms"),
    [((100, 500), 100), ((10, 50, 200), 50), ((10, 50), 50), ((50, 10), 50), ((500, 200), 200)],
)
def test_arms_run_at_a_level_that_is_measured(
    machine: MachineLimits, levels: tuple[int, ...], arms: int
) -> None:
    """The baseline's arms ask for 100; an arm is only comparable at one of the levels."""
    scenario = baseline(machine, concurrency=levels)
    assert scenario.concurrency == levels
    assert arm_levels(scenario) == {"lean": arms, "control": arms}


@pytest.mark.parametrize(
    ("maximum", "levels"), [(1000, (100, 500, 1000)), (999, (100, 500)), (100, (100,)), (7, (7,))]
)
def test_levels_above_the_greatest_are_left_out_and_one_remains(
    machine: MachineLimits, maximum: int, levels: tuple[int, ...]
) -> None:
    scenario = baseline(machine, max_concurrency=maximum)
    assert scenario.concurrency == levels
    assert set(arm_levels(scenario).values()) == {min(100, maximum)}


def test_levels_named_by_a_flag_are_all_there_are(machine: MachineLimits) -> None:
    assert baseline(machine, concurrency=(10, 50), max_concurrency=200).concurrency == (10, 50)
    assert baseline(machine, concurrency=(10, 50), max_concurrency=20).concurrency == (10,)
    assert baseline(machine, max_concurrency=1200).concurrency == (100, 500, 1000, 1200)


def test_arms_that_would_repeat_the_levels_are_left_out(machine: MachineLimits) -> None:
    assert set(arm_levels(baseline(machine, target="kailash"))) == {"lean", "control"}
    assert baseline(machine, target="control").arms == ()
    assert baseline(machine, target="control_async").arms == ()
    assert set(arm_levels(baseline(machine, nodes="lean"))) == {"control"}


def test_one_complexity_for_all_keeps_the_share_of_each_family(machine: MachineLimits) -> None:
    assert baseline(machine, complexity="simple").workloads == (
        Workload("transformation", "simple", 1.0),
        Workload("analytics", "simple", 1.0),
        Workload("data_processing", "simple", 0.5),
    )


def test_a_longer_duration_is_not_cut_by_the_greatest_length(machine: MachineLimits) -> None:
    scenario = baseline(machine, duration=300)
    assert (scenario.phases.steady_s, scenario.phases.steady_max_s) == (300.0, 300.0)
    assert [arm.steady_s for arm in scenario.arms] == [10.0, 10.0]


def test_arms_are_no_longer_than_the_levels(machine: MachineLimits) -> None:
    scenario = baseline(machine, duration=2.5)
    assert (scenario.phases.steady_s, scenario.phases.steady_max_s) == (2.5, 150.0)
    assert [arm.steady_s for arm in scenario.arms] == [2.5, 2.5]


def test_levels_joined_by_commas_are_refused_with_the_right_way(machine: MachineLimits) -> None:
    with pytest.raises(ScenarioError, match=r"--concurrency is \"5,10\".* with blanks: 5 10\."):
        baseline(machine, concurrency=("5,10",))
