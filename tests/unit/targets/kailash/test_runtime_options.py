"""Switches of LocalRuntime that promise protection, on the workflow of the family database."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from kailash.runtime.local import LocalRuntime

from perf_pipeline.targets.kailash import database_nodes
from perf_pipeline.targets.kailash.runtime_options import retry_failing_nodes, runtime_options
from perf_pipeline.workload import database
from perf_pipeline.workload.task import task_of

if TYPE_CHECKING:
    from collections.abc import Collection

OFF = {"enable_monitoring": False, "strict_memory_limit_mb": 0}


class Failing:
    """Servers that refuse so many units of work, then take them; counts how often it was asked."""

    def __init__(self, failures: int) -> None:
        self.failures = failures
        self.asked = 0

    def transact(self, servers: Collection[str], _order: dict[str, Any]) -> dict[str, Any]:
        self.asked += 1
        if self.asked <= self.failures:
            raise ConnectionResetError("the server closed the connection")
        return {server: database.RIGHT[server] for server in servers}


def executed(servers: Failing, times: int = 1, **settings: int | bool) -> dict[str, Any]:
    """Execute the workflow a few times; returns what came out of the last one."""
    given = {**OFF, **settings}
    branching = bool(given.get("branching"))
    written = database_nodes.write(
        "simple",
        "lean",
        servers,
        (),
        branching=branching,  # type: ignore[arg-type]
    )
    task = task_of(3, seed=1, run_id="r", level=0, redis_prefix="p:")
    results: dict[str, Any] = {}
    with LocalRuntime(**runtime_options(given)) as runtime:
        if given.get("runtime_retries"):
            retry_failing_nodes(runtime)
        for _ in range(times):
            results, _ = runtime.execute(written.workflow, parameters=written.inputs(task))
    return results


@pytest.mark.parametrize("settings", [{}, {"runtime_retries": 3}])
def test_a_retry_policy_does_not_act_on_an_ordinary_workflow(settings: dict[str, int]) -> None:
    servers = Failing(failures=2)
    assert executed(servers, **settings)["transact"]["failed"]
    assert servers.asked == 1


def test_a_circuit_breaker_does_not_act_on_an_ordinary_workflow() -> None:
    servers = Failing(failures=9)
    executed(servers, times=5, runtime_breaker_failures=1)
    assert servers.asked == 5


def test_in_a_workflow_with_branches_the_retry_policy_acts() -> None:
    servers = Failing(failures=2)
    results = executed(servers, branching=True, runtime_retries=3)
    assert results["transact"]["result"] == {"postgres": 1}
    assert servers.asked == 3


def test_a_workflow_with_branches_gives_what_an_ordinary_one_gives() -> None:
    with_branch, without = executed(Failing(0), branching=True), executed(Failing(0))
    for node in database.STAGES:
        assert with_branch[node]["result"] == without[node]["result"]
