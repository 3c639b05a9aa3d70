"""The code location as data: names, groups, lineage, checks, jobs, the launchpad's form."""

from __future__ import annotations

import json
from dataclasses import asdict
from typing import TYPE_CHECKING

import dagster as dg
import pytest

from assets.definitions import defs
from assets.resources import LoadRun
from perf_pipeline.config.flags.overrides import Overrides
from perf_pipeline.config.scenario.target_spec import target_fields

if TYPE_CHECKING:
    from dagster._core.definitions.assets.graph.asset_graph import AssetGraph

GROUPS = {
    "host_facts": "infrastructure",
    "servers": "infrastructure",
    "seeded_data": "infrastructure",
    "load_run": "scenarios",
    "run_metrics": "metrics",
    "kpi_verdicts": "analysis",
    "fault_timeline": "analysis",
    "fault_evidence": "analysis",
    "recovery_table": "analysis",
    "metric_history": "analysis",
    "run_report": "reporting",
    "found_capacity": "analysis",
    "comparison": "analysis",
    "ab_comparison": "analysis",
    "release_measurement": "scenarios",
    "release_history": "analysis",
    "soak_target": "endurance",
    "endurance_hour": "endurance",
    "endurance_trend": "endurance",
    "endurance_report": "endurance",
}
PARENTS = {
    "host_facts": set(),
    "servers": set(),
    "seeded_data": {"servers"},
    "load_run": {"host_facts", "servers", "seeded_data"},
    "run_metrics": {"load_run"},
    "kpi_verdicts": {"run_metrics"},
    "fault_timeline": {"run_metrics"},
    "fault_evidence": {"run_metrics"},
    "recovery_table": {"run_metrics"},
    "metric_history": {"run_metrics"},
    "run_report": {"run_metrics", "kpi_verdicts"},
    "found_capacity": set(),
    "comparison": set(),
    "ab_comparison": set(),
    "release_measurement": set(),
    "release_history": {"release_measurement"},
    "soak_target": set(),
    "endurance_hour": {"soak_target", "endurance_hour"},
    "endurance_trend": {"endurance_hour"},
    "endurance_report": {"endurance_trend"},
}
SEPARATE = {
    *("found_capacity", "comparison", "ab_comparison"),
    *("release_measurement", "release_history"),
    *("soak_target", "endurance_hour", "endurance_trend", "endurance_report"),
}
LOAD_JOBS = ["baseline", "stress", "database", "recovery", "pressure", "protections", "scenario"]
JOBS = {
    *LOAD_JOBS,
    *("recorded", "capacity", "compare", "ab"),
    *("infrastructure_up", "infrastructure_down", "clearing"),
    "promote_baseline",
    *("release", "releases"),
    *("endurance", "endurance_hourly"),
}
CHECKS = {
    "validity",
    "repeats_agree",
    "writes_reconciled",
    "pools_recovered",
    "no_errors",
    "production_targets",
    "objectives",
    "faults_in_effect",
    "faults_recovered",
}
VERDICTS = {
    ("run_report", "verdict"),
    ("found_capacity", "verdict"),
    ("ab_comparison", "verdict"),
    ("release_measurement", "release_validity"),
}
"""The last steps: each fails its run unless everything holds."""
ENDURANCE = {("endurance_trend", name) for name in ("no_leak", "no_degradation", "errors_stable")}
REGRESSIONS = {("metric_history", "no_open_regression"), ("comparison", "verdict")}


@pytest.fixture(scope="module")
def graph() -> AssetGraph:
    return defs.resolve_asset_graph()


def test_the_code_location_is_sound() -> None:
    dg.Definitions.validate_loadable(defs)


def test_every_asset_is_in_its_group_with_kinds_owner_and_a_description(
    graph: AssetGraph,
) -> None:
    nodes = {key.to_user_string(): graph.get(key) for key in graph.get_all_asset_keys()}
    assert {name: node.group_name for name, node in nodes.items()} == GROUPS
    for name, node in nodes.items():
        assert node.kinds, name
        assert node.owners == ["team:perf_pipeline"], name
        assert node.description, name
        assert node.description.endswith("."), name


