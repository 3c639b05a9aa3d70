"""The bare loop: the processes of a load level without what measuring adds."""

from __future__ import annotations

import time
from contextlib import ExitStack
from typing import TYPE_CHECKING, Self

from perf_pipeline.errors import PerfPipelineError
from perf_pipeline.loadgen.environment.user_code import NO_USER_CODE, UserCode
from perf_pipeline.loadgen.plan.level_plan import little_endian
from perf_pipeline.loadgen.supervise.worker_process import WorkerProcess
from perf_pipeline.samples.run_folder import INTENDED
from perf_pipeline.selftest.loads import bare_worker

if TYPE_CHECKING:
    from pathlib import Path
    from types import TracebackType

    from perf_pipeline.loadgen.plan.level_plan import LevelPlan
    from perf_pipeline.targets.target import Job

_START_LIMIT_S = 120.0
COUNT_FILE = "nodes"
"""In the HOME of a process: one int64, the nodes that it has executed (``node_counter``)."""


class BareLoop:
    """The bare loop in as many processes and threads as a level. A context manager.

    Attributes:
        pids: Its processes.
    """

    def __init__(
        self,
        plan: LevelPlan,
        job: Job,
        python: Path,
        folder: Path,
        user_code: UserCode = NO_USER_CODE,
    ) -> None:
        """Start it and wait until every process is ready.

        Args:
            plan: The level that it plays.
            job: What the target has to execute.
            python: The target's interpreter.
            folder: Where its files go, empty.
            user_code: As for the level.

        Raises:
            PerfPipelineError: A process did not get ready.
        """
        if plan.arrivals:
            (folder / INTENDED).write_bytes(little_endian(plan.intended_ns))
        self._workers: list[WorkerProcess] = []
        with ExitStack() as started:
            started.callback(self._kill)
            for worker in range(plan.processes):
                self._workers.append(
                    WorkerProcess(
                        plan, worker, folder, python, job, user_code, module=bare_worker.__name__
                    )
                )
            deadline_s = time.monotonic() + _START_LIMIT_S
            for one in self._workers:
                while not one.ready:
                    if not one.alive or time.monotonic() > deadline_s:
                        raise PerfPipelineError(f"a bare loop did not start: {one.end_reason()}")
                    time.sleep(0.05)
            started.pop_all()
        self.pids = [one.pid for one in self._workers]

    def go(self) -> None:
        """Let it loop."""
        for worker in self._workers:
            worker.go(time.monotonic_ns())

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Kill it."""
        self._kill()

    def _kill(self) -> None:
        for worker in self._workers:
            worker.kill("the bare loop is over")
            worker.close()
