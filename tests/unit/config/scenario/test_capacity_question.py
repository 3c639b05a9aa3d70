"""A question that cannot be answered on this machine is refused with every reason."""

from __future__ import annotations

from dataclasses import replace

import pytest

from perf_pipeline.config.flags.capacity_flags import CapacityFlags
from perf_pipeline.config.machine import MachineLimits
from perf_pipeline.config.scenario.arrivals import Arrivals
from perf_pipeline.config.scenario.capacity_question import FAILURES, capacity_question
from perf_pipeline.config.scenario.scenario import Scenario
from perf_pipeline.config.slo.slo import Slo
from perf_pipeline.errors import ScenarioError

MACHINE = MachineLimits(None, None, None, None, None, cores_usable=2)
SCENARIO = Scenario("mine", concurrency=(100, 50), slos=(Slo("p99_s", 0.5, abort=True),))


def test_the_search_begins_at_the_smallest_level_and_ends_at_what_the_machine_holds() -> None:
    """2 processes hold 2000 threads each."""
    question = capacity_question(SCENARIO, MACHINE)

    assert (question.start, question.min_load, question.max_load) == (50, 1, 4000)


def test_failures_are_limited_where_no_objective_limits_them_and_no_objective_ends_a_level() -> (
    None
):
    assert capacity_question(SCENARIO, MACHINE).slos == (Slo("p99_s", 0.5), FAILURES)
    own = Slo("error_ratio", 0.2)
    own_rule = replace(SCENARIO, slos=(own,))
    assert capacity_question(own_rule, MACHINE).slos == (own,)


def test_a_rate_begins_at_the_smallest_rate_and_has_the_slots_of_the_scenario() -> None:
    arrivals = (Arrivals("a", rate_per_s=40.0, slots=300), Arrivals("b", rate_per_s=20.0, slots=9))
    question = capacity_question(
        replace(SCENARIO, arrivals=arrivals), MACHINE, CapacityFlags(of="rate", max_load=1e3)
    )

    assert (question.start, question.max_load, question.slots) == (20, 1000, 300)


def test_every_problem_is_reported_at_once() -> None:
    no_objective = replace(SCENARIO, slos=())
    with pytest.raises(ScenarioError) as caught:
        capacity_question(no_objective, MACHINE, CapacityFlags(max_load=1e6, start=0.5, slots=7))

    reported = "\n".join(caught.value.problems)
    for part in ("no objective", "--max is 1e+06; allowed is 1 to 4000", "--start is 0.5",
                 "whole numbers", "--slots is for --of rate"):  # fmt: skip
        assert part in reported


def test_an_objective_of_one_level_and_an_unknown_kind_are_refused() -> None:
    of_one = replace(SCENARIO, slos=(Slo("p99_s", 0.5, level="100"),))
    with pytest.raises(ScenarioError, match="about one level alone"):
        capacity_question(of_one, MACHINE)
    with pytest.raises(ScenarioError, match='--of is "users"; allowed is "in_flight" or "rate"'):
        capacity_question(SCENARIO, MACHINE, CapacityFlags(of="users"))
