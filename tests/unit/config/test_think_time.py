"""Think times: what is drawn, and what the plan says of it."""

from __future__ import annotations

from dataclasses import replace
from itertools import islice
from statistics import mean, pstdev

import pytest

from perf_pipeline.config.machine import read_machine_limits
from perf_pipeline.config.scenario.arrivals import Arrivals
from perf_pipeline.config.scenario.parse import parse_scenario
from perf_pipeline.config.scenario.scenario import Scenario
from perf_pipeline.config.think_time import Distribution, ThinkTime
from perf_pipeline.errors import ScenarioError
from perf_pipeline.loadgen.plan.plan import plan_levels


@pytest.mark.parametrize(
    ("distribution", "deviation"),
    [("constant", 0.0), ("uniform", 2 / 3**0.5), ("exponential", 2.0)],
)
def test_think_times_have_the_mean_and_deviation_of_their_distribution(
    distribution: Distribution, deviation: float
) -> None:
    """20,000 draws with mean 2 s: the standard error of the mean is at most 0.014 s."""
    drawn = list(islice(ThinkTime(2.0, distribution).draws_s("seed"), 20_000))

    assert mean(drawn) == pytest.approx(2.0, abs=0.06)
    assert pstdev(drawn) == pytest.approx(deviation, abs=0.06)
    assert min(drawn) >= 0


def test_the_seed_decides_the_think_times_of_a_user() -> None:
    first, again, other = (
        list(islice(ThinkTime(1.0).draws_s(seed), 5)) for seed in ("1/0/7", "1/0/7", "1/0/8")
    )

    assert first == again
    assert first != other


def test_the_plan_has_the_think_time_of_closed_levels_and_its_hash_changes() -> None:
    quick = Arrivals("rush", "constant", 1.0, 30.0)
    plain = Scenario("x", target="control", concurrency=(4,), arrivals=(quick,))
    plans = plan_levels(replace(plain, think_time=ThinkTime(2.0)), 1)
    unthinking = plan_levels(plain, 1)

    assert [plan.think_time.mean_s for plan in plans] == [2.0, 0.0]
    assert plans[0].load == "4 users, think time 2 s (exponential)"
    assert plans[0].sha256() != unthinking[0].sha256()
    assert plans[1].sha256() == unthinking[1].sha256()


def test_a_wrong_distribution_is_named_with_those_that_there_are() -> None:
    text = """
concurrency = [4]
target = "control"
[[workload]]
family = "transformation"
complexity = "simple"
[think_time]
mean_s = -1
distribution = "poisson"
"""
    with pytest.raises(ScenarioError) as error:
        parse_scenario(text, "x", read_machine_limits())

    mean_s, distribution = error.value.problems
    assert "think_time.mean_s is -1" in mean_s
    assert "think_time.distribution" in distribution
    assert "exponential" in distribution
