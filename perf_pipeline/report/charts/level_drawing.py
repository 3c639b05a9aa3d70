"""How one level is drawn over time: lines, with the phases behind them."""

from __future__ import annotations

import json
import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import altair as alt

from perf_pipeline.report.charts import svg
from perf_pipeline.report.text import escape, labels

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from markupsafe import Markup

    from perf_pipeline.metrics.types.level import LevelMetrics

    Series = dict[str, list[tuple[float, float | None]]]

WIDTH = 330
HEIGHT = 150
TOP = alt.YValue(0)  # type: ignore[no-untyped-call]
"""The upper edge of a chart."""

LEGEND_COLUMNS = 3
DASHES = [[1, 0], [7, 2], [2, 2], [7, 2, 2, 2], [12, 3], [4, 4]]
PHASE_LABEL_SHARE_MIN = 0.17
"""A phase shorter than this share of the time axis is drawn without its name: no room."""


@dataclass(frozen=True)
class Figure:
    """A chart with what must be read beside it.

    Attributes:
        title: What is drawn, with its unit.
        svg: The drawing.
        note: What must be read beside it.
        points: The values that are drawn, as JSON, where one may ask for them.
    """

    title: str
    svg: Markup
    note: str = ""
    points: str = ""


def figure(
    title: str, level: LevelMetrics, layers: list[alt.Chart], note: str, series: Series
) -> Figure:
    """Draw layers above each other, with what must be read beside them.

    Args:
        title: What is drawn, with its unit.
        level: Whose.
        layers: The marks.
        note: What must be read beside them.
        series: The values of the lines, for who points at one.
    """
    chart = alt.LayerChart(layer=layers).properties(width=WIDTH, height=HEIGHT)
    slug = title[:4].lower().replace(" ", "-")
    described = f"{title} over time, {labels.level_name(level)}, {level.validity}. {note}"
    drawn = svg.inline_svg(chart, name=f"l{level.index}-{slug}", description=described)
    return Figure(title, drawn, note, _points(level, series))


def _points(level: LevelMetrics, series: Series) -> str:
    """Return the values of a chart over time as JSON: where its axis ends, times, lines."""
    times = next(iter(series.values()), [])
    last = last_moment(level, (t for t, _ in times))
    lines = {name: [_rounded(value) for _, value in line] for name, line in series.items()}
    whole = {"last": last, "width": WIDTH, "height": HEIGHT, "lines": lines}
    found = {**whole, "t": [round(t, 2) for t, _ in times]}
    return json.dumps(found, separators=(",", ":"))


def _rounded(value: float | None) -> float | None:
    """Round to what a reader can use; what is no number is nothing."""
    return float(f"{value:.3g}") if value is not None and math.isfinite(value) else None


def line_marks(series: Series, colours: list[str], last: float) -> list[alt.Chart]:
    """Return lines over time, and a dot for each point that has no neighbour."""
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
        color=series_colour(list(series), colours),
        strokeDash=series_dash(list(series)),
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


def series_colour(names: list[str], colours: list[str]) -> alt.Color:
    """Return a colour a series, with a legend where there are several."""
    scale = alt.Scale(domain=names, range=colours[: len(names)])
    return alt.Color("series:N", scale=scale, legend=_legend(names))


def series_dash(names: list[str]) -> alt.StrokeDash:
    """Return a pattern a series: who cannot tell the colours apart tells the lines by it."""
    patterns = [DASHES[place % len(DASHES)] for place in range(len(names))]
    scale = alt.Scale(domain=names, range=patterns)
    return alt.StrokeDash("series:N", scale=scale, legend=_legend(names))


def _legend(names: list[str]) -> Any:
    return (
        alt.Legend(title=None, symbolType="stroke", symbolSize=260, columns=LEGEND_COLUMNS)
        if len(names) > 1
        else None
    )


def level_rule(value: float) -> alt.Chart:
    """Return a dashed line at a value."""
    data = {"values": [{"value": value}]}
    rule: alt.Chart = alt.Chart(data).mark_rule(color=svg.QUIET, strokeDash=[4, 3], strokeWidth=1)
    return rule.encode(y=alt.Y("value:Q"))


def settled_rule(at_s: float | None) -> list[alt.Chart]:
    """Return a heavy line at the moment since when the series are steady; nothing without one."""
    if at_s is None:
        return []
    data = {"values": [{"t": round(at_s, 3)}]}
    rule: alt.Chart = alt.Chart(data).mark_rule(color=svg.QUIET, strokeWidth=2.5)
    return [rule.encode(x=alt.X("t:Q"))]


def last_moment(level: LevelMetrics, times_s: Iterable[float]) -> float:
    """Return where the time axis ends: with the last phase or the last point."""
    return max([*times_s, *(end for _, end in level.phases.values())])


def phase_bands(level: LevelMetrics, last: float) -> list[alt.Chart]:
    """Return a band behind the steady phase, a rule at every border, and the names."""
    rows = [
        {
            "start": start,
            "end": end,
            "middle": (start + end) / 2,
            "name": labels.PHASES.get(phase, escape.name(phase)),
            "steady": phase == "steady",
            "labelled": phase in labels.PHASES and end - start >= PHASE_LABEL_SHARE_MIN * last,
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
        band.encode(x=alt.X("start:Q"), x2=alt.X2("end:Q")),
        border.encode(x=alt.X("start:Q")),
        label.encode(x=alt.X("middle:Q"), y=TOP, text=alt.Text("name:N")),
    ]
