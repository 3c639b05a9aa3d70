"""One level over time: throughput, service time and in flight, with the phases behind them."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

from markupsafe import Markup

from perf_pipeline.metrics.steady.steady_state import SERVICE_TIME, THROUGHPUT
from perf_pipeline.report.charts import svg
from perf_pipeline.report.charts.level_drawing import (
    Figure,
    figure,
    last_moment,
    level_rule,
    line_marks,
    phase_bands,
    settled_rule,
)
from perf_pipeline.report.charts.resource_charts import resource_figures
from perf_pipeline.report.level.open_level import arrivals_figure, response_figure, waiting_line
from perf_pipeline.report.level.steady import settled_at_s, steady_state_sentence
from perf_pipeline.report.text import labels, quantity

if TYPE_CHECKING:
    from collections.abc import Sequence

    from perf_pipeline.metrics.types.level import LevelMetrics
    from perf_pipeline.metrics.types.records import TimePoint
    from perf_pipeline.report.charts.level_drawing import Series

SLOTS_RATIO = 5
"""Slots that are more than so many times what was in flight are told and not drawn: the line
would lie on the axis."""


@dataclass(frozen=True)
class Point:
    """Some seconds of a level drawn as one point.

    Attributes:
        t_s: Middle of the span.
        ok_per_s: Workflows that ended well, per second.
        not_ok_per_s: Workflows that ended in an error or a timeout, per second.
        p50_s: Highest of the seconds' medians; None if nothing ended.
        p99_s: Highest of the seconds' 99th percentiles.
        in_flight: Mean number in flight.
    """

    t_s: float
    ok_per_s: float
    not_ok_per_s: float
    p50_s: float | None
    p99_s: float | None
    in_flight: float


def level_figures(level: LevelMetrics, *, points_max: int) -> tuple[Figure, ...]:
    """Draw one level over time; nothing when no second was recorded.

    Args:
        level: What was measured.
        points_max: Most points a line; a longer level is drawn in spans of several seconds.
    """
    if not level.seconds:
        return ()
    span = math.ceil(len(level.seconds) / points_max)
    points = thinned(level.seconds, span)
    each = "" if span == 1 else f"One point is {span} s: mean rates, highest percentiles."
    return (
        *arrivals_figure(level, points_max=points_max),
        _throughput(level, points, each),
        *response_figure(level, points_max=points_max),
        _service_time(level, points, each),
        _in_flight(level, points, each),
        *resource_figures(level, points_max=points_max),
    )


def thinned(seconds: Sequence[TimePoint], span: int) -> list[Point]:
    """Return ``seconds`` in groups of ``span``, one point each."""
    groups = (seconds[start : start + span] for start in range(0, len(seconds), span))
    return [
        Point(
            t_s=group[0].t_s + len(group) / 2,
            ok_per_s=sum(second.ended_ok for second in group) / len(group),
            not_ok_per_s=sum(second.ended_not_ok for second in group) / len(group),
            p50_s=max((s.p50_s for s in group if s.p50_s is not None), default=None),
            p99_s=max((s.p99_s for s in group if s.p99_s is not None), default=None),
            in_flight=sum(second.in_flight for second in group) / len(group),
        )
        for group in groups
    ]


def _throughput(level: LevelMetrics, points: list[Point], each: str) -> Figure:
    series: Series = {"ended ok": [(point.t_s, point.ok_per_s) for point in points]}
    colours = [svg.FIRST]
    if any(point.not_ok_per_s for point in points):
        series["error or timeout"] = [(point.t_s, point.not_ok_per_s) for point in points]
        colours.append(svg.SECOND)
    last = last_moment(level, (point.t_s for point in points))
    layers = [*phase_bands(level, last), *settled_rule(settled_at_s(level))]
    layers += line_marks(series, colours, last)
    told = [steady_state_sentence(level, THROUGHPUT), each]
    if level.throughput_per_s is not None:
        layers.append(level_rule(level.throughput_per_s))
        shown = quantity.rate(level.throughput_per_s)
        told.insert(0, f"Dashed: {shown} ended ok over the steady phase.")
    return figure("Throughput, workflows/s", level, layers, " ".join(filter(None, told)), series)


def _service_time(level: LevelMetrics, points: list[Point], each: str) -> Figure:
    known = [value for point in points for value in (point.p50_s, point.p99_s) if value is not None]
    if not known:
        return Figure(labels.service_time(level), Markup(), "Nothing ended in this level.")
    unit, factor = ("ms", 1e3) if max(known) < 1 else ("s", 1.0)

    def of(value: float | None) -> float | None:
        return None if value is None else value * factor

    series = {
        "p50": [(point.t_s, of(point.p50_s)) for point in points],
        "p99": [(point.t_s, of(point.p99_s)) for point in points],
    }
    last = last_moment(level, (point.t_s for point in points))
    layers = [*phase_bands(level, last), *settled_rule(settled_at_s(level))]
    layers += line_marks(series, [svg.FIRST, svg.SECOND], last)
    ended = quantity.count(sum(s.ended_ok + s.ended_not_ok for s in level.seconds))
    whose = f"Of the {ended} workflows that ended, second by second."
    note = " ".join(filter(None, (whose, steady_state_sentence(level, SERVICE_TIME), each)))
    return figure(f"{labels.service_time(level)}, {unit}", level, layers, note, series)


def _in_flight(level: LevelMetrics, points: list[Point], each: str) -> Figure:
    series: Series = {"in flight": [(point.t_s, point.in_flight) for point in points]}
    waiting = waiting_line(level, points_max=len(points))
    if waiting:
        series["waiting to be started"] = waiting
    wanted, found = level.in_flight.wanted, level.in_flight.median
    median = quantity.NOT_MEASURED if found is None else quantity.count(found)
    last = last_moment(level, (point.t_s for point in points))
    layers = [*phase_bands(level, last), *line_marks(series, [svg.THIRD, svg.SECOND], last)]
    told = f"{quantity.count(wanted)} {'wanted' if level.loop == 'closed' else 'slots'}"
    if level.loop == "closed" or wanted <= SLOTS_RATIO * max(one.in_flight for one in points):
        layers.append(level_rule(wanted))
        told = f"Dashed: {told}"
    note = f"{told}; median in flight in the steady phase: {median}. {each}".rstrip()
    return figure("In flight, workflows", level, layers, note, series)
