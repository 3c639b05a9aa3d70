"""CPU time per workflow: what a workflow costs, whoever else uses the machine.

A neighbour takes cores from the target and so lowers its throughput; the CPU time that a workflow
needs stays nearly the same (``perf-pipeline selftest noise`` measures both).
"""

from __future__ import annotations

import math
import os
from typing import TYPE_CHECKING, Any

import numpy as np

from perf_pipeline.host.target_processes import CPU as TARGET_CPU
from perf_pipeline.metrics.resources.counters import steps
from perf_pipeline.metrics.survival.student import t_quantile
from perf_pipeline.metrics.types.cpu_use import TOO_SHORT, CpuPerWorkflow

if TYPE_CHECKING:
    from collections.abc import Sequence

    import numpy.typing as npt

    from perf_pipeline.metrics.resources.resource_samples import Sample

MAX_BATCHES = 20
MIN_BATCHES = 5
"""With fewer, the interval says more about the few batches than about the value."""

MIN_WORKFLOWS = 20

_TICKS_PER_S = os.sysconf("SC_CLK_TCK")
MIN_TICKS = 5
"""The kernel counts CPU time in ticks of 10 ms: of fewer, nothing can be told."""


def cpu_per_workflow(
    samples: Sequence[Sample], ended_ok_ns: npt.NDArray[np.int64]
) -> CpuPerWorkflow:
    """Divide the CPU time of the target by the workflows that ended ok meanwhile.

    The target is the worker processes and everything that they have started.

    The 95 % interval is that of a ratio of two sums over batches of consecutive samples. A
    workflow that ran in two batches is counted in the second alone, which makes neighbouring
    batches differ more than they do and the interval wider, not narrower.

    Args:
        samples: The monitor's lines of the steady phase.
        ended_ok_ns: int64[n], when the workflows ended ok, CLOCK_MONOTONIC, in any order.

    Source:
        Cochran, Sampling Techniques, 3rd edition, section 6.4 (variance of a ratio estimate).
    """
    counted = list(steps(samples, "workers", TARGET_CPU))
    if not counted:
        return CpuPerWorkflow(
            None, None, None, 0, None, "no two samples have the CPU time of every worker process"
        )
    ended = np.sort(ended_ok_ns)
    ends_ns = np.array([step.at_ns for step in counted])
    begins_ns = ends_ns - np.array([round(1e9 * step.elapsed_s) for step in counted])
    workflows = np.searchsorted(ended, ends_ns) - np.searchsorted(ended, begins_ns)
    cpu_s = np.array([step.growth for step in counted])
    total, spent_s = int(workflows.sum()), float(cpu_s.sum())
    if not total:
        return CpuPerWorkflow(None, None, None, 0, spent_s, "no workflow ended ok meanwhile")
    if spent_s * _TICKS_PER_S < MIN_TICKS - 0.5:
        lasted_s = sum(step.elapsed_s for step in counted)
        return CpuPerWorkflow(None, None, None, total, spent_s, _too_short(spent_s, lasted_s))
    seconds = spent_s / total
    half_s, why = _half_length(cpu_s, workflows)
    if half_s is None:
        return CpuPerWorkflow(seconds, None, None, total, spent_s, why)
    low_s, high_s = max(0.0, seconds - half_s), seconds + half_s
    return CpuPerWorkflow(seconds, low_s, high_s, total, spent_s)


def _too_short(spent_s: float, lasted_s: float) -> str:
    return (
        f"{TOO_SHORT}: {spent_s:g} s of CPU time were counted in {lasted_s:.3g} s, in steps of "
        f"{1 / _TICKS_PER_S:g} s, and at least {MIN_TICKS} steps are needed; measure for longer"
    )


def _half_length(
    cpu_s: npt.NDArray[np.float64], workflows: npt.NDArray[Any]
) -> tuple[float | None, str]:
    """Return half the 95 % interval of the ratio of the sums, or why there is none."""
    batches = min(MAX_BATCHES, len(cpu_s))
    if batches < MIN_BATCHES or workflows.sum() < MIN_WORKFLOWS:
        return None, (
            f"no interval of {workflows.sum()} workflows in {batches} batches of samples "
            f"(at least {MIN_WORKFLOWS} in {MIN_BATCHES})"
        )
    spent = np.array([part.sum() for part in np.array_split(cpu_s, batches)])
    ended = np.array([part.sum() for part in np.array_split(workflows, batches)])
    residuals = spent - spent.sum() / ended.sum() * ended
    error = math.sqrt(batches / (batches - 1) * float((residuals**2).sum())) / float(ended.sum())
    return t_quantile(0.975, batches - 1) * error, ""
