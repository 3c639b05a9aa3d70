"""Service times, response times and cold starts of one load level, as tables."""

from __future__ import annotations

from statistics import median
from typing import TYPE_CHECKING

from perf_pipeline.report.level import level_cells
from perf_pipeline.report.text import escape, labels, quantity
from perf_pipeline.report.text.table import Cell, Table, measured, number, say_once

if TYPE_CHECKING:
    from perf_pipeline.metrics.types.level import LevelMetrics
    from perf_pipeline.metrics.types.records import ColdStart
    from perf_pipeline.metrics.types.service_times import ServiceTimes

SERVICE_TIMES = (
    "From handing a workflow to the target until its result was checked. The average is time in "
    "flight / workflows ended, so workflows that never ended count as well. Min is over workflows "
    "that ended, max over all."
)
OPEN_SAMPLES = (
    " Samples of service times are workflows that ended in the steady phase; samples of response "
    "times are workflows whose intended start lies in it. The two counts differ by the workflows "
    "in flight at its ends."
)
RESPONSE_TIMES = (
    "From the intended start until the result was checked, including the wait for a slot. Dropped, "
    "timed-out and abandoned workflows are right-censored: they count as at least this long."
)
_PERCENTILES = ("p50", "p90", "p95", "p99", "p99.9")


def response_times(level: LevelMetrics) -> tuple[Table, ...]:
    """Return the response times; empty for a closed-loop level, which has none."""
    times = level.response_times
    if times is None:
        return ()
    why = "no arrival was scheduled in the steady phase"
    row = (
        Cell("all"),
        level_cells.samples_cell(times),
        level_cells.unended_cell(times),
        measured(times.avg_s, quantity.seconds, why),
        measured(times.min_s, quantity.seconds, why),
        *(level_cells.percentile_cell(times, p) for p in level_cells.ALL_PERCENTILES),
        measured(times.max_s, quantity.seconds, why),
    )
    heads = ("Workflows", "Answered", "Not answered", "Average", "min", *_PERCENTILES, "max")
    title, basis = "Response time (open loop)", quantity.counted(times.samples, "workflow")
    return (Table(title, heads, (say_once(row),), level.validity, basis, RESPONSE_TIMES),)


def service_times(level: LevelMetrics) -> Table:
    """Return the service times of all workflows and of each kind."""
    heads = ("Workflows", "Samples", "Not ended", "Throughput", "Errors", "Average")
    columns = (*heads, "min", *_PERCENTILES, "max")
    head = (level_cells.throughput_cell(level), level_cells.error_cell(level))
    rows = [_times_row("all", level.service_times, head)]
    for family in level.families:
        errors = None if family.error_ratio is None else 100 * family.error_ratio
        head = (
            measured(family.throughput_per_s, quantity.rate, "there was no steady phase"),
            measured(errors, quantity.percent, "no workflow ended"),
        )
        name = escape.name(f"{family.family} {family.complexity}".strip())
        rows.append(_times_row(name, family.service_times, head))
    basis = quantity.counted(level.service_times.samples, "workflow")
    title = f"{labels.service_time(level)} in the steady phase"
    note = SERVICE_TIMES + (OPEN_SAMPLES if level.loop == "open" else "")
    return Table(title, columns, tuple(rows), level.validity, basis, note)


def _times_row(name: str, times: ServiceTimes, head: tuple[Cell, Cell]) -> tuple[Cell, ...]:
    why = level_cells.why_no_time(times)
    row = (
        Cell(name),
        level_cells.samples_cell(times),
        level_cells.unended_cell(times),
        *head,
        level_cells.average_cell(times),
        measured(times.min_s, quantity.seconds, why),
        *(level_cells.percentile_cell(times, p) for p in level_cells.ALL_PERCENTILES),
        measured(times.max_s, quantity.seconds, why),
    )
    return say_once(row)


def cold_starts(level: LevelMetrics) -> tuple[Table, ...]:
    """Return the first executions of each kind of workflow in a process; empty without any."""
    kinds: dict[str, list[ColdStart]] = {}
    for start in level.cold_starts:
        kinds.setdefault(f"{start.family} {start.complexity}", []).append(start)
    rows = []
    for kind, starts in kinds.items():
        times = [start.service_time_s for start in starts]
        failed = sum(start.outcome != "ok" for start in starts)
        spread = (min(times), median(times), max(times))
        cells = (number(quantity.seconds(value)) for value in spread)
        rows.append(
            (Cell(escape.name(kind)), number(quantity.count(len(starts))), *cells, _failed(failed))
        )
    if not rows:
        return ()
    columns = ("First execution of", "Processes", "min", "median", "max", "Not ok")
    basis = quantity.counted(len(level.cold_starts), "cold start")
    note = "The first execution of each kind of workflow in each process; excluded elsewhere."
    return (Table("Cold starts", columns, tuple(rows), level.validity, basis, note),)


def _failed(failed: int) -> Cell:
    return Cell(quantity.count(failed), "bad" if failed else "number")
