"""Levels that were run more than once: how much their repeats differ."""

from __future__ import annotations

from typing import TYPE_CHECKING

from perf_pipeline.report.text import escape, quantity
from perf_pipeline.report.text.table import Cell, Table, number

if TYPE_CHECKING:
    from perf_pipeline.metrics.types.repeats import LevelRepeats, RepeatedValue
    from perf_pipeline.metrics.types.run_metrics import RunMetrics

NOTE = (
    "Between repeats: 95 % interval of the mean, from one value per repeat (Student's t). Within: "
    "95 % interval inside one repeat, on average. Where repeats differ by more than the interval "
    "within explains, only further repeats predict the next run. Difference: how much two runs of "
    "the same code differ on this machine (A/A). A smaller change between two versions is not "
    "evidence of anything."
)
UNAVAILABLE = "unavailable"
_NAMES = {
    "throughput_per_s": "throughput",
    "avg_s": "average",
    "p50_s": "p50",
    "p90_s": "p90",
    "p95_s": "p95",
    "p99_s": "p99",
    "p99.9_s": "p99.9",
    "error_ratio": "errors",
}


def repeats_table(metrics: RunMetrics) -> Table:
    """Return one row for each level and value; no row where every level ran once."""
    rows = tuple(
        (*(_head(level) if place == 0 else (Cell(""),) * 2), *_row(value))
        for level in metrics.repeats
        for place, value in enumerate(level.values)
        if value.used
    )
    columns = ("Level", "Repeats", "Value", "Mean", "Between repeats", "Within", "Difference")
    return Table("Repeats of the same level", columns, rows, note=NOTE)


def _head(level: LevelRepeats) -> tuple[Cell, Cell]:
    note = f"excluded: {escape.visible(', '.join(level.left_out))}" if level.left_out else ""
    return Cell(escape.name(level.label)), number(quantity.count(len(level.repeats)), note)


def _row(value: RepeatedValue) -> tuple[Cell, ...]:
    mean = Cell(quantity.NOT_MEASURED, "quiet")
    if value.mean is not None:
        mean = number(quantity.of_unit(_scaled(value, value.mean), _unit(value)))
    few = f"{quantity.counted(value.used, 'repeat')} used"
    difference = Cell(UNAVAILABLE, "quiet", few)
    if value.difference_percent is not None:
        difference = number(quantity.percent(value.difference_percent))
        if value.differ:
            difference = Cell(difference.text, "warn", "more than chance explains")
    return (
        Cell(_NAMES.get(value.what, escape.name(value.what))),
        mean,
        _interval(value, value.low, value.high, few),
        _interval(value, value.within_low, value.within_high, "no interval within a repeat"),
        difference,
    )


def _interval(value: RepeatedValue, low: float | None, high: float | None, why: str) -> Cell:
    if low is None or high is None:
        return Cell(UNAVAILABLE, "quiet", why)
    low = max(low, 0.0)  # Student's t knows no bound, but a rate, a time or a ratio is never below
    return number(quantity.between(_scaled(value, low), _scaled(value, high), _unit(value)))


def _unit(value: RepeatedValue) -> str:
    return "%" if value.unit == "ratio" else value.unit


def _scaled(value: RepeatedValue, found: float) -> float:
    return 100 * found if value.unit == "ratio" else found
