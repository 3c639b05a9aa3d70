"""The table that a run is known by: one row a level, validity and samples beside every number."""

from __future__ import annotations

from dataclasses import astuple, dataclass, replace
from typing import TYPE_CHECKING

from perf_pipeline.analysis.targets import sends_requests
from perf_pipeline.report.level.bottleneck import bottleneck_fact
from perf_pipeline.report.level.level_cells import (
    NO_INTERVAL,
    PERCENTILES,
    WEAK,
    average_cell,
    cpu_cell,
    error_cell,
    in_flight_cell,
    interval_of,
    interval_text,
    memory_cell,
    percentile_cell,
    samples_cell,
    samples_lacking,
    throughput_cell,
    unended_cell,
)
from perf_pipeline.report.text import labels, quantity
from perf_pipeline.report.text.table import Cell, Table, number, say_once

if TYPE_CHECKING:
    from perf_pipeline.metrics.types.level import LevelMetrics
    from perf_pipeline.metrics.types.run_metrics import RunMetrics


@dataclass(frozen=True)
class HeadlineRow:
    """One level in one line of plain text, for a terminal.

    Attributes:
        level: Its label; an arm and a repeat say so.
        concurrency: Planned number of workflows in flight.
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
        cpu: CPU time of the target's worker processes per workflow that ended ok.
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
    cpu: str
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
    "CPU each",
    "in flight",
)

NOTE = (
    "Service time (closed loop): from handing a workflow to the target until its checked answer. "
    "≥: the percentile lies among workflows that had not ended, so the true value is this or more. "
    "*: fewer than 10 samples lie beyond it. "
    "CPU each: CPU time of the target's worker processes per workflow that ended ok, which other "
    "programs on the machine hardly change. "
    "In flight is the median over the steady phase; N is the planned number. Samples: workflows "
    "in these times, here those that ended in the steady phase; not ended: in flight at its end."
)


OPEN_NOTE = (
    "Response time (open loop): from the moment at which a workflow was to start, so the wait "
    "before its start is in it. N is then the maximum in flight, and samples are the "
    "workflows that were to start in the steady phase and were answered."
)
MORE_NOTE = "Memory: the peak of the target's workers together."
SENDERS_NOTE = (
    "CPU each and memory are those of the processes that send the requests, and not of the server."
)
INTERVAL_NOTE = (
    "In brackets below a value: its 95 % interval; where there are too few samples, how many it "
    "would take; no interval: too few batches of time to compare. A bound (≥) and the "
    "average have none."
)


def headline_table(metrics: RunMetrics) -> list[HeadlineRow]:
    """Return one row of plain text a level, in the order in which they ran."""
    return [_plain_row(level) for level in metrics.levels]


def interval_rows(metrics: RunMetrics) -> list[dict[str, str]]:
    """Return what is shown below the values of ``headline_table``, row by row.

    Returns:
        Column to the 95 % interval of its value, or to how many samples it would take; a column
        without either is missing.
    """
    return [_below(level) for level in metrics.levels]


def headline(metrics: RunMetrics) -> Table:
    """Return the closed levels of a run side by side; no row without any."""
    columns = (
        *("Level", "N", "In flight", "Validity", "Samples", "Not ended"),
        *("Throughput", "Errors", "Average", "p50", "p90", "p99"),
        *("CPU each", "Memory", "Limited by"),
    )
    rows = tuple(_row(level) for level in metrics.levels if level.loop == "closed")
    note = f"{NOTE} {INTERVAL_NOTE} {MORE_NOTE}{senders_note(metrics)}"
    return Table("Closed loop: so many in flight at all times", columns, rows, note=note)


def senders_note(metrics: RunMetrics) -> str:
    """Return what is not the server's in a run that sends requests to one; else nothing."""
    return f" {SENDERS_NOTE}" if any(map(sends_requests, metrics.levels)) else ""


def _row(level: LevelMetrics) -> tuple[Cell, ...]:
    times = level.service_times
    think = f"users, {level.thinking.planned}" if level.thinking else ""
    row = (
        Cell(labels.level_name(level), note=labels.executor(level)),
        number(quantity.count(level.concurrency), think),
        in_flight_cell(level),
        labels.validity_of(level),
        samples_cell(times),
        unended_cell(times),
        throughput_cell(level),
        error_cell(level),
        average_cell(times),
        *(percentile_cell(times, p) for p in PERCENTILES),
        cpu_cell(level),
        memory_cell(level),
        _limited_cell(level),
    )
    return say_once(row)


def _limited_cell(level: LevelMetrics) -> Cell:
    if level.bottleneck is None:
        return Cell("the target failed" if level.has_failed_target else "not known", "quiet")
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
        cpu=cpu_cell(level).text,
        in_flight_median=in_flight_cell(level).text,
    )


def _below(level: LevelMetrics) -> dict[str, str]:
    times = level.response_times or level.service_times
    found = {}
    if level.throughput_per_s is not None:
        ends = (level.throughput_low_per_s, level.throughput_high_per_s)
        found["throughput"] = interval_text(*ends, "/s") or NO_INTERVAL
    cpu = level.cpu_per_workflow
    if cpu is not None and cpu.low_s is not None:
        found["CPU each"] = interval_text(cpu.low_s, cpu.high_s, "s")
    for p in times.percentiles:
        if p.value_s is not None:
            few = samples_lacking(times, p) if p.is_weak else ""
            found[p.name] = few or interval_of(p)
    return found


def _plain(cell: Cell) -> str:
    return f"{cell.text} *" if WEAK in cell.note else cell.text
