"""The job of a load run in shards, for one machine."""

import dagster as dg

from assets.execution.load_jobs import HOOKS
from assets.shards.ops import generate_load_shard, merge_shards, plan_shards


@dg.graph(
    name="sharded_load",
    description="Plan, shards that meet before each level and start together, merge, report.",
)
def sharded() -> None:
    """Play one load run in shards."""
    merge_shards(plan_shards().map(generate_load_shard).collect())


def sharded_job(name: str, executor: dg.ExecutorDefinition, description: str) -> dg.JobDefinition:
    """Return the job that plays shards wherever an executor runs its steps."""
    return sharded.to_job(
        name=name, executor_def=executor, description=description, hooks=set(HOOKS)
    )


sharded_load = sharded_job(
    "sharded_load",
    dg.multi_or_in_process_executor,
    "A load run in shards on this machine: one in this process, several in a process each "
    "(execution: multiprocess, max_concurrent at least the number of shards: they wait for each "
    "other).",
)
