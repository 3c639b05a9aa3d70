"""The servers that a scenario needs, and failures of servers that it does not use."""

from __future__ import annotations

from dataclasses import replace

import pytest

from perf_pipeline.config.fault.fault_window import FaultWindow
from perf_pipeline.config.scenario.scenario import Scenario, Workload
from perf_pipeline.errors import ScenarioError
from perf_pipeline.loadgen.left_out import servers_needed

SCENARIO = Scenario("shop", workloads=(Workload("database", "complex"),))


def _with(*faults: FaultWindow) -> Scenario:
    return replace(SCENARIO, faults=faults)


def test_a_failure_of_a_server_that_no_workflow_uses_is_refused_by_name() -> None:
    simple = replace(_with(FaultWindow("server_freeze", "mysql", 1, 1)), workloads=())
    scenario = replace(simple, workloads=(Workload("analytics", "medium"),))
    with pytest.raises(ScenarioError) as refused:
        servers_needed(scenario, ())
    (problem,) = refused.value.problems
    assert problem.startswith("server_freeze on mysql: no workflow of shop uses mysql, so the ")
    assert "name postgres or redis, or add a workload that uses it" in problem


def test_a_failure_of_the_machine_or_of_a_server_that_is_left_out_needs_nothing_more() -> None:
    scenario = _with(
        FaultWindow("memory_pressure", "", 1, 1), FaultWindow("server_freeze", "mysql", 1, 1)
    )
    assert servers_needed(scenario, ("mysql",)) == {"postgres", "redis", "mongodb"}
    assert servers_needed(scenario, ()) == {"postgres", "mysql", "redis", "mongodb"}
