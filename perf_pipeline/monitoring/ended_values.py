"""The figures of a measured run or campaign, as its report shows them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from perf_pipeline.monitoring.sample import Sample

if TYPE_CHECKING:
    from collections.abc import Iterator

    from perf_pipeline.metrics.types.fault.recovery import FaultRecovery
    from perf_pipeline.metrics.types.level import LevelMetrics
    from perf_pipeline.metrics.types.run_metrics import RunMetrics
    from perf_pipeline.samples.campaign.verdicts import Verdicts


def run_values(metrics: RunMetrics, folders: dict[int, str]) -> Iterator[Sample]:
    """Return the figures of a run's levels.

    Args:
        metrics: Of the run.
        folders: Index of a level to the name of its folder.
    """
    for level in metrics.levels:
        yield from _level(level, folders.get(level.index, level.label))
        for fault in level.recovery.faults if level.recovery else ():
            yield from _recovery(fault)


def _level(level: LevelMetrics, name: str) -> Iterator[Sample]:
    yield Sample("loadtest_level_validity", (name, level.validity), 1)
    cpu = level.cpu_per_workflow
    figures = {
        "loadtest_level_throughput_per_second": level.throughput_per_s,
        "loadtest_level_error_ratio": level.error_ratio,
        "loadtest_level_cpu_seconds_per_workflow": cpu.seconds if cpu else None,
    }
    for metric, value in figures.items():
        if value is not None:
            yield Sample(metric, (name,), value)
    for one in level.service_times.percentiles:
        if one.value_s is not None and not one.is_weak:
            yield Sample(
                "loadtest_level_service_time_seconds", (name, f"{100 * one.p:g}"), one.value_s
            )
    for verdict in level.slos:
        about = f"{verdict.slo.text} of {verdict.family}" if verdict.family else verdict.slo.text
        yield Sample("loadtest_objective_verdict", (name, about, verdict.verdict), 1)


def _recovery(fault: FaultRecovery) -> Iterator[Sample]:
    labels = (fault.kind, fault.server)
    yield Sample("loadtest_fault_verdict", (*labels, fault.verdict), 1)
    if fault.time_to_recover_s is not None:
        yield Sample("loadtest_recovery_seconds", labels, fault.time_to_recover_s.value)
    if fault.lost_service_s is not None:
        yield Sample("loadtest_lost_service_seconds", labels, fault.lost_service_s.value)
    for when in ("before", "during", "after"):
        ratio = getattr(fault.retries, when, None)
        if ratio is not None:
            yield Sample("loadtest_retry_amplification_ratio", (*labels, when), ratio)


def campaign_values(verdicts: Verdicts) -> Iterator[Sample]:
    """Return what the hours of a campaign prove."""
    for one in verdicts.leaks:
        yield Sample("loadtest_leak_verdict", (one.name, one.verdict), 1)
        if one.growth_per_hour is not None and one.interval is not None:
            low, high = one.interval
            yield Sample("loadtest_leak_growth_per_hour", (one.name,), one.growth_per_hour)
            yield Sample("loadtest_leak_growth_per_hour_lower", (one.name,), low)
            yield Sample("loadtest_leak_growth_per_hour_upper", (one.name,), high)
    for loss in verdicts.degradation:
        if loss.loss is not None and loss.interval is not None:
            low, high = loss.interval
            yield Sample("loadtest_degradation_ratio", (loss.metric,), loss.loss)
            yield Sample("loadtest_degradation_ratio_lower", (loss.metric,), low)
            yield Sample("loadtest_degradation_ratio_upper", (loss.metric,), high)
