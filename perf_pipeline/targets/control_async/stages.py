"""The nodes of a family one after the other, those that ask a server awaited elsewhere."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Collection, Mapping
    from typing import Any

    from perf_pipeline.targets.pooled_servers import PooledServers
    from perf_pipeline.workload.stages import Outputs, Stage
    from perf_pipeline.workload.task import Task

    Call = Callable[..., Awaitable[Any]]
    """Given a blocking function and its arguments, awaits what it gives elsewhere."""


async def run_in_order(
    names: Collection[str],
    stages: Mapping[str, Stage[PooledServers]],
    asking: Collection[str],
    task: Task,
    servers: PooledServers,
    call: Call,
) -> Outputs:
    """As ``workload.stages.run_in_order``, but for ``asking``, the nodes that ask a server."""
    outputs: Outputs = {}
    for name in names:
        stage = stages[name]
        outputs[name] = (
            await call(stage, task, servers, outputs)
            if name in asking
            else stage(task, servers, outputs)
        )
    return outputs
