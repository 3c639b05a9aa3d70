"""Steps and counts of the workflows of one load level, as tables."""

from __future__ import annotations

from typing import TYPE_CHECKING

from perf_pipeline.report.level import level_cells
from perf_pipeline.report.text import escape, quantity
from perf_pipeline.report.text.table import Cell, Table, measured, number, say_once

if TYPE_CHECKING:
    from perf_pipeline.metrics.types.level import LevelMetrics
    from perf_pipeline.metrics.types.steps import (
        CountMetrics,
        CountPercentile,
        StepMetrics,
        Steps,
    )

STEPS = (
    "Durations of the steps that ended in the steady phase; steps that had not ended are in no "
    "figure. Share of time: of the service time of the workflows that ended; nested steps, and "
    "steps at the same time, count each."
)
COUNTS = "Per workflow: the sum of what a workflow counted, over those that ended."
OUTSIDE = (
    "Recorded outside of a workflow (while a module was imported, in a thread of its own), over "
    "the whole level."
)
_MAIN = ("Workflow", "Samples", "Per workflow", "Share of time", "Average")
STEP_COLUMNS = ("Step", *_MAIN, "p50", "p90", "p99", "max", "Failed", "Cold starts")
_COUNTED = ("Workflow", "Calls", "Total", "Per second", "Per workflow")
COUNT_COLUMNS = ("Count", *_COUNTED, "p50", "p90", "p99", "Cold starts")
OUTSIDE_COLUMNS = ("Step or count", "Calls", "Average", "max", "Total", "Failed")
_NO_WORKFLOW = "no workflow ended in the steady phase"


def step_tables(level: LevelMetrics) -> tuple[Table, ...]:
    """Return the tables of steps and counts; empty for a level without."""
    steps = level.steps
    if steps is None:
        return ()
    tables: list[Table] = []
    if steps.steps or not (steps.counts or steps.outside):
        shown = [one for one in steps.steps if one.times.samples or one.cold_samples]
        shown.sort(key=lambda one: (one.family, one.complexity, -(one.time_share or 0.0)))
        rows = tuple(_step_row(step) for step in shown)
        note = f"{STEPS}{_not_shown(len(steps.steps) - len(shown))}{_lost(steps)}"
        tables.append(Table("Steps", STEP_COLUMNS, rows, level.validity, _basis(steps), note))
    if steps.counts:
        rows = tuple(_count_row(count) for count in steps.counts)
        note = COUNTS + ("" if steps.steps else _lost(steps))
        tables.append(Table("Counts", COUNT_COLUMNS, rows, level.validity, _basis(steps), note))
    if steps.outside:
        rows = tuple(
            (
                Cell(escape.name(one.name)),
                number(quantity.count(one.calls)),
                _seconds(one.mean_s),
                _seconds(one.max_s),
                _whole(one.total),
                _failed(one.failed),
            )
            for one in steps.outside
        )
        alone = not (steps.steps or steps.counts)
        note = OUTSIDE + (_lost(steps) if alone else "")
        tables.append(Table("Steps outside of workflows", OUTSIDE_COLUMNS, rows, None, "", note))
    return tuple(tables)


def _basis(steps: Steps) -> str:
    found = quantity.counted(steps.workflows, "workflow")
    if steps.sampled_every > 1:
        return f"sampled: {found}, every {steps.sampled_every}th of each kind"
    return found


def _not_shown(count: int) -> str:
    if not count:
        return ""
    steps = quantity.counted(count, "step")
    return f" Not shown: {steps} that occurred before or after the steady phase alone."


def _lost(steps: Steps) -> str:
    """Return what was not recorded, as sentences."""
    parts = []
    if steps.unnamed:
        parts.append(
            f" Not recorded: {quantity.count(steps.unnamed)} steps and counts whose name was not "
            "among the first 64 of a process, or not 1 to 80 printable characters: leave numbers "
            "and ids out of names."
        )
    if steps.no_room:
        lost = quantity.count(steps.no_room)
        parts.append(f" Lost: {lost} steps and counts while the journal could not be written.")
    if steps.damaged:
        lost = quantity.count(steps.damaged)
        parts.append(f" Damaged: {lost} records or blocks of the journals.")
    return "".join(parts)


def _step_row(step: StepMetrics) -> tuple[Cell, ...]:
    times = step.times
    why = "no such step ended in the steady phase"
    share = None if step.time_share is None else 100 * step.time_share
    cells = (
        level_cells.percentile_cell(times, p) if times.samples else measured(None, str, why)
        for p in level_cells.PERCENTILES
    )
    cold = Cell(quantity.count(0), "number")
    if step.cold_samples and step.cold_mean_s is not None:
        mean = quantity.seconds(step.cold_mean_s)
        cold = number(quantity.count(step.cold_samples), f"{mean} on average")
    row = (
        Cell(escape.name(step.name)),
        Cell(escape.name(f"{step.family} {step.complexity}".strip())),
        number(quantity.count(times.samples)),
        measured(step.per_workflow, quantity.significant, _NO_WORKFLOW),
        measured(share, quantity.percent, _NO_WORKFLOW),
        measured(times.avg_s, quantity.seconds, why),
        *cells,
        measured(times.max_s, quantity.seconds, why),
        _failed(step.failed),
        cold,
    )
    return say_once(row)


def _count_row(count: CountMetrics) -> tuple[Cell, ...]:
    found = {one.p: one for one in count.percentiles}
    row = (
        Cell(escape.name(count.name)),
        Cell(escape.name(f"{count.family} {count.complexity}".strip())),
        number(quantity.count(count.calls)),
        number(quantity.count(count.total)),
        measured(count.per_s, quantity.rate, "workflows are sampled, or had no steady phase"),
        measured(count.per_workflow, quantity.significant, _NO_WORKFLOW),
        *(_count_percentile(found.get(p)) for p in level_cells.PERCENTILES),
        number(quantity.count(count.cold_total)),
    )
    return say_once(row)


def _count_percentile(found: CountPercentile | None) -> Cell:
    if found is None:
        return measured(None, str, _NO_WORKFLOW)
    shown = quantity.count(found.value)
    if found.samples_needed is None:
        return number(shown)
    return number(
        shown,
        f"{level_cells.WEAK}: {found.samples_beyond} beyond, "
        f"{quantity.counted(found.samples_needed, 'workflow')} needed",
    )


def _seconds(value: float | None) -> Cell:
    return Cell("") if value is None else number(quantity.seconds(value))


def _whole(value: int | None) -> Cell:
    return Cell("") if value is None else number(quantity.count(value))


def _failed(failed: int) -> Cell:
    return Cell(quantity.count(failed), "bad" if failed else "number")
