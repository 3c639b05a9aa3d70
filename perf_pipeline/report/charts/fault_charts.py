"""Failures in charts: a band in every chart over time, service bin by bin, and the evidence."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from perf_pipeline.report.charts import svg, vega
from perf_pipeline.report.charts.over_time import (
    chart_over_time,
    last_moment,
    level_rule,
    line_marks,
    phase_bands,
)
from perf_pipeline.report.recovery.fault_cells import fault_name
from perf_pipeline.report.text import escape, quantity

if TYPE_CHECKING:
    from perf_pipeline.metrics.types.fault.recovery import FaultRecovery, LevelRecovery
    from perf_pipeline.metrics.types.level import LevelMetrics
    from perf_pipeline.report.charts.chart import Chart
    from perf_pipeline.report.charts.over_time import Series

MAX_EVIDENCE_CHARTS = 4


def recovery_charts(level: LevelMetrics, *, points_max: int) -> tuple[Chart, ...]:
    """Draw service by the time of arrival, and what was observed of each failure."""
    found = level.recovery
    if found is None:
        return ()
    evidence = (_evidence(level, fault) for fault in found.faults[:MAX_EVIDENCE_CHARTS])
    return (*_service(level, found, points_max), *(chart for chart in evidence if chart))


def _service(level: LevelMetrics, found: LevelRecovery, points_max: int) -> tuple[Chart, ...]:
    series, before = found.series, found.baseline
    if series is None or before is None or len(series.due) < 2:  # noqa: PLR2004 a line needs two
        return ()
    span = math.ceil(len(series.due) / points_max)
    length_s = span * series.bin_s

    def line(counts: tuple[int, ...]) -> list[tuple[float, float | None]]:
        return [
            (
                series.first_s + at * series.bin_s + length_s / 2,
                sum(counts[at : at + span]) / (len(counts[at : at + span]) * series.bin_s),
            )
            for at in range(0, len(counts), span)
        ]

    arrived = "arrived" if level.loop == "open" else "started"
    lines: Series = {arrived: line(series.due), "answered well": line(series.good)}
    last = last_moment(level, (t for t, _ in lines[arrived]))
    layers = [*phase_bands(level, last), *line_marks(lines, [svg.FOURTH, svg.FIRST], last)]
    layers += [level_rule(before.rate_per_s), *_recovered_rules(found)]
    note = (
        f"By the time of arrival, {quantity.seconds(length_s)} a point. Answered well: ok within "
        f"{quantity.seconds(before.limit_s)}. Dashed: the rate before the first failure. Dotted: "
        "service was as before."
    )
    return (chart_over_time("Service, workflows/s", level, layers, note, lines),)


def _recovered_rules(found: LevelRecovery) -> list[vega.Chart]:
    """Return a dotted vertical line where service was as before again."""
    rows = [
        {"t": round(fault.moments.gone_s + fault.time_to_recover_s.value, 3)}
        for fault in found.faults
        if fault.time_to_recover_s is not None and fault.moments.gone_s is not None
    ]
    if not rows or found.is_control:
        return []
    rule = vega.Chart(rows).marked("rule", color=svg.THIRD, strokeDash=[1, 3], strokeWidth=1.6)
    return [rule.encoded(x=vega.channel("t:Q"))]


def _evidence(level: LevelMetrics, fault: FaultRecovery) -> Chart | None:
    """Draw what was observed while a failure was to be in effect."""
    if len(fault.signs) < 2:  # noqa: PLR2004 - a line needs two
        return None
    name = fault_name(fault)
    lines: Series = {"observed": [(sign.t_s, sign.value) for sign in fault.signs]}
    last = last_moment(level, (t for t, _ in lines["observed"]))
    layers = [*phase_bands(level, last), *line_marks(lines, [svg.SECOND], last)]
    example = next((sign.text for sign in fault.signs if sign.in_effect), fault.signs[0].text)
    share = quantity.percent(100 * fault.evidence_share)
    note = f"For example: {escape.visible(example)}. In effect for {share} of the window."
    return chart_over_time(f"Evidence of {name}", level, layers, note, lines)
