"""The levels side by side."""

from __future__ import annotations

import re
from dataclasses import replace
from typing import TYPE_CHECKING

from perf_pipeline.report.charts.run_charts import LITTLE, cost_chart, side_by_side
from perf_pipeline.report.run import cost

if TYPE_CHECKING:
    from perf_pipeline.metrics.types.run_metrics import RunMetrics


def test_invalid_levels_are_drawn_hollow_and_named(baseline: RunMetrics) -> None:
    throughput, times = side_by_side(baseline)
    named = "Filled: valid (100, 500). Hollow: not valid (1000 not_steady)."
    assert throughput.note.startswith(named)
    assert times.note.startswith(f"{named} Triangles are lower bounds.")
    assert throughput.svg.count('fill="var(--paper, #ffffff)"') == 1
    assert times.svg.count('fill="var(--paper, #ffffff)"') == 4


def test_target_limits_are_drawn_at_their_concurrency(baseline: RunMetrics) -> None:
    """The minimum at 100, 500 and 1000 and the goal at 1000: a bar and a name each."""
    throughput, times = side_by_side(baseline)
    assert throughput.note.endswith("minimum throughput of the target tables (minimum, goal).")
    assert times.note.endswith("maximum average of the target tables (minimum, goal).")
    for figure in (throughput, times):
        assert len(re.findall(">minimum</text>", figure.svg)) == 3
        assert len(re.findall(">goal</text>", figure.svg)) == 1


def test_the_average_is_drawn_with_that_of_littles_law(
    baseline: RunMetrics,
) -> None:
    """Twice the average at the same rate: the two lines part."""
    doubled = tuple(
        replace(
            level,
            service_times=replace(level.service_times, avg_s=2 * (level.service_times.avg_s or 0)),
        )
        for level in baseline.levels
    )
    _, agrees = side_by_side(baseline)
    _, parts = side_by_side(replace(baseline, levels=doubled))
    assert LITTLE in agrees.svg
    assert agrees.svg != parts.svg


def test_an_open_level_is_not_set_against_a_number_in_flight(baseline: RunMetrics) -> None:
    levels = tuple(replace(level, loop="open") for level in baseline.levels[:2])
    assert side_by_side(replace(baseline, levels=(*levels, baseline.levels[2]))) == ()


def test_open_levels_are_drawn_against_the_rate_that_was_offered(
    baseline: RunMetrics, ugly: RunMetrics
) -> None:
    load = ugly.levels[0].open_load
    assert load is not None
    levels = tuple(
        replace(
            level,
            loop="open",
            response_times=level.service_times,
            open_load=replace(load, offered_per_s=rate),
        )
        for level, rate in zip(baseline.levels[:2], (300.0, 600.0), strict=True)
    )
    achieved, response = side_by_side(replace(baseline, levels=levels))
    assert achieved.title == "Achieved against offered rate, workflows/s"
    assert "workflows offered per second" in achieved.svg
    assert response.title.startswith("Response time (open loop) against offered rate")
    assert ">600</text>" in response.svg


def test_one_level_is_not_compared_with_itself(baseline: RunMetrics) -> None:
    arms = baseline.levels[3:]
    assert side_by_side(replace(baseline, levels=(baseline.levels[0], *arms))) == ()


def test_levels_without_any_number_are_not_drawn(baseline: RunMetrics, ugly: RunMetrics) -> None:
    bare = tuple(
        replace(level, concurrency=n) for level, n in zip(ugly.levels, (1, 2), strict=True)
    )
    assert side_by_side(replace(baseline, levels=bare)) == ()


def test_the_parts_of_a_cost_are_drawn_only_when_all_are_known(baseline: RunMetrics) -> None:
    found = cost.cost_of(baseline)
    drawn = cost_chart(found)
    assert drawn is not None
    assert drawn.svg.count(">what the runtime adds</text>") == 1
    unknown = cost.cost_of(replace(baseline, levels=baseline.levels[:4]))
    assert cost_chart(unknown) is None
