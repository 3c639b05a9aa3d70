"""One load level over past runs: throughput, average, P99 and memory; incomparable runs marked."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, NamedTuple

from perf_pipeline.report.charts import svg, vega
from perf_pipeline.report.charts.chart import HEIGHT, WIDTH, Chart
from perf_pipeline.report.text import escape, quantity

if TYPE_CHECKING:
    from collections.abc import Callable

    from perf_pipeline.analysis.history import HistoryPoint, Series

VALID, NOT_VALID, OTHER = "valid", "not valid", "not comparable"
NOTE = (
    "Filled: valid and comparable with the newest run; the line joins these. Hollow: not valid, or "
    "a P99 that is only a lower bound or has too few samples beyond it. Grey cross: another plan, "
    "target environment or machine."
)


class Quantity(NamedTuple):
    """A quantity that one chart shows over the runs.

    Attributes:
        title: Its name with the unit.
        value: Returns its value in one run; None where it was not measured.
    """

    title: str
    value: Callable[[HistoryPoint], float | None]


QUANTITIES = (
    Quantity("Throughput, workflows/s", lambda point: point.throughput_per_s),
    Quantity("Average, s", lambda point: point.average_s),
    Quantity("P99, s", lambda point: point.p99_s),
    Quantity("Memory of the workers (peak PSS), MB", lambda point: point.memory_mb),
)


def history_charts(series: Series) -> tuple[Chart, ...]:
    """Draw a series, one chart for each quantity that was measured in at least one run."""
    figures = []
    for what in QUANTITIES:
        rows = [
            _row(series, position, point, what)
            for position, point in enumerate(series.points, start=1)
            if what.value(point) is not None
        ]
        if rows:
            figures.append(_figure(series, what, rows))
    return tuple(figures)


def history_rows(series: Series) -> list[dict[str, str]]:
    """Return one row of plain text for each run, newest first, with validity and samples."""
    numbered = list(enumerate(series.points, start=1))
    return [_line(series, position, point) for position, point in reversed(numbered)]


def _row(series: Series, position: int, point: HistoryPoint, what: Quantity) -> dict[str, Any]:
    mark = VALID
    if series.why_not(point):
        mark = OTHER
    elif point.validity != "valid" or (what.title.startswith("P99") and point.p99_doubt):
        mark = NOT_VALID
    return {"run": position, "value": what.value(point), "mark": mark}


def _figure(series: Series, what: Quantity, rows: list[dict[str, Any]]) -> Chart:
    comparing = [row for row in rows if row["mark"] == VALID]
    layers = [
        _base(rows, series).marked("point", opacity=0)
    ]  # spans the axes if no run is comparable
    layers.append(_base(comparing, series).marked("line", strokeWidth=1.4, color=svg.FIRST))
    for mark, look in (
        (VALID, {"filled": True, "color": svg.FIRST, "shape": "circle"}),
        (NOT_VALID, {"fill": svg.PAPER, "stroke": svg.FIRST, "shape": "circle"}),
        (OTHER, {"stroke": svg.QUIET, "shape": "cross", "fill": svg.PAPER}),
    ):
        dots = _base([row for row in rows if row["mark"] == mark], series)
        layers.append(dots.marked("point", size=40, strokeWidth=1.4, opacity=1, **look))
    chart = vega.layered(layers, width=WIDTH, height=HEIGHT)
    name = "-".join(re.findall(r"[a-z0-9]+", f"history {what.title} {series.key}".lower()))
    title = escape.visible(f"{what.title}: {series.key}", length_max=160)
    return Chart(title, svg.inline_svg(chart, name=name, description=f"{title}. {NOTE}"), NOTE)


def _base(rows: list[dict[str, Any]], series: Series) -> vega.Chart:
    domain = [0.5, len(series.points) + 0.5]
    axis = vega.axis(grid=False, tickMinStep=1, format="d")
    return vega.Chart(rows).encoded(
        x=vega.channel(
            "run:Q", title="run, oldest to newest", scale=vega.scale(domain=domain), axis=axis
        ),
        y=vega.channel(
            "value:Q",
            title=None,
            scale=vega.scale(zero=True),
            axis=vega.axis(tickCount=4, domain=False),
        ),
    )


def _line(series: Series, position: int, point: HistoryPoint) -> dict[str, str]:
    def shown(value: float | None, form: Callable[[float], str]) -> str:
        return quantity.NOT_MEASURED if value is None else form(value)

    p99 = shown(point.p99_s, quantity.seconds)
    percent = None if point.error_ratio is None else 100 * point.error_ratio
    return {
        "level": escape.visible(series.key, length_max=160),
        "number": str(position),
        "run": escape.name(point.run_id),
        "validity": escape.name(point.validity),
        "comparable with the newest": ", ".join(series.why_not(point)) or "yes",
        "samples": quantity.count(point.samples),
        "throughput": shown(point.throughput_per_s, quantity.rate),
        "average": shown(point.average_s, quantity.seconds),
        "p99": f"{p99} ({point.p99_doubt})" if point.p99_doubt else p99,
        "memory": shown(point.memory_mb, quantity.megabytes),
        "errors": shown(percent, quantity.percent),
    }
