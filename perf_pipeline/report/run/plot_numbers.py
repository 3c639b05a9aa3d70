"""Numbers of a run that an orchestrator plots over runs, each under a label that never changes.

A plot has no room for a validity, so its label says all that a line must not mix: quantity,
scenario, level, target. ``metric_history`` draws the same with the validity marked.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from perf_pipeline.report.text import escape

if TYPE_CHECKING:
    from perf_pipeline.metrics.types.level import LevelMetrics
    from perf_pipeline.metrics.types.run_metrics import RunMetrics
    from perf_pipeline.metrics.types.service_times import ServiceTimes


def plot_label(quantity: str, scenario: str, level: LevelMetrics) -> str:
    """Return the label under which the UI plots a number over runs."""
    again = f" repeat {level.repeat + 1}" if level.repeat else ""
    of = f"{escape.name(scenario)} {escape.name(level.label)}{again} {escape.name(level.target)}"
    return f"{quantity}: {of}"


def plot_numbers(metrics: RunMetrics) -> dict[str, float]:
    """Return the numbers that are plotted, by label.

    A P99 that is a lower bound, or has too few samples beyond it, is left out.
    """
    numbers: dict[str, float] = {}
    scenario = metrics.manifest.scenario
    for level in metrics.levels:
        cpu = level.cpu_per_workflow
        known: dict[str, float | None] = {
            "throughput_per_s": level.throughput_per_s,
            "service_time_avg_s": level.service_times.avg_s,
            "service_time_p99_s": _graded_p99_s(level.service_times),
            "error_ratio": level.error_ratio,
            "cpu_per_workflow_s": None if cpu is None else cpu.seconds,
            "memory_mb": level.resources.workers_pss_peak_mb,
            "samples": float(level.service_times.samples),
            "valid": float(level.validity == "valid"),
        }
        if level.open_load is not None:
            known["offered_per_s"] = level.open_load.offered_per_s
        if level.response_times is not None:
            known["response_time_avg_s"] = level.response_times.avg_s
            known["response_time_p99_s"] = _graded_p99_s(level.response_times)
        for quantity, value in known.items():
            if value is not None:
                label = plot_label(quantity, scenario, level)
                numbers[label] = value
    return numbers


def _graded_p99_s(times: ServiceTimes) -> float | None:
    p99 = times.p99
    return None if p99.at_least or p99.is_weak else p99.value_s
