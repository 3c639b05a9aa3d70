"""The verdict over all metrics, and the keys that users know."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from perf_pipeline import LoadTestFramework, PerformanceMetrics
from perf_pipeline.compat.regression import analyse_regression

BASELINE = PerformanceMetrics(
    total_workflows=5000,
    successful_workflows=5000,
    failed_workflows=0,
    execution_time=20.0,
    throughput=250.0,
    avg_latency=0.4,
    min_latency=0.1,
    max_latency=1.0,
    p50_latency=0.4,
    p90_latency=0.5,
    p99_latency=0.9,
    peak_memory_mb=300.0,
    avg_cpu_percent=180.0,
    peak_cpu_percent=200.0,
    disk_io_read_mb=0.0,
    disk_io_write_mb=1.0,
    network_io_sent_mb=None,
    network_io_recv_mb=None,
    active_connections=20.0,
    peak_connections=50,
    connection_pool_utilization=100.0,
    database_errors=0,
    error_rate=0.0,
    timeout_errors=0,
    connection_errors=0,
    resource_exhaustion_errors=0,
    test_start_time="2026-11-24T10:00:00+00:00",
    test_end_time="2026-11-24T10:00:30+00:00",
    run_id="20261124_100000-aaaa",
    scenario="baseline",
    target="kailash",
    nodes="code",
    workflows=("analytics/complex", "transformation/medium"),
    concurrency=100,
    validity="valid",
    reasons=(),
    samples=5000,
    in_flight_median=100.0,
    in_flight_at_end=100,
)
SLOWER = replace(BASELINE, throughput=150.0, avg_latency=0.667)
OTHER_LEVEL = replace(BASELINE, concurrency=500)
OTHER_WORK = replace(BASELINE, workflows=("analytics/simple",))


def test_a_slower_level_is_a_regression_under_the_keys_that_users_know() -> None:
    analysis = LoadTestFramework().analyze_performance_regression(BASELINE, SLOWER)

    assert analysis["performance_regression_detected"] is True
    assert (analysis["verdict"], analysis["regression_severity"]) == ("regression", "critical")
    assert analysis["throughput_change_percent"] == -40.0
    assert analysis["latency_change_percent"] == pytest.approx(66.75)
    assert analysis["memory_change_percent"] == 0.0
    assert analysis["error_rate_change_percent"] == 0.0
    assert "critical: the throughput got worse (level 100: -40 %" in analysis["recommendations"][0]
    assert analysis["warnings"] == []


def test_the_dictionaries_of_result_files_give_the_same_as_the_objects() -> None:
    files = analyse_regression([BASELINE.to_dict()], [SLOWER.to_dict()])

    assert files == analyse_regression(BASELINE, SLOWER)


def test_doubt_is_false_with_a_warning_and_like_runs_in_number_are_no_change() -> None:
    """One run a side rules no change of 5 % out."""
    analysis = analyse_regression(BASELINE, BASELINE)

    assert analysis["performance_regression_detected"] is False
    assert (analysis["verdict"], analysis["regression_severity"]) == ("unstable", "none")
    assert analysis["runs"] == {"baseline": 1, "current": 1}
    assert analysis["warnings"][0].startswith("Doubt")
    assert any(text.startswith("A side of one run") for text in analysis["recommendations"])
    several = analyse_regression([BASELINE] * 4, [BASELINE] * 4)
    assert (several["verdict"], several["warnings"]) == ("no_change", [])
    assert several["recommendations"] == []


def test_an_improvement_is_one_only_if_nothing_got_worse() -> None:
    faster = replace(BASELINE, throughput=400.0, avg_latency=0.25)

    assert analyse_regression(BASELINE, faster)["verdict"] == "improvement"
    hungrier = replace(faster, peak_memory_mb=500.0)
    assert analyse_regression(BASELINE, hungrier)["verdict"] == "regression"


@pytest.mark.parametrize(
    "doubtful",
    [
        replace(SLOWER, validity="not_steady", reasons=("1.20 turnovers",)),
        {key: value for key, value in SLOWER.to_dict().items() if key != "validity"},
    ],
)
def test_what_is_no_measurement_is_neither_a_regression_nor_none(
    doubtful: PerformanceMetrics | dict[str, Any],
) -> None:
    analysis = analyse_regression(BASELINE, doubtful)

    assert analysis["verdict"] == "no_data"
    assert analysis["performance_regression_detected"] is False
    assert analysis["regression_severity"] == "none"
    assert analysis["warnings"][0].startswith("No data")
    assert analysis["throughput_change_percent"] == -40.0


def test_why_it_is_no_measurement_is_reported() -> None:
    current = replace(SLOWER, validity="not_steady", reasons=("1.20 turnovers",))
    analysis = analyse_regression(BASELINE, current)

    assert analysis["validity"] == {"baseline": ["valid"], "current": ["not_steady"]}
    assert analysis["recommendations"][0].startswith(
        "The candidate side is not_steady at level 100 (1.20 turnovers): measure it again"
    )


def test_memory_that_was_not_measured_is_no_data_and_costs_no_verdict() -> None:
    analysis = analyse_regression(replace(BASELINE, peak_memory_mb=None), SLOWER)
    verdicts = {one["metric"]: one["verdict"] for one in analysis["changes"]}

    assert (analysis["verdict"], analysis["memory_change_percent"]) == ("regression", None)
    assert verdicts["memory_peak_mb"] == "no_data"


def test_few_workflows_explain_a_change_that_many_do_not() -> None:
    """From 30 workflows a side a factor of 1.7 comes by chance; errors of 2 in 30 do, too."""
    few = replace(BASELINE, total_workflows=30, samples=30)
    analysis = analyse_regression(few, replace(SLOWER, total_workflows=30, samples=30))
    erring = replace(few, failed_workflows=2, error_rate=100 * 2 / 30)

    assert (analysis["verdict"], analysis["regression_severity"]) == ("unstable", "none")
    assert analyse_regression(few, erring)["verdict"] == "unstable"
    many = replace(BASELINE, failed_workflows=335, error_rate=6.7)
    assert analyse_regression(BASELINE, many)["regression_severity"] == "major"


def test_files_that_say_how_they_were_measured_are_refused_where_that_differs() -> None:
    one, other = (
        {**BASELINE.to_dict(), "conditions": {"machine": {"": name}}} for name in ("a", "b")
    )
    with pytest.raises(ValueError, match="machine: a in the baseline, b in the candidate"):
        analyse_regression(one, other)
    assert analyse_regression(one, other, despite=["machine"])["verdict"] == "unstable"


@pytest.mark.parametrize(
    ("baseline", "current", "problem"),
    [
        ([], [BASELINE], "the baseline has no run"),
        (BASELINE, OTHER_LEVEL, "differ: \\[100\\] in the baseline"),
        (BASELINE, OTHER_WORK, "workflows differ: analytics/complex, transformation/medium in"),
        ([BASELINE, OTHER_LEVEL], BASELINE, "compare level by level"),
        ([BASELINE, OTHER_LEVEL], [BASELINE, OTHER_LEVEL], "compare level by level"),
    ],
)
def test_what_cannot_be_compared_is_refused(baseline: Any, current: Any, problem: str) -> None:
    with pytest.raises(ValueError, match=problem):
        analyse_regression(baseline, current)


@pytest.mark.parametrize("wrong", ["x", 3, None, [BASELINE, "x"], [[BASELINE]]])
def test_what_is_no_metrics_is_refused_with_a_sentence(wrong: Any) -> None:
    with pytest.raises(TypeError, match=r"the current has .*, which is no metrics; give Perf"):
        analyse_regression(BASELINE, wrong)
    with pytest.raises(TypeError, match=r"the baseline has .*, which is no metrics"):
        analyse_regression(wrong, BASELINE)
