"""One worker process on work of known cost, as a level starts it, with every record."""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import TYPE_CHECKING

from perf_pipeline.config.scenario.scenario import Phases
from perf_pipeline.errors import PerfPipelineError
from perf_pipeline.host.process_cpu import process_cpu_s
from perf_pipeline.loadgen.supervise.started_worker import WorkerFiles
from perf_pipeline.loadgen.supervise.worker_process import WorkerProcess
from perf_pipeline.samples.journal import read_journal
from perf_pipeline.samples.record import RECORD
from perf_pipeline.selftest.loads.only_level import PYTHON, closed_level
from perf_pipeline.targets import no_op

if TYPE_CHECKING:
    from pathlib import Path

    from perf_pipeline.config.http.http_request import HttpRequest

PHASES = Phases(ramp_up_s=0.0, warm_up_s=0.0, drain_s=2.0)
NOTHING = f"{no_op.__name__}:work"
WARM_UP_S = 0.1
_START_LIMIT_S = 30.0


@dataclass(frozen=True)
class NoopBlock:
    """Work of one process in a measured time.

    Attributes:
        iterations: How many workflows ended.
        wall_s: Length of that time.
        cpu_s: CPU time of the whole process in that time.
        unrecorded: Workflows of its whole life without exactly one record in its journal.
    """

    iterations: float
    wall_s: float
    cpu_s: float
    unrecorded: int = 0

    @property
    def per_cpu_s(self) -> float:
        """Iterations per second of CPU time: the rate of the process on a core alone."""
        return self.iterations / self.cpu_s


def play_nothing(
    folder: Path, length_s: float, seed: int, work: str | HttpRequest = NOTHING, slots: int = 1
) -> NoopBlock:
    """Run a closed loop for ``length_s`` after a short warm-up.

    Args:
        folder: Empty.
        length_s: How long is measured, s.
        seed: Seed of the plan.
        work: What is called, or sent; by default a function that does nothing.
        slots: How many are in flight.

    Raises:
        PerfPipelineError: The worker did not start or did not end by itself.
    """
    level = closed_level(work, slots, PHASES, seed)
    worker = WorkerProcess(level.plan, 0, folder, PYTHON, level.job)
    try:
        block = _measured(worker, length_s)
    finally:
        worker.kill("the selftest ended")
    recorded = len(read_journal(WorkerFiles.of(folder, 0).journal).payload) // RECORD.size
    unrecorded = abs(worker.slots.totals().started - recorded)
    worker.close()
    return NoopBlock(block.iterations, block.wall_s, block.cpu_s, unrecorded)


def _measured(worker: WorkerProcess, length_s: float) -> NoopBlock:
    deadline_s = time.monotonic() + _START_LIMIT_S
    while not worker.ready:
        if not worker.alive or time.monotonic() > deadline_s:
            raise PerfPipelineError(f"the no-op worker did not start: {worker.end_reason()}")
        time.sleep(0.005)
    worker.go(time.monotonic_ns())
    time.sleep(WARM_UP_S)
    begin = worker.slots.totals().ended, time.monotonic(), process_cpu_s(worker.pid)
    time.sleep(length_s)
    end = worker.slots.totals().ended, time.monotonic(), process_cpu_s(worker.pid)
    worker.stop(time.monotonic_ns())
    if not worker.wait_until(time.monotonic_ns() + int(_START_LIMIT_S * 1e9)):
        raise PerfPipelineError(f"the no-op worker did not end: {worker.end_reason()}")
    if worker.end_reason() != "done":
        raise PerfPipelineError(f"the no-op worker failed: {worker.end_reason()}")
    iterations, wall_s, cpu_s = (b - a for a, b in zip(begin, end, strict=True))
    return NoopBlock(iterations, wall_s, cpu_s)
