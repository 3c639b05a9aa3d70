"""The launchpad: what it shows at first, and what it refuses before anything is launched."""

from __future__ import annotations

from typing import Any

import dagster as dg
import pytest

from assets.definitions import defs
from assets.launchpad.launch_fields import launch_fields
from assets.resources import GateChoice, LoadRun
from perf_pipeline.config.scenario.builtin import open_scenario
from perf_pipeline.config.slo.shipped import GATES

LOAD_RUN = "load_run_resource"


def shown(job: str) -> dict[str, Any]:
    """Return the fields that the launchpad of a job shows at first."""
    config: dict[str, Any] = dict(defs.resolve_job_def(job).run_config or {})
    fields: dict[str, Any] = config["resources"][LOAD_RUN]["config"]
    return fields


@pytest.mark.parametrize(
    "job", ["baseline", "stress", "database", "recovery", "pressure", "protections"]
)
def test_the_fields_that_people_change_are_there_with_the_values_of_the_scenario(job: str) -> None:
    """Launched as it is, it is the scenario as it is."""
    fields = shown(job)
    scenario = open_scenario(job)
    assert fields["scenario"] == job
    assert fields["target"] == "kailash"
    assert fields["concurrency"] == list(scenario.concurrency)
    assert scenario.phases.steady_s in fields.values()
    assert {"gate", "repeats", "results_dir", "wait"} <= set(fields)
    assert open_scenario(job, overrides=LoadRun(**launch_fields(job)).overrides) == scenario


def test_the_fields_of_a_job_for_any_scenario_change_none_of_its_values() -> None:
    fields = shown("scenario")
    assert {"target", "concurrency", "gate"} <= set(fields)
    for name in ("baseline", "stress", "open"):
        overrides = LoadRun(**{**fields, "scenario": name}).overrides
        assert open_scenario(name, overrides=overrides) == open_scenario(name)


@pytest.mark.parametrize("job", ["baseline", "stress", "scenario", "capacity", "ab", "recorded"])
def test_what_it_shows_at_first_can_be_launched(job: str) -> None:
    definition = defs.resolve_job_def(job)
    assert dg.validate_run_config(definition, definition.run_config)


@pytest.mark.parametrize(
    ("field", "value", "words"),
    [
        ("target", "kailsh", "target"),
        ("target", "kailash==2.19.0", "target"),
        ("gate", "prod", "gate"),
        ("nodes", "fat", "nodes"),
        ("concurrency", ["many"], "concurrency"),
    ],
)
def test_a_wrong_value_is_refused_by_the_form_itself_at_its_field(
    field: str, value: Any, words: str
) -> None:
    config = {"resources": {LOAD_RUN: {"config": {**shown("baseline"), field: value}}}}
    with pytest.raises(dg.DagsterInvalidConfigError) as refused:
        dg.validate_run_config(defs.resolve_job_def("baseline"), config)
    assert f"root:resources:{LOAD_RUN}:config:{words}" in str(refused.value)


def test_a_target_in_three_fields_is_the_target_of_the_command_line() -> None:
    given: Any = {
        "target": "kailash",
        "target_version": "2.19.0",
        "target_packages": ["pandas", "numpy==2.2.0"],
    }
    assert LoadRun(**given).overrides.target == "kailash==2.19.0+pandas+numpy==2.2.0"


def test_the_gates_of_the_form_are_those_of_the_command() -> None:
    assert [one.value for one in GateChoice] == list(GATES)
