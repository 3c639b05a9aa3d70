"""The tables of targets, and the grades of the key performance indicators (KPIs)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from perf_pipeline.analysis.beside_neighbours import is_judged
from perf_pipeline.analysis.targets import has_no_runtime, runs_own_code, sends_requests
from perf_pipeline.config.slo.shipped import KPIS
from perf_pipeline.report.level import level_cells
from perf_pipeline.report.text import escape, labels, quantity
from perf_pipeline.report.text.table import Cell, Table, number, say_once

if TYPE_CHECKING:
    from collections.abc import Sequence

    from perf_pipeline.config.slo.slo import Slo
    from perf_pipeline.config.slo.verdict import Verdict
    from perf_pipeline.metrics.types.level import LevelMetrics
    from perf_pipeline.metrics.types.run_metrics import RunMetrics
    from perf_pipeline.metrics.types.targets import KpiGrade, TargetRow

IMPLIED = (
    "Implied rate: in a closed loop throughput = N / average service time (Little's law), so a "
    "limit on the average also requires this throughput. The stricter of the two limits decides."
)
UNCLEAR = (
    "Unclear: the 95 % interval of the value contains the limit, so the true value may "
    "lie on either side of it."
)
BESIDE_NEIGHBOURS = (
    "A neighbour can only slow a target down: beside other programs on the machine what is met "
    "remains met, and what is missed is unclear."
)
GRADES = (
    "Marginal lies between acceptable and poor. A percentile is graded only when at least 10 "
    "samples lie beyond it. Grades are a reading aid: they decide no exit code."
)

NOT_VALID = (
    "Of levels that are not valid, only what is missed for certain is judged (a bound decides, or "
    "the target failed); these are not valid"
)
NO_RUNTIME = (
    "No targets apply: they are about a runtime, and this run executed the work without one. Set "
    "objectives with [[slo]] or --slo."
)
USER_FUNCTIONS = (
    "No targets apply: the tables are about the workflows of this project. Set objectives for "
    "your own functions with [[slo]] or --slo."
)
OWN_REQUESTS = (
    "No targets apply: the tables are about the workflows of this project. Set objectives for "
    "your requests with [[slo]] or --slo."
)

_FIELDS = {
    "throughput": "throughput",
    "average latency": "avg_latency",
    "error ratio": "error_rate",
    "P99 latency": "p99_latency",
    "memory": "peak_memory_mb",
}


def tables(metrics: RunMetrics) -> tuple[Table, ...]:
    """Return the targets and the grades; empty where none apply to the run."""
    graded = kpi_table(metrics)
    limits = (grade_limits(metrics),) if graded.rows else ()
    return tuple(table for table in (target_table(metrics), graded, *limits) if table.rows)


def none_set(metrics: RunMetrics) -> str:
    """Return why no target applies to the run."""
    if metrics.levels and all(map(sends_requests, metrics.levels)):
        return OWN_REQUESTS
    if metrics.levels and all(map(runs_own_code, metrics.levels)):
        return USER_FUNCTIONS
    if metrics.levels and all(map(has_no_runtime, metrics.levels)):
        return NO_RUNTIME
    if metrics.levels and all(level.loop == "open" for level in metrics.levels):
        return "The targets apply to closed-loop levels, and all levels of this run are open-loop."
    return "No target was evaluated."


def not_judged(metrics: RunMetrics) -> str:
    """Name the levels that are not valid, and what is judged of them; empty if all are valid."""
    judged = {row.level for row in metrics.targets} | {kpi.level for kpi in metrics.kpis}
    named = [
        f"{labels.level_name(level)} ({level.validity})"
        for level in metrics.levels
        if not is_judged(level) and level.role == "level" and level.label in judged
    ]
    if not named:
        return ""
    return f"{NOT_VALID}: {', '.join(named)}."


def target_table(metrics: RunMetrics) -> Table:
    """Return one row for each level and value, with one column for each table of targets."""
    tables = tuple(dict.fromkeys(row.table for row in metrics.targets))
    keys = [(row.table, row.level, row.what) for row in metrics.targets]
    found: dict[tuple[str, int | None, str], dict[str, TargetRow]] = {}
    levels: dict[tuple[str, int | None, str], LevelMetrics | None] = {}
    for row, level in zip(metrics.targets, _levels_of(metrics, keys), strict=True):
        key = (row.level, None if level is None else level.index, row.what)
        found.setdefault(key, {})[row.table] = row
        levels[key] = level
    order = list(dict.fromkeys(key[:2] for key in found))
    rows = tuple(
        _target_row(found[key], levels[key], tables)
        for key in sorted(found, key=lambda key: order.index(key[:2]))
    )
    titles = (labels.TARGET_TABLES.get(table, escape.name(table)) for table in tables)
    columns = ("Level", "Validity", "Samples", "Metric", "Value", *titles)
    shown = [row for by_table in found.values() for row in by_table.values()]
    implied = any(row.implied_rate_per_s is not None for row in shown)
    unclear = any(row.verdict == "unclear" for row in shown)
    noisy = any(level is not None and level.is_only_noisy for level in levels.values())
    notes = (
        IMPLIED if implied else "",
        UNCLEAR if unclear else "",
        BESIDE_NEIGHBOURS if noisy else "",
        not_judged(metrics),
    )
    return Table("Targets", columns, rows, note=" ".join(filter(None, notes)))


def kpi_table(metrics: RunMetrics) -> Table:
    """Return one row for each level, with one column for each indicator."""
    indicators = tuple(dict.fromkeys(kpi.what for kpi in metrics.kpis))
    levels = _levels_of(metrics, [(kpi.level, kpi.what) for kpi in metrics.kpis])
    found: dict[tuple[str, int | None], dict[str, Cell]] = {}
    heads: dict[tuple[str, int | None], tuple[Cell, ...]] = {}
    for kpi, level in zip(metrics.kpis, levels, strict=True):
        key = (kpi.level, None if level is None else level.index)
        found.setdefault(key, {})[kpi.what] = _grade(kpi, level)
        heads[key] = _level_cells(kpi.level, level)
    none = Cell("not graded", "quiet")
    rows = tuple(
        say_once((*heads[key], *(grades.get(what, none) for what in indicators)))
        for key, grades in found.items()
    )
    columns = ("Level", "Validity", "Samples", *(escape.name(what) for what in indicators))
    note = " ".join(filter(None, (GRADES, not_judged(metrics))))
    return Table("Grades", columns, rows, note=note)


def grade_limits(metrics: RunMetrics) -> Table:
    """Return the limits of the grades, with one column for each indicator of the run."""
    shown = {kpi.what for kpi in metrics.kpis}
    kpis = [kpi for kpi in KPIS if kpi.name in shown]
    rows = (
        (Cell("good"), *(_grade_limit(kpi.good) for kpi in kpis)),
        (Cell("acceptable"), *(_grade_limit(kpi.acceptable) for kpi in kpis)),
        (Cell("poor"), *(_grade_limit(kpi.poor, beyond=True) for kpi in kpis)),
    )
    columns = ("Grade", *(kpi.name for kpi in kpis))
    return Table("Limits of the grades", columns, rows if kpis else ())


def _grade_limit(slo: Slo, *, beyond: bool = False) -> Cell:
    """Return a limit as a condition on the indicator; the success rate is 1 - error ratio."""
    is_success = slo.metric == "error_ratio"
    value, unit = (100 * (1 - slo.limit), "%") if is_success else (slo.limit, slo.about.unit)
    is_lower_limit = is_success or not slo.at_most
    return number(f"{'>' if is_lower_limit != beyond else '<'} {quantity.limit(value, unit)}")


def _target_row(
    by_table: dict[str, TargetRow], level: LevelMetrics | None, tables: tuple[str, ...]
) -> tuple[Cell, ...]:
    some = next(iter(by_table.values()))
    none = Cell("", "quiet")
    return (
        *_level_cells(some.level, level),
        Cell(escape.name(some.what)),
        _value(tuple(by_table.values()), level),
        *(_verdict(by_table[table], level) if table in by_table else none for table in tables),
    )


def _verdict(row: TargetRow, level: LevelMetrics | None) -> Cell:
    limit = f"{'>' if row.higher_is_better else '<'} {quantity.limit(row.limit, row.unit)}"
    if row.implied_rate_per_s is not None:
        limit += f", implies > {quantity.limit(row.implied_rate_per_s, '/s')}"
    if level is not None and not is_judged(level) and row.verdict == "no_data":
        return Cell("", "quiet", limit)  # the note of the table says why it is not judged
    return labels.verdict_cell(row.verdict, limit)


def _value(rows: tuple[TargetRow, ...], level: LevelMetrics | None) -> Cell:
    row = rows[0]
    if row.what == "P99 latency" and level is not None:
        return level_cells.percentile_cell(level.service_times, 0.99)
    if row.what == "throughput" and row.value is not None and level is not None:
        return level_cells.throughput_cell(level)
    if row.value is not None and row.at_least:
        return number(f"≥ {quantity.of_unit(row.value, row.unit)}")
    if row.value is not None:
        shown = (quantity.beside(row.value, other.limit, row.unit) for other in rows)
        return number(max(shown, key=len))
    if level is None:
        return Cell(quantity.NOT_MEASURED, "quiet", "this level did not run")
    why = level.not_measured.get(_FIELDS.get(row.what, row.what), "the level has no value for it")
    return Cell(quantity.NOT_MEASURED, "quiet", escape.visible(why))


def _grade(kpi: KpiGrade, level: LevelMetrics | None) -> Cell:
    value = "" if kpi.value is None else quantity.of_unit(kpi.value, kpi.unit)
    if kpi.what == "P99 latency" and value and level is not None:
        value = level_cells.percentile_cell(level.service_times, 0.99).text
    if level is not None and not is_judged(level) and kpi.grade == "no_data":
        return Cell(value or quantity.NOT_MEASURED, "quiet")
    why = escape.visible(kpi.why)
    if kpi.what == "P99 latency" and kpi.grade == "no_data" and value and level is not None:
        why = level_cells.percentile_cell(level.service_times, 0.99).note or why
    note = ": ".join(part for part in (value, why) if part)
    return Cell(kpi.grade.replace("_", " "), labels.grade_tone(kpi.grade), note)


def _level_cells(label: str, level: LevelMetrics | None) -> tuple[Cell, Cell, Cell]:
    if level is None:
        return Cell(escape.name(label)), Cell("not run", "quiet"), Cell("", "quiet")
    samples = level_cells.samples_cell(level.service_times)
    return Cell(labels.level_name(level)), labels.validity_of(level), samples


def _levels_of(metrics: RunMetrics, keys: Sequence[tuple[str, ...]]) -> list[LevelMetrics | None]:
    """Return the level that each row is about; its label is the last but one part of the key.

    Rows name their level by its label alone, which the repeats of a level share: the second row
    with the same key is the second repeat's, and so on.
    """
    counts: dict[tuple[str, ...], int] = {}
    found = []
    for key in keys:
        repeats = [level for level in metrics.levels if level.label == key[-2]]
        position = counts.get(key, 0)
        counts[key] = position + 1
        found.append(repeats[position] if position < len(repeats) else None)
    return found


def plain_rows(metrics: RunMetrics) -> list[dict[str, str]]:
    """Return the tables of targets as plain text, a mapping for each row."""
    return [
        {
            "table": row.table,
            "level": row.level,
            "what": row.what,
            "value": quantity.NOT_MEASURED
            if row.value is None
            else quantity.of_unit(row.value, row.unit),
            "limit": f"{'>' if row.higher_is_better else '<'} "
            f"{quantity.limit(row.limit, row.unit)}",
            "verdict": row.verdict,
        }
        for row in metrics.targets
    ]


def named_by_verdict(metrics: RunMetrics, verdict: Verdict) -> str:
    """Name the targets with a verdict: ``minimum throughput at 100; ...``, or ``none``."""
    named = (
        f"{row.table} {row.what} at {row.level}"
        for row in metrics.targets
        if row.verdict == verdict
    )
    return "; ".join(named) or "none"
