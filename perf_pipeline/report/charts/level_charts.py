"""The charts of one load level over time: throughput, times, in flight, cores and memory."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

from markupsafe import Markup

from perf_pipeline.metrics.types.steady_state import SERVICE_TIME, THROUGHPUT
from perf_pipeline.report.charts import svg
from perf_pipeline.report.charts.arrival_charts import (
    arrivals_chart,
    response_time_chart,
    waiting_line,
)
from perf_pipeline.report.charts.chart import Chart
from perf_pipeline.report.charts.over_time import (
    chart_over_time,
    last_moment,
    level_rule,
    line_marks,
    phase_bands,
    steady_start_rule,
)
from perf_pipeline.report.charts.resource_charts import resource_charts
from perf_pipeline.report.level.steady import steady_since_s, steady_state_sentence
from perf_pipeline.report.text import labels, quantity

if TYPE_CHECKING:
    from collections.abc import Sequence

    from perf_pipeline.metrics.types.level import LevelMetrics
    from perf_pipeline.metrics.types.records import TimePoint
    from perf_pipeline.report.charts.over_time import Series

SLOTS_RATIO_MAX = 5
"""The slots of an open loop are drawn only up to this many times the workflows in flight: a line
further up would press the curve onto the axis."""


@dataclass(frozen=True)
class Point:
    """Consecutive seconds of a load level, drawn as one point.

    Attributes:
        t_s: Middle of the span, seconds since the start of the load.
        ok_per_s: Workflows that ended ok, per second.
        not_ok_per_s: Workflows that ended in an error or a timeout, per second.
        p50_s: Highest of the medians of each second; None if no workflow ended.
        p99_s: Highest of the 99th percentiles of each second; None if no workflow ended.
        in_flight: Mean number of workflows in flight.
    """

    t_s: float
    ok_per_s: float
    not_ok_per_s: float
    p50_s: float | None
    p99_s: float | None
    in_flight: float


def charts_over_time(level: LevelMetrics, *, points_max: int) -> tuple[Chart, ...]:
    """Draw one load level over time; empty when no second was recorded.

    Args:
        level: The metrics of the load level.
        points_max: Maximum number of points in a line; in a longer level a point covers several
            seconds.
    """
    if not level.seconds:
        return ()
    span = math.ceil(len(level.seconds) / points_max)
    points = downsampled(level.seconds, span)
    each = "" if span == 1 else f"Each point covers {span} s: mean rates, highest percentiles."
    return (
        *arrivals_chart(level, points_max=points_max),
        _throughput(level, points, each),
        *response_time_chart(level, points_max=points_max),
        _service_time(level, points, each),
        _in_flight(level, points, each),
        *resource_charts(level, points_max=points_max),
    )


def downsampled(seconds: Sequence[TimePoint], span: int) -> list[Point]:
    """Return one point for every ``span`` seconds."""
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


def _throughput(level: LevelMetrics, points: list[Point], each: str) -> Chart:
    series: Series = {"ended ok": [(point.t_s, point.ok_per_s) for point in points]}
    colours = [svg.FIRST]
    if any(point.not_ok_per_s for point in points):
        series["error or timeout"] = [(point.t_s, point.not_ok_per_s) for point in points]
        colours.append(svg.SECOND)
    last = last_moment(level, (point.t_s for point in points))
    layers = [*phase_bands(level, last), *steady_start_rule(steady_since_s(level))]
    layers += line_marks(series, colours, last)
    notes = [steady_state_sentence(level, THROUGHPUT), each]
    if level.throughput_per_s is not None:
        layers.append(level_rule(level.throughput_per_s))
        shown = quantity.rate(level.throughput_per_s)
        notes.insert(0, f"Dashed: throughput of the steady phase, {shown}.")
    note = " ".join(filter(None, notes))
    return chart_over_time("Throughput, workflows/s", level, layers, note, series)


def _service_time(level: LevelMetrics, points: list[Point], each: str) -> Chart:
    known = [value for point in points for value in (point.p50_s, point.p99_s) if value is not None]
    if not known:
        return Chart(labels.service_time(level), Markup(), "No workflow ended in this level.")
    unit, factor = ("ms", 1e3) if max(known) < 1 else ("s", 1.0)

    def in_unit(value: float | None) -> float | None:
        return None if value is None else value * factor

    series = {
        "p50": [(point.t_s, in_unit(point.p50_s)) for point in points],
        "p99": [(point.t_s, in_unit(point.p99_s)) for point in points],
    }
    last = last_moment(level, (point.t_s for point in points))
    layers = [*phase_bands(level, last), *steady_start_rule(steady_since_s(level))]
    layers += line_marks(series, [svg.FIRST, svg.SECOND], last)
    ended = quantity.count(sum(s.ended_ok + s.ended_not_ok for s in level.seconds))
    basis = f"Percentiles of the workflows that ended in each second; {ended} in total."
    note = " ".join(filter(None, (basis, steady_state_sentence(level, SERVICE_TIME), each)))
    return chart_over_time(f"{labels.service_time(level)}, {unit}", level, layers, note, series)


def _in_flight(level: LevelMetrics, points: list[Point], each: str) -> Chart:
    series: Series = {"in flight": [(point.t_s, point.in_flight) for point in points]}
    waiting = waiting_line(level, points_max=len(points))
    if waiting:
        series["waiting to be started"] = waiting
    planned, counted = level.in_flight.wanted, level.in_flight.median
    median = quantity.NOT_MEASURED if counted is None else quantity.count(counted)
    last = last_moment(level, (point.t_s for point in points))
    layers = [*phase_bands(level, last), *line_marks(series, [svg.THIRD, svg.SECOND], last)]
    shown = f"{quantity.count(planned)} {'planned' if level.loop == 'closed' else 'slots'}"
    if level.loop == "closed" or planned <= SLOTS_RATIO_MAX * max(one.in_flight for one in points):
        layers.append(level_rule(planned))
        shown = f"Dashed: {shown}"
    note = f"{shown}; median in flight in the steady phase: {median}. {each}".rstrip()
    return chart_over_time("In flight, workflows", level, layers, note, series)
