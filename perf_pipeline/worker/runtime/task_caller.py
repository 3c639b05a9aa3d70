"""Awaits coroutine functions as a worker of tasks does (``worker/task_worker.py``)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from perf_pipeline.targets.callable_async.adapter import open_target
from perf_pipeline.worker.event_thread import EventThread
from perf_pipeline.worker.runtime.lifecycle import Lifecycle

if TYPE_CHECKING:
    from perf_pipeline.targets.target import Job


class Caller:
    """Everything on one event loop, in a thread of its own.

    Attributes:
        lifecycle: The setup and the teardown.
    """

    def __init__(self, job: Job) -> None:
        """Import the functions of a job."""
        self._events = events = EventThread()
        self._slot = events.run(open_target(job)).open_slot()
        self.lifecycle = Lifecycle(
            job.setup, job.teardown, "callable_async", lambda function: events.run(function())
        )

    def execute(self, kind: int, number: int) -> None:
        """Execute a workflow to its end; raises what it raised."""
        self._events.run(self._slot.execute(kind, number))
