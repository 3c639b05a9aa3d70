"""How times are distributed, drawn; service and response times never in one drawing."""

from __future__ import annotations

import re
from dataclasses import replace
from typing import TYPE_CHECKING
from xml.etree import ElementTree as ET

from perf_pipeline.report.charts.distribution_charts import CURVES_MAX, curves, histograms

if TYPE_CHECKING:
    from perf_pipeline.metrics.types.run_metrics import RunMetrics


def test_a_histogram_names_its_percentiles_and_marks_censored_workflows(
    baseline: RunMetrics,
) -> None:
    (figure,) = histograms(baseline.levels[0])
    assert figure.title == "Service time (closed loop): histogram of workflows"
    for name in ("p50", "p90", "p99", "ended", "not ended (at least this long)"):
        assert figure.svg.count(f">{name}</text>") == 1
    assert not re.search(r">p(95|99\.9|100)</text>", figure.svg), "they would cover others"
    assert figure.svg.count('fill="var(--paper, #ffffff)"') == 2  # the hollow bar, and its name


def test_a_level_without_any_time_has_no_histograms(baseline: RunMetrics) -> None:
    assert histograms(replace(baseline.levels[0], distribution=None)) == ()


def test_curves_name_each_level_and_the_invalid_ones(baseline: RunMetrics) -> None:
    (figure,) = curves(baseline)
    for name in ("100", "500", "1000", "lean (arm)", "control (arm)"):
        assert f">{name}</text>" in figure.svg
    assert figure.note.endswith("Not valid: 1000.")


def test_of_too_many_curves_the_last_are_drawn_and_the_others_counted(
    baseline: RunMetrics,
) -> None:
    level = baseline.levels[0]
    levels = tuple(replace(level, label=f"level {at}") for at in range(CURVES_MAX + 2))
    (figure,) = curves(replace(baseline, levels=levels))
    assert "Not drawn: the first 2 levels." in figure.note
    assert ">level 1</text>" not in figure.svg
    assert ">level 2</text>" in figure.svg


def test_an_open_level_has_a_histogram_of_response_times_before_that_of_service_times(
    baseline: RunMetrics,
) -> None:
    level = baseline.levels[0]
    opened = replace(
        level,
        loop="open",
        response_times=level.service_times,
        response_distribution=level.distribution,
        seconds=(),
    )
    assert [figure.title for figure in histograms(opened)] == [
        "Response time (open loop): histogram of workflows",
        "Service time (open loop): histogram of workflows",
    ]
    both = (opened, replace(opened, label="busy"), *baseline.levels[1:3])
    service, response = curves(replace(baseline, levels=both))
    assert service.title == "Service time (closed loop): cumulative distribution"
    assert response.title == "Response time (open loop): cumulative distribution"
    assert ">busy</text>" in response.svg
    assert ">busy</text>" not in service.svg


def test_one_level_is_no_comparison(baseline: RunMetrics) -> None:
    assert curves(replace(baseline, levels=baseline.levels[:1])) == ()


def test_hostile_names_cannot_leave_the_curves(baseline: RunMetrics, ugly: RunMetrics) -> None:
    named = replace(baseline.levels[0], label=ugly.levels[0].label)
    (figure,) = curves(replace(baseline, levels=(named, baseline.levels[1])))
    root = ET.fromstring(figure.svg)  # noqa: S314 - well-formed is the claim
    assert not root.findall(".//{http://www.w3.org/2000/svg}script")
