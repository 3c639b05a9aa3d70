"""The levels side by side."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from perf_pipeline.report import cost
from perf_pipeline.report.run_charts import cost_figure, side_by_side

if TYPE_CHECKING:
    from perf_pipeline.metrics.run_metrics import RunMetrics


def test_levels_that_are_no_measurement_are_drawn_hollow_and_named(baseline: RunMetrics) -> None:
    throughput, times = side_by_side(baseline)
    named = "Filled: valid (100, 500). Hollow: not a measurement (1000 not_steady)."
    assert throughput.note == named
    assert times.note == f"{named} A triangle is at least this long."
    assert throughput.svg.count('fill="var(--paper, #ffffff)"') == 1
    assert times.svg.count('fill="var(--paper, #ffffff)"') == 4


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
    drawn = cost_figure(found)
    assert drawn is not None
    assert drawn.svg.count("what the runtime adds") == 1
    unknown = cost.cost_of(replace(baseline, levels=baseline.levels[:4]))
    assert cost_figure(unknown) is None
