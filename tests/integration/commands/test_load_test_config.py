"""Every option of LoadTestConfig makes a difference that can be seen in a run."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime
from typing import TYPE_CHECKING

import pytest

from perf_pipeline import LoadTestConfig, LoadTestFramework
from perf_pipeline.faults.marker import MARKER
from perf_pipeline.samples.fault_log import read_faults
from perf_pipeline.samples.run_folder import RunFolder
from tests.integration.commands.postgres_table import table
from tests.integration.faults.playing import assert_acted

if TYPE_CHECKING:
    from pathlib import Path

    from perf_pipeline.config.settings import Settings
    from perf_pipeline.metrics.performance import PerformanceMetrics
    from perf_pipeline.metrics.types.level import LevelMetrics

pytestmark = pytest.mark.integration

QUICK = LoadTestConfig(
    concurrent_workflows=4,
    total_workflows=0,
    ramp_up_duration=0,
    test_duration=1,
    cooldown_duration=0,
    workflow_types=["transformation"],
    workflow_complexity="simple",
    max_db_connections=4,
    metrics_collection_interval=0.5,
)
LATE_S = 10.0
"""A busy machine ends a phase later than it was asked to."""


class Played:
    """One run of a config and what it left behind."""

    def __init__(self, served: Settings, config: LoadTestConfig, target: str = "control") -> None:
        framework = LoadTestFramework(config, settings=served, target=target)
        self.performance: PerformanceMetrics = framework.execute_concurrent_workflows()
        self.level: LevelMetrics = framework.runs[0].levels[0]
        folder = RunFolder(served.results_dir / framework.runs[0].run_id)
        self.files: Path = folder.level_folders()[0]

    @property
    def samples(self) -> int:
        """Samples of the resources."""
        return len((self.files / "resources.jsonl").read_text(encoding="utf-8").splitlines())


def test_the_number_in_flight_is_what_was_asked_for(served: Settings) -> None:
    config = replace(QUICK, workflow_types=["analytics"], test_duration=0.5)
    config = replace(config, concurrent_workflows=12)
    framework = LoadTestFramework(config, settings=served, target="control")
    many = framework.execute_concurrent_workflows()
    (few,) = framework.run_baseline_performance_test([3])

    assert (few.in_flight_median, many.in_flight_median) == (3, 12)
    report = framework.generate_performance_report()
    assert report.name == f"comprehensive_report_{few.run_id[:15]}.md"
    text = report.read_text(encoding="utf-8")
    assert f"Run {many.run_id}, complete" in text
    assert f"Run {few.run_id}, complete" in text


@pytest.mark.alone
def test_a_total_ends_the_level_however_many_end_while_the_slots_start(served: Settings) -> None:
    """In a second of ramp-up more of the control target's workflows end than the total is."""
    config = replace(QUICK, ramp_up_duration=1, total_workflows=3000, test_duration=60)
    played = Played(served, config)

    assert played.level.ended_because == "total_workflows"
    assert sum(played.level.outcomes.values()) - played.performance.total_workflows > 300
    assert 3000 <= played.performance.total_workflows < 15_000


@pytest.mark.alone
@pytest.mark.slow
def test_the_default_total_leaves_a_steady_phase_to_measure(served: Settings) -> None:
    """All defaults but a ramp-up of a minute: 100 in flight, of 1000 workflows."""
    played = Played(served, LoadTestConfig(ramp_up_duration=1))

    assert played.level.ended_because == "total_workflows"
    assert 1000 <= played.performance.total_workflows < 10_000
    assert played.performance.in_flight_median == 100
    assert played.performance.validity == "valid", played.performance.reasons


def test_durations_are_those_of_the_phases_and_of_the_rest_between_levels(
    served: Settings,
) -> None:
    """Each has a length of its own; by default each is 30 s or longer."""
    config = replace(QUICK, ramp_up_duration=0.8, test_duration=1.2, cooldown_duration=1.5)
    framework = LoadTestFramework(config, settings=served, target="control")
    framework.run_baseline_performance_test([2, 3])

    first, second = framework.runs[0].levels
    assert (first.concurrency, second.concurrency) == (2, 3)
    lengths = {name: end - start for name, (start, end) in first.phases.items()}
    assert 0.8 <= lengths["ramp_up"] < 0.8 + LATE_S
    assert 1.2 <= lengths["steady"] < 1.2 + LATE_S
    rested = datetime.fromisoformat(second.started_at) - datetime.fromisoformat(first.ended_at)
    assert 1.5 <= rested.total_seconds() < 1.5 + LATE_S


