"""The table that a run is known by: one row a level, validity and samples beside every number."""

from __future__ import annotations

from dataclasses import astuple, dataclass, replace
from typing import TYPE_CHECKING

from perf_pipeline.analysis.targets import MIN_TAIL_SAMPLES
from perf_pipeline.report.level.bottleneck import bottleneck_fact
from perf_pipeline.report.text import escape, labels, quantity
from perf_pipeline.report.text.table import Cell, Table, measured, number, say_once

if TYPE_CHECKING:
    from perf_pipeline.metrics.types.level import LevelMetrics, Percentile, ServiceTimes
    from perf_pipeline.metrics.types.run_metrics import RunMetrics

WEAK = "weak"
PERCENTILES = (0.5, 0.9, 0.99)
NO_INTERVAL = "no interval"
"""There are samples enough, but too few stretches of time to compare."""


@dataclass(frozen=True)
class HeadlineRow:
    """One level in one line of plain text, for a terminal.

    Attributes:
        level: Its label; an arm and a repeat say so.
        concurrency: Workflows in flight that were wanted.
        validity: Whether the numbers are a measurement.
        samples: Workflows that ended in the steady phase.
        throughput: Ended ok per second.
        times: What the times are: ``service`` or, of an open level, ``response``.
        average: Mean time.
        p50: Median time; ``≥`` where it lies among workflows that had not ended, ``*``
            where fewer than 10 samples lie beyond it.
        p90: Likewise.
        p99: Likewise.
        errors: Ended not ok, percent.
        in_flight_median: Median number in flight over the steady phase.
    """

    level: str
    concurrency: str
    validity: str
    samples: str
    throughput: str
    times: str
    average: str
    p50: str
    p90: str
    p99: str
    errors: str
    in_flight_median: str

    @property
    def cells(self) -> tuple[str, ...]:
        """The values in the order of ``HEADLINE_COLUMNS``."""
        return astuple(self)


HEADLINE_COLUMNS = (
    "level",
    "N",
    "validity",
    "samples",
    "throughput",
    "times",
    "average",
    "p50",
    "p90",
    "p99",
    "errors",
    "in flight",
)

NOTE = (
    "Service time (closed loop): from handing a workflow to the target until its checked answer. "
    "≥: the percentile lies among workflows that had not ended, so the true value is this or more. "
    "*: fewer than 10 samples lie beyond it. "
    "In flight is the median over the steady phase; N is what was wanted. Samples: workflows that "
    "the times are of, here those that ended in the steady phase; not ended were in flight at its "
    "end."
)


OPEN_NOTE = (
    "Response time (open loop): from the moment at which a workflow was to start, so the wait "
    "before its start is in it. N is then the most that may be in flight, and samples are the "
    "workflows that were to start in the steady phase and were answered."
)
MORE_NOTE = "Memory: the most that the target's workers held together."
INTERVAL_NOTE = (
    "In brackets below a value: its 95 % interval; where there are too few samples, how many it "
    "would take; no interval: too few stretches of time to compare. A bound (≥) and the "
    "average have none."
)


def headline_table(metrics: RunMetrics) -> list[HeadlineRow]:
    """Return one row of plain text a level, in the order in which they ran."""
    return [_plain_row(level) for level in metrics.levels]


def interval_rows(metrics: RunMetrics) -> list[dict[str, str]]:
    """Return what stands below the values of ``headline_table``, row by row.

    Returns:
        Column to the 95 % interval of its value, or to how many samples it would take; a column
        of which nothing is to be said is missing.
    """
    return [_below(level) for level in metrics.levels]


def headline(metrics: RunMetrics) -> Table:
    """Return the closed levels of a run side by side; no row without any."""
    columns = (
        *("Level", "N", "In flight", "Validity", "Samples", "Not ended"),
        *("Throughput", "Errors", "Average", "p50", "p90", "p99"),
        *("Memory", "Limited by"),
    )
    rows = tuple(_row(level) for level in metrics.levels if level.loop == "closed")
    note = f"{NOTE} {INTERVAL_NOTE} {MORE_NOTE}"
    return Table("Closed loop: so many in flight at all times", columns, rows, note=note)


