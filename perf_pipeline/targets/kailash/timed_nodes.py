"""Times the nodes of a sample of the workflows, so that the others pay nothing.

A sampled workflow is executed on a copy of its kind whose node instances are timed. A copy has one
workflow at a time, so that a node knows whose it is in whatever thread the runtime executes it.
"""

from __future__ import annotations

import itertools
from typing import TYPE_CHECKING, Any

from perf_pipeline.steps import (
    FAILED,
    StepBuffer,
    buffer_in_use,
    reset_workflow,
    set_workflow,
    workflow_of,
)

if TYPE_CHECKING:
    from collections.abc import Callable

    from perf_pipeline.targets.kailash.written import WrittenWorkflow
    from perf_pipeline.targets.target import Job

MAX_COPIES = 64
"""Of each kind: while all are in use, no further workflow is sampled."""


class TimedWorkflow:
    """A copy of a workflow whose nodes store their times as steps.

    Attributes:
        written: What the runtime executes.
        kind: Index of its kind.
    """

    def __init__(self, written: WrittenWorkflow, kind: int, buffer: StepBuffer) -> None:
        """Time every node of ``written``, which nobody else executes."""
        self.written = written
        self.kind = kind
        self._buffer = buffer
        self._workflow = workflow_of(kind, 0)
        for name in written.workflow.graph.nodes:
            node = written.workflow.get_node(name)
            node.execute = self._timed(str(name), node.execute)

    def begin(self, number: int) -> None:
        """Note whose nodes are executed from now on."""
        self._workflow = workflow_of(self.kind, number)

    def _timed(self, name: str, execute: Callable[..., Any]) -> Callable[..., Any]:
        buffer = self._buffer
        clock_ns, add = buffer.clock_ns, buffer.add

        def timed(*inputs: Any, **named_inputs: Any) -> Any:
            workflow, flags = self._workflow, FAILED
            token = set_workflow(workflow)  # for what the node records itself
            start_ns = clock_ns()
            try:
                outputs = execute(*inputs, **named_inputs)
                flags = 0
            finally:
                add(name, start_ns, clock_ns() - start_ns, flags, workflow)
                reset_workflow(token)
            return outputs

        return timed


class SampledWorkflows:
    """The timed copies of a job's workflows; threads share it.

    Attributes:
        every: Every so many-th workflow of a kind is sampled, the first included; 0: none.
    """

    def __init__(
        self,
        every: int,
        kinds: int,
        write: Callable[[int], WrittenWorkflow],
        buffer: StepBuffer | None,
    ) -> None:
        """Prepare; a copy is written when it is needed first.

        Args:
            every: As the attribute.
            kinds: How many kinds of workflow there are.
            write: Writes a new workflow of a kind, given its index.
            buffer: Where steps are recorded; None for nowhere.
        """
        self.every = every if buffer is not None else 0
        self._buffer = buffer
        self._write = write
        self._counters = [itertools.count() for _ in range(kinds)]
        self._free: list[list[TimedWorkflow]] = [[] for _ in range(kinds)]
        self._copies = [0] * kinds

    def take(self, kind: int, number: int) -> TimedWorkflow | None:
        """Return the copy on which a workflow has to be executed; None if it is not sampled."""
        if not self.every or next(self._counters[kind]) % self.every or self._buffer is None:
            return None
        try:
            timed = self._free[kind].pop()
        except IndexError:
            if self._copies[kind] >= MAX_COPIES:
                return None
            self._copies[kind] += 1
            timed = TimedWorkflow(self._write(kind), kind, self._buffer)
        timed.begin(number)
        return timed

    def give_back(self, timed: TimedWorkflow) -> None:
        """Take back a copy that nothing executes any more."""
        self._free[timed.kind].append(timed)

    def discard(self, timed: TimedWorkflow) -> None:
        """Forget a copy that something may still execute."""
        self._copies[timed.kind] -= 1


def sampled_workflows(job: Job, write: Callable[[int], WrittenWorkflow]) -> SampledWorkflows:
    """Return the timed copies of a job's workflows, by its setting ``sample_nodes_every``."""
    every = int(job.settings.get("sample_nodes_every", 0))
    return SampledWorkflows(every, len(job.kinds), write, buffer_in_use())