@pytest.mark.slow
def test_types_and_complexity_decide_what_is_executed_and_written(
    served: Settings,
) -> None:
    config = replace(QUICK, workflow_types=["analytics", "data_processing"])
    simple = Played(served, config)
    medium = Played(served, replace(config, workflow_complexity="medium"))

    assert {(f.family, f.complexity) for f in simple.level.families} == {
        ("analytics", "simple"),
        ("data_processing", "simple"),
    }
    assert [write.server for write in simple.level.writes] == []
    assert [write.server for write in medium.level.writes] == ["redis"]


@pytest.mark.slow
def test_without_database_stress_no_server_is_used(served: Settings) -> None:
    config = replace(QUICK, workflow_types=["analytics", "transformation"])
    with_it = Played(served, config)
    without = Played(served, replace(config, enable_database_stress=False))

    assert [use.server for use in with_it.level.connections] == ["postgres"]
    assert [use.server for use in without.level.connections] == []


@pytest.mark.slow
def test_connections_are_bounded_by_their_limit(served: Settings) -> None:
    """Twelve in flight that query PostgreSQL all the time; seen from the server."""
    config = replace(QUICK, workflow_types=["analytics"], concurrent_workflows=12)
    few = Played(served, replace(config, max_db_connections=2))
    more = Played(served, replace(config, max_db_connections=8))

    assert few.performance.peak_connections == 2
    assert 2 < more.performance.peak_connections <= 8


@pytest.mark.slow
def test_a_wait_for_a_connection_that_is_too_long_is_resource_exhaustion(
    served: Settings,
) -> None:
    """Of 400 on two connections each waits for 199 others; 0.1 s is not enough."""
    config = replace(QUICK, workflow_types=["analytics"], concurrent_workflows=400)
    config = replace(config, max_db_connections=2, test_duration=2)
    patient = Played(served, replace(config, connection_timeout=30))
    hurried = Played(served, replace(config, connection_timeout=0.1))

    assert patient.performance.resource_exhaustion_errors == 0
    assert hurried.performance.resource_exhaustion_errors > 0


def test_a_worker_above_its_memory_is_ended(served: Settings) -> None:
    """No worker fits into 10 MB."""
    played = Played(served, replace(QUICK, memory_limit_mb=20))

    assert played.level.validity == "incomplete"
    assert any("memory limit: " in reason for reason in played.level.reasons)


@pytest.mark.alone
@pytest.mark.slow
def test_workers_stay_below_their_cpu_limit(served: Settings) -> None:
    config = replace(QUICK, test_duration=3)
    free, held = (
        Played(served, config),
        Played(served, replace(config, cpu_limit_percent=10)),
    )

    assert held.performance.avg_cpu_percent < 15
    assert free.performance.avg_cpu_percent > 1.5 * held.performance.avg_cpu_percent


@pytest.mark.slow
def test_the_interval_is_that_of_the_samples(served: Settings) -> None:
    config = replace(QUICK, test_duration=2)
    often = Played(served, replace(config, metrics_collection_interval=0.25))
    seldom = Played(served, replace(config, metrics_collection_interval=1))

    assert often.samples >= 2.5 * seldom.samples


@pytest.mark.slow
def test_detailed_logging_fills_the_log_of_the_workers(served: Settings) -> None:
    """A kailash node with pool options warns each time that it runs."""
    config = replace(QUICK, workflow_types=["analytics"], test_duration=2)
    quiet = Played(served, config, "kailash")
    loud = Played(served, replace(config, enable_detailed_logging=True), "kailash")

    assert "kailash" not in (quiet.files / "worker-0.log").read_text(encoding="utf-8")
    assert "WARNING kailash" in (loud.files / "worker-0.log").read_text(encoding="utf-8")


def test_a_failure_that_is_switched_on_is_injected_into_a_server_of_the_workflows(
    served: Settings,
) -> None:
    """A quarter of 8 s is one window of two seconds, in which nothing can be written."""
    config = replace(QUICK, workflow_types=["database"], test_duration=8)
    config = replace(config, enable_failure_injection=True, failure_rate=0.25)
    with table(served.urls["postgres"], MARKER, ""):
        played = Played(served, replace(config, failure_types=["database_timeout"]))

    (failure,) = read_faults(played.files)
    assert (failure.window.name, failure.window.duration_s) == ("database_timeout on postgres", 2.0)
    assert_acted(failure)
