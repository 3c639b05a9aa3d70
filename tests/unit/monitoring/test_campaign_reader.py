"""What is served of a campaign: its hours, the newest signals, and what they prove."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from perf_pipeline.monitoring.campaign_reader import ABANDONED_S, CampaignReader
from perf_pipeline.samples.campaign.campaign_folder import CampaignFolder
from tests.simulated_level import SimulatedWorker, closed_loop, write_level

BEGUN_S = 1_800_000_000.0


@pytest.fixture
def folder(tmp_path: Path) -> CampaignFolder:
    """A campaign of two hours of 60 s, in the middle of the first one."""
    made = CampaignFolder.of(tmp_path, "c-1")
    workers = [SimulatedWorker(closed_loop(4, lambda _slot: 0.1, 10.0))]
    hour = write_level(made.root / "hours" / "000", workers, slots=4)
    log = json.loads((hour / "level.json").read_text())
    log["phases_ns"]["steady"][1] = None
    log["plan"].update(loop="closed", title="", workloads=["transformation/simple"])
    (hour / "level.json").write_text(json.dumps(log))
    (hour / "resources.jsonl").write_text('{"at_ns": 1, "problems": {}}\n')
    (hour / "signals.jsonl").write_text(
        '{"seconds": 1, "workflows": 0, "values": {"target.heap_blocks": 10}}\n'
        '{"seconds": 2, "workflows": 9, "values": {"target.heap_blocks": 12}}\n{"torn'
    )
    campaign: dict[str, Any] = {
        "schema_version": 1,
        "campaign_id": "c-1",
        "scenario": "endurance",
        "target": "control",
        "rate_per_s": 10.0,
        "seed": 1,
        "hours": 2,
        "hour_seconds": 60.0,
        "evidence": "scaled",
        "begun_utc": "2027-01-15T08:00:00+00:00",
        "workflows_per_hour": 600,
    }
    made.campaign_file.write_text(json.dumps(campaign))
    return made


def reader(folder: CampaignFolder, now_s: float = BEGUN_S) -> CampaignReader:
    made = CampaignReader(folder, clock_ns=lambda: 0, wall_s=lambda: now_s, proc=Path("/nowhere"))
    made.read()
    return made


def served(folder: CampaignFolder) -> dict[tuple[str, ...], object]:
    found = reader(folder).samples()
    return {(one.metric.removeprefix("loadtest_"), *one.labels): one.value for one in found}


def test_the_hour_that_is_played_and_its_newest_signals_are_served(folder: CampaignFolder) -> None:
    found = served(folder)
    assert found["run_info", "control", "", ""] == 1
    assert found["run_started_timestamp_seconds",] == BEGUN_S
    assert found["hours_played",] == 0
    assert found["signal", "target.heap_blocks"] == 12
    assert found["workflows_completed_total", "000", "transformation/simple", "ok"] > 300  # type: ignore[operator]
    heard_s = (folder.root / "hours" / "000" / "resources.jsonl").stat().st_mtime
    assert found["heartbeat_timestamp_seconds",] == heard_s


def test_an_hour_that_has_ended_has_no_heartbeat(folder: CampaignFolder) -> None:
    path = folder.root / "hours" / "000" / "level.json"
    log = json.loads(path.read_text())
    log["phases_ns"] = {name: [start, start + 1] for name, (start, _) in log["phases_ns"].items()}
    path.write_text(json.dumps(log))
    assert ("heartbeat_timestamp_seconds",) not in served(folder)


def test_a_campaign_without_a_new_file_for_long_is_over(folder: CampaignFolder) -> None:
    heard_s = (folder.root / "hours" / "000").stat().st_mtime
    assert not reader(folder, heard_s + ABANDONED_S).is_over
    assert reader(folder, heard_s + ABANDONED_S + 121).is_over


def test_a_campaign_that_cannot_be_read_is_counted(folder: CampaignFolder) -> None:
    folder.campaign_file.write_text("{")
    assert served(folder)["exporter_unreadable_files",] == 1
