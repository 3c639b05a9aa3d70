"""The control target: the same plain functions over the same pools, without a runtime.

What it takes is what the work itself costs; the difference to another target is that target's.
It runs in the environment of kailash, so that nothing else differs.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from perf_pipeline.targets.check import check_outputs
from perf_pipeline.targets.classification import classify
from perf_pipeline.targets.pools import PooledStores
from perf_pipeline.workload import analytics, transformation
from perf_pipeline.workload.answers import answers_of
from perf_pipeline.workload.servers import servers_used
from perf_pipeline.workload.task import task_of

if TYPE_CHECKING:
    from perf_pipeline.targets.target import Job, Slot, Target

__all__ = ["classify", "open_target"]


def open_target(job: Job) -> Target:
    """Make the pools that the job's workflows need."""
    return ControlTarget(job)


class ControlTarget:
    """Plain function calls; has no state but the pools, so that it is its own slot."""

    def __init__(self, job: Job) -> None:
        self._job = job
        self._answers = [answers_of(kind.family, kind.complexity, job.seed) for kind in job.kinds]
        used = (servers_used(kind.family, kind.complexity) for kind in job.kinds)
        self._stores = PooledStores(job, frozenset().union(*used))

    def open_slot(self) -> Slot:
        """Return the target itself: threads share it."""
        return self

    def execute(self, kind: int, number: int) -> None:
        """Call the stages of one workflow and check what each gave."""
        job = self._job
        wanted = job.kinds[kind]
        task = task_of(
            number,
            seed=job.seed,
            run_id=job.run_id,
            level=job.level,
            redis_prefix=job.stores.redis_prefix,
        )
        if wanted.family == "transformation":
            outputs = transformation.run_stages(wanted.complexity, task.data_seed)
        else:
            outputs = analytics.run_stages(wanted.complexity, task, self._stores)
        check_outputs(outputs, self._answers[kind].of(task))

    def close(self) -> None:
        """Close the pools."""
        self._stores.close()
