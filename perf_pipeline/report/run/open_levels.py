"""The open-loop levels of a run compared, and the answer to how long users wait."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from perf_pipeline.report.level import level_cells
from perf_pipeline.report.level.open_level import lag_cell, queue_cell
from perf_pipeline.report.run import headline
from perf_pipeline.report.text import escape, labels, quantity
from perf_pipeline.report.text.table import Cell, Table, measured, say_once

if TYPE_CHECKING:
    from perf_pipeline.metrics.types.level import LevelMetrics
    from perf_pipeline.metrics.types.open_load import OpenLoad
    from perf_pipeline.metrics.types.run_metrics import RunMetrics

QUESTION = "How long do users wait?"
LEVELS_MAX = 4
"""Maximum number of levels summarised at the top, by offered rate; the table has all of them."""

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
    rows = tuple(_headline_row(level) for level in metrics.levels if level.loop == "open")
    note = f"{NOTE} {headline.INTERVAL_NOTE}{headline.senders_note(metrics)}"
    return Table("Open loop: arrivals by schedule", COLUMNS, rows, note=note)


def _queue(level: LevelMetrics, load: OpenLoad) -> Cell:
    """Return whether a queue grew; the rates of arrivals and departures only where it did."""
    found = queue_cell(level, load)
    return replace(found, note="") if found.tone == "good" else found


def _headline_row(level: LevelMetrics) -> tuple[Cell, ...]:
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


def waits_answer(metrics: RunMetrics) -> tuple[Cell, tuple[str, ...]] | None:
    """Return the P99 response time at the highest offered rate; None without open-loop levels.

    The answer is from a valid level with enough samples, or "no data". Every level has its
    sentence, with its validity.
    """
    opened = [
        (level, level.open_load)
        for level in metrics.levels
        if level.open_load is not None and level.role == "level"
    ]
    if not opened:
        return None
    opened.sort(key=lambda pair: pair[1].offered_per_s or 0.0)
    sentences = [_sentence(level, load) for level, load in reversed(opened[-LEVELS_MAX:])]
    left_out = len(opened) - LEVELS_MAX
    if left_out > 0:
        sentences.append(f"The table has {quantity.counted(left_out, 'more level')}.")
    graded = [(level, load) for level, load in opened if _is_graded(level)]
    if not graded:
        return Cell("no data", "quiet"), tuple(sentences)
    level, load = graded[-1]
    assert level.response_times is not None
    assert load.offered_per_s is not None
    p99 = level_cells.percentile_cell(level.response_times, 0.99).text
    return Cell(f"p99 {p99} at {quantity.rate(load.offered_per_s)}"), tuple(sentences)


def _is_graded(level: LevelMetrics) -> bool:
    times, load = level.response_times, level.open_load
    known = times is not None and not times.p99.is_weak
    arrived = load is not None and load.offered_per_s is not None
    return known and arrived and level.validity == "valid"


def _sentence(level: LevelMetrics, load: OpenLoad) -> str:
    times = level.response_times
    offered = escape.visible(load.offered)
    name = f"{labels.level_name(level)} ({offered}, {labels.validity_of(level).text})"
    if times is None or not times.samples + times.in_flight_at_end:
        return f"{name}: no arrival was scheduled in its steady phase."
    p50, p99 = (level_cells.percentile_cell(times, p) for p in (0.5, 0.99))
    share = times.in_flight_at_end / (times.samples + times.in_flight_at_end)
    unanswered = "all answered"
    if times.in_flight_at_end:
        unanswered = f"{quantity.percent(100 * share)} not answered"
    elif level.error_ratio:
        unanswered += f", {quantity.percent(100 * level.error_ratio)} with an error"
    beside = f" ({p99.note.strip('[]')})" if p99.note else ""
    return f"{name}: p50 {p50.text}, p99 {p99.text}{beside}; {unanswered}."