def test_the_lineage_leads_from_servers_to_report(graph: AssetGraph) -> None:
    parents = {
        key.to_user_string(): {parent.to_user_string() for parent in graph.get(key).parent_keys}
        for key in graph.get_all_asset_keys()
    }
    assert parents == PARENTS


def test_the_checks_are_those_of_the_metrics_and_the_verdicts_say_what_they_check_and_block_nothing(
    graph: AssetGraph,
) -> None:
    """A report is needed above all when something failed."""
    found = {key: graph.get_check_spec(key) for key in graph.asset_check_keys}
    assert {(key.asset_key.to_user_string(), key.name) for key in found} == (
        {("run_metrics", name) for name in CHECKS} | VERDICTS | REGRESSIONS | ENDURANCE
    )
    assert [key.name for key, spec in found.items() if spec.blocking or not spec.description] == []


def test_schedules_and_what_asks_the_network_are_off_until_switched_on() -> None:
    """Clearing up and alerts are on: they start no load."""
    running = {
        one.name
        for one in (*(defs.schedules or ()), *(defs.sensors or ()))
        if one.default_status.value == "RUNNING"
    }
    names = {one.name for one in (*(defs.schedules or ()), *(defs.sensors or ()))}
    off = {"nightly_baseline", "weekly_stress", "endurance_current_hour", "new_target_version"}
    clearing = {"killed_runs", "clear_after_failure", "clear_after_cancel"}
    assert running == {*clearing, "regression_alerts"}
    assert names == running | off


def test_every_job_says_what_it_does() -> None:
    jobs = {job.name: job for job in defs.resolve_all_job_defs()}
    assert set(jobs) >= JOBS
    assert [name for name in JOBS if not jobs[name].description] == []


@pytest.mark.parametrize("name", LOAD_JOBS)
def test_a_load_job_materializes_everything_in_its_own_process(name: str) -> None:
    """A process a step would cost two seconds of both cores each, beside the load."""
    job = defs.resolve_job_def(name)
    assert {key.to_user_string() for key in job.asset_layer.executable_asset_keys} == (
        set(GROUPS) - SEPARATE
    )
    assert job.executor_def is dg.in_process_executor


def test_the_launchpad_offers_every_flag_of_run_and_explains_it() -> None:
    fields = LoadRun.to_fields_dict()
    flags = set(Overrides.__dataclass_fields__)
    of_target = {"target_version", "target_packages"}
    own = {"scenario", "run_id", "results_dir", "wait", "gate", "recorded"}
    assert set(fields) == flags | of_target | own
    assert [name for name, field in fields.items() if not field.description] == []
    assert [name for name, field in fields.items() if field.is_required] == []


def test_every_flag_of_run_arrives_through_the_configuration_of_the_resource() -> None:
    given = Overrides(
        concurrency=(1, 2),
        max_concurrency=3,
        target="kailash+pandas",
        nodes="lean",
        complexity="simple",
        duration=4.5,
        hour_seconds=5.5,
        seed=6,
        repeats=7,
        order="shuffled",
        settings=("enable_monitoring=true",),
        processes=8,
        memory_limit_mb=9.0,
        cpu_limit_percent=10.0,
        max_error_ratio=0.2,
        slos=("p99_s < 0.5",),
        rate=(11.5,),
        schedule="constant",
        slots=12,
        stages=("5:60s", "9:30s"),
        think_time_s=1.5,
        faults=("memory_pressure:1s:1s",),
        own_hosts=("shop.test",),
    )
    assert None not in asdict(given).values()
    config = json.loads(json.dumps({**asdict(given), **target_fields(given.target or "")}))
    assert LoadRun(**config).overrides == given
    assert LoadRun().overrides == Overrides()
