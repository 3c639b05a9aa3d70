"""Numbers of a run that an orchestrator plots over runs, each under a label that never changes.

A plot has no room for a validity, so its label says all that a line must not mix: quantity,
scenario, level, target without its release, and whether the level is valid. ``metric_history``
draws the same with the validity marked.
"""

from __future__ import annotations

import re
from statistics import median
from typing import TYPE_CHECKING

from perf_pipeline.report.text import escape, quantity

if TYPE_CHECKING:
    from perf_pipeline.metrics.types.level import LevelMetrics
    from perf_pipeline.metrics.types.run_metrics import RunMetrics
    from perf_pipeline.metrics.types.service_times import ServiceTimes

DIGITS = 3
_RELEASE = re.compile(r"==[^+@]*")


def plot_label(what: str, scenario: str, level: LevelMetrics) -> str:
    """Return the label under which the UI plots a number over runs."""
    target = _RELEASE.sub("", level.target)
    doubt = "" if level.validity == "valid" else ", not valid"
    of = f"{escape.name(scenario)} {escape.name(level.label)} {escape.name(target)}"
    return f"{what}: {of}{doubt}"


def plot_numbers(metrics: RunMetrics) -> dict[str, float]:
    """Return the numbers that are plotted, by label, with three significant digits.

    Of repeats the median. A P99 that is a lower bound, or has too few samples beyond it, is left
    out, and a CPU time below the kernel's clock tick; of a target that failed there is the error
    ratio alone.
    """
    found: dict[str, list[float]] = {}
    for level in metrics.levels:
        for what, value in _known(level).items():
            if value is not None:
                label = plot_label(what, metrics.manifest.scenario, level)
                found.setdefault(label, []).append(value)
    return {label: quantity.rounded(median(values), DIGITS) for label, values in found.items()}


def _known(level: LevelMetrics) -> dict[str, float | None]:
    if level.has_failed_target:
        return {"error_ratio": level.error_ratio}
    times, which = level.service_times, "service_time"
    if level.response_times is not None:
        times, which = level.response_times, "response_time"
    cpu = level.cpu_per_workflow
    return {
        "throughput_per_s": level.throughput_per_s,
        f"p99_{which}_s": _graded_p99_s(times),
        "cpu_per_workflow_ms": None if cpu is None or not cpu.seconds else 1000 * cpu.seconds,
        "error_ratio": level.error_ratio,
    }


def _graded_p99_s(times: ServiceTimes) -> float | None:
    p99 = times.p99
    return None if p99.at_least or p99.is_weak else p99.value_s
