"""A campaign's hours and signals over time, with its gaps, breaks, trends and limits."""

from __future__ import annotations

import json
import math
from itertools import groupby
from typing import TYPE_CHECKING, Any, NamedTuple

from perf_pipeline.report.charts import svg, vega
from perf_pipeline.report.charts.chart import HEIGHT, WIDTH, Chart
from perf_pipeline.report.text import escape

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

STRETCHES_MAX = 150
"""Stretches of time in a chart, each drawn as its lowest and highest value."""


class TimeAxis(NamedTuple):
    """The time axis of a campaign's charts.

    Attributes:
        unit: ``h`` of real hours, else ``s``.
        seconds: Length of one unit.
        last_s: Its end.
        gaps: From and to, seconds: no load ran.
        breaks: Seconds: from here on the target is another process.
    """

    unit: str
    seconds: float
    last_s: float
    gaps: tuple[tuple[float, float], ...]
    breaks: tuple[float, ...]

    @property
    def note(self) -> str:
        """What the bands and vertical lines are; empty without any."""
        return " ".join(
            text
            for text, some in (
                ("Tinted: a gap without load.", self.gaps),
                ("Vertical: a break, the target is another process.", self.breaks),
            )
            if some
        )


class Trend(NamedTuple):
    """The trend of a signal.

    Attributes:
        points: Seconds, value, low and high end of the interval.
        limit: Value that it must not reach; None without.
        word: The verdict.
    """

    points: Sequence[tuple[float, float, float, float]]
    limit: float | None
    word: str


def hour_chart(
    title: str, axis: TimeAxis, lines: dict[str, list[tuple[float, float | None]]], place: int
) -> Chart | None:
    """Draw a metric of the hours; None if no hour has it.

    Args:
        title: With the unit.
        axis: The time axis.
        lines: Name to points: middle of the hour in seconds, and value.
        place: Unique in the page.
    """
    shown = {name: line for name, line in lines.items() if any(v is not None for _, v in line)}
    if not shown:
        return None
    layers = [*_interruptions(axis)]
    for (name, line), colour in zip(shown.items(), (svg.FIRST, svg.SECOND), strict=False):
        rows = [{"t": t / axis.seconds, "value": v, "name": name} for t, v in line if v is not None]
        layers += [
            _base(part, axis).marked("line", strokeWidth=1.2, color=colour)
            for part in _without_gaps(rows, axis)
        ]
        layers.append(
            _base(rows, axis).marked("point", filled=True, size=26, opacity=1, color=colour)
        )
        if len(shown) > 1:
            layers.append(_named_at_end(rows, axis, colour))
    drawn = svg.inline_svg(
        vega.layered(layers, width=WIDTH, height=HEIGHT),
        name=f"hours-{place}",
        description=f"{title}, one point an hour. {axis.note}",
    )
    return Chart(title, drawn, axis.note, _points(axis, shown))


def signal_chart(
    title: str, axis: TimeAxis, line: list[tuple[float, float]], trend: Trend | None, place: int
) -> Chart:
    """Draw a signal: its lowest values, its range, its trend and its limit.

    Args:
        title: With the unit.
        axis: The time axis.
        line: Seconds and values; not empty.
        trend: None where it was not judged.
        place: Unique in the page.
    """
    rows = _floors_and_peaks(line, axis)
    layers = [*_interruptions(axis)]
    for part in _without_gaps(rows, axis):
        band = _base(part, axis).marked("area", color=svg.FIRST, opacity=0.18)
        layers.append(band.encoded(y2=vega.channel("highest")))
        layers.append(_base(part, axis).marked("line", strokeWidth=1.3, color=svg.FIRST))
    if len(rows) == 1:
        layers.append(_base(rows, axis).marked("point", size=12, filled=True, color=svg.FIRST))
    notes = ["Line: the lowest value of a stretch of time; band: up to its highest."]
    if trend is not None and trend.points:
        layers += _trend(trend, axis)
        notes.append("Straight: the trend with its interval.")
    if trend is not None and trend.limit is not None:
        layers.append(_limit(trend.limit))
        notes.append("Dashed: the limit.")
    note = " ".join((*notes, axis.note)).strip()
    said = "not judged" if trend is None else trend.word
    drawn = svg.inline_svg(
        vega.layered(layers, width=WIDTH, height=HEIGHT),
        name=f"signal-{place}",
        description=f"{title}: {said}. {note}",
    )
    lowest: list[tuple[float, float | None]] = [
        (row["t"] * axis.seconds, row["value"]) for row in rows
    ]
    return Chart(title, drawn, note, _points(axis, {"lowest": lowest}))


