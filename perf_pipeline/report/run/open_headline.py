"""The open-loop levels of a run compared: offered rate, throughput and response time."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from perf_pipeline.report.level import level_cells
from perf_pipeline.report.level.open_level import lag_cell, queue_cell
from perf_pipeline.report.run import headline
from perf_pipeline.report.text import labels, quantity
from perf_pipeline.report.text.table import Cell, Table, measured, say_once

if TYPE_CHECKING:
    from perf_pipeline.metrics.types.level import LevelMetrics
    from perf_pipeline.metrics.types.open_load import OpenLoad
    from perf_pipeline.metrics.types.run_metrics import RunMetrics

COLUMNS = (
    *("Level", "Validity", "Offered", "Achieved", "Queue", "Answered", "Not answered"),
    *("Average response", "Response p50", "Response p90", "Response p99"),
    *("Service p50", "Service p99", "Start lag p99", "Errors"),
)
NOTE = (
    "Response time: from the intended start until the result was checked, including the wait for a "
    "slot. Service time: from handing the workflow to the target. Dropped, timed-out and abandoned "
    "workflows are not answered; they are right-censored (≥). Queue: grew where departures stayed "
    "below arrivals, full where workflows were dropped. Start lag: start minus intended start, "
    "with that of the same schedule and workflows that do nothing (generator)."
)


def open_headline(metrics: RunMetrics) -> Table:
    """Return one row for each open-loop level; no row without any."""
    rows = tuple(_row(level) for level in metrics.levels if level.loop == "open")
    note = f"{NOTE} {headline.INTERVAL_NOTE}"
    return Table("Open loop: arrivals by schedule", COLUMNS, rows, note=note)


def _queue(level: LevelMetrics, load: OpenLoad) -> Cell:
    """Return whether a queue grew; the rates of arrivals and departures only where it did."""
    found = queue_cell(level, load)
    return replace(found, note="") if found.tone == "good" else found


def _row(level: LevelMetrics) -> tuple[Cell, ...]:
    load, service = level.open_load, level.service_times
    times = level.response_times
    why = "no arrival was scheduled in the steady phase"
    unknown = Cell(quantity.NOT_MEASURED, "quiet", why)
    offered = None if load is None else load.offered_per_s
    row = (
        Cell(labels.level_name(level), note=labels.executor(level)),
        labels.validity_of(level),
        measured(offered, quantity.rate, "there was no steady phase"),
        level_cells.throughput_cell(level),
        _queue(level, load) if load else unknown,
        *(
            (unknown,) * 6
            if times is None
            else (
                level_cells.samples_cell(times),
                level_cells.unended_cell(times),
                measured(times.avg_s, quantity.seconds, why),
                *(level_cells.percentile_cell(times, p) for p in level_cells.PERCENTILES),
            )
        ),
        *(level_cells.percentile_cell(service, p) for p in (0.5, 0.99)),
        lag_cell(load) if load else unknown,
        level_cells.error_cell(level),
    )
    return say_once(row)
