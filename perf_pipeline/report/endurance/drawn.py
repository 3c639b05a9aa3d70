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
    from perf_pipeline.samples.campaign.verdicts import LeakVerdict

SIGNALS_MAX = 36
"""Signals that are drawn: leaks, then what is in doubt, then the others."""

_WEIGHT = {"leak": 0, "inconclusive": 1, "clean": 2}


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

    def weight(name: str) -> tuple[int, str]:
        return (_WEIGHT[leaks[name].verdict] if name in leaks else len(_WEIGHT)), name

    names = sorted(stored.signal_names, key=weight)[:SIGNALS_MAX]
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
    return signal_chart(shown, axis, line, _trend(verdict, line, factor, stored), place)


def _trend(
    verdict: LeakVerdict | None,
    line: list[tuple[float, float]],
    factor: float,
    stored: StoredCampaign,
) -> Trend | None:
    if verdict is None or verdict.growth_per_hour is None or verdict.interval is None:
        return None
    hour_s = stored.campaign.hour_seconds
    start, end = line[0][0], line[-1][0]
    middle = sorted(value for _, value in line)[len(line) // 2]
    low, high = verdict.interval

    def at(t: float, growth: float) -> float:
        return middle + factor * growth * (t - (start + end) / 2) / hour_s

    points = [
        (t, at(t, verdict.growth_per_hour), *sorted((at(t, low), at(t, high))))
        for t in (start, (start + end) / 2, end)
    ]
    return Trend(points, None, verdict.verdict)


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
