"""One level over time."""

from __future__ import annotations

import re
from dataclasses import replace
from typing import TYPE_CHECKING
from xml.etree import ElementTree as ET

from perf_pipeline.metrics.level import Second
from perf_pipeline.report.level_charts import level_figures, thinned

if TYPE_CHECKING:
    from perf_pipeline.metrics.run_metrics import RunMetrics


def _second(t_s: float, ok: int, p99_s: float | None = None) -> Second:
    return Second(t_s, ok, 0, p99_s, p99_s, float(ok))


def _texts(svg: str) -> list[str]:
    root = ET.fromstring(svg)  # noqa: S314 - our own
    return [found.text or "" for found in root.iter("{http://www.w3.org/2000/svg}text")]


def test_thinned_seconds_keep_the_mean_rate_and_the_highest_percentile() -> None:
    """No average of percentiles: the worst second of a span stays visible."""
    seconds = [_second(0, 10, 1.0), _second(1, 20, 9.0), _second(2, 60, None)]
    pair, rest = thinned(seconds, 2)
    assert (pair.t_s, pair.ok_per_s, pair.p99_s) == (1.0, 15.0, 9.0)
    assert (rest.t_s, rest.ok_per_s, rest.p99_s) == (2.5, 60.0, None)


def test_a_level_has_throughput_service_time_in_flight_cores_and_memory(
    baseline: RunMetrics,
) -> None:
    figures = level_figures(baseline.levels[2], points_max=240)
    assert [figure.title for figure in figures] == [
        "Throughput, workflows/s",
        "Service time (closed loop), s",
        "In flight, workflows",
        "Cores used",
        "Memory (PSS), MB",
    ]
    assert figures[3].note == "Dashed: the 2 that may be used."
    assert "Dashed: 1,000 wanted; median of the steady phase: 1,000." in figures[2].note
    assert "steady" in _texts(figures[0].svg)


def test_service_times_below_a_second_are_drawn_in_ms(baseline: RunMetrics) -> None:
    assert level_figures(baseline.levels[4], points_max=240)[1].title.endswith("ms")


def test_a_level_longer_than_the_points_says_what_a_point_is(baseline: RunMetrics) -> None:
    figure = level_figures(baseline.levels[2], points_max=50)[0]
    assert "One point is 4 s" in figure.note


def test_a_second_alone_between_silent_ones_is_drawn_as_a_dot(baseline: RunMetrics) -> None:
    """A line needs two points; at 1000 threads a second with a single end is not rare."""
    silent = [_second(t, 0) for t in range(9)]
    lonely = (*silent[:4], _second(4, 1, 2.0), *silent[5:])
    level = replace(baseline.levels[0], seconds=lonely)
    assert "mark-symbol" in level_figures(level, points_max=240)[1].svg.split("role-legend")[0]


def test_a_level_without_seconds_has_no_chart(ugly: RunMetrics) -> None:
    assert level_figures(ugly.levels[1], points_max=240) == ()


def test_the_same_level_gives_the_same_drawing(baseline: RunMetrics) -> None:
    first = level_figures(baseline.levels[0], points_max=240)
    assert level_figures(baseline.levels[0], points_max=240) == first


def test_hostile_names_cannot_leave_their_chart(ugly: RunMetrics) -> None:
    for figure in level_figures(ugly.levels[0], points_max=240):
        ET.fromstring(figure.svg)  # noqa: S314 - well-formed is the claim
        assert re.search(r"<(script|img|image|a|style|foreignObject)\b", figure.svg) is None
