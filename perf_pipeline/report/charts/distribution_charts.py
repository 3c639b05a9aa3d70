"""How times are distributed: each level as a histogram, and all levels as curves.

A closed level has service times alone; an open one has response times too, in drawings of their
own: the two are never in one.
"""

from __future__ import annotations

import math
from itertools import pairwise
from typing import TYPE_CHECKING, Any, Literal

import altair as alt

from perf_pipeline.report.charts import svg
from perf_pipeline.report.charts.level_drawing import (
    HEIGHT,
    TOP,
    WIDTH,
    Figure,
    series_colour,
    series_dash,
)
from perf_pipeline.report.text import labels, quantity

if TYPE_CHECKING:
    from collections.abc import Iterable

    from perf_pipeline.metrics.types.level import LevelMetrics
    from perf_pipeline.metrics.types.run_metrics import RunMetrics
    from perf_pipeline.metrics.types.service_times import Distribution, ServiceTimes

CURVES_MAX = 6
"""More curves than this cannot be told apart."""

LABELS_A_DECADE_RATIO = 30
"""A time axis that spans more is labelled at the powers of ten alone."""

FINE_RATIO = 4
FINE_STEPS = (1, 1.2, 1.4, 1.6, 1.8, 2, 2.5, 3, 4, 5, 6, 7, 8, 9)
"""One that spans less than this ratio might hold none of 1, 2 and 5."""

_LABEL = "datum.value < 1 ? format(datum.value * 1000, '~g') + ' ms' : datum.value + ' s'"
_COLOURS = [svg.FIRST, svg.SECOND, svg.THIRD, svg.FOURTH, svg.FIRST, svg.SECOND]
_ENDED, _NOT_ENDED = "ended", "had not ended: this or longer"


def curves(metrics: RunMetrics) -> tuple[Figure, ...]:
    """Draw the share of workflows that ended within a time, a curve a level.

    Service times of closed levels are one drawing, response times of open ones another. The
    greatest levels are drawn where there are too many; nothing without two to compare.
    """
    first = [level for level in metrics.levels if level.repeat == 0]
    closed = [(level, level.distribution) for level in first if level.loop == "closed"]
    opened = [(level, level.response_distribution) for level in first if level.loop == "open"]
    return (
        *_curves("Service time (closed loop)", "curves", closed),
        *_curves("Response time (open loop)", "response-curves", opened),
    )


def _curves(
    times: str, name: str, levels: list[tuple[LevelMetrics, Distribution | None]]
) -> tuple[Figure, ...]:
    known = [(level, found) for level, found in levels if found is not None]
    if len(known) < 2:  # noqa: PLR2004 - one is no comparison
        return ()
    drawn = known[-CURVES_MAX:]
    left_out = len(known) - len(drawn)
    rows = [row for level, found in drawn for row in _curve(level, found)]
    names = [labels.level_name(level) for level, _ in drawn]
    base = alt.Chart({"values": rows}).encode(
        x=_time_axis(found for _, found in drawn),
        y=alt.Y(
            "share:Q",
            title="% ended",
            scale=alt.Scale(domain=[0, 100]),
            axis=alt.Axis(tickCount=5, domain=False),
        ),
        color=series_colour(names, _COLOURS),
        strokeDash=series_dash(names),
    )
    line = base.mark_line(strokeWidth=1.6, interpolate="linear")
    chart = alt.LayerChart(layer=[line]).properties(width=WIDTH, height=1.2 * HEIGHT)
    invalid = [labels.level_name(level) for level, _ in drawn if level.validity != "valid"]
    notes = [
        "A curve that ends below 100 % ends where nothing longer was seen to end.",
        f"Not drawn: the first {quantity.counted(left_out, 'level')}." if left_out else "",
        f"Not a measurement: {', '.join(invalid)}." if invalid else "",
    ]
    note = " ".join(each for each in notes if each)
    title = f"{times}, share ended within a time"
    drawing = svg.inline_svg(chart, name=name, description=f"{title}, level by level. {note}")
    return (Figure(title, drawing, note),)


def histograms(level: LevelMetrics) -> tuple[Figure, ...]:
    """Draw how many workflows took how long, response times before service times."""
    response = ("Response time (open loop)", "resp", level.response_distribution)
    service = (labels.service_time(level), "dist", level.distribution)
    times = (level.response_times, level.service_times)
    return tuple(
        _histogram(level, title, slug, found, whose)
        for (title, slug, found), whose in zip((response, service), times, strict=True)
        if found is not None and whose is not None
    )


