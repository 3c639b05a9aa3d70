"""The job of a load run in shards, for one machine."""

from collections.abc import Mapping, Sequence
from types import MappingProxyType
from typing import Any

import dagster as dg

from assets.execution.load_jobs import HOOKS
from assets.shards.ops import PLAN, generate_load_shard, merge_shards, plan_shards

MAX_SHARDS = 64
"""On one machine, where each is a process of Dagster with its workers."""


@dg.graph(
    name="sharded_load",
    description="Plan, shards that meet before each level and start together, merge, report.",
)
def sharded() -> None:
    """Play one load run in shards."""
    merge_shards(plan_shards().map(generate_load_shard).collect())


def sharded_job(
    name: str,
    executor: dg.ExecutorDefinition,
    description: str,
    *,
    hosts: Sequence[str],
    execution: Mapping[str, Any] = MappingProxyType({}),
) -> dg.JobDefinition:
    """Return the job that plays shards wherever an executor runs its steps.

    Args:
        name: Of the job.
        executor: Runs its steps.
        description: For people.
        hosts: What the launchpad shows at first.
        execution: Likewise, of the executor.
    """
    planned = {"scenario": "baseline", "hosts": list(hosts)}
    shown = {"ops": {PLAN: {"config": planned}}, "execution": {"config": dict(execution)}}
    return sharded.to_job(
        name=name, executor_def=executor, description=description, hooks=set(HOOKS), config=shown
    )


sharded_load = sharded_job(
    "sharded_load",
    dg.multi_or_in_process_executor,
    "A load run in shards on this machine: one in this process (execution: in_process), several in "
    "a process each. They wait for each other, so max_concurrent is at least their number.",
    hosts=["shard-0", "shard-1"],
    execution={"multiprocess": {"max_concurrent": MAX_SHARDS}},
)
