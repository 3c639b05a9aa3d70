"""The Python of the old README runs, imports aside, on results of a real run."""

from __future__ import annotations

import json
import subprocess
import sys
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from perf_pipeline import (
    LoadTestConfig,
    LoadTestFramework,
    WorkflowGenerator,
    run_quick_performance_test,
)
from perf_pipeline.config.settings import current_settings
from perf_pipeline.errors import PerfPipelineError
from tests.integration.conftest import settings_in
from tests.sandbox import ROOT

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


GENERATE_AND_WATCH = """
import json
from kailash.runtime.local import LocalRuntime
from perf_pipeline import ResourceMonitor, WorkflowGenerator

monitor = ResourceMonitor(collection_interval=5)
monitor.start_monitoring()
generator = WorkflowGenerator(complexity="medium")
workflow = generator.generate_data_processing_workflow()
parameters = generator.parameters("data_processing")
results, _ = LocalRuntime().execute(workflow, parameters=parameters)
monitor.stop_monitoring()
print(json.dumps([results, monitor.get_peak_metrics()], default=str))
"""


def test_a_generated_workflow_runs_and_is_watched_in_the_users_own_process(tmp_path: Path) -> None:
    """On the kailash beside this project; at complex it needs its servers to be named."""
    ended = subprocess.run(
        [sys.executable, "-c", GENERATE_AND_WATCH],
        env={"HOME": str(tmp_path), "PYTHONPATH": str(ROOT)},
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
    )
    assert ended.returncode == 0, ended.stderr
    results, peak = json.loads(ended.stdout.splitlines()[-1])
    assert results["validate"]["result"]["bad_rows"] > 0
    assert peak["peak_memory_mb"] > 50
    with pytest.raises(PerfPipelineError, match="uses mysql, postgres: give WorkflowGenerator"):
        WorkflowGenerator(complexity="complex").generate_data_processing_workflow()


def test_the_options_of_the_old_readme_are_all_taken() -> None:
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
    scenario = config.to_scenario()
    assert sum(window.duration_s for window in scenario.faults) == pytest.approx(15, abs=0.1)
