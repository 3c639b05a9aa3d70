"""One workflow executed on its own, as its run's records have it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import polars as pl

from perf_pipeline.errors import PerfPipelineError
from perf_pipeline.samples.record import COLD, ErrorClass, Outcome

if TYPE_CHECKING:
    from perf_pipeline.metrics.types.run_metrics import RunMetrics
    from perf_pipeline.samples.run_folder import RunFolder


@dataclass(frozen=True)
class SingleExecution:
    """One workflow that had the runtime to itself.

    Attributes:
        workflow_type: What it does.
        workflow_complexity: How many nodes it has.
        success: True when every node's result was there and right.
        outcome: ``ok``, ``error``, ``timeout`` or ``abandoned``.
        error_class: ``none``, or an error class.
        latency: s from handing it over to its checked answer, in a process that has executed one
            such workflow before.
        cold_start_latency: s of that one, the first of its process; None if it has no record.
        run_id: Its run.
    """

    workflow_type: str
    workflow_complexity: str
    success: bool
    outcome: str
    error_class: str
    latency: float
    cold_start_latency: float | None
    run_id: str


def single_execution(metrics: RunMetrics, folder: RunFolder) -> SingleExecution:
    """Take the first workflow of a run that has one level of one workload.

    Raises:
        PerfPipelineError: No workflow was executed.
    """
    level, workload = metrics.levels[0], metrics.manifest.workloads[0]
    warm = pl.read_parquet(folder.records).filter((pl.col("flags") & COLD) == 0)
    if warm.is_empty():
        why = "; ".join(metrics.reasons)
        raise PerfPipelineError(f"no workflow was executed: {why}\nLogs: {folder.root}/levels")
    first = warm.sort("start_ns").row(0, named=True)
    cold = [start.service_time_s for start in level.cold_starts]
    outcome = Outcome(first["outcome"])
    return SingleExecution(
        workflow_type=workload.family,
        workflow_complexity=workload.complexity,
        success=outcome is Outcome.OK,
        outcome=outcome.name.lower(),
        error_class=ErrorClass(first["error_class"]).name.lower(),
        latency=(first["end_ns"] - first["start_ns"]) / 1e9,
        cold_start_latency=cold[0] if cold else None,
        run_id=metrics.run_id,
    )
