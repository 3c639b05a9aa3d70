"""Metrics over the runs, with change points and baselines; what does not compare is marked."""

from __future__ import annotations

from itertools import pairwise
from statistics import median
from typing import TYPE_CHECKING, Any, Literal

import altair as alt

from perf_pipeline.report.charts import svg
from perf_pipeline.report.charts.chart import HEIGHT, TOP, WIDTH, Chart
from perf_pipeline.report.text import changes as words
from perf_pipeline.report.text import escape

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from perf_pipeline.metrics.types.trend import MetricTrend, Trend, TrendChange, TrendPoint

VALID, NOT_VALID, OTHER = "valid", "not valid", "not comparable"
BASELINES_MAX = 3
"""Baselines in one chart, the first ones."""

NOTE = (
    "Filled: valid and comparable with the newest run; the line joins these, bars are the median "
    "between change points. Hollow: not valid. Grey cross: does not compare."
)
_CHANGES = "Vertical: change point, confirmed (solid) or fast (dashed, may be taken back)."
_BASELINES = "Horizontal, dashed: median of the runs of a baseline."
_BESIDE: tuple[tuple[bool, Literal["left", "right"], int], ...] = (
    (False, "left", 3),
    (True, "right", -3),
)
"""Where the text of a change point is: of one among the last runs, to the left of its line."""

_SCALES = {"s": (1e3, "ms"), "ratio": (100.0, "%"), "/s": (1.0, "workflows/s")}


def trend_chart(trend: Trend, place: int) -> Chart | None:
    """Draw one metric over the runs; None if no run has a value.

    Args:
        trend: The history.
        place: Of the metric in it.
    """
    metric = trend.metrics[place]
    if not metric.points:
        return None
    factor, unit = _SCALES.get(metric.unit, (1.0, escape.name(metric.unit)))
    baselines = list(_baseline_rows(trend, metric, factor))
    layers = [
        *_marks(trend, metric, factor),
        *_medians(trend, metric, factor, baselines),
        *_change_rules(trend, metric),
    ]
    chart = alt.LayerChart(layer=layers).properties(width=WIDTH, height=HEIGHT)
    named = f"{words.metric_name(metric.metric)}, {unit}"
    where = ", ".join(map(escape.name, filter(None, (metric.level, metric.family))))
    title = f"{named[:1].upper()}{named[1:]}: {where}"
    note = " ".join(
        part
        for part in (NOTE, _CHANGES if metric.changes else "", _BASELINES if baselines else "")
        if part
    )
    told = "; ".join(_change_text(trend, one) for one in metric.changes)
    description = f"{title}. {told or 'No change point'}."
    return Chart(title, svg.inline_svg(chart, name=f"trend-{place}", description=description), note)


def _change_text(trend: Trend, change: TrendChange) -> str:
    """Return a change point in a few words, with the first run of the new level."""
    run_id = escape.name(trend.runs[change.run].run_id)
    return (
        f"{words.direction(change.is_worse)} ({_effect(change)}) since run "
        f"{change.run + 1} ({run_id}), {change.tier}"
    )


def _effect(change: TrendChange) -> str:
    return "no ratio" if change.effect is None else words.effect_text(change.effect, "ratio")


def _marks(trend: Trend, metric: MetricTrend, factor: float) -> Iterator[alt.Chart]:
    rows = [
        {"run": one.run + 1, "value": factor * one.value, "mark": _mark(one)}
        for one in metric.points
    ]
    comparing = [row for row in rows if row["mark"] == VALID]
    yield _base(rows, trend).mark_point(opacity=0)  # spans the axes if no run compares
    yield _base(comparing, trend).mark_line(strokeWidth=1, color=svg.FIRST, opacity=0.55)
    looks: tuple[tuple[str, dict[str, Any]], ...] = (
        (VALID, {"filled": True, "color": svg.FIRST, "shape": "circle"}),
        (NOT_VALID, {"fill": svg.PAPER, "stroke": svg.FIRST, "shape": "circle"}),
        (OTHER, {"stroke": svg.QUIET, "shape": "cross", "fill": svg.PAPER}),
    )
    for mark, look in looks:
        dots = _base([row for row in rows if row["mark"] == mark], trend)
        yield dots.mark_point(size=32, strokeWidth=1.3, opacity=1, **look)


def _mark(point: TrendPoint) -> str:
    if point.why_not:
        return OTHER
    return VALID if point.validity == "valid" else NOT_VALID


def _medians(
    trend: Trend, metric: MetricTrend, factor: float, baselines: list[dict[str, Any]]
) -> Iterator[alt.Chart]:
    """Yield the median between change points, and those of the baselines."""
    ends = [0, *(one.run for one in metric.changes), len(trend.runs)]
    rows: list[dict[str, Any]] = []
    for start, end in pairwise(ends):
        values = [one.value for one in metric.points if one.counts and start <= one.run < end]
        if values and metric.changes:
            value = factor * median(values)
            rows.append({"run": start + 0.6, "end": end + 0.4, "value": value})
    yield _base(rows, trend).mark_rule(strokeWidth=2.2, color=svg.SECOND).encode(x2=alt.X2("end:Q"))
    if baselines:
        flat = alt.Chart({"values": baselines})
        yield flat.mark_rule(strokeDash=[5, 3], color=svg.THIRD).encode(y=alt.Y("value:Q"))
        names = flat.mark_text(align="left", dy=-5, fontSize=10, color=svg.THIRD)
        yield names.encode(x=alt.value(2), y=alt.Y("value:Q"), text=alt.Text("name:N"))


def _baseline_rows(trend: Trend, metric: MetricTrend, factor: float) -> Iterator[dict[str, Any]]:
    for baseline in trend.baselines[:BASELINES_MAX]:
        values = [one.value for one in metric.points if one.counts and one.run in baseline.runs]
        if values:
            name = escape.visible(baseline.name, length_max=24)
            yield {"value": factor * median(values), "name": name}


def _change_rules(trend: Trend, metric: MetricTrend) -> Iterator[alt.Chart]:
    for tier, dash in (("confirmed", [1, 0]), ("fast", [4, 3])):
        rows = [
            {
                "run": one.run + 0.5,
                "text": _effect(one),
                "last": one.run > 0.7 * len(trend.runs),
            }
            for one in metric.changes
            if one.tier == tier
        ]
        if not rows:
            continue
        rule = alt.Chart({"values": rows}).mark_rule(color=svg.SECOND, strokeDash=dash)
        yield rule.encode(x=alt.X("run:Q"))
        for is_last, align, dx in _BESIDE:
            beside = alt.Chart({"values": [row for row in rows if row["last"] is is_last]})
            text = beside.mark_text(
                align=align, dx=dx, dy=5, fontSize=10, baseline="top", color=svg.SECOND
            )
            yield text.encode(x=alt.X("run:Q"), y=TOP, text=alt.Text("text:N"))


def _base(rows: Sequence[dict[str, Any]], trend: Trend) -> alt.Chart:
    domain = [0.5, len(trend.runs) + 0.5]
    axis = alt.Axis(grid=False, tickMinStep=1, format="d", tickCount=6)
    return alt.Chart({"values": rows}).encode(
        x=alt.X("run:Q", title="run, oldest to newest", scale=alt.Scale(domain=domain), axis=axis),
        y=alt.Y(
            "value:Q",
            title=None,
            scale=alt.Scale(zero=True),
            axis=alt.Axis(tickCount=4, domain=False, format=",.4~r"),
        ),
    )
