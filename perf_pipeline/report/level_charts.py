"""One level over time: throughput, service time and in flight, with the phases behind them."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import altair as alt
from markupsafe import Markup

from perf_pipeline.report import quantity, svg, text, words

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from perf_pipeline.metrics.level import LevelMetrics, Second

    Series = dict[str, list[tuple[float, float | None]]]

WIDTH = 330
HEIGHT = 150
PHASE_LABEL_SHARE_MIN = 0.17
"""A phase shorter than this share of the time axis is drawn without its name: no room."""


@dataclass(frozen=True)
class Figure:
    """A chart with what must be read beside it."""

    title: str
    svg: Markup
    note: str = ""


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
        _throughput(level, points, each),
        _service_time(level, points, each),
        _in_flight(level, points, each),
    )


def thinned(seconds: Sequence[Second], span: int) -> list[Point]:
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
    last = _last(level, points)
    layers = [*_phases(level, last), *_lines(series, colours, last)]
    note = each
    if level.throughput_per_s is not None:
        layers.append(_level_rule(level.throughput_per_s))
        shown = quantity.rate(level.throughput_per_s)
        note = f"Dashed: {shown} ended ok over the steady phase. {each}".rstrip()
    return _figure("Throughput, workflows/s", level, layers, note)


def _service_time(level: LevelMetrics, points: list[Point], each: str) -> Figure:
    known = [value for point in points for value in (point.p50_s, point.p99_s) if value is not None]
    if not known:
        return Figure("Service time (closed loop)", Markup(), "Nothing ended in this level.")
    unit, factor = ("ms", 1e3) if max(known) < 1 else ("s", 1.0)

    def of(value: float | None) -> float | None:
        return None if value is None else value * factor

    series = {
        "p50": [(point.t_s, of(point.p50_s)) for point in points],
        "p99": [(point.t_s, of(point.p99_s)) for point in points],
    }
    last = _last(level, points)
    layers = [*_phases(level, last), *_lines(series, [svg.FIRST, svg.SECOND], last)]
    ended = quantity.count(sum(s.ended_ok + s.ended_not_ok for s in level.seconds))
    note = f"Of the {ended} workflows that ended, second by second. {each}".rstrip()
    return _figure(f"Service time (closed loop), {unit}", level, layers, note)


def _in_flight(level: LevelMetrics, points: list[Point], each: str) -> Figure:
    series: Series = {"in flight": [(point.t_s, point.in_flight) for point in points]}
    wanted = level.in_flight.wanted
    last = _last(level, points)
    lines = _lines(series, [svg.THIRD], last)
    layers = [*_phases(level, last), *lines, _level_rule(wanted)]
    found = level.in_flight.median
    median = quantity.NOT_MEASURED if found is None else quantity.count(found)
    note = f"Dashed: {quantity.count(wanted)} wanted; median of the steady phase: {median}. {each}"
    return _figure("In flight, workflows", level, layers, note.rstrip())


def _figure(title: str, level: LevelMetrics, layers: list[alt.Chart], note: str) -> Figure:
    chart = alt.LayerChart(layer=layers).properties(width=WIDTH, height=HEIGHT)
    slug = title[:4].lower().replace(" ", "-")
    described = f"{title} over time, {words.level_name(level)}, {level.validity}. {note}"
    drawn = svg.inline_svg(chart, name=f"l{level.index}-{slug}", description=described)
    return Figure(title, drawn, note)


def _lines(series: Series, colours: list[str], last: float) -> list[alt.Chart]:
    rows = [
        {"t": round(t, 3), "value": value, "series": name}
        for name, line in series.items()
        for t, value in line
    ]
    base = alt.Chart({"values": rows}).encode(
        x=alt.X(
            "t:Q",
            title="seconds since the start of the level",
            scale=alt.Scale(domain=[0, last], nice=False),
            axis=alt.Axis(grid=False, tickCount=6),
        ),
        y=alt.Y(
            "value:Q",
            title=None,
            scale=alt.Scale(zero=True),
            axis=alt.Axis(tickCount=4, domain=False),
        ),
        color=_series_colour(list(series), colours),
    )
    marks = [base.mark_line(strokeWidth=1.4)]
    alone = [row for line in series.values() for row in _alone(line)]
    if alone:
        kept = {(round(t, 3), value) for t, value in alone}
        dots = [row for row in rows if (row["t"], row["value"]) in kept]
        dot = base.mark_point(size=8, filled=True, opacity=1)
        dot.data = {"values": dots}
        marks.append(dot)
    return marks


def _alone(line: list[tuple[float, float | None]]) -> list[tuple[float, float]]:
    """Return the points with no neighbour, which a line alone would not show."""
    values = [None, *(value for _, value in line), None]
    return [
        (t, value)
        for position, (t, value) in enumerate(line)
        if value is not None and values[position] is None and values[position + 2] is None
    ]


def _series_colour(names: list[str], colours: list[str]) -> alt.Color:
    legend: Any = alt.Legend(title=None) if len(names) > 1 else None
    return alt.Color("series:N", scale=alt.Scale(domain=names, range=colours), legend=legend)


def _level_rule(value: float) -> alt.Chart:
    data = {"values": [{"value": value}]}
    rule: alt.Chart = alt.Chart(data).mark_rule(color=svg.QUIET, strokeDash=[4, 3], strokeWidth=1)
    return rule.encode(y="value:Q")


def _last(level: LevelMetrics, points: list[Point]) -> float:
    """Return where the time axis ends: with the last phase or the last second."""
    return max([points[-1].t_s, *(end for _, end in level.phases.values())])


def _phases(level: LevelMetrics, last: float) -> list[alt.Chart]:
    """Return a band behind the steady phase, a rule at every border, and the names."""
    rows = [
        {
            "start": start,
            "end": end,
            "middle": (start + end) / 2,
            "name": words.PHASES.get(phase, text.name(phase)),
            "steady": phase == "steady",
            "labelled": phase in words.PHASES and end - start >= PHASE_LABEL_SHARE_MIN * last,
        }
        for phase, (start, end) in level.phases.items()
    ]
    if not rows:
        return []

    def of(kept: Callable[[dict[str, Any]], bool]) -> alt.Chart:
        return alt.Chart({"values": [row for row in rows if kept(row)]})

    band = of(lambda row: row["steady"]).mark_rect(color=svg.BAND, opacity=1)
    border = of(lambda row: row["start"] > 0).mark_rule(color=svg.RULE, strokeWidth=1)
    label = of(lambda row: row["labelled"]).mark_text(
        baseline="bottom", dy=-3, fontSize=10, color=svg.QUIET
    )
    return [
        band.encode(x="start:Q", x2="end:Q"),
        border.encode(x="start:Q"),
        label.encode(x="middle:Q", y=alt.value(0), text="name:N"),
    ]
