"""Every option takes effect, and wrong ones are reported all at once."""

from __future__ import annotations

import dataclasses
from typing import Any

import pytest

import perf_pipeline
from perf_pipeline.compat.framework import LoadTestFramework
from perf_pipeline.compat.load_test_config import LoadTestConfig
from perf_pipeline.compat.options import OPTIONS
from perf_pipeline.config.machine import MachineLimits
from perf_pipeline.config.scenario.scenario import ConnectionPools, Phases, WorkerLimits, Workload
from perf_pipeline.errors import ScenarioError

MACHINE = MachineLimits(
    descriptors_soft=1024,
    descriptors_hard=20_000,
    tasks=None,
    memory_available_bytes=16_000_000_000,
    memory_group=None,
    cores_usable=2,
)


def test_the_fields_and_defaults_are_those_that_users_know() -> None:
    """From the table of the framework that this one replaces."""
    assert dataclasses.asdict(perf_pipeline.LoadTestConfig()) == {
        "concurrent_workflows": 100,
        "total_workflows": 1000,
        "ramp_up_duration": 60,
        "test_duration": 300,
        "cooldown_duration": 30,
        "workflow_types": None,
        "workflow_complexity": "medium",
        "enable_database_stress": True,
        "max_db_connections": 100,
        "connection_timeout": 30,
        "memory_limit_mb": None,
        "cpu_limit_percent": None,
        "enable_failure_injection": False,
        "failure_rate": 0.05,
        "failure_types": None,
        "metrics_collection_interval": 5,
        "enable_detailed_logging": False,
    }


def test_every_option_arrives_in_the_scenario() -> None:
    config = LoadTestConfig(
        concurrent_workflows=7,
        total_workflows=70,
        ramp_up_duration=1,
        test_duration=2,
        cooldown_duration=3,
        workflow_types=["analytics"],
        workflow_complexity="complex",
        max_db_connections=4,
        connection_timeout=5,
        memory_limit_mb=512,
        cpu_limit_percent=80,
        metrics_collection_interval=0.5,
        enable_detailed_logging=True,
    )
    scenario = config.to_scenario("mine", machine=MACHINE, target="kailash", nodes="lean")

    assert (scenario.name, scenario.target, scenario.nodes) == ("mine", "kailash", "lean")
    assert scenario.concurrency == (7,)
    assert scenario.workloads == (Workload("analytics", "complex"),)
    assert scenario.phases == Phases(
        ramp_up_s=1, warm_up_s=0, steady_s=2, steady_max_s=2, total_workflows=70, cooldown_s=3
    )
    assert scenario.connections == ConnectionPools(4, 5)
    assert scenario.limits == WorkerLimits(512, 80)
    assert (scenario.sample_every_s, scenario.log_detail) == (0.5, True)


def test_without_database_stress_only_types_that_need_no_server_are_left() -> None:
    medium = LoadTestConfig(enable_database_stress=False).to_scenario(machine=MACHINE)
    complex_ = LoadTestConfig(enable_database_stress=False, workflow_complexity="complex")

    assert {work.family for work in medium.workloads} == {"transformation", "data_processing"}
    assert {work.family for work in complex_.to_scenario(machine=MACHINE).workloads} == {
        "transformation"
    }


def test_all_wrong_options_are_reported_at_once() -> None:
    config = LoadTestConfig(
        concurrent_workflows=0,
        workflow_types=["analytic"],
        workflow_complexity="hard",
        max_db_connections=1,
        connection_timeout=None,  # type: ignore[arg-type]
        memory_limit_mb=-1,
    )
    with pytest.raises(ScenarioError) as refused:
        config.to_scenario(machine=MACHINE, target="kailsh", nodes="mean")

    assert [problem.split(" is ")[0] for problem in refused.value.problems] == [
        "concurrent_workflows",
        "workflow_types",
        "workflow_complexity",
        "connection_timeout",
        "memory_limit_mb",
        "target",
        "nodes",
        "max_db_connections",
    ]


