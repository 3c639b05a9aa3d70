"""The metrics that are compared: direction, unit, and how large a change of each matters."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from perf_pipeline.metrics.types.comparison import Effect


@dataclass(frozen=True)
class ComparedMetric:
    """How one metric is compared.

    Attributes:
        name: As in ``Change.metric``.
        shown: Name in sentences.
        unit: ``/s``, ``s``, ``MB`` or ``ratio``.
        higher_is_better: Its direction.
        kind: ``difference`` of a metric that may be 0, else ``ratio``.
        matters: The smallest change that must not be missed: an interval that contains both
            no change and this one decides nothing. Relative, or the difference.
        negligible: The largest change that is none, however certain it is; likewise.
        run_spread: Relative standard deviation between like runs that is assumed where too few
            runs show it.
        advice: What to do about a regression.
    """

    name: str
    shown: str
    unit: str
    advice: str
    higher_is_better: bool = False
    kind: Effect = "ratio"
    matters: float = 0.05
    negligible: float = 0.01
    run_spread: float = 0.05


_TIMES = "compare the kinds of workflow and the waits of the level in both reports"
_TAIL = "look in the newer report for the waits of the slowest workflows (pool, servers, GC)"

METRICS = {
    metric.name: metric
    for metric in (
        ComparedMetric(
            "throughput_per_s",
            "throughput",
            "/s",
            "compare the bottleneck of the level in both reports",
            higher_is_better=True,
        ),
        ComparedMetric("avg_s", "average latency", "s", _TIMES),
        ComparedMetric("p50_s", "P50 latency", "s", _TIMES),
        ComparedMetric("p90_s", "P90 latency", "s", _TIMES),
        ComparedMetric("p95_s", "P95 latency", "s", _TAIL, matters=0.10),
        ComparedMetric("p99_s", "P99 latency", "s", _TAIL, matters=0.10, run_spread=0.10),
        ComparedMetric(
            "cpu_per_workflow_s",
            "CPU time per workflow",
            "s",
            "the target itself does more work: profile it, and compare its packages",
        ),
        ComparedMetric(
            "memory_peak_mb",
            "peak memory",
            "MB",
            "look in the newer report whether it goes on growing, which is a leak",
        ),
        ComparedMetric(
            "error_ratio",
            "error ratio",
            "ratio",
            "read the error classes and their examples in the newer report",
            kind="difference",
            matters=0.01,
            negligible=0.001,
        ),
    )
}

PRIMARY = ("throughput_per_s", "cpu_per_workflow_s", "error_ratio")
"""The metrics of a closed level that decide, all kinds of workflow together."""

OPTIONAL = "cpu_per_workflow_s"
"""The primary metric that neither side needs to have."""

PRIMARY_OPEN = ("avg_s", "cpu_per_workflow_s", "error_ratio")
"""Likewise of an open level, whose throughput is the arrival rate while the target keeps up."""


def scale_of(
    name: str, unit: str, *, higher_is_better: bool, kind: Effect | None = None
) -> ComparedMetric:
    """Return how much a metric matters; a history has metrics that no comparison has.

    Args:
        name: Of the metric.
        unit: Of its values.
        higher_is_better: Its direction.
        kind: What the effects are that are known of it; None for the metric's own.
    """
    metric = METRICS.get(name) or ComparedMetric(name, name, unit, "", higher_is_better)
    return metric if kind in (None, metric.kind) else replace(metric, kind=kind)
