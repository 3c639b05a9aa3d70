from __future__ import annotations

from typing import TYPE_CHECKING

from perf_pipeline.workload.stages import remaining, run_in_order
from perf_pipeline.workload.task import task_of

if TYPE_CHECKING:
    from perf_pipeline.workload.stages import Stage


def test_only_the_node_of_a_server_that_is_not_there_is_left_out() -> None:
    optional = {"mysql": "store", "mongodb": "document"}
    names = ("read", "store", "document")
    assert remaining(names, optional, ("mysql", "postgres")) == ("read", "document")
    assert remaining(names, optional, ()) == names


def test_a_node_is_given_the_inputs_the_servers_and_all_that_ran_before_it() -> None:
    seen = []

    def look(task: object, servers: object, done: dict[str, object]) -> int:
        seen.append((task, servers, dict(done)))
        return len(seen)

    stages: dict[str, Stage[str]] = {"unused": look, "second": look, "first": look}
    task = task_of(41, seed=5, run_id="r", level=1, redis_prefix="")
    outputs = run_in_order(("first", "second"), stages, task, "servers")

    assert list(outputs.items()) == [("first", 1), ("second", 2)]
    assert seen == [(task, "servers", {}), (task, "servers", {"first": 1})]
