"""The limits that users know, and the grades of the key performance indicators."""

from __future__ import annotations

from typing import TYPE_CHECKING

from perf_pipeline.report import headline, quantity, text, words
from perf_pipeline.report.table import Cell, Table, number, say_once

if TYPE_CHECKING:
    from perf_pipeline.metrics.level import KpiGrade, LevelMetrics, TargetRow
    from perf_pipeline.metrics.run_metrics import RunMetrics

IMPLIED = (
    "Implied rate: in a closed loop throughput = N / average service time (Little's law), so a "
    "limit on the average asks for this rate at the same time; the sharper of the two decides."
)
GRADES = (
    "Marginal lies between acceptable and poor. A percentile is graded only when at least 10 "
    "samples lie beyond it. Grades are a reading aid: they decide no exit code."
)


def target_tables(metrics: RunMetrics) -> tuple[Table, ...]:
    """Return the tables of targets in the order in which they came, one row a limit."""
    columns = ("Level", "Validity", "Samples", "What", "Value", "Limit", "Implied rate", "Verdict")
    tables: list[Table] = []
    for table in dict.fromkeys(row.table for row in metrics.targets):
        rows = tuple(_target(metrics, row) for row in metrics.targets if row.table == table)
        title = words.TARGET_TABLES.get(table, text.name(table))
        tables.append(Table(title, columns, rows, note="" if tables else IMPLIED))
    return tuple(tables)


def kpi_table(metrics: RunMetrics) -> Table:
    """Return one row a level and one column an indicator."""
    indicators = tuple(dict.fromkeys(kpi.what for kpi in metrics.kpis))
    grades = {(kpi.level, kpi.what): kpi for kpi in metrics.kpis}
    rows = []
    for label in dict.fromkeys(kpi.level for kpi in metrics.kpis):
        cells = tuple(_grade(grades.get((label, what))) for what in indicators)
        rows.append(say_once((*_level_cells(metrics, label), *cells)))
    columns = ("Level", "Validity", "Samples", *(text.name(what) for what in indicators))
    return Table("Grades", columns, tuple(rows), note=GRADES)


def _target(metrics: RunMetrics, row: TargetRow) -> tuple[Cell, ...]:
    value = Cell(quantity.NOT_MEASURED, "quiet", _why_no_value(metrics, row))
    if row.value is not None:
        value = number(quantity.beside(row.value, row.limit, row.unit))
    limit = (">" if row.higher_is_better else "<") + " "
    implied = Cell("", "quiet")
    if row.implied_rate_per_s is not None:
        implied = number(f"> {quantity.rate(row.implied_rate_per_s)}")
    return (
        *_level_cells(metrics, row.level),
        Cell(text.name(row.what)),
        value,
        number(limit + quantity.of_unit(row.limit, row.unit)),
        implied,
        words.verdict_cell(row.verdict),
    )


def _grade(kpi: KpiGrade | None) -> Cell:
    if kpi is None:
        return Cell("not graded", "quiet")
    word = kpi.grade.replace("_", " ")
    value = "" if kpi.value is None else quantity.of_unit(kpi.value, kpi.unit)
    note = ", ".join(part for part in (value, text.visible(kpi.why)) if part)
    return Cell(word, words.grade_tone(kpi.grade), note)


def _level_cells(metrics: RunMetrics, label: str) -> tuple[Cell, Cell, Cell]:
    levels = _levels(metrics, label)
    if not levels:
        return Cell(text.name(label)), Cell("not run", "quiet"), Cell("", "quiet")
    worst = next((level for level in levels if level.validity != "valid"), levels[0])
    samples = headline.samples_cell(worst.service_times)
    return Cell(text.name(label)), words.validity_cell(worst.validity), samples


def _levels(metrics: RunMetrics, label: str) -> list[LevelMetrics]:
    return [level for level in metrics.levels if level.label == label]


def _why_no_value(metrics: RunMetrics, row: TargetRow) -> str:
    """Return why a target has no value, from what its level says of the field behind it."""
    levels = _levels(metrics, row.level)
    if not levels:
        return "this level did not run"
    field = {
        "throughput": "throughput",
        "average latency": "avg_latency",
        "error ratio": "error_rate",
        "P99 latency": "p99_latency",
        "memory": "peak_memory_mb",
    }.get(row.what, row.what)
    fallback = "the level has no value for it"
    return text.visible(levels[0].not_measured.get(field, fallback))
