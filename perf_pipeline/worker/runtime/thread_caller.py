"""Calls plain functions as a worker of threads does (``worker/thread_worker.py``)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from perf_pipeline.targets.callable.adapter import open_target
from perf_pipeline.worker.own_time import new_lock, start_thread
from perf_pipeline.worker.runtime.lifecycle import Lifecycle

if TYPE_CHECKING:
    from perf_pipeline.targets.target import Job


class Caller:
    """Setup and teardown in the main thread, each workflow in another one.

    Attributes:
        lifecycle: The setup and the teardown.
    """

    def __init__(self, job: Job) -> None:
        """Import the functions of a job."""
        self._slot = open_target(job).open_slot()
        self.lifecycle = Lifecycle(job.setup, job.teardown)

    def execute(self, kind: int, number: int) -> None:
        """Execute a workflow to its end; raises what it raised."""
        raised: list[BaseException] = []
        ended = new_lock()
        ended.acquire()

        def work() -> None:
            try:
                self._slot.execute(kind, number)
            except BaseException as error:  # noqa: BLE001 raised again in the main thread
                raised.append(error)
            finally:
                ended.release()

        start_thread(work, ())
        ended.acquire()
        if raised:
            raise raised[0]
