"""What each method of LoadTestFramework runs, seen from what it left behind."""

from __future__ import annotations

import re
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from perf_pipeline import LoadTestConfig, LoadTestFramework
from perf_pipeline.compat import framework as framework_module
from perf_pipeline.compat.named_load import NamedLoad
from perf_pipeline.config.fault.fault_kinds import ALL_SERVERS
from perf_pipeline.report.pools.pool_wait import wait_sentences
from perf_pipeline.samples.run_folder import read_json

if TYPE_CHECKING:
    from perf_pipeline.config.settings import Settings
    from perf_pipeline.servers.server import Server

pytestmark = pytest.mark.integration

CONFIG = LoadTestConfig(
    concurrent_workflows=8,
    total_workflows=0,
    ramp_up_duration=0,
    test_duration=2,
    cooldown_duration=0,
    workflow_complexity="simple",
    max_db_connections=8,
    metrics_collection_interval=0.5,
)


def test_a_single_workflow_has_the_runtime_to_itself(served: Settings) -> None:
    framework = LoadTestFramework(CONFIG, settings=served, target="control")
    single = framework.execute_single_workflow("data_processing")

    level = framework.runs[0].levels[0]
    assert (level.concurrency, len(level.workers)) == (1, 1)
    assert level.ended_because == "total_workflows"
    assert (single.workflow_type, single.workflow_complexity) == ("data_processing", "simple")
    assert (single.success, single.outcome, single.error_class) == (True, "ok", "none")
    assert single.cold_start_latency == level.cold_starts[0].service_time_s
    assert 0 < single.latency < 1


def test_a_database_stress_test_exhausts_the_connections_it_names_and_judges_the_recovery(
    served: Settings, servers: dict[str, Server], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each transaction is open for 0.2 s, so 12 in flight on 2 connections wait.

    On all four servers; MongoDB's stand-in keeps no connection, so its pool is not exhausted.
    """
    monkeypatch.setattr(framework_module, "TRANSACTION_THINK_TIME_S", 0.2)
    loads = (
        NamedLoad("light_load", {"concurrent_workflows": 4}),
        NamedLoad("connection_exhaustion", {"concurrent_workflows": 12, "max_db_connections": 2}),
        NamedLoad("recovery", {"concurrent_workflows": 4}),
    )
    said: list[str] = []
    config = replace(CONFIG, test_duration=1, workflow_complexity="complex")
    settings = replace(served, urls={name: servers[name].url for name in ALL_SERVERS})
    framework = LoadTestFramework(config, settings=settings, target="control", notify=said.append)
    found = framework.run_database_stress_test(loads)

    assert [(name, one.concurrency) for name, one in found.items()] == [
        ("light_load", 4),
        ("connection_exhaustion", 12),
        ("recovery", 4),
    ]
    (run,) = framework.runs  # on the same servers, or it would be no recovery
    assert found["light_load"].peak_connections == 4
    assert found["connection_exhaustion"].peak_connections == 2
    assert {f.family for level in run.levels for f in level.families} == {"database"}
    for level in run.levels:
        missing = {write.server: write.missing for write in level.writes}
        assert missing == dict.fromkeys(ALL_SERVERS, 0)
    (pool,) = run.pool_recoveries
    assert pool.exhausted == "connection_exhaustion"
    assert {server: pool.pools[server] for server in ALL_SERVERS[:3]} == dict.fromkeys(
        ALL_SERVERS[:3], (2, 2)
    )
    used, waited, refused = wait_sentences(run.levels[1])
    for name in ("PostgreSQL", "MySQL", "Redis", "MongoDB"):
        assert f"{name} for " in waited
        assert re.search(rf"{name} \d+ of \d+", used)
    assert "failed for lack of a connection" in refused
    (file,) = served.results_dir.glob("database_connection_exhaustion_*.json")
    assert read_json(file)[0]["run_id"] == run.run_id
    verdict = framework.recovery["verdict"]
    exhausted = "connection_exhaustion: postgres: 2 of 2 connections at most, exhausted"
    judged = f"recovery against light_load: {verdict}, "
    assert exhausted in said
    assert any(line.startswith(judged) for line in said)
    report = framework.generate_performance_report().read_text(encoding="utf-8")
    assert "2 of 2 connections at most, exhausted" in report


@pytest.mark.alone
@pytest.mark.slow
def test_resource_pressure_is_in_effect_and_seen_in_what_it_limits(
    served: Settings,
) -> None:
    """No worker fits into 20 MB, and free ones take more than 10 % of a core."""
    config = replace(CONFIG, workflow_types=["transformation"], memory_limit_mb=20)
    config = replace(config, cpu_limit_percent=10)
    framework = LoadTestFramework(config, settings=served, target="control")
    found = framework.run_resource_pressure_test()

    ended = {name for name, one in found.items() if "memory limit: " in " ".join(one.reasons)}
    assert ended == {"memory_pressure", "combined_pressure"}
    free, held = found["no_pressure"].avg_cpu_percent, found["cpu_saturation"].avg_cpu_percent
    assert held < 15 < free
    report = framework.generate_performance_report().read_text(encoding="utf-8")
    assert [report.count(f"Run {run.run_id}, complete") for run in framework.runs] == [1] * 4


@pytest.mark.alone
@pytest.mark.slow
def test_a_level_that_is_given_less_cpu_is_a_regression_of_one_that_is_not(
    served: Settings,
) -> None:
    """Two workers on 10 % of a core in place of all that they can get."""
    config = replace(CONFIG, workflow_types=["analytics"], concurrent_workflows=12)
    config = replace(config, max_db_connections=2)  # who waits for one is in flight all the time
    free = LoadTestFramework(config, settings=served, target="control")
    baseline = free.execute_concurrent_workflows()
    held = LoadTestFramework(
        replace(config, cpu_limit_percent=10), settings=served, target="control"
    )
    analysis = held.analyze_performance_regression(baseline, held.execute_concurrent_workflows())

    assert analysis["validity"] == {"baseline": ["valid"], "current": ["valid"]}, analysis[
        "recommendations"
    ]
    assert (analysis["verdict"], analysis["regression_severity"]) == ("regression", "critical")
    assert analysis["throughput_change_percent"] < -33
