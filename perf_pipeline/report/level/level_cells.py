"""Values of a load level as table cells, each with its interval or why it is missing."""

from __future__ import annotations

from typing import TYPE_CHECKING

from perf_pipeline.metrics.types.cpu_use import TOO_SHORT
from perf_pipeline.report.text import escape, quantity
from perf_pipeline.report.text.table import Cell, measured, number

if TYPE_CHECKING:
    from perf_pipeline.metrics.types.level import LevelMetrics
    from perf_pipeline.metrics.types.service_times import Percentile, ServiceTimes

WEAK = "weak"


PERCENTILES = (0.5, 0.9, 0.99)
"""Those of tables that compare levels."""

ALL_PERCENTILES = (0.5, 0.9, 0.95, 0.99, 0.999)
"""Those of a level's own tables."""


def percentile_cell(times: ServiceTimes, p: float) -> Cell:
    """Return a percentile, with a warning when too few samples lie beyond it."""
    found = times.percentile(p)
    if found is None or found.value_s is None:
        return Cell(quantity.NOT_MEASURED, "quiet", why_no_time(times))
    shown = ("≥ " if found.at_least else "") + quantity.seconds(found.value_s)
    if found.is_weak:
        return number(
            shown, f"{WEAK}: {found.samples_beyond} beyond, {samples_lacking(times, found)}"
        )
    return number(shown, interval_of(found))


def average_cell(times: ServiceTimes) -> Cell:
    """Return the mean service time."""
    return measured(times.avg_s, quantity.seconds, why_no_time(times))


def samples_cell(times: ServiceTimes) -> Cell:
    """Return how many workflows ended in the steady phase."""
    return number(quantity.count(times.samples))


def unended_cell(times: ServiceTimes) -> Cell:
    """Return how many workflows were still in flight at the end of the steady phase."""
    return number(quantity.count(times.in_flight_at_end))


def throughput_cell(level: LevelMetrics) -> Cell:
    """Return the workflows that ended ok per second of the steady phase."""
    why = level.not_measured.get("throughput", "there was no steady phase")
    if level.throughput_per_s is None:
        return measured(None, quantity.rate, why)
    interval = interval_text(level.throughput_low_per_s, level.throughput_high_per_s, "/s")
    if not interval and level.throughput_interval_why:
        interval = f"no interval: {escape.visible(level.throughput_interval_why)}"
    return number(quantity.rate(level.throughput_per_s), interval)


def error_cell(level: LevelMetrics) -> Cell:
    """Return the share of workflows that ended not ok, in percent."""
    ratio = level.error_ratio
    why = level.not_measured.get("error_rate", why_no_time(level.service_times))
    return measured(None if ratio is None else 100 * ratio, quantity.percent, why)


def in_flight_cell(level: LevelMetrics) -> Cell:
    """Return the median number in flight."""
    return measured(level.in_flight.median, quantity.count, "there was no steady phase")


def cpu_cell(level: LevelMetrics) -> Cell:
    """Return the CPU time of the target's workers per workflow, with its interval."""
    found = level.cpu_per_workflow
    if found is None or found.seconds is None:
        why = "there was no steady phase" if found is None else found.why_not
        shown = TOO_SHORT if why.startswith(TOO_SHORT) else quantity.NOT_MEASURED
        return Cell(shown, "quiet", escape.visible(why))
    interval = interval_text(found.low_s, found.high_s, "s")
    of = f"of {quantity.counted(found.workflows, 'workflow')}"
    return number(quantity.seconds(found.seconds), " ".join(filter(None, (interval, of))))


def why_no_time(times: ServiceTimes) -> str:
    """Return the reason for a missing service time, as far as the counts of samples show it."""
    if times.samples:
        return "not given by the metrics"
    if times.in_flight_at_end:
        return "nothing ended in the steady phase"
    return "no workflow in the steady phase"


def memory_cell(level: LevelMetrics) -> Cell:
    """Return the peak memory of the target's worker processes (sum of their PSS)."""
    peak_mb = level.resources.workers_pss_peak_mb
    why = level.not_measured.get("peak_memory_mb", "no sample was taken")
    return measured(peak_mb, quantity.megabytes, escape.visible(why))


def interval_text(low: float | None, high: float | None, unit: str) -> str:
    """Return a 95 % interval as text; without an upper end, that end is right-censored."""
    if low is None:
        return ""
    if high is None:
        return f"[{quantity.of_unit(low, unit)} or more]"
    return f"[{quantity.between(low, high, unit)}]"


def interval_of(found: Percentile) -> str:
    """Return the interval of a percentile, or "no interval"; empty for a lower bound."""
    interval = interval_text(found.low_s, found.high_s, "s")
    return interval or ("" if found.at_least else NO_INTERVAL)


def samples_lacking(times: ServiceTimes, found: Percentile) -> str:
    """Return what a weak percentile needs: more samples, or fewer workflows that did not end."""
    needed = found.samples_needed or quantity.samples_needed(found.p)
    if times.in_flight_at_end and times.samples + times.in_flight_at_end >= needed:
        return "too many not ended"
    return f"needs {quantity.count(needed)} samples"


NO_INTERVAL = "no interval"
"""Shown where there are enough samples, but too few batches of time to compare."""
