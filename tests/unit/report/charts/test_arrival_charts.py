"""Arrivals, drops and response times of an open-loop level, drawn by their intended start."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from perf_pipeline.report.charts import arrival_charts

if TYPE_CHECKING:
    from perf_pipeline.metrics.types.level import LevelMetrics
    from perf_pipeline.metrics.types.run_metrics import RunMetrics


def test_arrivals_are_drawn_with_drops(opened: LevelMetrics) -> None:
    (figure,) = arrival_charts.arrivals_chart(opened, points_max=240)
    assert figure.title == "Arrivals, workflows/s"
    assert '"arrived":[500.0,500.0,500.0],"dropped":[4.0,4.0,4.0]' in figure.points
    assert "timeout" not in figure.points


def test_response_times_are_drawn_by_the_second_of_the_intended_start(
    opened: LevelMetrics,
) -> None:
    (figure,) = arrival_charts.response_time_chart(opened, points_max=2)
    assert figure.title == "Response time (open loop), s"
    assert '"p50":[0.25,0.25],"p99":[1.5,1.0]' in figure.points
    assert "Each point covers 2 s: highest percentiles." in figure.note


def test_arrivals_that_wait_are_a_line_unless_none_ever_waited(
    opened: LevelMetrics,
) -> None:
    assert arrival_charts.waiting_line(opened, points_max=2) == [(1.0, 20.0), (2.5, 80.0)]
    assert opened.open_load is not None
    never = tuple(replace(one, waiting=0.0) for one in opened.open_load.seconds)
    idle = replace(opened, open_load=replace(opened.open_load, seconds=never))
    assert arrival_charts.waiting_line(idle, points_max=2) == []


def test_a_closed_level_has_no_arrivals_to_draw(baseline: RunMetrics) -> None:
    level = baseline.levels[0]
    assert arrival_charts.arrivals_chart(level, points_max=240) == ()
    assert arrival_charts.response_time_chart(level, points_max=240) == ()
    assert arrival_charts.waiting_line(level, points_max=240) == []
