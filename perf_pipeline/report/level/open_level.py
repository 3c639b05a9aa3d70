"""An open-loop load level: its arrivals, their outcomes, and the lag of the load generator."""

from __future__ import annotations

from typing import TYPE_CHECKING

from perf_pipeline.report.level import level_cells
from perf_pipeline.report.text import escape, quantity
from perf_pipeline.report.text.table import Cell, Fact, Table, measured, number

if TYPE_CHECKING:
    from perf_pipeline.metrics.types.level import LevelMetrics
    from perf_pipeline.metrics.types.open_load import Lag, OpenLoad

ARRIVALS = (
    "Scheduled is the sum of the outcomes. Dropped: waited longer than the start timeout for a "
    "free slot. Dropped, timed out and abandoned workflows are right-censored in the percentiles "
    "of the response time. Departures are workflows that ended or were dropped; where departures "
    "stay markedly below arrivals, a queue grows."
)
LAGS = (
    "Start minus intended start. It is part of the response time and charged to the target, "
    "unless the same schedule also lags with workflows that do nothing."
)
STREAMS = (
    "Streams run together on the same slots. Percentiles are response times; not ok counts the "
    "whole schedule."
)
_NO_LAG = "no workflow started"


def open_facts(level: LevelMetrics) -> tuple[Fact, ...]:
    """Return offered rate, throughput, response times, drops and queue; empty in a closed loop."""
    load = level.open_load
    if load is None:
        return ()
    why = "there was no steady phase"
    times, waited = level.response_times, []
    if times is not None:
        average = measured(times.avg_s, quantity.seconds, "no arrival was scheduled")
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
    """Return the P99 start lag, with that of the control run, whose workflows do nothing."""
    control = load.control_lag
    if control is None or control.p99_s is None:
        note = f"generator unknown: {escape.visible(load.control_why_not)}"
    else:
        note = f"generator {quantity.seconds(control.p99_s)}"
    if load.lag.p99_s is None:
        return Cell(quantity.NOT_MEASURED, "quiet", f"{_NO_LAG}; {note}")
    return number(quantity.seconds(load.lag.p99_s), note)


def _unanswered(level: LevelMetrics, outcome: str) -> Fact:
    found = level.outcomes.get(outcome, 0)
    return Fact(outcome.capitalize(), Cell(quantity.count(found), "bad" if found else "number"))


def queue_cell(level: LevelMetrics, load: OpenLoad) -> Cell:
    """Return whether the queue grew, that is, whether departures kept up with arrivals.

    While a queue grows, response times depend on the length of the level and belong to no rate.
    Drops count as departures, so a queue from which workflows are dropped is called full.
    """
    dropped = level.outcomes.get("dropped", 0)
    if dropped:
        return Cell("full", "bad", f"{quantity.count(dropped)} dropped in the whole level")
    if load.offered_per_s is None or load.left_per_s is None:
        return Cell(quantity.NOT_MEASURED, "quiet", "there was no steady phase")
    rates = (
        f"arrivals {quantity.rate(load.offered_per_s)}, departures {quantity.rate(load.left_per_s)}"
    )
    if load.queue_grew:
        longer = "response times grow with the length of the level"
        return Cell("grew", "bad", f"{rates}: {longer}")
    return Cell("did not grow", "good", rates)


def open_tables(level: LevelMetrics) -> tuple[Table, ...]:
    """Return the tables of arrivals and of start lag; empty for a closed-loop level."""
    load = level.open_load
    if load is None:
        return ()
    basis = quantity.counted(load.scheduled, "workflow")
    rows = [_lag_row("target", load.lag)]
    control = "control (workflows that do nothing)"
    if load.control_lag is None:
        why = Cell(quantity.NOT_MEASURED, "quiet", escape.visible(load.control_why_not))
        rows.append((Cell(control), why, *(Cell(""),) * 3))
    else:
        rows.append(_lag_row(control, load.control_lag))
    columns = ("Against", "Started", "p50", "p99", "max")
    streams = [_streams_table(level, load)] if load.streams else []
    return (
        *streams,
        Table("Arrivals", ("Schedule", ""), _load_rows(load), level.validity, basis, ARRIVALS),
        Table("Start lag", columns, tuple(rows), level.validity, note=LAGS),
    )


def _streams_table(level: LevelMetrics, load: OpenLoad) -> Table:
    """Return a row for each arrival stream."""
    why = "there was no steady phase"
    names = ("Stream", "Schedule", "Offered", "Achieved", "p50", "p99", "p99 lag", "Not ok")
    rows = [
        (
            Cell(escape.name(one.label)),
            Cell(escape.visible(one.offered)),
            measured(one.offered_per_s, quantity.rate, why),
            measured(one.throughput_per_s, quantity.rate, why),
            level_cells.percentile_cell(one.response_times, 0.5),
            level_cells.percentile_cell(one.response_times, 0.99),
            measured(one.lag.p99_s, quantity.seconds, _NO_LAG),
            _not_ok(one.outcomes),
        )
        for one in load.streams
    ]
    return Table("Arrival streams", names, tuple(rows), level.validity, note=STREAMS)


def _not_ok(outcomes: dict[str, int]) -> Cell:
    found = {name: n for name, n in outcomes.items() if n and name != "ok"}
    text = ", ".join(f"{quantity.count(n)} {name}" for name, n in found.items())
    return Cell(text or "0", "bad" if found else "number")


def _load_rows(load: OpenLoad) -> tuple[tuple[Cell, ...], ...]:
    why = "there was no steady phase"
    unexplained = quantity.count(load.unexplained)
    return (
        (Cell("offered"), Cell(escape.visible(load.offered))),
        (Cell("offered in the steady phase"), measured(load.offered_per_s, quantity.rate, why)),
        (Cell("departures in the steady phase"), measured(load.left_per_s, quantity.rate, why)),
        (Cell("slots (maximum in flight)"), number(quantity.count(load.slots))),
        (Cell("start timeout"), number(quantity.seconds(load.start_timeout_s))),
        (Cell("never started"), number(quantity.count(load.never_started))),
        (Cell("records whose times were checked"), number(quantity.count(load.checked))),
        (
            Cell("records whose times do not add up"),
            Cell(unexplained, "bad" if load.unexplained else "number"),
        ),
    )


def _lag_row(name: str, lag: Lag) -> tuple[Cell, ...]:
    spread = (lag.p50_s, lag.p99_s, lag.max_s)
    cells = (measured(value, quantity.seconds, _NO_LAG) for value in spread)
    return (Cell(name), number(quantity.count(lag.samples)), *cells)
