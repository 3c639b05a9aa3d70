"""Failures in charts: a band in each one over time, and the evidence."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from perf_pipeline.report.charts import svg
from perf_pipeline.report.charts.fault_charts import recovery_charts
from perf_pipeline.report.charts.level_charts import charts_over_time
from tests.planted_recovery import fault, invalid, recovery

if TYPE_CHECKING:
    from perf_pipeline.metrics.types.run_metrics import RunMetrics

BAND = svg.FAULT.split(",", maxsplit=1)[0]


def test_every_chart_over_time_has_a_band_for_each_failure(baseline: RunMetrics) -> None:
    level = replace(baseline.levels[2], recovery=recovery(fault(), invalid()))
    of_faults = recovery_charts(level, points_max=50)
    assert [chart.title for chart in of_faults] == [
        "Service, workflows/s",
        "Evidence of database_timeout on PostgreSQL",
    ]
    drawn = (*of_faults, *charts_over_time(level, points_max=50))
    assert len(drawn) == 7
    for chart in drawn:
        assert chart.svg.count(BAND) == 1, chart.title
        assert "database_timeout" in chart.svg
        assert "Tinted: failures" in chart.note
    assert "11 locks" not in drawn[1].note
    assert "In effect for 99.0 % of the window." in drawn[1].note


def test_a_control_has_the_service_and_no_band(baseline: RunMetrics) -> None:
    level = replace(baseline.levels[2], recovery=recovery(fault(signs=()), is_control=True))
    drawn = recovery_charts(level, points_max=50)
    drawn += charts_over_time(level, points_max=50)
    assert drawn[0].title == "Service, workflows/s"
    assert not any(BAND in chart.svg for chart in drawn)
