"""Metrics over the runs, with change points and baselines; what does not compare is marked."""

from __future__ import annotations

from itertools import pairwise, product
from statistics import median
from typing import TYPE_CHECKING, Any, Literal

from perf_pipeline.report.charts import svg, vega
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
    "Filled: valid and comparable; the line joins these, bars are the median between change "
    "points. Hollow: not valid. Grey cross: does not compare."
)
_CHANGES = "Vertical: change point, confirmed (solid) or fast (dashed, may be taken back)."
_BASELINES = "Horizontal, dashed: median of the runs of a baseline."
_BESIDE: tuple[tuple[bool, Literal["left", "right"], int], ...] = (
    (False, "left", 3),
    (True, "right", -3),
)
"""Where the text of a change point is: of one among the last runs, to the left of its line."""

_LINES = ((False, 5), (True, 17))
"""Every other one is lower, so that texts of change points side by side do not overlap."""

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
    chart = vega.layered(layers, width=WIDTH, height=HEIGHT)
    named = f"{words.metric_name(metric.metric)}, {unit}"
    where = ", ".join(
        map(escape.name, filter(None, (metric.level, metric.family, *metric.differences)))
    )
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


def _marks(trend: Trend, metric: MetricTrend, factor: float) -> Iterator[vega.Chart]:
    rows = [
        {"run": one.run + 1, "value": factor * one.value, "mark": _mark(one)}
        for one in metric.points
    ]
    comparing = [row for row in rows if row["mark"] == VALID]
    yield _base(rows, trend).marked("point", opacity=0)  # spans the axes if no run compares
    yield _base(comparing, trend).marked("line", strokeWidth=1, color=svg.FIRST, opacity=0.55)
    looks: tuple[tuple[str, dict[str, Any]], ...] = (
        (VALID, {"filled": True, "color": svg.FIRST, "shape": "circle"}),
        (NOT_VALID, {"fill": svg.PAPER, "stroke": svg.FIRST, "shape": "circle"}),
        (OTHER, {"stroke": svg.QUIET, "shape": "cross", "fill": svg.PAPER}),
    )
    for mark, look in looks:
        dots = _base([row for row in rows if row["mark"] == mark], trend)
        yield dots.marked("point", size=32, strokeWidth=1.3, opacity=1, **look)


def _mark(point: TrendPoint) -> str:
    if point.why_not:
        return OTHER
    return VALID if point.validity == "valid" else NOT_VALID


def _medians(
    trend: Trend, metric: MetricTrend, factor: float, baselines: list[dict[str, Any]]
) -> Iterator[vega.Chart]:
    """Yield the median between change points, and those of the baselines."""
    ends = [0, *(one.run for one in metric.changes), len(trend.runs)]
    rows: list[dict[str, Any]] = []
    for start, end in pairwise(ends):
        values = [one.value for one in metric.points if one.counts and start <= one.run < end]
        if values and metric.changes:
            value = factor * median(values)
            rows.append({"run": start + 0.6, "end": end + 0.4, "value": value})
    yield (
        _base(rows, trend)
        .marked("rule", strokeWidth=2.2, color=svg.SECOND)
        .encoded(x2=vega.channel("end"))
    )
    if baselines:
        flat = vega.Chart(baselines)
        yield flat.marked("rule", strokeDash=[5, 3], color=svg.THIRD).encoded(
            y=vega.channel("value:Q")
        )
        names = flat.marked("text", align="left", dy=-5, fontSize=10, color=svg.THIRD)
        yield names.encoded(
            x=vega.constant(2), y=vega.channel("value:Q"), text=vega.channel("name:N")
        )


def _baseline_rows(trend: Trend, metric: MetricTrend, factor: float) -> Iterator[dict[str, Any]]:
    for baseline in trend.baselines[:BASELINES_MAX]:
        values = [one.value for one in metric.points if one.counts and one.run in baseline.runs]
        if values:
            name = escape.visible(baseline.name, length_max=24)
            yield {"value": factor * median(values), "name": name}


def _change_rules(trend: Trend, metric: MetricTrend) -> Iterator[vega.Chart]:
    for tier, dash in (("confirmed", [1, 0]), ("fast", [4, 3])):
        rows = [
            {
                "run": one.run + 0.5,
                "text": _effect(one),
                "last": one.run > 0.7 * len(trend.runs),
                "is_lower": at % 2 == 1,
            }
            for at, one in enumerate(metric.changes)
            if one.tier == tier
        ]
        if not rows:
            continue
        rule = vega.Chart(rows).marked("rule", color=svg.SECOND, strokeDash=dash)
        yield rule.encoded(x=vega.channel("run:Q"))
        for (is_last, align, dx), (is_lower, dy) in product(_BESIDE, _LINES):
            of_both = (is_last, is_lower)
            mine = [row for row in rows if (row["last"], row["is_lower"]) == of_both]
            text = vega.Chart(mine).marked(
                "text", align=align, dx=dx, dy=dy, fontSize=10, baseline="top", color=svg.SECOND
            )
            yield text.encoded(x=vega.channel("run:Q"), y=TOP, text=vega.channel("text:N"))


def _base(rows: Sequence[dict[str, Any]], trend: Trend) -> vega.Chart:
    domain = [0.5, len(trend.runs) + 0.5]
    axis = vega.axis(grid=False, tickMinStep=1, format="d", tickCount=6)
    return vega.Chart(rows).encoded(
        x=vega.channel(
            "run:Q", title="run, oldest to newest", scale=vega.scale(domain=domain), axis=axis
        ),
        y=vega.channel(
            "value:Q",
            title=None,
            scale=vega.scale(zero=True),
            axis=vega.axis(tickCount=4, domain=False, format=",.4~r"),
        ),
    )
