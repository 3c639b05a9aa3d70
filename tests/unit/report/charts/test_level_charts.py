"""One level over time."""

from __future__ import annotations

import re
from dataclasses import replace
from typing import TYPE_CHECKING
from xml.etree import ElementTree as ET

import pytest

from perf_pipeline.metrics.types.records import TimePoint
from perf_pipeline.metrics.types.steady_state import Drift, SteadyState
from perf_pipeline.report.charts import level_charts
from perf_pipeline.report.charts.level_charts import charts_over_time, downsampled

if TYPE_CHECKING:
    from perf_pipeline.metrics.types.run_metrics import RunMetrics
    from perf_pipeline.report.charts.chart import Chart


@pytest.fixture(scope="module")
def drawn(baseline: RunMetrics) -> tuple[Chart, ...]:
    """The charts of 1000 in flight; drawing takes most of the time here."""
    return charts_over_time(baseline.levels[2], points_max=50)


def _second(t_s: float, ok: int, p99_s: float | None = None) -> TimePoint:
    return TimePoint(t_s, ok, 0, p99_s, p99_s, float(ok))


def _texts(svg: str) -> list[str]:
    root = ET.fromstring(svg)  # noqa: S314 - our own
    return [found.text or "" for found in root.iter("{http://www.w3.org/2000/svg}text")]


def test_thinned_seconds_keep_the_mean_rate_and_the_highest_percentile() -> None:
    """No average of percentiles: the worst second of a span stays visible."""
    seconds = [_second(0, 10, 1.0), _second(1, 20, 9.0), _second(2, 60, None)]
    pair, rest = downsampled(seconds, 2)
    assert (pair.t_s, pair.ok_per_s, pair.p99_s) == (1.0, 15.0, 9.0)
    assert (rest.t_s, rest.ok_per_s, rest.p99_s) == (2.5, 60.0, None)


def test_a_level_has_throughput_service_time_in_flight_cores_and_memory(
    drawn: tuple[Chart, ...],
) -> None:
    figures = drawn
    assert [figure.title for figure in figures] == [
        "Throughput, workflows/s",
        "Service time (closed loop), s",
        "In flight, workflows",
        "Cores used",
        "Memory (PSS), MB",
    ]
    assert figures[3].note.startswith("Dashed: the 2 usable cores.")
    assert "Dashed: 1,000 planned; median in flight in the steady phase: 1,000." in figures[2].note
    assert "steady" in _texts(figures[0].svg)


def test_service_times_below_a_second_are_drawn_in_ms(baseline: RunMetrics) -> None:
    assert charts_over_time(baseline.levels[4], points_max=240)[1].title.endswith("ms")


def test_a_level_longer_than_the_points_says_what_a_point_is(drawn: tuple[Chart, ...]) -> None:
    assert "Each point covers 4 s" in drawn[0].note


def test_the_moment_since_when_the_series_are_steady_is_a_heavy_line(
    baseline: RunMetrics, drawn: tuple[Chart, ...]
) -> None:
    """The rule of 2.5 pixels is there, and nowhere where nothing looked for it."""
    drifts = {"throughput": Drift(-0.01, -0.04, 0.02)}
    settled = replace(baseline.levels[2], steady_state=SteadyState(15.3, "steady", "", drifts))
    points = downsampled(settled.seconds, 4)
    figure = level_charts._throughput(settled, points, "")
    assert figure.svg.count('stroke-width="2.5"') == 1
    assert 'stroke-width="2.5"' not in drawn[0].svg
    assert figure.note.endswith(
        "Heavy line: steady since 15.3 s, detected from the series. "
        "Drift: throughput −1.00 % [−4.00 to 2.00 %]."  # noqa: RUF001
    )


def test_a_second_alone_between_silent_ones_is_drawn_as_a_dot(baseline: RunMetrics) -> None:
    """A line needs two points; at 1000 threads a second with a single end is not rare."""
    silent = [_second(t, 0) for t in range(9)]
    lonely = (*silent[:4], _second(4, 1, 2.0), *silent[5:])
    level = replace(baseline.levels[0], seconds=lonely)
    assert "mark-symbol" in charts_over_time(level, points_max=240)[1].svg.split("role-legend")[0]


def test_a_level_without_seconds_has_no_chart(ugly: RunMetrics) -> None:
    assert charts_over_time(ugly.levels[1], points_max=240) == ()


def test_the_same_level_gives_the_same_drawing(
    baseline: RunMetrics, drawn: tuple[Chart, ...]
) -> None:
    assert charts_over_time(baseline.levels[2], points_max=50) == drawn


def test_hostile_names_cannot_leave_their_chart(ugly: RunMetrics) -> None:
    for figure in charts_over_time(ugly.levels[0], points_max=240):
        ET.fromstring(figure.svg)  # noqa: S314 - well-formed is the claim
        assert re.search(r"<(script|img|image|a|style|foreignObject)\b", figure.svg) is None
