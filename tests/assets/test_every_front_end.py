"""Every front end leaves a Dagster run with materializations, tags and a verdict."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

import dagster as dg
import pytest

from tests.assets.conftest import latest
from tests.sandbox import SLOTS_SCENARIO, last_object

if TYPE_CHECKING:
    from pathlib import Path

    from tests.sandbox import Sandbox

pytestmark = pytest.mark.integration

RECORDED = {
    *("load_run", "run_metrics", "kpi_verdicts", "metric_history", "run_report"),
    *("fault_timeline", "fault_evidence", "recovery_table"),
}
FROM_PYTHON = """
import sys
from perf_pipeline import open_scenario, run_scenario

print(run_scenario(open_scenario(sys.argv[1]), notify=print).run_id)
"""


@pytest.fixture
def slots(sandbox: Sandbox) -> Path:
    """A scenario of a second without servers: 4 slots of 20 ms."""
    file = sandbox.folder / "slots.toml"
    file.write_text(SLOTS_SCENARIO, encoding="utf-8")
    return file


def test_a_run_from_python_is_recorded(
    sandbox: Sandbox, slots: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As ``LoadTestFramework`` and the database test make their runs, too."""
    monkeypatch.setitem(sandbox.environ, "PERF_PIPELINE_DAGSTER", "on")
    ran = sandbox.run(sys.executable, "-c", FROM_PYTHON, str(slots))
    assert ran.returncode == 0, ran.stderr
    run = latest(sandbox.dagster_home)
    assert (run.run.job_name, run.run.tags["scenario"]) == ("recorded", "slots")
    assert run.run.tags["verdict"]
    assert set(run.materialized) == RECORDED
    assert run.materialized["load_run"]["run_id"] == ran.stdout.splitlines()[-1]


@pytest.mark.slow
def test_a_search_from_the_command_line_is_a_run_of_its_job(sandbox: Sandbox, slots: Path) -> None:
    """An average of 1 ms is met by no load: the command exits 1, and the run is a failure."""
    ran = sandbox.cli(
        *("capacity", str(slots), "--slo", "avg_s < 0.001", "--max", "2", "--start", "1"),
        *("--json", "--results", str(sandbox.results / "elsewhere")),
    )
    found = last_object(ran.stdout)
    assert ran.returncode in {1, 3}, ran.stderr
    run = latest(sandbox.dagster_home)
    assert run.run.job_name == "capacity"
    assert run.run.status == dg.DagsterRunStatus.FAILURE
    assert run.run.tags["verdict"] == found["verdict"]
    assert run.materialized["found_capacity"]["run_id"] == found["run_id"]
    assert run.materialized["found_capacity"]["html"] == found["report"]


@pytest.mark.slow
def test_a_gate_of_which_no_target_applies_fails_command_and_dagster_run(
    sandbox: Sandbox, slots: Path
) -> None:
    """4 in flight, for which there is no target; verdicts that are accepted are no gates."""
    ran = sandbox.cli("run", str(slots), "--gate", "production", "--accept-verdicts", "--json")
    assert ran.returncode == 1, ran.stderr
    answer = last_object(ran.stdout)
    assert answer["validity"] == "valid", ran.stderr
    assert answer["gate_failures"] == [
        "none of its targets applies to this run; [[slo]] or --slo sets objectives"
    ]
    run = latest(sandbox.dagster_home)
    assert run.run.status == dg.DagsterRunStatus.FAILURE
    assert answer["dagster"].startswith("failed: gate production: ")
    assert run.materialized["run_report"]["html"] == answer["report"]
