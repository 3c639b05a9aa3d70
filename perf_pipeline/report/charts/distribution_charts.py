"""Distributions of times: a histogram of each load level, and the levels compared as curves.

A closed-loop level has service times only; an open-loop level has response times as well. The two
never share a chart.
"""

from __future__ import annotations

import math
from itertools import pairwise
from typing import TYPE_CHECKING, Any, Literal

from perf_pipeline.report.charts import svg, vega
from perf_pipeline.report.charts.chart import (
    HEIGHT,
    PERCENTILES_DRAWN,
    TOP,
    WIDTH,
    Chart,
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
"""Maximum number of curves in one chart: more cannot be distinguished."""

DECADE_LABELS_RATIO = 30
"""A time axis whose ends are further apart than this ratio is labelled at powers of ten only."""

FINE_RATIO = 4
FINE_STEPS = (1, 1.2, 1.4, 1.6, 1.8, 2, 2.5, 3, 4, 5, 6, 7, 8, 9)
"""Labels of a time axis whose ends are closer than ``FINE_RATIO``, where 1, 2 and 5 may be off."""

_LABEL = "datum.value < 1 ? format(datum.value * 1000, '~g') + ' ms' : datum.value + ' s'"
_COLOURS = [svg.FIRST, svg.SECOND, svg.THIRD, svg.FOURTH, svg.FIRST, svg.SECOND]
_ENDED, _NOT_ENDED = "ended", "not ended (at least this long)"


def curves(metrics: RunMetrics) -> tuple[Chart, ...]:
    """Draw the share of workflows that ended within a time, one curve for each load level.

    Service times of closed-loop levels are one chart, response times of open-loop levels another.
    Only the last ``CURVES_MAX`` levels are drawn; a chart needs at least two.
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
) -> tuple[Chart, ...]:
    known = [(level, found) for level, found in levels if found is not None]
    if len(known) < 2:  # noqa: PLR2004 - one is no comparison
        return ()
    drawn = known[-CURVES_MAX:]
    left_out = len(known) - len(drawn)
    rows = [row for level, found in drawn for row in curve_points(found, labels.level_name(level))]
    names = [labels.level_name(level) for level, _ in drawn]
    base = vega.Chart(rows).encoded(
        x=time_axis(found for _, found in drawn),
        y=vega.channel(
            "share:Q",
            title="% ended",
            scale=vega.scale(domain=[0, 100]),
            axis=vega.axis(tickCount=5, domain=False),
        ),
        color=series_colour(names, _COLOURS),
        strokeDash=series_dash(names),
    )
    line = base.marked("line", strokeWidth=1.6, interpolate="linear")
    chart = vega.layered([line], width=WIDTH, height=1.2 * HEIGHT)
    invalid = [labels.level_name(level) for level, _ in drawn if level.validity != "valid"]
    notes = [
        "A curve that stops below 100 % stops at the longest time observed to end.",
        f"Not drawn: the first {quantity.counted(left_out, 'level')}." if left_out else "",
        f"Not valid: {', '.join(invalid)}." if invalid else "",
    ]
    note = " ".join(each for each in notes if each)
    title = f"{times}: cumulative distribution"
    drawing = svg.inline_svg(chart, name=name, description=f"{title}, level by level. {note}")
    return (Chart(title, drawing, note),)


def histograms(level: LevelMetrics) -> tuple[Chart, ...]:
    """Draw the histograms of a load level, response times before service times."""
    response = ("Response time (open loop)", "resp", level.response_distribution)
    service = (labels.service_time(level), "dist", level.distribution)
    times = (level.response_times, level.service_times)
    return tuple(
        _histogram(level, title, slug, distribution, summary)
        for (title, slug, distribution), summary in zip((response, service), times, strict=True)
        if distribution is not None and summary is not None
    )


def _histogram(
    level: LevelMetrics, what: str, slug: str, found: Distribution, times: ServiceTimes
) -> Chart:
    edges = list(pairwise(found.edges_s))
    rows: list[dict[str, Any]] = []
    for (start, end), ended, not_ended in zip(edges, found.ended, found.not_ended, strict=True):
        place = {"from": start, "to": end}
        if ended:
            rows.append({**place, "low": 0, "high": ended, "what": _ENDED})
        if not_ended:
            rows.append({**place, "low": ended, "high": ended + not_ended, "what": _NOT_ENDED})
    names = [_ENDED, _NOT_ENDED] if any(found.not_ended) else [_ENDED]
    bars = vega.Chart(rows).marked("bar", stroke=svg.FIRST, strokeWidth=0.8)
    layers = [
        bars.encoded(
            x=time_axis((found,)),
            x2=vega.channel("to"),
            y=vega.channel("low:Q", title=None, axis=vega.axis(tickCount=4, domain=False)),
            y2=vega.channel("high"),
            fill=vega.channel(
                "what:N",
                scale=vega.scale(domain=names, range=[svg.FIRST, svg.PAPER][: len(names)]),
                legend=vega.legend(title=None) if len(names) > 1 else None,
            ),
        ),
        *_percentile_rules(times),
    ]
    chart = vega.layered(layers, width=WIDTH, height=HEIGHT)
    note = "Dashed: p50, p90 and p99. Each bar is a twentieth of a decade wide."
    title = f"{what}: histogram of workflows"
    described = f"{title}, {labels.level_name(level)}, {level.validity}. {note}"
    drawing = svg.inline_svg(chart, name=f"l{level.index}-{slug}", description=described)
    return Chart(title, drawing, note)


def _percentile_rules(times: ServiceTimes) -> list[vega.Chart]:
    names: dict[float, list[str]] = {}
    for each in times.percentiles:
        if each.value_s and each.p in PERCENTILES_DRAWN:
            names.setdefault(each.value_s, []).append(PERCENTILES_DRAWN[each.p])
    rows = [{"from": value_s, "name": ", ".join(same)} for value_s, same in names.items()]
    rule = vega.Chart(rows).marked("rule", color=svg.QUIET, strokeDash=[4, 3], strokeWidth=1)
    left_of_rule, right_of_rule = rows[:-1], rows[-1:]  # p99 on the left would cover p90
    return [
        rule.encoded(x=vega.channel("from:Q")),
        _rule_names(left_of_rule, "right"),
        _rule_names(right_of_rule, "left"),
    ]


def _rule_names(rows: list[dict[str, Any]], align: Literal["left", "right"]) -> vega.Chart:
    names = vega.Chart(rows).marked(
        "text", baseline="bottom", dy=-3, fontSize=10, color=svg.QUIET, align=align
    )
    return names.encoded(x=vega.channel("from:Q"), y=TOP, text=vega.channel("name:N"))


def curve_points(found: Distribution, series: str) -> list[dict[str, Any]]:
    """Return the curve up to the longest time at which a workflow was observed to end."""
    last = max((place for place, ended in enumerate(found.ended) if ended), default=-1)
    shares = [1.0, *found.longer_ratio[: last + 1]]
    return [
        {"from": edge, "share": 100 * (1 - longer), "series": series}
        for edge, longer in zip(found.edges_s, shares, strict=False)
    ]


def time_axis(found: Iterable[Distribution]) -> vega.Json:
    """Return a logarithmic time axis over all distributions; labels below 1 s are in ms."""
    edges = [(each.edges_s[0], each.edges_s[-1]) for each in found]
    lowest, highest = min(each[0] for each in edges), max(each[1] for each in edges)
    ratio = highest / lowest
    steps: tuple[float, ...] = (1,) if ratio > DECADE_LABELS_RATIO else (1, 2, 5)
    steps = FINE_STEPS if ratio < FINE_RATIO else steps
    exponents = range(math.floor(math.log10(lowest)), math.ceil(math.log10(highest)) + 1)
    values = [step * 10.0**exponent for exponent in exponents for step in steps]
    return vega.channel(
        "from:Q",
        title=None,
        scale=vega.scale(type="log", domain=[lowest, highest], nice=False),
        axis=vega.axis(
            values=[value for value in values if lowest <= value <= highest],
            labelExpr=_LABEL,
            grid=False,
        ),
    )
