"""Dagster of the Compose stack differs from that of a checkout in what containers need."""

from __future__ import annotations

import re

import dagster as dg
import yaml

from assets import definitions
from assets.execution import deployed_location
from tests.sandbox import ROOT

LOCAL = yaml.safe_load((ROOT / "dagster.yaml").read_text(encoding="utf-8"))
DEPLOYED = yaml.safe_load((ROOT / "infra/dagster/dagster.yaml").read_text(encoding="utf-8"))
COMPOSE = yaml.safe_load((ROOT / "infra/compose.yaml").read_text(encoding="utf-8"))


def test_the_stack_has_every_job_and_asset_and_one_job_with_a_container_a_step() -> None:
    here = definitions.defs.get_repository_def()
    stack = deployed_location.defs.get_repository_def()
    assert set(stack.job_names) - set(here.job_names) == {"capacity_in_containers"}
    assert stack.asset_graph.get_all_asset_keys() == here.asset_graph.get_all_asset_keys()
    assert {one.name for one in stack.sensor_defs} == {one.name for one in here.sensor_defs}
    steps = stack.get_job("capacity_in_containers")
    assert steps.executor_def.name == "docker"
    assert stack.get_job("capacity").executor_def.name == "in_process"
    assert isinstance(steps, dg.JobDefinition)


def test_the_stack_queues_monitors_and_forgets_runs_as_a_checkout_does() -> None:
    for section in ("telemetry", "nux", "concurrency", "retention"):
        assert DEPLOYED[section] == LOCAL[section], section
    stop_s = int(_context()["stop_timeout"])
    assert DEPLOYED["run_monitoring"].pop("cancel_timeout_seconds") > stop_s
    local = {k: v for k, v in LOCAL["run_monitoring"].items() if k != "cancel_timeout_seconds"}
    assert DEPLOYED["run_monitoring"] == local


def test_each_variable_that_a_run_is_given_is_one_of_the_daemon() -> None:
    """Dagster refuses to launch a run with a variable that the daemon does not have."""
    handed_on = DEPLOYED["run_launcher"]["config"]["env_vars"]
    assert set(handed_on) <= set(COMPOSE["services"]["dagster_daemon"]["environment"])
    assert "DAGSTER_STORAGE_PASSWORD" in handed_on


def _context() -> dict[str, str]:
    """Return the simple settings of a run's container, before Compose fills in the others."""
    text = COMPOSE["services"]["dagster_code"]["environment"]["DAGSTER_CONTAINER_CONTEXT"]
    return dict(re.findall(r'"(\w+)": (\w+)', text))
