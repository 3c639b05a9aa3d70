"""A load run in shards as a Dagster run: what its steps hand on, and how it ends."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import dagster as dg
import pytest

from assets.definitions import defs
from assets.tags import FOLDER_TAG, VERDICT_TAG
from perf_pipeline.samples.run_folder import RunFolder
from perf_pipeline.samples.run_record import COMPLETE
from tests.sandbox import SLOTS_SCENARIO, Sandbox

if TYPE_CHECKING:
    from pathlib import Path


@pytest.mark.integration
def test_one_shard_is_a_run_that_is_merged_measured_and_reported(
    sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """In one process, as on one host; its second and third step have what the first one planned."""
    sandbox.enter(monkeypatch)
    scenario = tmp_path / "slots.toml"
    scenario.write_text(SLOTS_SCENARIO, encoding="utf-8")
    with dg.DagsterInstance.ephemeral() as instance:
        ran = defs.get_job_def("sharded_load").execute_in_process(
            run_config=_config(scenario=str(scenario), hosts=["here"]), instance=instance
        )
        stored = instance.get_run_by_id(ran.run_id)
    assert ran.success
    assert stored is not None
    tags = stored.tags
    folder = RunFolder(sandbox.results / _only(sandbox.results))
    assert tags[FOLDER_TAG] == str(folder.root)
    assert tags[VERDICT_TAG] == "valid"
    assert folder.read_status()["status"] == COMPLETE
    assert (folder.root / "report.html").exists()
    assert folder.level_folders()


def _config(**planned: Any) -> dict[str, Any]:
    return {"ops": {"plan_shards": {"config": planned}}}


def _only(results: Path) -> str:
    (order,) = results.glob("*/shards/order.json")
    return order.parents[1].name
