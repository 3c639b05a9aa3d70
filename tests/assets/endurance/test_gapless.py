"""``perf-pipeline run`` of an endurance scenario: one Dagster run, a partition an hour."""

from __future__ import annotations

from itertools import pairwise
from typing import TYPE_CHECKING

import dagster as dg
import pytest

from tests.assets.conftest import instance_of, latest
from tests.assets.endurance.soak_scenario import soak_scenario
from tests.sandbox import last_object

if TYPE_CHECKING:
    from tests.sandbox import Sandbox

pytestmark = pytest.mark.integration


def test_the_hours_follow_without_a_gap_and_each_is_a_partition(sandbox: Sandbox) -> None:
    """Three samples a signal are no evidence, so the command ends as without a measurement."""
    scenario = soak_scenario(sandbox, hours=2, hour_seconds=1.0)
    ran = sandbox.cli("run", str(scenario), "--json")
    assert ran.returncode == 3, ran.stderr
    answer = last_object(ran.stdout)
    assert answer["evidence"] == "scaled"
    assert (answer["missing_hours"], answer["breaks"]) == ([], [])
    for before, after in pairwise(answer["hours"]):
        assert after["begun_s"] - before["ended_s"] == pytest.approx(0, abs=0.5)
    assert answer["checks"] == {"no_leak": False, "no_degradation": False, "errors_stable": False}

    shown = latest(sandbox.dagster_home)
    assert shown.run.job_name == "endurance"
    assert shown.run.tags["verdict"] == "inconclusive"
    assert shown.checks == answer["checks"]
    assert shown.materialized["endurance_report"]["html"] == answer["report"]
    with instance_of(sandbox.dagster_home) as instance:
        partitions = instance.get_materialized_partitions(dg.AssetKey("endurance_hour"))
    assert partitions == {one["partition"] for one in answer["hours"]}
