"""The answer of an open-loop run: how long users wait, and how many get no answer."""

from __future__ import annotations

from typing import TYPE_CHECKING

from perf_pipeline.config.slo.verdict import MIN_TAIL_SAMPLES
from perf_pipeline.report.level import level_cells
from perf_pipeline.report.text import escape, labels, quantity
from perf_pipeline.report.text.table import Cell

if TYPE_CHECKING:
    from perf_pipeline.metrics.types.level import LevelMetrics
    from perf_pipeline.metrics.types.open_load import OpenLoad
    from perf_pipeline.metrics.types.run_metrics import RunMetrics

QUESTION = "How long do users wait?"
LEVELS_MAX = 4
"""Maximum number of levels summarised at the top, by offered rate; the table has all of them."""


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
    known = times is not None and times.p99.samples_beyond >= MIN_TAIL_SAMPLES
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
    beside = f" ({p99.note.strip('[]')})" if p99.note else ""
    return f"{name}: p50 {p50.text}, p99 {p99.text}{beside}; {unanswered}."
