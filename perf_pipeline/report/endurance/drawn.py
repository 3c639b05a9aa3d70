"""The charts of a campaign: its hours side by side, and its signals with their trends."""

from __future__ import annotations

from typing import TYPE_CHECKING

from perf_pipeline.report.charts.campaign_charts import (
    TimeAxis,
    Trend,
    hour_chart,
    signal_chart,
)
from perf_pipeline.report.endurance import words
from perf_pipeline.report.text import escape

if TYPE_CHECKING:
    from collections.abc import Callable

    from perf_pipeline.report.charts.chart import Chart
    from perf_pipeline.report.endurance.stored_campaign import StoredCampaign
    from perf_pipeline.samples.campaign.hour import Hour
    from perf_pipeline.samples.campaign.leak_verdict import LeakVerdict

SIGNALS_MAX = 36
"""Signals that are drawn: leaks, then what is in doubt, then the others."""


def drawn_hours(stored: StoredCampaign) -> tuple[Chart, ...]:
    """Draw throughput, response times, errors and processor time of the hours."""
    axis = _axis(stored)

    def line(
        value_of: Callable[[Hour], float | None], factor: float
    ) -> list[tuple[float, float | None]]:
        points = []
        for one in stored.hours:
            value = value_of(one)
            middle = (one.begun_s + one.ended_s) / 2
            points.append((middle, None if value is None else factor * value))
        return points

    charts = (
        hour_chart(
            "Throughput, workflows/s", axis, {"": line(lambda one: one.throughput_per_s, 1)}, 0
        ),
        hour_chart(
            "Response time, ms",
            axis,
            {"p99": line(lambda one: one.p99_s, 1e3), "p50": line(lambda one: one.p50_s, 1e3)},
            1,
        ),
        hour_chart("Errors, %", axis, {"": line(lambda one: one.error_ratio, 100)}, 2),
        hour_chart(
            "CPU time per workflow, ms",
            axis,
            {"": line(lambda one: one.cpu_per_workflow_s, 1e3)},
            3,
        ),
    )
    return tuple(chart for chart in charts if chart is not None)


def drawn_signals(stored: StoredCampaign) -> tuple[Chart, ...]:
    """Draw the signals, what matters most first."""
    axis = _axis(stored)
    leaks = {one.name: one for one in (stored.verdicts.leaks if stored.verdicts else ())}
    by_weight = sorted(stored.signal_names, key=lambda name: words.weight(name, leaks.get(name)))
    names = by_weight[:SIGNALS_MAX]
    return tuple(
        _signal(stored, axis, name, leaks.get(name), place) for place, name in enumerate(names)
    )


def _signal(
    stored: StoredCampaign, axis: TimeAxis, name: str, verdict: LeakVerdict | None, place: int
) -> Chart:
    factor, unit = words.factor_of(name), words.unit_of(name)
    line = [(t, factor * value) for t, value in stored.series(name)]
    shown = f"{escape.name(name)}, {unit}" if unit else escape.name(name)
    if verdict is not None:
        shown = f"{shown}: {verdict.verdict}"
    return signal_chart(
        shown, axis, line, _trend(verdict, line, factor, stored.campaign.hour_seconds), place
    )


def _trend(
    verdict: LeakVerdict | None,
    line: list[tuple[float, float]],
    factor: float,
    hour_seconds: float,
) -> Trend | None:
    """Return the line of the stored growth through the stored level, after the warm-up."""
    if verdict is None:
        return None
    limit = None if verdict.limit is None else factor * verdict.limit
    level, growth, interval = verdict.level, verdict.growth_per_hour, verdict.interval
    if level is None or growth is None or interval is None:
        return Trend((), limit, verdict.verdict)
    start = line[0][0] + (verdict.warm_up_hours or 0.0) * hour_seconds
    middle = (start + line[-1][0]) / 2

    def at(t: float, grown: float) -> float:
        return factor * (level + grown * (t - middle) / hour_seconds)

    points = []
    for t in (start, middle, line[-1][0]):
        low, high = sorted(at(t, end) for end in interval)
        points.append((t, at(t, growth), low, high))
    return Trend(points, limit, verdict.verdict)


def _axis(stored: StoredCampaign) -> TimeAxis:
    unit, seconds = ("h", 3600.0) if stored.is_real else ("s", 1.0)
    last = max((one.ended_s for one in stored.hours), default=1.0)
    return TimeAxis(
        unit,
        seconds,
        last,
        tuple((one.begun_s - one.gap_before_s, one.begun_s) for one in stored.gaps),
        tuple(one.begun_s for one in stored.breaks),
    )
