"""Two real releases are measured, each in an environment of its own, and compared by version."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

from tests.assets.conftest import latest

if TYPE_CHECKING:
    from tests.sandbox import Sandbox


@pytest.mark.alone
@pytest.mark.integration
@pytest.mark.slow
@pytest.mark.timeout(1200)
def test_two_partitions_are_measured_and_stand_in_the_history_by_version(sandbox: Sandbox) -> None:
    """The later release first; what both runs show is listed by the command as well."""
    listed = sandbox.cli("releases", "--since", "2.64.0")
    assert listed.returncode == 0, listed.stderr
    for release in ("2.65.0", "2.64.0"):
        ran = sandbox.dagster(
            *("asset", "materialize", "--select", "release_measurement,release_history"),
            *("--partition", release),
        )
        assert ran.returncode == 0, ran.stdout
    shown = latest(sandbox.dagster_home)
    assert shown.checks == {"release_validity": True}
    assert shown.run.tags["target"] == "kailash==2.64.0"
    rows = shown.materialized["release_history"]["releases at 1"]
    assert [row["release"] for row in _records(rows)] == ["2.65.0", "2.64.0"]
    answer = json.loads(
        sandbox.cli("releases", "--since", "2.64.0", "--json").stdout.splitlines()[-1]
    )
    measured = {one["release"]: one for one in answer["releases"] if one["run_id"]}
    assert {"2.64.0", "2.65.0"} <= measured.keys()
    for one in measured.values():
        assert 0 < one["metrics"]["cpu_per_workflow_s"] < 1


def _records(value: object) -> list[dict[str, str]]:
    return [record.data for record in getattr(value, "records", value)]  # type: ignore[arg-type]
