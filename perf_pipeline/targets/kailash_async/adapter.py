"""kailash's AsyncLocalRuntime: one a process, on the worker's event loop.

It takes any number of workflows at once. One of synchronous nodes alone, as all of the built-in
ones are, goes to its thread pool and has one thread to its end; the others wait in the pool's
queue. So of N in flight ``thread_pool_size`` execute.

With code nodes and more than one thread, a few workflows in a thousand fail with "AST
constructor recursion depth mismatch": each code node calls ``ast.parse``, and before Python 3.11.8
and 3.12.2 a garbage collection there may let another thread in, which resets a counter that all
share (CPython issue 106905). Such failures are counted like any other.
"""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import kailash
from kailash.nodes.base_async import AsyncNode
from kailash.runtime.async_local import AsyncLocalRuntime

from perf_pipeline.targets.classification import classify
from perf_pipeline.targets.kailash.address_space import keep_address_space
from perf_pipeline.targets.kailash.logs import send_log
from perf_pipeline.targets.kailash.outputs import read_outputs
from perf_pipeline.targets.kailash.timed_nodes import sampled_workflows
from perf_pipeline.targets.kailash.workflows import Workflows
from perf_pipeline.targets.kailash_async.nested_results import nest_results, unnest
from perf_pipeline.targets.pool_threads import threads_at_work

if TYPE_CHECKING:
    from perf_pipeline.targets.kailash.written import WrittenWorkflow
    from perf_pipeline.targets.target import AsyncSlot, AsyncTarget, Job

__all__ = ["classify", "open_target"]


async def open_target(job: Job) -> AsyncTarget:
    """Build the workflows of ``job`` and the runtime.

    Raises:
        ValueError: As for the kailash target.
        TypeError: A workflow cannot be connected for AsyncLocalRuntime.
    """
    send_log(in_detail=job.log_detail)
    return KailashAsyncTarget(job, keep_address_space(kailash.__version__))


class KailashAsyncTarget:
    """The runtime and the workflows, which all tasks share; it is its own slot.

    Attributes:
        at_once: ``thread_pool_size``; None when a workflow has an asynchronous node.
        remarks: What was done to this release to make it comparable, as text.
        sampled_every: The nodes of every so many-th workflow are timed; 0: of none.
    """

    def __init__(self, job: Job, remarks: tuple[str, ...]) -> None:
        self.remarks = remarks
        settings = job.settings
        self._workflows = Workflows(job)
        written = self._workflows.written
        self._nested = [nest_results(one.workflow) for one in written]
        self._sampled = sampled_workflows(job, self._write_nested)
        self.sampled_every = self._sampled.every
        self._runtime = AsyncLocalRuntime(
            thread_pool_size=settings["thread_pool_size"],
            execution_timeout=settings["execution_timeout_s"],
            enable_monitoring=False,
        )
        # Releases that do not know it close nothing by themselves either.
        if hasattr(self._runtime, "mark_externally_managed"):
            self._runtime.mark_externally_managed()
        nodes = [
            one.workflow.get_node(name) for one in written for name in one.workflow.graph.nodes
        ]
        only_synchronous = not any(isinstance(node, AsyncNode) for node in nodes)
        self.at_once = int(settings["thread_pool_size"]) if only_synchronous else None

    def open_slot(self) -> AsyncSlot:
        """Return the target itself: tasks share it."""
        return self

    def executing(self) -> int | None:
        """Count the threads of the runtime's pool that are at work; each has one workflow.

        None when a workflow has an asynchronous node, or the runtime has no such pool.
        """
        if self.at_once is None:
            return None
        return threads_at_work(getattr(self._runtime, "thread_pool", None))

    async def execute(self, kind: int, number: int) -> None:
        """Execute one workflow and check what each of its nodes gave."""
        workflows = self._workflows
        timed = self._sampled.take(kind, number)
        written = workflows.written[kind] if timed is None else timed.written
        task = workflows.tasks.task(number)
        try:
            results, _ = await self._runtime.execute_workflow_async(
                written.workflow, written.inputs(task)
            )
        except BaseException:
            if timed is not None:  # a thread of the runtime may still execute it
                self._sampled.discard(timed)
            raise
        if timed is not None:
            self._sampled.give_back(timed)
        outputs = unnest(read_outputs(results, written.ports), self._nested[kind])
        workflows.tasks.check(kind, task, outputs)

    def _write_nested(self, kind: int) -> WrittenWorkflow:
        written = self._workflows.write(kind)
        nest_results(written.workflow)
        return written

    async def close(self) -> None:
        """Close the runtime, which waits for its threads, and every pool of the process."""
        await asyncio.to_thread(self._runtime.close)
        self._workflows.close()
