"""The Python of the old README runs, imports aside, on results of a real run."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

import perf_pipeline
from perf_pipeline import LoadTestConfig, LoadTestFramework, run_quick_performance_test
from perf_pipeline.config.settings import current_settings
from perf_pipeline.errors import PerfPipelineError, ScenarioError
from tests.integration.conftest import settings_in

if TYPE_CHECKING:
    from pathlib import Path

    from perf_pipeline.config.settings import Settings

pytestmark = pytest.mark.integration

CONFIG = LoadTestConfig(
    total_workflows=0,
    ramp_up_duration=0,
    test_duration=1,
    cooldown_duration=0,
    workflow_types=["transformation"],
    workflow_complexity="simple",
    metrics_collection_interval=0.5,
)


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    return replace(settings_in(tmp_path), cache_dir=current_settings().cache_dir)


def test_the_custom_analysis_and_the_comparison_run_on_result_files(settings: Settings) -> None:
    measured = run_quick_performance_test((2, 4), CONFIG, settings=settings, target="control")
    assert [level.concurrency for level in measured] == [2, 4]
    (path,) = settings.results_dir.glob("baseline_4_*.json")

    with path.open(encoding="utf-8") as f:
        metrics = json.load(f)
    throughput_trend = [m["throughput"] for m in metrics]
    latency_trend = [m["avg_latency"] for m in metrics]
    assert (throughput_trend, latency_trend) == (
        [measured[1].throughput],
        [measured[1].avg_latency],
    )

    framework = LoadTestFramework()
    baseline_metrics, current_metrics = metrics, measured[1]
    regression_analysis = framework.analyze_performance_regression(
        baseline_metrics, current_metrics
    )
    assert not regression_analysis["performance_regression_detected"]
    assert regression_analysis["throughput_change_percent"] == 0
    assert regression_analysis["recommendations"]


def test_the_options_of_the_old_readme_are_all_taken_but_failures_are_refused() -> None:
    config = LoadTestConfig(
        concurrent_workflows=1000,
        total_workflows=2000,
        workflow_complexity="medium",
        enable_database_stress=True,
        enable_failure_injection=True,
        failure_rate=0.05,
        max_db_connections=100,
        memory_limit_mb=512,
        test_duration=300,
    )
    with pytest.raises(ScenarioError) as told:
        config.to_scenario()
    assert any("enable_failure_injection" in problem for problem in told.value.problems)


def test_what_is_not_built_says_so_when_it_is_asked_for() -> None:
    with pytest.raises(ImportError, match="FailureInjector is not built yet"):
        exec("from perf_pipeline import FailureInjector")  # noqa: S102 as users write it
    with pytest.raises(PerfPipelineError, match=r"24 h\) is not built yet"):
        LoadTestFramework().run_endurance_test()


def test_every_public_name_can_be_imported() -> None:
    for name in perf_pipeline.__all__:
        assert getattr(perf_pipeline, name).__name__ == name
