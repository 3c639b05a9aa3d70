"""One open-loop load level over time: arrivals, response times, and arrivals without a slot."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from perf_pipeline.metrics.types.steady_state import RESPONSE_TIME
from perf_pipeline.report.charts import svg
from perf_pipeline.report.charts.over_time import (
    chart_over_time,
    last_moment,
    line_marks,
    phase_bands,
    steady_start_rule,
)
from perf_pipeline.report.level.steady import steady_since_s, steady_state_sentence

if TYPE_CHECKING:
    from perf_pipeline.metrics.types.level import LevelMetrics
    from perf_pipeline.metrics.types.open_load import ArrivalSecond
    from perf_pipeline.report.charts.chart import Chart
    from perf_pipeline.report.charts.over_time import Series

BY_INTENDED_START = "By the second of the intended start."
RESPONSES = (
    f"{BY_INTENDED_START} Unanswered workflows are censored: they count as at least as long as "
    "they had waited."
)
PERCENTILES = ("p50", "p99")


def arrivals_chart(level: LevelMetrics, *, points_max: int) -> tuple[Chart, ...]:
    """Draw arrivals, drops and timeouts by the second of the intended start."""
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
    note = BY_INTENDED_START
    span = len(groups[0])
    note = note if span == 1 else f"{note} Each point covers {span} s: mean rates."
    return (chart_over_time("Arrivals, workflows/s", level, layers, note, series),)


def response_time_chart(level: LevelMetrics, *, points_max: int) -> tuple[Chart, ...]:
    """Draw response times by the second of the intended start; empty without response times."""
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
    series: Series = {
        name: [_highest(group, name, factor) for group in groups] for name in PERCENTILES
    }
    last = last_moment(level, (t for t, _ in series["p50"]))
    layers = [*phase_bands(level, last), *steady_start_rule(steady_since_s(level))]
    layers += line_marks(series, [svg.FIRST, svg.SECOND], last)
    span = len(groups[0])
    notes = (
        RESPONSES,
        steady_state_sentence(level, RESPONSE_TIME),
        f"Each point covers {span} s: highest percentiles." if span > 1 else "",
    )
    title = f"Response time (open loop), {unit}"
    return (chart_over_time(title, level, layers, " ".join(filter(None, notes)), series),)


def waiting_line(level: LevelMetrics, *, points_max: int) -> list[tuple[float, float | None]]:
    """Return the arrivals that wait for a free slot, over time; empty if none ever waited."""
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
    """Return the seconds of an open-loop level, in one group for each point of a chart."""
    load = level.open_load
    if load is None or len(load.seconds) < 2:  # noqa: PLR2004 - a line needs two
        return []
    span = math.ceil(len(load.seconds) / points_max)
    return [load.seconds[at : at + span] for at in range(0, len(load.seconds), span)]


def _highest(
    group: tuple[ArrivalSecond, ...], name: str, factor: float
) -> tuple[float, float | None]:
    values = [getattr(second, f"{name}_s") for second in group]
    known = [factor * value for value in values if value is not None]
    return group[0].t_s + len(group) / 2, max(known, default=None)


def _mean(group: tuple[ArrivalSecond, ...], what: str) -> tuple[float, float | None]:
    counts = [int(getattr(second, what)) for second in group]
    return group[0].t_s + len(group) / 2, sum(counts) / len(counts)
