"""A run's folder in numbers: the run is as good as its worst level and its own end."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import polars as pl
import pytest

from perf_pipeline.analysis.measure import measure, measure_run
from perf_pipeline.errors import RunFolderError
from perf_pipeline.samples import level_records
from perf_pipeline.samples.journal import Journal, read_journal
from perf_pipeline.samples.manifest import write_manifest
from perf_pipeline.samples.run_folder import RunFolder, write_json
from perf_pipeline.samples.run_record import COMPLETE, INTERRUPTED
from tests.manifests import make_manifest
from tests.simulated_level import SimulatedWorker, closed_loop, write_level

if TYPE_CHECKING:
    from pathlib import Path

PLANNED = {"plan_hashes": {"10": "x", "20": "y"}}


@pytest.fixture
def run(tmp_path: Path) -> RunFolder:
    """A run of two levels of 1000/s that this process began and did not end."""
    folder = RunFolder(tmp_path / "2026-01-14")
    folder.begin("baseline")
    write_manifest(folder, make_manifest(**PLANNED))
    for index in range(2):
        rows = closed_loop(10, lambda _slot: 0.01, until_s=10)
        path = folder.root / "levels" / f"0{index}-10"
        write_level(path, [SimulatedWorker(rows)], slots=10)
    return folder


def test_a_complete_run_of_valid_levels_is_valid(run: RunFolder) -> None:
    run.end(COMPLETE)

    metrics = measure_run(run)

    assert (metrics.validity, metrics.reasons, metrics.status) == ("valid", (), "complete")
    assert len(metrics.levels) == 2
    assert (metrics.manifest.ended_at or "").startswith("20")
    assert metrics.kpis == ()  # without a runtime


def test_an_interrupted_run_is_incomplete_however_good_its_levels(run: RunFolder) -> None:
    run.end(INTERRUPTED, "Ctrl-C")

    metrics = measure_run(run)

    assert metrics.validity == "incomplete"
    assert metrics.reasons == ("the run is interrupted: Ctrl-C",)
    assert {level.validity for level in metrics.levels} == {"valid"}


def test_a_level_that_was_planned_and_not_run_is_missed(run: RunFolder) -> None:
    (run.root / "levels" / "01-10" / "level.json").unlink()
    run.end(COMPLETE)

    metrics = measure_run(run)

    assert metrics.validity == "incomplete"
    assert metrics.reasons == ("1 of 2 levels were not run",)


def test_levels_that_were_not_run_because_the_scenario_stopped_it_are_named_and_no_defect(
    run: RunFolder,
) -> None:
    (run.root / "levels" / "01-10" / "level.json").unlink()
    stopped = {
        "level": "10 (calm)",
        "because": "mostly_failing",
        "detail": "62 % of the 431 workflows that ended in the last 10 s failed (limit 50 %)",
        "not_run": ["20 (busy)"],
    }
    write_manifest(run, make_manifest(**PLANNED, stopped=stopped))
    run.end(COMPLETE, stopped=stopped)

    metrics = measure_run(run)

    assert metrics.validity == "valid"
    assert metrics.reasons == (
        f"1 of 2 levels were not run (20 (busy)): level 10 (calm) was ended: {stopped['detail']}",
    )
    assert run.read_status()["stopped"] == stopped


def test_the_worst_level_decides_and_reasons_name_their_level(run: RunFolder) -> None:
    log = json.loads((run.root / "levels" / "01-10" / "level.json").read_text())
    log["workers"][0]["reason"] = "exit code 1: boom"
    write_json(run.root / "levels" / "01-10" / "level.json", log)
    run.end(COMPLETE)

    metrics = measure_run(run)

    assert [level.validity for level in metrics.levels] == ["valid", "incomplete"]
    assert metrics.validity == "incomplete"
    assert metrics.reasons == ("level 10: worker 0: exit code 1: boom",)


def test_metrics_and_records_are_written_as_they_were_measured(run: RunFolder) -> None:
    run.end(COMPLETE)

    metrics = measure(run)

    stored = json.loads(run.metrics.read_text())
    assert stored["validity"] == "valid"
    assert (
        stored["levels"][0]["service_times"]["samples"] == metrics.levels[0].service_times.samples
    )
    records = pl.read_parquet(run.records)
    assert len(records) == sum(sum(level.outcomes.values()) for level in metrics.levels)
    assert [path.name for path in run.root.iterdir() if path.name.startswith(".")] == []


def test_a_folder_without_a_manifest_is_not_a_measurement(tmp_path: Path) -> None:
    folder = RunFolder(tmp_path / "r")
    folder.begin("baseline")

    with pytest.raises(RunFolderError, match=r"manifest\.json is missing"):
        measure_run(folder)


def test_a_reason_names_the_repeat_that_it_is_about(tmp_path: Path) -> None:
    """Of two repeats the second has too few turnovers."""
    folder = RunFolder(tmp_path / "2026-01-14")
    folder.begin("baseline")
    write_manifest(folder, make_manifest(**PLANNED))
    for repeat, service_s in enumerate((0.01, 8.0)):
        rows = closed_loop(10, lambda _slot, took_s=service_s: took_s, until_s=10)
        path = folder.root / "levels" / f"0{repeat}-10"
        write_level(path, [SimulatedWorker(rows)], slots=10)
        plan = json.loads((path / "level.json").read_text())
        plan["plan"]["repeat"] = repeat
        write_json(path / "level.json", plan)
    folder.end(COMPLETE)
    reasons = measure_run(folder).reasons
    assert reasons
    assert all(reason.startswith("level 10, repeat 2: ") for reason in reasons)


def test_what_a_level_has_stored_is_read_once_for_metrics_histograms_and_records(
    run: RunFolder, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Two levels of one worker each: two journals, and each is opened once for its records."""
    run.end(COMPLETE)
    read: list[str] = []

    def counted(path: Path) -> Journal:
        read.append(path.parent.name)
        return read_journal(path)

    monkeypatch.setattr(level_records, "read_journal", counted)

    measure(run)

    assert read == ["00-10", "01-10"]
    assert (run.root / "levels" / "01-10" / "histograms.bin").exists()
