"""An open level: what arrived, what became of it, and how late the load generator was."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from perf_pipeline.report import quantity, svg, text
from perf_pipeline.report.level_drawing import figure, last_moment, line_marks, phase_bands
from perf_pipeline.report.table import Cell, Fact, Table, measured, number

if TYPE_CHECKING:
    from perf_pipeline.metrics.level import LevelMetrics
    from perf_pipeline.metrics.open_load import ArrivalSecond, Lag, OpenLoad
    from perf_pipeline.report.level_drawing import Figure, Series

ARRIVALS = (
    "Scheduled is the sum of the outcomes. Dropped: waited longer than the start timeout for a "
    "free slot. Dropped, timed out and abandoned workflows are in the percentiles of the response "
    "time as at least this long."
)
LAGS = (
    "From the intended start to the start: it is part of the response time and charged to the "
    "target, unless the same schedule lags against workflows that do nothing as well."
)
_NO_LAG = "nothing started"


def open_facts(level: LevelMetrics) -> tuple[Fact, ...]:
    """Return what was offered and dropped, for the top of an open level."""
    load = level.open_load
    if load is None:
        return ()
    dropped = level.outcomes.get("dropped", 0)
    return (
        Fact("Offered", Cell(text.visible(load.offered))),
        Fact("Dropped", Cell(quantity.count(dropped), "bad" if dropped else "number")),
    )


def open_tables(level: LevelMetrics) -> tuple[Table, ...]:
    """Return what arrived and how late it started; nothing for a closed level."""
    load = level.open_load
    if load is None:
        return ()
    basis = quantity.counted(load.scheduled, "workflow")
    lags = [("against the target", load.lag, "")]
    if load.control_lag is not None:
        lags.append(("against workflows that do nothing", load.control_lag, ""))
    rows = [_lag_row(name, lag) for name, lag, _ in lags]
    if load.control_lag is None:
        why = Cell(quantity.NOT_MEASURED, "quiet", text.visible(load.control_why_not))
        rows.append((Cell("against workflows that do nothing"), why, *(Cell(""),) * 3))
    columns = ("Schedule lag", "Started", "p50", "p99", "max")
    return (
        Table("What arrived", ("Schedule", ""), _load_rows(load), level.validity, basis, ARRIVALS),
        Table("How late workflows started", columns, tuple(rows), level.validity, note=LAGS),
    )


def arrivals_figure(level: LevelMetrics, *, points_max: int) -> tuple[Figure, ...]:
    """Draw what arrived and what was dropped, by the second in which it was to start."""
    load = level.open_load
    if load is None or len(load.seconds) < 2:  # noqa: PLR2004 - a line needs two
        return ()
    span = math.ceil(len(load.seconds) / points_max)
    groups = [load.seconds[at : at + span] for at in range(0, len(load.seconds), span)]
    series: Series = {"arrived": [_mean(group, "scheduled") for group in groups]}
    colours = [svg.FOURTH]
    for name, colour in (("dropped", svg.SECOND), ("timeout", svg.FIRST)):
        line = [_mean(group, name) for group in groups]
        if any(value for _, value in line):
            series[name] = line
            colours.append(colour)
    last = last_moment(level, (t for t, _ in series["arrived"]))
    layers = [*phase_bands(level, last), *line_marks(series, colours, last)]
    note = "By the second in which they were to start."
    note = note if span == 1 else f"{note} One point is {span} s: mean rates."
    return (figure("Arrivals, workflows/s", level, layers, note, series),)


def _mean(group: tuple[ArrivalSecond, ...], what: str) -> tuple[float, float | None]:
    counts = [int(getattr(second, what)) for second in group]
    return group[0].t_s + len(group) / 2, sum(counts) / len(counts)


def _load_rows(load: OpenLoad) -> tuple[tuple[Cell, ...], ...]:
    why = "there was no steady phase"
    unexplained = quantity.count(load.unexplained)
    return (
        (Cell("offered"), Cell(text.visible(load.offered))),
        (Cell("offered in the steady phase"), measured(load.offered_per_s, quantity.rate, why)),
        (Cell("slots: most in flight"), number(quantity.count(load.slots))),
        (Cell("dropped after waiting"), number(quantity.seconds(load.start_timeout_s))),
        (Cell("never started"), number(quantity.count(load.never_started))),
        (Cell("times checked one by one"), number(quantity.count(load.checked))),
        (
            Cell("of which do not add up"),
            Cell(unexplained, "bad" if load.unexplained else "number"),
        ),
    )


def _lag_row(name: str, lag: Lag) -> tuple[Cell, ...]:
    spread = (lag.p50_s, lag.p99_s, lag.max_s)
    cells = (measured(value, quantity.seconds, _NO_LAG) for value in spread)
    return (Cell(name), number(quantity.count(lag.samples)), *cells)
