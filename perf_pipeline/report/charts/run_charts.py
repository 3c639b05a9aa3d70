"""The load levels of a run compared, with the targets as marks, and the parts of the cost."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal

from perf_pipeline.report.charts import svg, vega
from perf_pipeline.report.charts.chart import (
    HEIGHT,
    PERCENTILES_DRAWN,
    WIDTH,
    Chart,
    series_colour,
    series_dash,
)
from perf_pipeline.report.text import labels, quantity

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from perf_pipeline.metrics.types.level import LevelMetrics
    from perf_pipeline.metrics.types.run_metrics import RunMetrics
    from perf_pipeline.report.run.cost import Cost

    Row = dict[str, Any]

LOG_RATIO_MIN = 20
"""Loads further apart than this ratio are drawn on a logarithmic axis."""

TIME_RATIO_MIN = 30
"""Times further apart than this ratio are drawn on a logarithmic axis: on a linear axis the
medians would lie on 0."""

LITTLE = "N / throughput"
OFFERED = "offered"
UNMARKED = (LITTLE, OFFERED)
"""Reference lines, drawn without points because nothing on them was measured."""

_COLOURS = {
    "throughput": svg.FIRST,
    "achieved": svg.FIRST,
    OFFERED: svg.QUIET,
    "average": svg.FOURTH,
    LITTLE: svg.QUIET,
    "p50": svg.FIRST,
    "p90": svg.THIRD,
    "p99": svg.SECOND,
}
_TARGETS = {"minimum": "minimum", "goal": "goal"}
"""The tables of targets that are drawn; ``expected`` lies between these two."""


def side_by_side(metrics: RunMetrics) -> tuple[Chart, ...]:
    """Draw throughput and times against the load; empty with fewer than two different loads.

    The load of a closed-loop level is the number in flight, that of an open-loop level the rate
    offered; the two never share a chart.
    """
    return (*_against_concurrency(metrics), *_against_rate(metrics))


def _against_rate(metrics: RunMetrics) -> tuple[Chart, ...]:
    """Draw achieved throughput and response time against the offered rate."""
    offered = [
        (level, level.open_load.offered_per_s)
        for level in metrics.levels
        if level.role == "level" and level.open_load and level.open_load.offered_per_s
    ]
    if len({round(rate, 3) for _, rate in offered}) < 2:  # noqa: PLR2004 - one is no comparison
        return ()
    levels = [level for level, _ in offered]
    marks, places = _marks(levels), [rate for _, rate in offered]
    title_x = "workflows offered per second"
    rates = [
        {**_row(level, "achieved", level.throughput_per_s), "n": rate}
        for level, rate in offered
        if level.throughput_per_s is not None
    ]
    rates += [{**row, "series": OFFERED, "value": row["n"], "line": OFFERED} for row in rates]
    chart = _chart(rates, places, ["achieved", OFFERED], [], title=title_x)
    title = "Achieved against offered rate, workflows/s"
    note = f"{marks} Where achieved stays below offered, a queue grows or workflows are dropped."
    figures = [_figure("offered", title, chart, note)] if rates else []
    times = [
        {**_row(level, name, p.value_s, at_least=p.at_least), "n": rate}
        for level, rate in offered
        for p in (level.response_times.percentiles if level.response_times else ())
        if p.value_s is not None and (name := PERCENTILES_DRAWN.get(p.p))
    ]
    if times:
        heights, axis = _heights(times)
        names = ["p50", "p90", "p99"]
        chart = _chart(times, places, names, [], heights=heights, title=title_x)
        title = f"Response time (open loop) against offered rate, {axis}"
        note = f"{marks} Triangles are lower bounds."
        figures.append(_figure("response", title, chart, note))
    return tuple(figures)


def _heights(rows: Sequence[Row]) -> tuple[Literal["log", "linear"], str]:
    """Return the scale of a time axis, and the unit for the title, which names the scale."""
    values = [float(row["value"]) for row in rows if row["value"] > 0]
    is_wide = max(values, default=1.0) / min(values, default=1.0) > TIME_RATIO_MIN
    return ("log", "s, logarithmic") if is_wide else ("linear", "s")


def _against_concurrency(metrics: RunMetrics) -> tuple[Chart, ...]:
    """Draw throughput and service time against N."""
    levels = [each for each in metrics.levels if each.role == "level" and each.loop == "closed"]
    if len({level.concurrency for level in levels}) < 2:  # noqa: PLR2004 - one is no comparison
        return ()
    rates = [
        _row(level, "throughput", level.throughput_per_s)
        for level in levels
        if level.throughput_per_s is not None
    ]
    times = [row for level in levels for row in _times(level)]
    marks, places = _marks(levels), [float(level.concurrency) for level in levels]
    figures = []
    if rates:
        limits = _target_limits(metrics, levels, "throughput")
        chart = _chart(rates, places, ["throughput"], limits)
        title = "Throughput against concurrency, workflows/s"
        note = f"{marks} {_limits_note('minimum throughput', limits)}"
        figures.append(_figure("throughput", title, chart, note))
    if times:
        limits = _target_limits(metrics, levels, "average latency")
        names = ["average", LITTLE, "p50", "p90", "p99"]
        heights, axis = _heights([*times, *limits])
        chart = _chart(times, places, names, limits, heights=heights)
        note = (
            f"{marks} Triangles are lower bounds. N / throughput is the average by Little's law: "
            "where the measured average differs, workflows failed or the level was not steady. "
            f"{_limits_note('maximum average', limits)}"
        )
        title = f"Service time (closed loop) against concurrency, {axis}"
        figures.append(_figure("times", title, chart, note))
    return tuple(figures)


def cost_chart(cost: Cost) -> Chart | None:
    """Draw the parts of the cost of one workflow as one bar; None unless all three are known."""
    rows = [{"part": p.what, "ms": 1e3 * p.cpu_s} for p in cost.parts if p.cpu_s is not None]
    if len(rows) < len(cost.parts) or any(float(str(row["ms"])) < 0 for row in rows):
        return None
    names = [part.what for part in cost.parts]
    colours = [svg.THIRD, svg.FIRST, svg.SECOND]
    for position, row in enumerate(rows):
        row["position"] = position
    bar = vega.Chart(rows).marked("bar", size=22)
    bar = bar.encoded(
        x=vega.channel("ms:Q", title="ms of CPU time per workflow", axis=vega.axis(grid=False)),
        color=vega.channel(
            "part:N",
            scale=vega.scale(domain=names, range=colours),
            legend=vega.legend(title=None, columns=1),
        ),
        order=vega.channel("position:Q"),
    )
    chart = vega.layered([bar], width=WIDTH, height=30)
    title = "The parts of one workflow"
    shown = ", ".join(f"{part.what} {quantity.seconds(part.cpu_s or 0.0)}" for part in cost.parts)
    return Chart(title, svg.inline_svg(chart, name="parts", description=f"{title}: {shown}."))


def _figure(slug: str, title: str, chart: vega.Json, note: str) -> Chart:
    note = note.strip()
    drawn = svg.inline_svg(chart, name=f"against-{slug}", description=f"{title}. {note}")
    return Chart(title, drawn, note)


def _marks(levels: Sequence[LevelMetrics]) -> str:
    """Return a sentence on which levels are drawn filled and which hollow, with their validity."""
    valid = [labels.level_name(level) for level in levels if level.validity == "valid"]
    others = [f"{labels.level_name(x)} {x.validity}" for x in levels if x.validity != "valid"]
    filled = f"Filled: valid ({', '.join(valid)})." if valid else ""
    hollow = f"Hollow: not valid ({', '.join(others)})." if others else ""
    return f"{filled} {hollow}".strip()


def _limits_note(what: str, limits: Sequence[Row]) -> str:
    """Return a sentence that explains the marks of the targets; empty without any."""
    names = dict.fromkeys(name for limit in limits for name in limit["names"])
    return f"Horizontal bars: {what} of the target tables ({', '.join(names)})." if names else ""


def _target_limits(metrics: RunMetrics, levels: Sequence[LevelMetrics], what: str) -> list[Row]:
    places = {level.label: level.concurrency for level in levels}
    found: dict[tuple[int, float], dict[str, None]] = {}
    for row in metrics.targets:
        if row.what == what and row.table in _TARGETS and row.level in places:
            names = found.setdefault((places[row.level], row.limit), {})
            names[_TARGETS[row.table]] = None
    return [{"n": n, "value": limit, "names": list(names)} for (n, limit), names in found.items()]


def _times(level: LevelMetrics) -> list[Row]:
    times = level.service_times
    found = [("average", times.avg_s, False)]
    if level.throughput_per_s:
        think_s = level.thinking.planned_avg_s if level.thinking else 0.0
        cycle_s = level.concurrency / level.throughput_per_s
        found.append((LITTLE, max(cycle_s - think_s, 0.0), False))
    found += [
        (PERCENTILES_DRAWN[p.p], p.value_s, p.at_least)
        for p in times.percentiles
        if p.p in PERCENTILES_DRAWN
    ]
    return [
        _row(level, name, value, at_least=at_least)
        for name, value, at_least in found
        if value is not None
    ]


def _row(level: LevelMetrics, series: str, value: float, *, at_least: bool = False) -> Row:
    return {
        "n": level.concurrency,
        "value": value,
        "series": series,
        "line": f"{series} {level.repeat}",
        "bound": at_least,
        "valid": level.validity == "valid",
        "level": labels.level_name(level),
    }


def _chart(
    rows: list[Row],
    places: Sequence[float],
    names: list[str],
    limits: list[Row],
    *,
    heights: Literal["log", "linear"] = "linear",
    title: str = "workflows in flight (N)",
) -> vega.Json:
    numbers = sorted({quantity.round_to(place, 3) for place in places})
    spread: Literal["log", "linear"] = (
        "log" if numbers[-1] / numbers[0] > LOG_RATIO_MIN else "linear"
    )
    base = vega.Chart(rows).encoded(
        x=vega.channel(
            "n:Q",
            title=title,
            scale=vega.scale(type=spread, zero=spread == "linear", nice=False, padding=14),
            axis=vega.axis(values=numbers, grid=False),
        ),
        y=vega.channel(
            "value:Q",
            title=None,
            scale=vega.scale(type=heights, zero=heights == "linear"),
            axis=vega.axis(tickCount=5, domain=False, format=",.4~r"),
        ),
        color=series_colour(names, [_COLOURS[name] for name in names]),
    )
    line = base.marked("line", strokeWidth=1.4).encoded(
        detail=vega.channel("line:N"), strokeDash=series_dash(names)
    )
    shape = vega.channel(
        "bound:N",
        scale=vega.scale(domain=[False, True], range=["circle", "triangle-up"]),
        legend=None,
    )
    layers = [*_limit_marks(limits), line]
    for valid, filled in ((True, {"filled": True}), (False, {"fill": svg.PAPER})):
        dots = base.marked("point", size=36, strokeWidth=1.6, opacity=1, **filled).encoded(
            shape=shape
        )
        drawn = [row for row in rows if row["valid"] is valid and row["series"] not in UNMARKED]
        layers.append(dots.with_rows(drawn))
    return vega.layered(layers, width=WIDTH, height=1.2 * HEIGHT)


def _limit_marks(limits: Iterable[Row]) -> list[vega.Chart]:
    """Return a horizontal bar at each limit, labelled with the table that it is from."""
    rows = [{**limit, "name": ", ".join(limit["names"])} for limit in limits]
    if not rows:
        return []
    base = vega.Chart(rows).encoded(x=vega.channel("n:Q"), y=vega.channel("value:Q"))
    return [
        base.marked("tick", color=svg.QUIET, thickness=2, size=26, orient="horizontal"),
        base.marked("text", color=svg.QUIET, fontSize=10, dy=-7).encoded(
            text=vega.channel("name:N")
        ),
    ]
