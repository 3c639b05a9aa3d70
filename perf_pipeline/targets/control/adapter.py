"""The control target: the same plain functions over the same pools, without a runtime.

What it takes is what the work itself costs; the difference to another target is that target's.
It runs in the environment of kailash, so that nothing else differs.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from perf_pipeline.steps import reset_workflow, set_workflow, workflow_of
from perf_pipeline.targets.classification import classify
from perf_pipeline.targets.job_tasks import JobTasks
from perf_pipeline.targets.pooled_servers import PooledServers, job_servers
from perf_pipeline.workload import analytics, data_processing, database, transformation

if TYPE_CHECKING:
    from perf_pipeline.targets.target import Job, Slot, Target

__all__ = ["classify", "open_target"]


def open_target(job: Job) -> Target:
    """Make the pools that the job's workflows need."""
    return ControlTarget(job)


class ControlTarget:
    """Plain function calls; has no state but the pools, so that it is its own slot."""

    def __init__(self, job: Job) -> None:
        self._kinds = job.kinds
        self._tasks = JobTasks(job)
        self._servers = PooledServers(job, job_servers(job))

    def open_slot(self) -> Slot:
        """Return the target itself: threads share it."""
        return self

    def execute(self, kind: int, number: int) -> None:
        """Call the stages of one workflow and check what each gave."""
        wanted = self._kinds[kind]
        complexity, without = wanted.complexity, wanted.without
        task = self._tasks.task(number)
        match wanted.family:
            case "transformation":
                outputs = transformation.run_stages(complexity, task.data_seed)
            case "analytics":
                outputs = analytics.run_stages(complexity, task, self._servers, without)
            case "database":
                token = set_workflow(workflow_of(kind, number))  # it times its waits
                try:
                    outputs = database.run_stages(complexity, task, self._servers, without)
                finally:
                    reset_workflow(token)
            case _:
                outputs = data_processing.run_stages(complexity, task, self._servers, without)
        self._tasks.check(kind, task, outputs)

    def close(self) -> None:
        """Close the pools."""
        self._servers.close()
