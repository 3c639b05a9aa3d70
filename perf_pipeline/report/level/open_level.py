"""An open level: what arrived, what became of it, and how late the load generator was."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from perf_pipeline.metrics.steady.steady_state import RESPONSE_TIME
from perf_pipeline.report.charts import svg
from perf_pipeline.report.charts.level_drawing import (
    figure,
    last_moment,
    line_marks,
    phase_bands,
    settled_rule,
)
from perf_pipeline.report.level import level_cells
from perf_pipeline.report.level.steady import settled_at_s, steady_state_sentence
from perf_pipeline.report.text import escape, quantity
from perf_pipeline.report.text.table import Cell, Fact, Table, measured, number

if TYPE_CHECKING:
    from perf_pipeline.metrics.types.level import LevelMetrics
    from perf_pipeline.metrics.types.open_load import ArrivalSecond, Lag, OpenLoad
    from perf_pipeline.report.charts.level_drawing import Figure, Series

ARRIVALS = (
    "Scheduled is the sum of the outcomes. Dropped: waited longer than the start timeout for a "
    "free slot. Dropped, timed out and abandoned workflows are in the percentiles of the response "
    "time as at least this long. Left: ended, or was dropped; where markedly fewer leave than "
    "arrive, a queue grows."
)
LAGS = (
    "From the intended start to the start: it is part of the response time and charged to the "
    "target, unless the same schedule lags against workflows that do nothing as well."
)
RESPONSES = (
    "By the second in which workflows were to start; what was not answered counts as at least as "
    "long as it had waited."
)
PS = ("p50", "p99")
_NO_LAG = "nothing started"


def open_facts(level: LevelMetrics) -> tuple[Fact, ...]:
    """Return what was offered and dropped, for the top of an open level."""
    load = level.open_load
    if load is None:
        return ()
    why = "there was no steady phase"
    times, waited = level.response_times, []
    if times is not None:
        average = measured(times.avg_s, quantity.seconds, "nothing was to start")
        waited = [
            Fact("Average response time", average),
            Fact("p99 response time", level_cells.percentile_cell(times, 0.99)),
        ]
    return (
        Fact("Schedule", Cell(escape.visible(load.offered))),
        Fact("Offered", measured(load.offered_per_s, quantity.rate, why)),
        Fact("Achieved", level_cells.throughput_cell(level)),
        *waited,
        Fact("p99 start lag", lag_cell(load)),
        *(_unanswered(level, outcome) for outcome in ("dropped", "timeout", "abandoned")),
        Fact("Queue", queue_cell(level, load)),
    )


def lag_cell(load: OpenLoad) -> Cell:
    """Return how late workflows started, beside how late those started that do nothing."""
    own = load.control_lag
    if own is None or own.p99_s is None:
        note = f"generator not known: {escape.visible(load.control_why_not)}"
    else:
        note = f"generator {quantity.seconds(own.p99_s)}"
    if load.lag.p99_s is None:
        return Cell(quantity.NOT_MEASURED, "quiet", f"{_NO_LAG}; {note}")
    return number(quantity.seconds(load.lag.p99_s), note)


def _unanswered(level: LevelMetrics, outcome: str) -> Fact:
    found = level.outcomes.get(outcome, 0)
    return Fact(outcome.capitalize(), Cell(quantity.count(found), "bad" if found else "number"))


def queue_cell(level: LevelMetrics, load: OpenLoad) -> Cell:
    """Return whether as many left as arrived; where not, the response times are of no rate.

    What is dropped leaves as well, so a queue from which workflows are dropped is full.
    """
    dropped = level.outcomes.get("dropped", 0)
    if dropped:
        return Cell("full", "bad", f"{quantity.count(dropped)} of the whole level were dropped")
    if load.offered_per_s is None or load.left_per_s is None:
        return Cell(quantity.NOT_MEASURED, "quiet", "there was no steady phase")
    told = f"{quantity.rate(load.offered_per_s)} arrived, {quantity.rate(load.left_per_s)} left"
    if load.queue_grew:
        longer = "its response times grow with the length of the level"
        return Cell("grew", "bad", f"{told}: {longer}")
    return Cell("did not grow", "good", told)


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
        why = Cell(quantity.NOT_MEASURED, "quiet", escape.visible(load.control_why_not))
        rows.append((Cell("against workflows that do nothing"), why, *(Cell(""),) * 3))
    columns = ("Schedule lag", "Started", "p50", "p99", "max")
    return (
        Table("What arrived", ("Schedule", ""), _load_rows(load), level.validity, basis, ARRIVALS),
        Table("How late workflows started", columns, tuple(rows), level.validity, note=LAGS),
    )


def arrivals_figure(level: LevelMetrics, *, points_max: int) -> tuple[Figure, ...]:
    """Draw what arrived and what was dropped, by the second in which it was to start."""
    groups = _groups(level, points_max)
    if not groups:
        return ()
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
    span = len(groups[0])
    note = note if span == 1 else f"{note} One point is {span} s: mean rates."
    return (figure("Arrivals, workflows/s", level, layers, note, series),)


def response_figure(level: LevelMetrics, *, points_max: int) -> tuple[Figure, ...]:
    """Draw response times by the second in which workflows were to start; nothing without any."""
    groups = _groups(level, points_max)
    known = [
        value
        for group in groups
        for second in group
        for value in (second.p50_s, second.p99_s)
        if value is not None
    ]
    if not known:
        return ()
    unit, factor = ("ms", 1e3) if max(known) < 1 else ("s", 1.0)
    series: Series = {name: [_most(group, name, factor) for group in groups] for name in PS}
    last = last_moment(level, (t for t, _ in series["p50"]))
    layers = [*phase_bands(level, last), *settled_rule(settled_at_s(level))]
    layers += line_marks(series, [svg.FIRST, svg.SECOND], last)
    told = (
        RESPONSES,
        steady_state_sentence(level, RESPONSE_TIME),
        f"One point is {len(groups[0])} s: highest percentiles." if len(groups[0]) > 1 else "",
    )
    title = f"Response time (open loop), {unit}"
    return (figure(title, level, layers, " ".join(filter(None, told)), series),)


def waiting_line(level: LevelMetrics, *, points_max: int) -> list[tuple[float, float | None]]:
    """Return how many had arrived and not been started yet, as a line; empty if none ever had."""
    groups = _groups(level, points_max)
    if not any(second.waiting for group in groups for second in group):
        return []
    return [
        (
            group[0].t_s + len(group) / 2,
            sum(second.waiting or 0.0 for second in group) / len(group),
        )
        for group in groups
    ]


def _groups(level: LevelMetrics, points_max: int) -> list[tuple[ArrivalSecond, ...]]:
    """Return the seconds of an open level, as many in a group as a point of a chart holds."""
    load = level.open_load
    if load is None or len(load.seconds) < 2:  # noqa: PLR2004 - a line needs two
        return []
    span = math.ceil(len(load.seconds) / points_max)
    return [load.seconds[at : at + span] for at in range(0, len(load.seconds), span)]


def _most(group: tuple[ArrivalSecond, ...], name: str, factor: float) -> tuple[float, float | None]:
    values = [getattr(second, f"{name}_s") for second in group]
    known = [factor * value for value in values if value is not None]
    return group[0].t_s + len(group) / 2, max(known, default=None)


def _mean(group: tuple[ArrivalSecond, ...], what: str) -> tuple[float, float | None]:
    counts = [int(getattr(second, what)) for second in group]
    return group[0].t_s + len(group) / 2, sum(counts) / len(counts)


def _load_rows(load: OpenLoad) -> tuple[tuple[Cell, ...], ...]:
    why = "there was no steady phase"
    unexplained = quantity.count(load.unexplained)
    return (
        (Cell("offered"), Cell(escape.visible(load.offered))),
        (Cell("offered in the steady phase"), measured(load.offered_per_s, quantity.rate, why)),
        (Cell("left in the steady phase"), measured(load.left_per_s, quantity.rate, why)),
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