def _histogram(
    level: LevelMetrics, what: str, slug: str, found: Distribution, times: ServiceTimes
) -> Figure:
    edges = list(pairwise(found.edges_s))
    rows: list[dict[str, Any]] = []
    for (start, end), ended, not_ended in zip(edges, found.ended, found.not_ended, strict=True):
        place = {"from": start, "to": end}
        if ended:
            rows.append({**place, "low": 0, "high": ended, "what": _ENDED})
        if not_ended:
            rows.append({**place, "low": ended, "high": ended + not_ended, "what": _NOT_ENDED})
    names = [_ENDED, _NOT_ENDED] if any(found.not_ended) else [_ENDED]
    bars = alt.Chart({"values": rows}).mark_bar(stroke=svg.FIRST, strokeWidth=0.8)
    layers = [
        bars.encode(
            x=_time_axis((found,)),
            x2=alt.X2("to:Q"),
            y=alt.Y("low:Q", title=None, axis=alt.Axis(tickCount=4, domain=False)),
            y2=alt.Y2("high:Q"),
            fill=alt.Fill(
                "what:N",
                scale=alt.Scale(domain=names, range=[svg.FIRST, svg.PAPER][: len(names)]),
                legend=alt.Legend(title=None) if len(names) > 1 else None,
            ),
        ),
        *_percentile_rules(times),
    ]
    chart = alt.LayerChart(layer=layers).properties(width=WIDTH, height=HEIGHT)
    note = "Dashed: p50, p90 and p99. Each bar is a twentieth of a decade wide."
    title = f"{what}, workflows by their time"
    described = f"{title}, {labels.level_name(level)}, {level.validity}. {note}"
    drawing = svg.inline_svg(chart, name=f"l{level.index}-{slug}", description=described)
    return Figure(title, drawing, note)


def _percentile_rules(times: ServiceTimes) -> list[alt.Chart]:
    names: dict[float, list[str]] = {}
    for each in times.percentiles:
        if each.value_s:
            names.setdefault(each.value_s, []).append(f"p{round(100 * each.p)}")
    rows = [{"from": value_s, "name": ", ".join(same)} for value_s, same in names.items()]
    data = {"values": rows}
    rule = alt.Chart(data).mark_rule(color=svg.QUIET, strokeDash=[4, 3], strokeWidth=1)
    to_the_left, to_the_right = rows[:-1], rows[-1:]  # or it would cover p90's
    return [
        rule.encode(x=alt.X("from:Q")),
        _rule_names(to_the_left, "right"),
        _rule_names(to_the_right, "left"),
    ]


def _rule_names(rows: list[dict[str, Any]], align: Literal["left", "right"]) -> alt.Chart:
    names: alt.Chart = alt.Chart({"values": rows}).mark_text(
        baseline="bottom", dy=-3, fontSize=10, color=svg.QUIET, align=align
    )
    return names.encode(x=alt.X("from:Q"), y=TOP, text=alt.Text("name:N"))


def _curve(level: LevelMetrics, found: Distribution) -> list[dict[str, Any]]:
    """Return the curve up to where something was last seen to end."""
    last = max((place for place, ended in enumerate(found.ended) if ended), default=-1)
    shares = [1.0, *found.longer_ratio[: last + 1]]
    return [
        {"from": edge, "share": 100 * (1 - longer), "series": labels.level_name(level)}
        for edge, longer in zip(found.edges_s, shares, strict=False)
    ]


def _time_axis(found: Iterable[Distribution]) -> alt.X:
    """Return a logarithmic axis over all of ``found``, in ms below a second."""
    edges = [(each.edges_s[0], each.edges_s[-1]) for each in found]
    least, most = min(each[0] for each in edges), max(each[1] for each in edges)
    steps: tuple[float, ...] = (1,) if most / least > LABELS_A_DECADE_RATIO else (1, 2, 5)
    steps = FINE_STEPS if most / least < FINE_RATIO else steps
    exponents = range(math.floor(math.log10(least)), math.ceil(math.log10(most)) + 1)
    values = [step * 10.0**exponent for exponent in exponents for step in steps]
    return alt.X(
        "from:Q",
        title=None,
        scale=alt.Scale(type="log", domain=[least, most], nice=False),
        axis=alt.Axis(
            values=[value for value in values if least <= value <= most],
            labelExpr=_LABEL,
            grid=False,
        ),
    )
