"""Load tests and benchmarks of Python workflow runtimes.

The public names are loaded on first use: worker processes import this package inside the
target's environment, where none of what the harness needs is installed.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from perf_pipeline.compat.framework import LoadTestFramework
    from perf_pipeline.compat.load_test_config import LoadTestConfig
    from perf_pipeline.compat.resource_monitor import ResourceMonitor
    from perf_pipeline.compat.suites import run_full_performance_suite, run_quick_performance_test
    from perf_pipeline.compat.workflow_generator import WorkflowGenerator
    from perf_pipeline.config.scenario.builtin import open_scenario
    from perf_pipeline.config.scenario.scenario import Scenario
    from perf_pipeline.metrics.performance import PerformanceMetrics
    from perf_pipeline.run import run_scenario

__all__ = [
    "LoadTestConfig",
    "LoadTestFramework",
    "PerformanceMetrics",
    "ResourceMonitor",
    "Scenario",
    "WorkflowGenerator",
    "open_scenario",
    "run_full_performance_suite",
    "run_quick_performance_test",
    "run_scenario",
]

_HOMES = {
    "LoadTestConfig": "perf_pipeline.compat.load_test_config",
    "LoadTestFramework": "perf_pipeline.compat.framework",
    "PerformanceMetrics": "perf_pipeline.metrics.performance",
    "ResourceMonitor": "perf_pipeline.compat.resource_monitor",
    "Scenario": "perf_pipeline.config.scenario.scenario",
    "WorkflowGenerator": "perf_pipeline.compat.workflow_generator",
    "open_scenario": "perf_pipeline.config.scenario.builtin",
    "run_full_performance_suite": "perf_pipeline.compat.suites",
    "run_quick_performance_test": "perf_pipeline.compat.suites",
    "run_scenario": "perf_pipeline.run",
}


def __getattr__(name: str) -> Any:
    """Import a public name when it is first asked for."""
    if name == "FailureInjector":  # not AttributeError, whose text `from ... import` throws away
        raise ImportError(
            "FailureInjector is not built yet: it will inject real failures and prove that they "
            "were in effect"
        )
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(_HOMES[name]), name)
