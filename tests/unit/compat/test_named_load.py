"""The loads of the database and resource-pressure tests are those that users know."""

from __future__ import annotations

import pytest

from perf_pipeline.compat.framework import LoadTestFramework
from perf_pipeline.compat.load_test_config import LoadTestConfig
from perf_pipeline.compat.named_load import DATABASE_LOADS, pressure_loads
from perf_pipeline.config.scenario.scenario import FAMILIES
from perf_pipeline.config.services import SERVICES
from perf_pipeline.errors import ScenarioError
from perf_pipeline.workload.servers import servers_used


def test_database_loads_are_those_of_the_table() -> None:
    """And after the exhaustion the first one again, which shows whether the servers recovered."""
    in_flight = {load.name: load.changed["concurrent_workflows"] for load in DATABASE_LOADS}
    assert in_flight == {
        "light_load": 100,
        "medium_load": 300,
        "heavy_load": 500,
        "connection_exhaustion": 200,
        "recovery": 100,
    }
    bounded = [load for load in DATABASE_LOADS if "max_db_connections" in load.changed]
    assert [(load.name, load.changed["max_db_connections"]) for load in bounded] == [
        ("connection_exhaustion", 50)
    ]


def test_database_loads_use_every_server() -> None:
    complexities = {load.changed["workflow_complexity"] for load in DATABASE_LOADS}
    used = {
        server
        for family in FAMILIES
        for complexity in complexities
        for server in servers_used(family, complexity)
    }
    assert used == set(SERVICES)


def test_pressure_is_on_memory_on_cpu_and_on_both_with_the_options_own_limits() -> None:
    loads = {load.name: tuple(load.changed.values()) for load in pressure_loads(None, 30)}

    assert loads == {
        "no_pressure": (None, None),
        "memory_pressure": (512, None),
        "cpu_saturation": (None, 30),
        "combined_pressure": (512, 30),
    }


def test_a_database_stress_test_without_a_database_is_refused() -> None:
    framework = LoadTestFramework(LoadTestConfig(workflow_types=["transformation"]))
    with pytest.raises(
        ScenarioError, match='has none that uses a server at workflow_complexity "complex"'
    ):
        framework.run_database_stress_test()
    assert framework.runs == []


def test_nothing_to_run_and_nothing_to_report_are_reported() -> None:
    framework = LoadTestFramework()
    with pytest.raises(ValueError, match="no levels were given"):
        framework.run_baseline_performance_test([])
    with pytest.raises(ValueError, match="nothing to report yet"):
        framework.generate_performance_report()
