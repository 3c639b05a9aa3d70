"""Every metric of a load level as a flat list of values, for whatever compares levels or runs."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from perf_pipeline.config.slo.verdict import MIN_TAIL_SAMPLES

if TYPE_CHECKING:
    from collections.abc import Iterator

    from perf_pipeline.metrics.types.level import LevelMetrics
    from perf_pipeline.metrics.types.service_times import Percentile, ServiceTimes

Unit = Literal["/s", "s", "MB", "ratio", "%"]

HIGHER_IS_BETTER = frozenset({"throughput_per_s"})
"""Metrics of which more is better; of all others less is. But see ``NEUTRAL``."""

NEUTRAL = frozenset(
    {
        "cpu_mean_percent",
        "cpu_peak_percent",
        "disk_read_mb",
        "disk_write_mb",
        "network_sent_mb",
        "network_recv_mb",
    }
)
"""Metrics of which neither more nor less is better: they are of the whole phase, so that a target
that executes more workflows in it has more of them."""


@dataclass(frozen=True)
class LevelValue:
    """One metric of a load level, or of one kind of workflow in it.

    Attributes:
        metric: ``throughput_per_s``, ``avg_s``, ``p99_s``, ``cpu_per_workflow_s``,
            ``memory_peak_mb``, ``error_ratio``, ...
        unit: ``/s``, ``s``, ``MB``, ``ratio`` or ``%``.
        family: The kind of workflow, ``analytics/simple``; empty for all together.
        value: None if it was not measured.
        low: Lower end of the 95 % interval within the level; None where there is none.
        high: Upper end, likewise.
        samples: Workflows behind the value; of a resource, samples of the resource monitor.
        doubt: Why the value cannot be compared although it is one: it is a lower bound, or fewer
            than 10 samples lie beyond a percentile; empty if it can.
    """

    metric: str
    unit: Unit
    family: str
    value: float | None
    low: float | None
    high: float | None
    samples: int
    doubt: str = ""

    @property
    def higher_is_better(self) -> bool:
        """The direction of the metric."""
        return self.metric in HIGHER_IS_BETTER


def level_values(level: LevelMetrics) -> tuple[LevelValue, ...]:
    """Return every metric of a level: of all workflows, of each kind, and of the resources.

    Times are response times where the level has them (open loop), else service times.
    """
    times = level.response_times or level.service_times
    low, high = level.throughput_low_per_s, level.throughput_high_per_s
    values = [
        LevelValue("throughput_per_s", "/s", "", level.throughput_per_s, low, high, times.samples),
        *_times("", times),
        _plain("error_ratio", "ratio", "", level.error_ratio, times.samples),
        *_resources(level),
    ]
    for one in level.families:
        family = "/".join(filter(None, (one.family, one.complexity)))
        samples = one.service_times.samples
        values += [
            _plain("throughput_per_s", "/s", family, one.throughput_per_s, samples),
            *_times(family, one.service_times),
            _plain("error_ratio", "ratio", family, one.error_ratio, samples),
        ]
    return tuple(values)


def _times(family: str, times: ServiceTimes) -> Iterator[LevelValue]:
    yield _plain("avg_s", "s", family, times.avg_s, times.samples)
    for one in times.percentiles:
        yield LevelValue(
            f"{one.name}_s",
            "s",
            family,
            one.value_s,
            one.low_s,
            one.high_s,
            times.samples,
            _doubt(one),
        )


def _resources(level: LevelMetrics) -> Iterator[LevelValue]:
    used, cpu = level.resources, level.cpu_per_workflow
    if cpu is not None:
        yield LevelValue(
            "cpu_per_workflow_s", "s", "", cpu.seconds, cpu.low_s, cpu.high_s, cpu.workflows
        )
    known: tuple[tuple[str, Unit, float | None], ...] = (
        ("memory_peak_mb", "MB", used.workers_pss_peak_mb),
        ("cpu_mean_percent", "%", used.workers_cpu_mean_percent),
        ("cpu_peak_percent", "%", used.workers_cpu_peak_percent),
        ("disk_read_mb", "MB", used.disk_read_mb),
        ("disk_write_mb", "MB", used.disk_write_mb),
        ("network_sent_mb", "MB", used.network_sent_mb),
        ("network_recv_mb", "MB", used.network_recv_mb),
    )
    for metric, unit, value in known:
        doubt = used.network_at_least if metric.startswith("network") else ""
        yield LevelValue(metric, unit, "", value, None, None, used.samples, doubt)


def _plain(metric: str, unit: Unit, family: str, value: float | None, samples: int) -> LevelValue:
    return LevelValue(metric, unit, family, value, None, None, samples)


def _doubt(percentile: Percentile) -> str:
    if percentile.at_least:
        return "at least this long"
    if percentile.value_s is not None and percentile.is_weak:
        return f"{percentile.samples_beyond} samples beyond, {MIN_TAIL_SAMPLES} needed"
    return ""
