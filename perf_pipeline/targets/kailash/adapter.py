"""kailash's LocalRuntime: one for each thread, none closed before every thread has ended.

Closing or collecting any LocalRuntime disposes the SQL pools of the whole process, so the target
holds them and closes them together.
"""

from __future__ import annotations

import threading
from functools import partial
from typing import TYPE_CHECKING

import kailash
from kailash.runtime.local import LocalRuntime

from perf_pipeline.steps import workflow_of
from perf_pipeline.targets.classification import classify
from perf_pipeline.targets.kailash.address_space import keep_address_space
from perf_pipeline.targets.kailash.logs import send_log
from perf_pipeline.targets.kailash.outputs import read_outputs
from perf_pipeline.targets.kailash.runtime_options import retry_failing_nodes, runtime_options
from perf_pipeline.targets.kailash.timed_nodes import SampledWorkflows, sampled_workflows
from perf_pipeline.targets.kailash.workflows import Workflows

if TYPE_CHECKING:
    from collections.abc import Mapping

    from perf_pipeline.targets.kailash.protection import Protection
    from perf_pipeline.targets.target import Job, Slot, Target

__all__ = ["classify", "open_target"]


def open_target(job: Job) -> Target:
    """Build the workflows of ``job``, as code nodes or as lean nodes.

    Raises:
        ValueError: ``job.nodes`` is neither, a server that a workflow needs is missing, or its
            files lie where kailash reads none.
    """
    send_log(in_detail=job.log_detail)
    return KailashTarget(job, keep_address_space(kailash.__version__))


class KailashTarget:
    """The workflows of a job, shared by the threads, and the runtimes of all threads.

    Attributes:
        workflows: What the threads execute.
        remarks: What was done to this release to make it comparable, as text.
        sampled_every: The nodes of every so many-th workflow are timed; 0: of none.
    """

    def __init__(self, job: Job, remarks: tuple[str, ...]) -> None:
        self.workflows = Workflows(job)
        self.remarks = remarks
        self._sampled = sampled_workflows(job, self.workflows.write)
        self.sampled_every = self._sampled.every
        self._protection = _protection_of(job.settings)
        self._options = runtime_options(job.settings)
        self._retries = bool(job.settings.get("runtime_retries"))
        self._runtimes: list[LocalRuntime] = []
        self._lock = threading.Lock()

    def open_slot(self) -> Slot:
        """Make the thread's runtime."""
        runtime = LocalRuntime(**self._options)
        if self._retries:
            retry_failing_nodes(runtime)
        # Releases that do not know it close nothing by themselves either.
        if hasattr(runtime, "mark_externally_managed"):
            runtime.mark_externally_managed()
        with self._lock:
            self._runtimes.append(runtime)
        return KailashSlot(self.workflows, runtime, self._sampled, self._protection)

    def close(self) -> None:
        """Close the runtimes of all threads and every pool of the process."""
        for runtime in self._runtimes:
            if hasattr(runtime, "close"):
                runtime.close()
        self._runtimes.clear()
        self.workflows.close()


class KailashSlot:
    """One thread's runtime."""

    def __init__(
        self,
        workflows: Workflows,
        runtime: LocalRuntime,
        sampled: SampledWorkflows,
        protection: Protection | None,
    ) -> None:
        self._protection = protection
        self._workflows = workflows
        self._runtime = runtime
        self._sampled = sampled

    def execute(self, kind: int, number: int) -> None:
        """Execute one workflow and check what each of its nodes gave."""
        if self._protection is None:
            self._execute(kind, number)
        else:
            once = partial(self._execute, kind, number)
            self._protection.call(once, workflow_of(kind, number))

    def _execute(self, kind: int, number: int) -> None:
        workflows = self._workflows
        timed = self._sampled.take(kind, number)
        written = workflows.written[kind] if timed is None else timed.written
        task = workflows.tasks.task(number)
        try:
            results, _ = self._runtime.execute(written.workflow, parameters=written.inputs(task))
        finally:
            if timed is not None:
                self._sampled.give_back(timed)
        workflows.tasks.check(kind, task, read_outputs(results, written.ports))


def _protection_of(settings: Mapping[str, bool | float | str]) -> Protection | None:
    """Return what the settings ``retries`` and ``breaker_failures`` switch on; None for nothing."""
    retries, failures = int(settings.get("retries", 0)), int(settings.get("breaker_failures", 0))
    if not retries and not failures:
        return None
    # Here, for early releases of kailash have neither.
    from perf_pipeline.targets.kailash.protection import Protection  # noqa: PLC0415

    return Protection(retries, failures)