def _floors_and_peaks(line: list[tuple[float, float]], axis: TimeAxis) -> list[dict[str, Any]]:
    """Return lowest and highest value of each stretch of time that has a sample."""
    each_s = max(axis.last_s, 1e-9) / STRETCHES_MAX
    rows = []
    for _, some in groupby(line, key=lambda one: math.floor(one[0] / each_s)):
        part = list(some)
        values = [value for _, value in part]
        t = part[len(part) // 2][0] / axis.seconds
        rows.append({"t": t, "value": min(values), "highest": max(values)})
    return rows


def _without_gaps(rows: list[dict[str, Any]], axis: TimeAxis) -> list[list[dict[str, Any]]]:
    """Return the rows in parts between gaps and breaks: a line must not join what is apart."""
    ends = [*(start for start, _ in axis.gaps), *axis.breaks]

    def part_of(row: dict[str, Any]) -> int:
        return sum(end < row["t"] * axis.seconds for end in ends)

    return [list(some) for _, some in groupby(rows, key=part_of)]


def _base(rows: list[dict[str, Any]], axis: TimeAxis) -> vega.Chart:
    of = "hours" if axis.unit == "h" else "seconds"
    last = axis.last_s / axis.seconds
    return vega.Chart(rows).encoded(
        x=vega.channel(
            "t:Q",
            title=f"{of} since the campaign began",
            scale=vega.scale(domain=[0, last], nice=False),
            axis=vega.axis(grid=False, tickCount=6),
        ),
        y=vega.channel(
            "value:Q",
            title=None,
            scale=vega.scale(zero=False, nice=True),
            axis=vega.axis(tickCount=4, domain=False, format=",.4~r"),
        ),
    )


def _named_at_end(rows: list[dict[str, Any]], axis: TimeAxis, colour: str) -> vega.Chart:
    look = {"align": "right", "dy": -7, "fontSize": 10}
    base = _base(rows[-1:], axis).marked("text", color=colour, **look)
    return base.encoded(text=vega.channel("name:N"))


def _interruptions(axis: TimeAxis) -> Iterable[vega.Chart]:
    if axis.gaps:
        rows = [{"t": a / axis.seconds, "end": b / axis.seconds} for a, b in axis.gaps]
        band = vega.Chart(rows).marked("rect", color=svg.FAULT, opacity=1)
        yield band.encoded(x=vega.channel("t:Q"), x2=vega.channel("end"))
    if axis.breaks:
        rule = vega.Chart([{"t": at / axis.seconds} for at in axis.breaks]).marked(
            "rule", color=svg.SECOND, strokeWidth=1.4
        )
        yield rule.encoded(x=vega.channel("t:Q"))


def _trend(trend: Trend, axis: TimeAxis) -> Iterable[vega.Chart]:
    rows = [
        {"t": t / axis.seconds, "value": value, "low": low, "high": high}
        for t, value, low, high in trend.points
    ]
    band = _base(rows, axis).marked("area", color=svg.SECOND, opacity=0.18)
    yield band.encoded(y=vega.channel("low:Q", title=None), y2=vega.channel("high"))
    yield _base(rows, axis).marked("line", color=svg.SECOND, strokeWidth=1.8)


def _limit(limit: float) -> vega.Chart:
    rule = vega.Chart([{"value": limit}]).marked(
        "rule", color=svg.QUIET, strokeDash=[4, 3], strokeWidth=1.2
    )
    return rule.encoded(y=vega.channel("value:Q"))


def _points(axis: TimeAxis, lines: dict[str, list[tuple[float, float | None]]]) -> str:
    """Return the values of a chart as JSON, for the read-out under the pointer."""
    times = [round(t / axis.seconds, 3) for t, _ in next(iter(lines.values()))]
    whole = {
        "last": axis.last_s / axis.seconds,
        "unit": axis.unit,
        "width": WIDTH,
        "height": HEIGHT,
        "lines": {escape.name(name): [value for _, value in line] for name, line in lines.items()},
        "t": times,
    }
    return json.dumps(whole, separators=(",", ":"))
