"""Charts of one load level over time: lines, with the phases of the level behind them."""

from __future__ import annotations

import json
import math
from typing import TYPE_CHECKING, Any

from perf_pipeline.report.charts import svg, vega
from perf_pipeline.report.charts.chart import (
    HEIGHT,
    TOP,
    WIDTH,
    Chart,
    series_colour,
    series_dash,
)
from perf_pipeline.report.text import escape, labels

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from perf_pipeline.metrics.types.level import LevelMetrics

    Series = dict[str, list[tuple[float, float | None]]]

PHASE_LABEL_SHARE_MIN = 0.17
"""A phase shorter than this share of the time axis is drawn without its name: there is no room."""


def chart_over_time(
    title: str, level: LevelMetrics, layers: list[vega.Chart], note: str, series: Series
) -> Chart:
    """Draw layers on top of each other, with a note below.

    Args:
        title: The quantity that is drawn, with its unit.
        level: The load level that is drawn.
        layers: The marks.
        note: How to read the drawing.
        series: The values of the lines, for the read-out under the pointer.
    """
    chart = vega.layered(layers, width=WIDTH, height=HEIGHT)
    slug = title[:4].lower().replace(" ", "-")
    note = " ".join(filter(None, (note, faults_note(level))))
    described = f"{title} over time, {labels.level_name(level)}, {level.validity}. {note}"
    drawn = svg.inline_svg(chart, name=f"l{level.index}-{slug}", description=described)
    return Chart(title, drawn, note, _points(level, series))


def _points(level: LevelMetrics, series: Series) -> str:
    """Return the values of a chart as JSON: the end of its time axis, the times and the lines."""
    times = next(iter(series.values()), [])
    last = last_moment(level, (t for t, _ in times))
    lines = {name: [_rounded(value) for _, value in line] for name, line in series.items()}
    whole = {"last": last, "width": WIDTH, "height": HEIGHT, "lines": lines}
    found = {**whole, "t": [round(t, 2) for t, _ in times]}
    return json.dumps(found, separators=(",", ":"))


def _rounded(value: float | None) -> float | None:
    """Round to three significant digits; None for a value that is not finite."""
    return float(f"{value:.3g}") if value is not None and math.isfinite(value) else None


def line_marks(series: Series, colours: list[str], last: float) -> list[vega.Chart]:
    """Return lines over time, and a dot for each point without a neighbour.

    Args:
        series: Name of each line to its points: seconds since the start of the load, and value.
        colours: One for each line.
        last: End of the time axis, seconds.
    """
    rows = [
        {"t": round(t, 3), "value": value, "series": name}
        for name, line in series.items()
        for t, value in line
    ]
    base = vega.Chart(rows).encoded(
        x=vega.channel(
            "t:Q",
            title="seconds since the start of the level",
            scale=vega.scale(domain=[0, last], nice=False),
            axis=vega.axis(grid=False, tickCount=6),
        ),
        y=vega.channel(
            "value:Q",
            title=None,
            scale=vega.scale(zero=True),
            axis=vega.axis(tickCount=4, domain=False),
        ),
        color=series_colour(list(series), colours),
        strokeDash=series_dash(list(series)),
    )
    marks = [base.marked("line", strokeWidth=1.4)]
    isolated = {
        (round(t, 3), value) for line in series.values() for t, value in _isolated_points(line)
    }
    if isolated:
        dots = base.with_rows([row for row in rows if (row["t"], row["value"]) in isolated])
        marks.append(dots.marked("point", size=8, filled=True, opacity=1))
    return marks


def _isolated_points(line: list[tuple[float, float | None]]) -> list[tuple[float, float]]:
    """Return the points between two gaps, which a line alone would not show."""
    values = [None, *(value for _, value in line), None]
    return [
        (t, value)
        for position, (t, value) in enumerate(line)
        if value is not None and values[position] is None and values[position + 2] is None
    ]


def level_rule(value: float) -> vega.Chart:
    """Return a dashed horizontal line at a value."""
    rule = vega.Chart([{"value": value}]).marked(
        "rule", color=svg.QUIET, strokeDash=[4, 3], strokeWidth=1
    )
    return rule.encoded(y=vega.channel("value:Q"))


def fault_bands(level: LevelMetrics) -> list[vega.Chart]:
    """Return a band for each failure, from its injection until it was gone, with its name."""
    found = level.recovery
    if found is None or found.is_control:
        return []
    rows = [
        {
            "start": fault.moments.injecting_s,
            "end": fault.moments.gone_s or fault.moments.injecting_s + fault.duration_s,
            "name": escape.name(fault.kind),
        }
        for fault in found.faults
        if fault.moments.injecting_s is not None
    ]
    if not rows:
        return []
    base = vega.Chart(rows)
    band = base.marked("rect", color=svg.FAULT, opacity=1)
    label = base.marked(
        "text", align="left", baseline="top", dx=2, dy=2, fontSize=9, color=svg.QUIET
    )
    return [
        band.encoded(x=vega.channel("start:Q"), x2=vega.channel("end")),
        label.encoded(x=vega.channel("start:Q"), y=TOP, text=vega.channel("name:N")),
    ]


def faults_note(level: LevelMetrics) -> str:
    """Return what the bands of failures are; empty without any."""
    return "Tinted: failures, from injection until gone." if fault_bands(level) else ""


def steady_start_rule(at_s: float | None) -> list[vega.Chart]:
    """Return a heavy vertical line where the series become steady; empty if they do not."""
    if at_s is None:
        return []
    rule = vega.Chart([{"t": round(at_s, 3)}]).marked("rule", color=svg.QUIET, strokeWidth=2.5)
    return [rule.encoded(x=vega.channel("t:Q"))]


def last_moment(level: LevelMetrics, times_s: Iterable[float]) -> float:
    """Return the end of the time axis: that of the last phase or of the last point."""
    return max([*times_s, *(end for _, end in level.phases.values())])


def phase_bands(level: LevelMetrics, last: float) -> list[vega.Chart]:
    """Return bands behind the steady phase and failures, borders and names of phases."""
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
        return fault_bands(level)

    def chart_of(is_drawn: Callable[[dict[str, Any]], bool]) -> vega.Chart:
        return vega.Chart([row for row in rows if is_drawn(row)])

    band = chart_of(lambda row: row["steady"]).marked("rect", color=svg.BAND, opacity=1)
    border = chart_of(lambda row: row["start"] > 0).marked("rule", color=svg.RULE, strokeWidth=1)
    label = chart_of(lambda row: row["labelled"]).marked(
        "text", baseline="bottom", dy=-3, fontSize=10, color=svg.QUIET
    )
    return [
        band.encoded(x=vega.channel("start:Q"), x2=vega.channel("end")),
        border.encoded(x=vega.channel("start:Q")),
        label.encoded(x=vega.channel("middle:Q"), y=TOP, text=vega.channel("name:N")),
        *fault_bands(level),
    ]
