"""Levels that were played more than once: how far the repeats lie apart."""

from __future__ import annotations

from typing import TYPE_CHECKING

from perf_pipeline.report.text import escape, quantity
from perf_pipeline.report.text.table import Cell, Table, number

if TYPE_CHECKING:
    from perf_pipeline.metrics.types.repeats import LevelRepeats, RepeatedValue
    from perf_pipeline.metrics.types.run_metrics import RunMetrics

NOTE = (
    "Between repeats: 95 % interval of the mean, from one value a repeat (Student's t). Within: "
    "95 % interval inside one repeat, on average. Where repeats differ by more than the interval "
    "within explains, only repeats tell what the next run will show. The difference is what two "
    "runs of the same thing differ by here (A/A): no smaller change between two versions means "
    "anything."
)
_NAMES = {
    "throughput_per_s": "throughput",
    "avg_s": "average",
    "p50_s": "p50",
    "p90_s": "p90",
    "p99_s": "p99",
    "error_ratio": "errors",
}


def repeats_table(metrics: RunMetrics) -> Table:
    """Return one row a level and value; no row where every level was played once."""
    rows = tuple(
        (*(_head(level) if place == 0 else (Cell(""),) * 2), *_row(value))
        for level in metrics.repeats
        for place, value in enumerate(level.values)
        if value.used
    )
    columns = ("Level", "Repeats", "Value", "Mean", "Between repeats", "Within", "Difference")
    return Table("Repeats of the same level", columns, rows, note=NOTE)


def _head(level: LevelRepeats) -> tuple[Cell, Cell]:
    out = f"left out: {escape.visible(', '.join(level.left_out))}" if level.left_out else ""
    return Cell(escape.name(level.label)), number(quantity.count(len(level.repeats)), out)


def _row(value: RepeatedValue) -> tuple[Cell, ...]:
    mean = Cell(quantity.NOT_MEASURED, "quiet")
    if value.mean is not None:
        mean = number(quantity.of_unit(_scaled(value, value.mean), _unit(value)))
    few = f"of {quantity.counted(value.used, 'repeat')}"
    difference = Cell("not told", "quiet", few)
    if value.difference_percent is not None:
        difference = number(quantity.percent(value.difference_percent))
        if value.differ:
            difference = Cell(difference.text, "warn", "more than chance explains")
    return (
        Cell(_NAMES.get(value.what, escape.name(value.what))),
        mean,
        _interval(value, value.low, value.high, few),
        _interval(value, value.within_low, value.within_high, "no interval within"),
        difference,
    )


def _interval(value: RepeatedValue, low: float | None, high: float | None, why: str) -> Cell:
    if low is None or high is None:
        return Cell("not told", "quiet", why)
    unit = _unit(value)
    return number(quantity.between(_scaled(value, low), _scaled(value, high), unit))


def _unit(value: RepeatedValue) -> str:
    return "%" if value.unit == "ratio" else value.unit


def _scaled(value: RepeatedValue, found: float) -> float:
    return 100 * found if value.unit == "ratio" else found