def percentile_cell(times: ServiceTimes, p: float) -> Cell:
    """Return a percentile, with a warning when too few samples lie beyond it."""
    found = _percentile(times, p)
    if found is None or found.value_s is None:
        return Cell(quantity.NOT_MEASURED, "quiet", why_no_time(times))
    shown = ("≥ " if found.at_least else "") + quantity.seconds(found.value_s)
    if found.samples_beyond < MIN_TAIL_SAMPLES:
        return number(shown, f"{WEAK}: {found.samples_beyond} beyond, {_lacks(times, found)}")
    return number(shown, _interval_of(found))


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
    interval = _interval(level.throughput_low_per_s, level.throughput_high_per_s, "/s")
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


def why_no_time(times: ServiceTimes) -> str:
    """Return why there is no service time, as far as the samples tell."""
    if times.samples:
        return "not given by the metrics"
    if times.in_flight_at_end:
        return "nothing ended in the steady phase"
    return "no workflow in the steady phase"


def memory_cell(level: LevelMetrics) -> Cell:
    """Return the most memory that the target's workers held."""
    peak_mb = level.resources.of("workers").pss_peak_mb
    why = level.not_measured.get("peak_memory_mb", "no sample was taken")
    return measured(peak_mb, quantity.megabytes, escape.visible(why))


def _row(level: LevelMetrics) -> tuple[Cell, ...]:
    times = level.service_times
    row = (
        Cell(labels.level_name(level), note=labels.executor(level)),
        number(quantity.count(level.concurrency)),
        in_flight_cell(level),
        labels.validity_of(level),
        samples_cell(times),
        unended_cell(times),
        throughput_cell(level),
        error_cell(level),
        average_cell(times),
        *(percentile_cell(times, p) for p in PERCENTILES),
        memory_cell(level),
        _limited_cell(level),
    )
    return say_once(row)


def _limited_cell(level: LevelMetrics) -> Cell:
    if level.bottleneck is None:
        return Cell("not told", "quiet")
    return replace(bottleneck_fact(level.bottleneck).cell, note="")


def _plain_row(level: LevelMetrics) -> HeadlineRow:
    times = level.response_times or level.service_times
    p50, p90, p99 = (_plain(percentile_cell(times, p)) for p in PERCENTILES)
    return HeadlineRow(
        level=labels.level_name(level),
        concurrency=quantity.count(level.concurrency),
        validity=labels.validity_of(level).text,
        samples=quantity.count(times.samples),
        throughput=throughput_cell(level).text,
        times="response" if level.response_times else "service",
        average=average_cell(times).text,
        p50=p50,
        p90=p90,
        p99=p99,
        errors=error_cell(level).text,
        in_flight_median=in_flight_cell(level).text,
    )


def _interval(low: float | None, high: float | None, unit: str) -> str:
    """Return a 95 % interval; one without an upper end lies among what had not ended."""
    if low is None:
        return ""
    if high is None:
        return f"[{quantity.of_unit(low, unit)} or more]"
    return f"[{quantity.between(low, high, unit)}]"


def _interval_of(found: Percentile) -> str:
    """Return a percentile's interval, or that there is none; a bound is not asked for one."""
    interval = _interval(found.low_s, found.high_s, "s")
    return interval or ("" if found.at_least else NO_INTERVAL)


def _lacks(times: ServiceTimes, found: Percentile) -> str:
    """Return what a percentile with too few beyond it lacks: more workflows, or more answers."""
    needed = found.samples_needed or quantity.samples_needed(found.p)
    if times.in_flight_at_end and times.samples + times.in_flight_at_end >= needed:
        return "too many not ended"
    return f"needs {quantity.count(needed)} samples"


def _below(level: LevelMetrics) -> dict[str, str]:
    times = level.response_times or level.service_times
    found = {}
    if level.throughput_per_s is not None:
        ends = (level.throughput_low_per_s, level.throughput_high_per_s)
        found["throughput"] = _interval(*ends, "/s") or NO_INTERVAL
    for p in times.percentiles:
        if p.value_s is not None:
            few = _lacks(times, p) if p.samples_beyond < MIN_TAIL_SAMPLES else ""
            found[f"p{round(100 * p.p)}"] = few or _interval_of(p)
    return found


def _plain(cell: Cell) -> str:
    return f"{cell.text} *" if WEAK in cell.note else cell.text


def _percentile(times: ServiceTimes, p: float) -> Percentile | None:
    return next((found for found in times.percentiles if abs(found.p - p) < 1e-9), None)  # noqa: PLR2004 - rounding
