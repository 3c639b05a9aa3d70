"""The levels side by side, and the parts of a workflow's cost, as charts."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, Literal

import altair as alt

from perf_pipeline.report import svg, words
from perf_pipeline.report.level_drawing import HEIGHT, WIDTH, Figure

if TYPE_CHECKING:
    from collections.abc import Sequence

    from perf_pipeline.metrics.level import LevelMetrics
    from perf_pipeline.metrics.run_metrics import RunMetrics
    from perf_pipeline.report.cost import Cost

LOG_RATIO_MIN = 20
"""Levels further apart than this are drawn on a logarithmic axis."""


def side_by_side(metrics: RunMetrics) -> tuple[Figure, ...]:
    """Draw throughput and service time against concurrency; nothing with fewer than two levels."""
    levels = [level for level in metrics.levels if level.role == "level"]
    if len({level.concurrency for level in levels}) < 2:  # noqa: PLR2004 - one is no comparison
        return ()
    rates = [
        _row(level, "throughput", level.throughput_per_s)
        for level in levels
        if level.throughput_per_s is not None
    ]
    times = [row for level in levels for row in _times(level)]
    marks = _marks(levels)
    figures = []
    if rates:
        chart = _chart(rates, levels, ["throughput"])
        figures.append(_figure("Throughput against concurrency, workflows/s", chart, marks))
    if times:
        chart = _chart(times, levels, ["average", "p50", "p90", "p99"])
        note = f"{marks} A triangle is at least this long."
        figures.append(_figure("Service time (closed loop) against concurrency, s", chart, note))
    return tuple(figures)


def cost_figure(cost: Cost) -> Figure | None:
    """Draw the parts of one workflow on one line; nothing unless all three are known."""
    rows = [{"part": p.what, "ms": 1e3 * p.seconds} for p in cost.parts if p.seconds is not None]
    if len(rows) < len(cost.parts) or any(float(str(row["ms"])) < 0 for row in rows):
        return None
    names = [part.what for part in cost.parts]
    colours = [svg.THIRD, svg.FIRST, svg.SECOND]
    for position, row in enumerate(rows):
        row["position"] = position
    bar = alt.Chart({"values": rows}).mark_bar(size=22)
    bar = bar.encode(
        x=alt.X("ms:Q", title="ms of one worker process per workflow", axis=alt.Axis(grid=False)),
        color=alt.Color(
            "part:N",
            scale=alt.Scale(domain=names, range=colours),
            legend=alt.Legend(title=None, columns=1),
        ),
        order="position:Q",
    )
    chart = alt.LayerChart(layer=[bar]).properties(width=WIDTH, height=30)
    return _figure("The parts of one workflow", chart, "")


def _figure(title: str, chart: alt.LayerChart, note: str) -> Figure:
    slug = "-".join(re.findall(r"[a-z]+", title.lower()))
    drawn = svg.inline_svg(chart, name=slug, description=f"{title}. {note}".strip())
    return Figure(title, drawn, note)


def _marks(levels: Sequence[LevelMetrics]) -> str:
    """Return which levels are drawn filled and which hollow, with their validity."""
    valid = [words.level_name(level) for level in levels if level.validity == "valid"]
    others = [f"{words.level_name(x)} {x.validity}" for x in levels if x.validity != "valid"]
    filled = f"Filled: valid ({', '.join(valid)})." if valid else ""
    hollow = f"Hollow: not a measurement ({', '.join(others)})." if others else ""
    return f"{filled} {hollow}".strip()


def _times(level: LevelMetrics) -> list[dict[str, Any]]:
    times = level.service_times
    found = [("average", times.avg_s, False)]
    found += [(f"p{round(100 * p.p)}", p.value_s, p.at_least) for p in times.percentiles]
    return [
        _row(level, name, value, at_least=at_least)
        for name, value, at_least in found
        if value is not None
    ]


def _row(
    level: LevelMetrics, series: str, value: float, *, at_least: bool = False
) -> dict[str, Any]:
    return {
        "n": level.concurrency,
        "value": value,
        "series": series,
        "line": f"{series} {level.repeat}",
        "bound": at_least,
        "valid": level.validity == "valid",
        "level": words.level_name(level),
    }


def _chart(
    rows: list[dict[str, Any]], levels: Sequence[LevelMetrics], names: list[str]
) -> alt.LayerChart:
    numbers = sorted({level.concurrency for level in levels})
    spread: Literal["log", "linear"] = (
        "log" if numbers[-1] / numbers[0] > LOG_RATIO_MIN else "linear"
    )
    legend: Any = alt.Legend(title=None, symbolType="stroke") if len(names) > 1 else None
    colours = [svg.FOURTH, svg.FIRST, svg.THIRD, svg.SECOND][-len(names) :]
    colours = [svg.FIRST] if len(names) == 1 else colours
    base = alt.Chart({"values": rows}).encode(
        x=alt.X(
            "n:Q",
            title="workflows in flight (N)",
            scale=alt.Scale(type=spread, zero=spread == "linear", nice=False),
            axis=alt.Axis(values=numbers, grid=False),
        ),
        y=alt.Y("value:Q", title=None, axis=alt.Axis(tickCount=5, domain=False)),
        color=alt.Color("series:N", scale=alt.Scale(domain=names, range=colours), legend=legend),
    )
    line = base.mark_line(strokeWidth=1.4).encode(detail="line:N")
    shape = alt.Shape(
        "bound:N",
        scale=alt.Scale(domain=[False, True], range=["circle", "triangle-up"]),
        legend=None,
    )
    layers = [line]
    for valid, filled in ((True, {"filled": True}), (False, {"fill": svg.PAPER})):
        dots = base.mark_point(size=36, strokeWidth=1.6, opacity=1, **filled).encode(shape=shape)
        dots.data = {"values": [row for row in rows if row["valid"] is valid]}
        layers.append(dots)
    return alt.LayerChart(layer=layers).properties(width=1.4 * WIDTH, height=1.2 * HEIGHT)
