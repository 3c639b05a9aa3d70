"""The asynchronous control target: the same plain functions, as coroutines on one event loop.

Stages that compute are called on the loop. Calls of servers block, so they go to a pool of as many
threads as there are connections; what finds no thread waits as a task. It runs in the environment
of kailash, so that nothing else differs.
"""

from __future__ import annotations

import asyncio
import sys
import threading
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Any

from perf_pipeline.targets.classification import classify
from perf_pipeline.targets.job_tasks import JobTasks
from perf_pipeline.targets.pool_threads import threads_at_work
from perf_pipeline.targets.pooled_servers import PooledServers, job_servers
from perf_pipeline.workload import analytics, data_processing, database, transformation

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Collection, Mapping

    from perf_pipeline.targets.target import AsyncSlot, AsyncTarget, Job
    from perf_pipeline.workload.stages import Outputs, Stage
    from perf_pipeline.workload.task import Task

    Call = Callable[..., Awaitable[Any]]
    """Awaits what a blocking function returns for its arguments, computed elsewhere."""

__all__ = ["classify", "open_target"]


async def open_target(job: Job) -> AsyncTarget:
    """Make the pools that the job's workflows need."""
    return ControlAsyncTarget(job)


class ControlAsyncTarget:
    """Plain function calls; has no state but the pools, so that it is its own slot.

    Attributes:
        at_once: The threads for server calls, and the one workflow that is on the loop.
    """

    def __init__(self, job: Job) -> None:
        self._kinds = job.kinds
        self._tasks = JobTasks(job)
        servers = job_servers(job)
        self._servers = PooledServers(job, servers)
        self._threads = (
            ThreadPoolExecutor(job.servers.connections, "server-call") if servers else None
        )
        self._loop = asyncio.get_running_loop()
        self._loop_thread = threading.get_ident()
        self.at_once: int | None = 1 + (job.servers.connections if servers else 0)

    def open_slot(self) -> AsyncSlot:
        """Return the target itself: tasks share it."""
        return self

    def executing(self) -> int | None:
        """Count the threads that call a server, and look whether the loop is at a workflow."""
        calling = threads_at_work(self._threads) if self._threads else 0
        return None if calling is None else calling + self._is_on_loop()

    async def execute(self, kind: int, number: int) -> None:
        """Call the stages of one workflow and check what each gave."""
        wanted = self._kinds[kind]
        complexity, without, pooled = wanted.complexity, wanted.without, self._servers
        task = self._tasks.task(number)
        if wanted.family == "transformation":
            outputs = transformation.run_stages(complexity, task.data_seed)
        elif wanted.family == "database":
            functions = database.stage_functions(complexity, without)
            outputs = await run_in_order(
                database.STAGES, functions, database.ASKING, task, pooled, self._call
            )
        else:
            family = analytics if wanted.family == "analytics" else data_processing
            names = family.stages(complexity, without)
            outputs = await run_in_order(
                names, family.STAGE_FUNCTIONS, family.ASKING, task, pooled, self._call
            )
        self._tasks.check(kind, task, outputs)

    async def close(self) -> None:
        """Let the threads end, and close the pools."""
        if self._threads:
            await asyncio.to_thread(self._threads.shutdown)
        self._servers.close()

    async def _call(self, function: Callable[..., Any], *arguments: Any) -> Any:
        return await self._loop.run_in_executor(self._threads, function, *arguments)

    def _is_on_loop(self) -> bool:
        frame = sys._current_frames().get(self._loop_thread)  # noqa: SLF001 the interpreter's documented way
        while frame is not None and frame.f_code is not ControlAsyncTarget.execute.__code__:
            frame = frame.f_back
        return frame is not None


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
