"""The two sides of a comparison over each other: times of each level, CPU time per workflow."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from perf_pipeline.report.charts import svg, vega
from perf_pipeline.report.charts.chart import (
    HEIGHT,
    WIDTH,
    Chart,
    series_colour,
    series_dash,
)
from perf_pipeline.report.charts.distribution_charts import curve_points, time_axis
from perf_pipeline.report.charts.forest_chart import FOREST_WIDTH, ROW_HEIGHT, shortened
from perf_pipeline.report.text import changes as words
from perf_pipeline.report.text import escape, labels, quantity

if TYPE_CHECKING:
    from collections.abc import Sequence

    from perf_pipeline.metrics.types.comparison import Change
    from perf_pipeline.metrics.types.level import LevelMetrics
    from perf_pipeline.metrics.types.run_metrics import RunMetrics
    from perf_pipeline.metrics.types.service_times import Distribution

LEVELS_MAX = 8
"""Levels whose distributions are drawn, the first ones."""

RUNS_MAX = 10
"""Runs of a side in one chart, the newest ones."""

CPU_ROWS_MAX = 16
SIDES = ["baseline", "candidate"]
COLOURS = [svg.FIRST, svg.SECOND]
_LOG_RATIO_MIN = 10


def overlaid_distributions(
    labels_compared: Sequence[str],
    baseline: Sequence[RunMetrics],
    candidate: Sequence[RunMetrics],
) -> tuple[Chart, ...]:
    """Draw the times of each level, one curve for each run, both sides in one chart.

    Response times of an open level, service times of a closed one. A level that one side has no
    distribution of is not drawn.

    Args:
        labels_compared: The levels of the comparison, in order.
        baseline: Runs of the side, oldest first.
        candidate: Likewise.
    """
    charts = []
    for place, label in enumerate(labels_compared[:LEVELS_MAX]):
        sides = [_played(runs, label) for runs in (baseline, candidate)]
        if all(sides):
            charts.append(_overlaid(place, *sides))
    return tuple(charts)


def _played(
    runs: Sequence[RunMetrics], label: str
) -> list[tuple[RunMetrics, LevelMetrics, Distribution]]:
    played = [
        (run, level, found)
        for run in runs
        for level in run.levels
        if level.label == label and (found := _distribution(level)) is not None
    ]
    return played[-RUNS_MAX:]


def _distribution(level: LevelMetrics) -> Distribution | None:
    return level.response_distribution if level.loop == "open" else level.distribution


def _overlaid(
    place: int,
    baseline: list[tuple[RunMetrics, LevelMetrics, Distribution]],
    candidate: list[tuple[RunMetrics, LevelMetrics, Distribution]],
) -> Chart:
    rows: list[dict[str, Any]] = []
    for side, played in zip(SIDES, (baseline, candidate), strict=True):
        for number, (_, _, found) in enumerate(played):
            line = f"{side} {number}"
            rows += [{**point, "line": line} for point in curve_points(found, side)]
    base = vega.Chart(rows).encoded(
        x=time_axis(found for _, _, found in (*baseline, *candidate)),
        y=vega.channel(
            "share:Q",
            title="% ended",
            scale=vega.scale(domain=[0, 100]),
            axis=vega.axis(tickCount=5, domain=False),
        ),
        color=series_colour(SIDES, COLOURS),
        strokeDash=series_dash(SIDES),
        detail=vega.channel("line:N"),
    )
    curves = base.marked("line", strokeWidth=1.3, interpolate="linear", opacity=0.8)
    chart = vega.layered([curves], width=WIDTH, height=1.2 * HEIGHT)
    level = candidate[0][1]
    times = "Response time" if level.loop == "open" else "Service time"
    title = f"{times} at {escape.name(level.shown)}: cumulative distribution"
    note = (
        f"One curve for each run: {len(baseline)} of the baseline, {len(candidate)} of the "
        "candidate. Further to the left is faster."
    )
    by_side = zip(SIDES, (_not_valid(baseline), _not_valid(candidate)), strict=True)
    doubtful = [f"{side}: {', '.join(found)}" for side, found in by_side if found]
    if doubtful:
        note += f" Not valid: {'; '.join(doubtful)}."
    drawing = svg.inline_svg(chart, name=f"sides-{place}", description=f"{title}. {note}")
    return Chart(title, drawing, note)


def _not_valid(played: list[tuple[RunMetrics, LevelMetrics, Distribution]]) -> list[str]:
    return [
        f"{escape.name(run.run_id)} {labels.validity_of(level).text}"
        for run, level, _ in played
        if level.validity != "valid"
    ]


def cpu_chart(changes: Sequence[Change]) -> Chart | None:
    """Draw CPU time per workflow, one mark for each run, level by level; None without any."""
    known = [one for one in changes if one.metric == "cpu_per_workflow_s"]
    drawn = [one for one in known if any(_values(one).values())][:CPU_ROWS_MAX]
    rows: list[dict[str, Any]] = [
        {"row": place + 0.14 * (side == SIDES[1]), "ms": 1e3 * value, "series": side}
        for place, one in enumerate(drawn)
        for side, values in _values(one).items()
        for value in values
    ]
    if not rows:
        return None
    times = [float(row["ms"]) for row in rows]
    is_wide = max(times) > _LOG_RATIO_MIN * min(times) > 0
    names: list[dict[str, Any]] = [
        {"row": place, "text": f"{shortened(words.where(one))}: {_row_text(one)}"}
        for place, one in enumerate(drawn)
    ]
    down = vega.scale(domain=[-0.75, len(drawn) - 0.3], reverse=True, nice=False)
    dots = vega.Chart(rows).marked("point", size=42, opacity=0.85, strokeWidth=1.5)
    layers = [
        dots.encoded(
            x=vega.channel(
                "ms:Q",
                title="ms of CPU time per workflow" + (" (logarithmic)" if is_wide else ""),
                scale=vega.scale(type="log" if is_wide else "linear", zero=False, padding=10),
                axis=vega.axis(tickCount=6, format=",.4~r"),
            ),
            y=vega.channel("row:Q", scale=down, axis=None),
            color=vega.channel(
                "series:N", scale=vega.scale(domain=SIDES, range=COLOURS), legend=vega.legend()
            ),
            shape=vega.channel(
                "series:N",
                scale=vega.scale(domain=SIDES, range=["circle", "diamond"]),
                legend=vega.legend(),
            ),
        ),
        vega.Chart(names)
        .marked("text", align="left", baseline="bottom", dy=-7, fontSize=11, color="currentColor")
        .encoded(x=vega.constant(0), y=vega.channel("row:Q"), text=vega.channel("text:N")),
    ]
    chart = vega.layered(layers, width=FOREST_WIDTH, height=1.2 * ROW_HEIGHT * len(drawn))
    title = "CPU time per workflow, ms"
    note = (
        "One mark for each run; the axis does not begin at 0. CPU time hardly depends on "
        "neighbours on the machine, so it decides where throughput cannot."
    )
    told = "; ".join(row["text"] for row in names)
    return Chart(title, svg.inline_svg(chart, name="cpu", description=f"{title}. {told}"), note)


def _values(change: Change) -> dict[str, list[float]]:
    sides = zip(SIDES, (change.baseline, change.candidate), strict=True)
    return {side: [value for value in values if value is not None] for side, values in sides}


def _row_text(change: Change) -> str:
    runs = ", ".join(
        f"{side} {quantity.counted(len(values), 'run')}" for side, values in _values(change).items()
    )
    if change.effect is None:
        return runs
    return f"{words.effect_text(change.effect, change.kind)}, {words.verdict_text(change)}"
