"""Load tests and benchmarks of Python workflow runtimes.

>>> from perf_pipeline import open_scenario, run_scenario
>>> run = run_scenario(open_scenario("baseline", concurrency=[10]))
>>> run.validity, run.levels[0].throughput_per_s, run.report.html
>>> run.records().group_by("outcome").len()

The public names are loaded on first use: worker processes import this package inside the
target's environment, where none of what the harness needs is installed.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from perf_pipeline.compat.failure_injector import FailureInjector
    from perf_pipeline.compat.framework import LoadTestFramework
    from perf_pipeline.compat.load_test_config import LoadTestConfig
    from perf_pipeline.compat.resource_monitor import ResourceMonitor
    from perf_pipeline.compat.suites import run_full_performance_suite, run_quick_performance_test
    from perf_pipeline.compat.workflow_generator import WorkflowGenerator
    from perf_pipeline.config.machine import MachineLimits, read_machine_limits
    from perf_pipeline.config.scenario.builtin import open_scenario
    from perf_pipeline.config.scenario.scenario import Scenario
    from perf_pipeline.config.settings import Settings, current_settings
    from perf_pipeline.config.slo.verdict import Verdict
    from perf_pipeline.errors import (
        GaveUpWaitingError,
        PerfPipelineError,
        RunFolderError,
        ScenarioError,
        SeriesFileError,
        ServiceUnavailableError,
        ShardMissingError,
        TargetEnvironmentError,
    )
    from perf_pipeline.finished_run import FinishedRun
    from perf_pipeline.metrics.performance import PerformanceMetrics
    from perf_pipeline.metrics.types.level import LevelMetrics
    from perf_pipeline.metrics.types.run_metrics import RunMetrics
    from perf_pipeline.metrics.types.validity import Validity
    from perf_pipeline.scenario_run import open_run, run_scenario

__all__ = [
    "AlertError",
    "CampaignError",
    "CatalogueError",
    "FailureInjector",
    "FinishedRun",
    "GaveUpWaitingError",
    "LevelMetrics",
    "LoadTestConfig",
    "LoadTestFramework",
    "MachineLimits",
    "PerfPipelineError",
    "PerformanceMetrics",
    "ResourceMonitor",
    "RunFolderError",
    "RunMetrics",
    "Scenario",
    "ScenarioError",
    "SeriesFileError",
    "ServiceUnavailableError",
    "Settings",
    "ShardMissingError",
    "TargetEnvironmentError",
    "Validity",
    "Verdict",
    "WorkflowGenerator",
    "current_settings",
    "open_run",
    "open_scenario",
    "read_machine_limits",
    "run_full_performance_suite",
    "run_quick_performance_test",
    "run_scenario",
]

_MODULES = {
    "compat.failure_injector": ("FailureInjector",),
    "compat.framework": ("LoadTestFramework",),
    "compat.load_test_config": ("LoadTestConfig",),
    "compat.resource_monitor": ("ResourceMonitor",),
    "compat.suites": ("run_full_performance_suite", "run_quick_performance_test"),
    "compat.workflow_generator": ("WorkflowGenerator",),
    "config.machine": ("MachineLimits", "read_machine_limits"),
    "config.scenario.builtin": ("open_scenario",),
    "config.scenario.scenario": ("Scenario",),
    "config.settings": ("Settings", "current_settings"),
    "config.slo.verdict": ("Verdict",),
    "errors": (
        "AlertError",
        "CampaignError",
        "CatalogueError",
        "GaveUpWaitingError",
        "PerfPipelineError",
        "RunFolderError",
        "ScenarioError",
        "SeriesFileError",
        "ServiceUnavailableError",
        "ShardMissingError",
        "TargetEnvironmentError",
    ),
    "finished_run": ("FinishedRun",),
    "metrics.performance": ("PerformanceMetrics",),
    "metrics.types.level": ("LevelMetrics",),
    "metrics.types.run_metrics": ("RunMetrics",),
    "metrics.types.validity": ("Validity",),
    "scenario_run": ("open_run", "run_scenario"),
}
_MODULE_OF = {name: module for module, names in _MODULES.items() for name in names}


def __getattr__(name: str) -> Any:
    """Import a public name when it is first asked for."""
    if name not in _MODULE_OF:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f"perf_pipeline.{_MODULE_OF[name]}"), name)


def __dir__() -> list[str]:
    """Return the public names, also those that are not loaded yet."""
    return sorted({*globals(), *__all__})
