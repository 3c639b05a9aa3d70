"""Jobs for what outlives a run: servers that stay, and what killed runs left."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import dagster as dg
import pytest

from assets import jobs
from assets.tags import PROCESS_TAG
from perf_pipeline.config.settings import current_settings
from perf_pipeline.lifeline import own_stamp
from perf_pipeline.samples.run_folder import RunFolder, read_json, write_json
from perf_pipeline.servers.lifecycle.status import server_status

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = pytest.mark.integration


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A place of the test's own for notes, servers' folders and results."""
    for name in ("PERF_PIPELINE_POSTGRES_URL", "PERF_PIPELINE_REDIS_URL"):
        monkeypatch.delenv(name, raising=False)
    (tmp_path / "tmp").mkdir()
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
    monkeypatch.setenv("TMPDIR", str(tmp_path / "tmp"))
    monkeypatch.setenv("PERF_PIPELINE_RESULTS", str(tmp_path / "results"))
    return tmp_path


def test_infrastructure_stays_from_up_to_down(here: Path) -> None:
    assert jobs.infrastructure_up.execute_in_process().success
    status = server_status(current_settings(), ["postgres", "redis"])
    assert [(one.state, one.source) for one in status] == [("answers", "start")] * 2
    assert jobs.infrastructure_down.execute_in_process().success
    assert list((here / "tmp").iterdir()) == []
    states = {one.state for one in server_status(current_settings(), ["postgres", "redis"])}
    assert states == {"can_start"}


def test_clearing_marks_killed_runs_in_our_record_and_in_dagsters(here: Path) -> None:
    """One Dagster run has a living process and stays; two are marked, one of them cancelled."""
    folder = RunFolder(here / "results/20260114_093012-4f2c")
    folder.begin("simulated")
    dead = own_stamp()._replace(start_ticks=1)
    write_json(folder.status_file, {**read_json(folder.status_file), "process": dead})
    with dg.DagsterInstance.ephemeral() as instance:
        ids = {
            name: instance.create_run_for_job(
                jobs.clearing, status=status, tags={PROCESS_TAG: json.dumps(process)}
            ).run_id
            for name, status, process in (
                ("alive", dg.DagsterRunStatus.STARTED, own_stamp()),
                ("killed", dg.DagsterRunStatus.STARTED, dead),
                ("killed while it stopped", dg.DagsterRunStatus.CANCELING, dead),
            )
        }
        assert jobs.clearing.execute_in_process(instance=instance).success
        statuses = {
            name: run.status.value
            for name, run_id in ids.items()
            if (run := instance.get_run_by_id(run_id))
        }
    assert statuses == {
        "alive": "STARTED",
        "killed": "FAILURE",
        "killed while it stopped": "FAILURE",
    }
    assert json.loads(folder.status_file.read_text())["status"] == "killed"
