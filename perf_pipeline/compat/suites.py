"""The two functions that run a whole suite, by the names that users know."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from perf_pipeline.compat.framework import BASELINE_LEVELS, LoadTestFramework
from perf_pipeline.compat.load_test_config import LoadTestConfig
from perf_pipeline.compat.named_load import DATABASE_LOADS

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path

    from perf_pipeline.compat.named_load import NamedLoad
    from perf_pipeline.config.settings import Settings
    from perf_pipeline.metrics.performance import PerformanceMetrics

QUICK_LEVELS = (25, 50)


def suite_config() -> LoadTestConfig:
    """Return options for levels of two to three minutes on any machine."""
    return LoadTestConfig(
        total_workflows=0, ramp_up_duration=10, test_duration=120, cooldown_duration=5
    )


def quick_config() -> LoadTestConfig:
    """Return options for levels of half a minute."""
    return LoadTestConfig(
        total_workflows=0, ramp_up_duration=5, test_duration=20, cooldown_duration=2
    )


@dataclass(frozen=True)
class SuiteResults:
    """What a whole suite measured.

    Attributes:
        baseline: One a level.
        database: Name of the load to its metrics.
        pressure: Likewise, with limits on memory and CPU.
        report: ``comprehensive_report_<timestamp>.md`` of all of it.
        left_out: Tests of the old suite that are missing, with the reason.
    """

    baseline: list[PerformanceMetrics]
    database: dict[str, PerformanceMetrics]
    pressure: dict[str, PerformanceMetrics]
    report: Path
    left_out: tuple[str, ...] = field(
        default=("endurance: run_endurance_test(duration_hours) takes hours",)
    )


def run_quick_performance_test(
    levels: Sequence[int] = QUICK_LEVELS,
    config: LoadTestConfig | None = None,
    *,
    settings: Settings | None = None,
    target: str = "kailash",
    notify: Callable[[str], None] = print,
) -> list[PerformanceMetrics]:
    """Run two small levels, in one to two minutes.

    Args:
        levels: Workflows in flight.
        config: The options; None for ``quick_config()``.
        settings: Paths and addresses; None for those of the environment.
        target: What executes the workflows.
        notify: Called with each line of progress for people.

    Returns:
        One a level, in their order.

    Raises:
        PerfPipelineError: Before the first level: options, servers or target are wrong.
    """
    framework = LoadTestFramework(
        config or quick_config(), settings=settings, target=target, notify=notify
    )
    return framework.run_baseline_performance_test(levels)


def run_full_performance_suite(
    levels: Sequence[int] = BASELINE_LEVELS,
    loads: Sequence[NamedLoad] = DATABASE_LOADS,
    config: LoadTestConfig | None = None,
    *,
    settings: Settings | None = None,
    target: str = "kailash",
    notify: Callable[[str], None] = print,
) -> SuiteResults:
    """Run baseline, database and resource-pressure tests, in about half an hour, and report them.

    Args:
        levels: Workflows in flight of the baseline.
        loads: Loads of the database test.
        config: The options; None for ``suite_config()``.
        settings: Paths and addresses; None for those of the environment.
        target: What executes the workflows.
        notify: Called with each line of progress for people.

    Raises:
        PerfPipelineError: Before the first level: options, servers or target are wrong.
    """
    framework = LoadTestFramework(
        config or suite_config(), settings=settings, target=target, notify=notify
    )
    return SuiteResults(
        baseline=framework.run_baseline_performance_test(levels),
        database=framework.run_database_stress_test(loads),
        pressure=framework.run_resource_pressure_test(),
        report=framework.generate_performance_report(),
    )