def test_a_misspelt_option_cannot_be_set() -> None:
    config = LoadTestConfig()
    with pytest.raises(AttributeError, match="concurent_workflows"):
        config.concurent_workflows = 5  # type: ignore[attr-defined]


@pytest.mark.parametrize(
    ("options", "problem"),
    [
        (
            {"enable_database_stress": False, "workflow_types": ["analytics"]},
            "enable_database_stress is false, but every one of workflow_types needs a server",
        ),
        (
            {"concurrent_workflows": 5000},
            "concurrent_workflows contains 5000, above the 4000 that this machine can run",
        ),
        (
            {"max_db_connections": 1},
            "max_db_connections is 1, below the 2 worker processes that share it",
        ),
    ],
)
def test_options_that_contradict_each_other_or_the_machine_are_reported(
    options: dict[str, object], problem: str
) -> None:
    with pytest.raises(ScenarioError, match=problem):
        LoadTestConfig(**options).to_scenario(machine=MACHINE)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("option", "value"),
    [("failure_rate", 2), ("memory_limit_mb", -1), ("test_duration", "x")],
)
def test_a_framework_with_a_wrong_option_is_not_made(option: str, value: Any) -> None:
    with pytest.raises(ScenarioError, match=f"{option} is "):
        LoadTestFramework(LoadTestConfig(**{option: value}))


def test_failures_are_injected_for_the_share_of_time_that_is_asked_for() -> None:
    """300 s at a rate of 5 %: 15 s, of the three default types in turn."""
    scenario = LoadTestConfig(enable_failure_injection=True).to_scenario(machine=MACHINE)

    assert sum(window.duration_s for window in scenario.faults) == pytest.approx(15, abs=0.1)
    assert [window.name for window in scenario.faults[:3]] == [
        "database_timeout on postgres",
        "memory_pressure",
        "connection_exhaustion on postgres",
    ]
    plain = LoadTestConfig().to_scenario(machine=MACHINE)
    assert plain == dataclasses.replace(scenario, faults=())


@pytest.mark.parametrize(
    ("options", "problem"),
    [
        ({"failure_rate": 0.9}, "failure_rate is 0.9; allowed is a number from 0 to 0.5"),
        ({"failure_types": ["timeout"]}, 'failure_types is "timeout"; allowed is '),
        ({"failure_types": []}, "failure_types is an empty list"),
        ({"failure_rate": 0}, "failure_rate is 0 of test_duration"),
        ({"test_duration": 2}, "failure_rate is 0.05 of test_duration"),
        (
            {"failure_types": ["server_freeze"], "workflow_types": ["transformation"]},
            "failure_types has server_freeze, but the workflows use no server",
        ),
    ],
)
def test_failures_that_could_not_be_injected_are_refused(
    options: dict[str, Any], problem: str
) -> None:
    config = LoadTestConfig(**{"enable_failure_injection": True, **options})
    with pytest.raises(ScenarioError) as refused:
        config.to_scenario(machine=MACHINE)
    (found,) = refused.value.problems
    assert problem in found


@pytest.mark.parametrize(
    ("option", "value"), [("failure_rate", 0.2), ("failure_types", ["database_timeout"])]
)
def test_options_about_failures_are_refused_where_none_is_injected(option: str, value: Any) -> None:
    with pytest.raises(ScenarioError) as refused:
        LoadTestConfig(**{option: value}).to_scenario(machine=MACHINE)
    (problem,) = refused.value.problems
    assert problem.startswith(f"{option} is ")
    assert "set enable_failure_injection" in problem


@pytest.mark.parametrize("target", ["control", "control_async"])
def test_a_log_in_detail_of_a_target_that_logs_nothing_is_refused(target: str) -> None:
    config = LoadTestConfig(enable_detailed_logging=True)
    with pytest.raises(ScenarioError, match="enable_detailed_logging is true; allowed is false"):
        config.to_scenario(machine=MACHINE, target=target)


def test_every_option_has_a_row_that_checks_it() -> None:
    """An option without a row would be accepted and read by nothing."""
    named = [field.name for field in dataclasses.fields(LoadTestConfig)]
    assert sorted(named) == sorted(OPTIONS)
