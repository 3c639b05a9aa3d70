"""Old runs lose their records and keep what was measured; nobody else's run loses anything."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import pytest

from perf_pipeline.analysis.stored_metrics import metrics_of
from perf_pipeline.cli.app import call
from perf_pipeline.errors import RunFolderError
from perf_pipeline.metrics.metrics_file import read_metrics
from perf_pipeline.pruning import prune
from perf_pipeline.report.run.files import write_files
from perf_pipeline.samples.level_records import read_level
from perf_pipeline.samples.run_folder import write_json
from perf_pipeline.scenario_run import open_run
from tests.sandbox import last_object
from tests.simulated_run import write_run

if TYPE_CHECKING:
    from pathlib import Path

    from perf_pipeline.samples.run_folder import RunFolder

DAY = timedelta(days=1)


def ended(folder: RunFolder, days_ago: float) -> RunFolder:
    """Let a run have ended so long ago."""
    record = json.loads(folder.status_file.read_bytes())
    at = (datetime.now(UTC) - days_ago * DAY).isoformat()
    write_json(folder.status_file, {**record, "started_at": at, "ended_at": at})
    return folder


def files_of(folder: Path) -> set[str]:
    return {str(path.relative_to(folder)) for path in folder.rglob("*")}


def test_an_old_run_keeps_its_metrics_and_report_and_loses_its_records(tmp_path: Path) -> None:
    old = ended(write_run(tmp_path, "r-1"), 100)
    young = ended(write_run(tmp_path, "r-2"), 80)
    write_files(old, read_metrics(old))
    level = old.level_folders()[0]
    (level / "worker-0-home").mkdir()
    (level / "worker-0-home" / "cache").write_bytes(bytes(10_000))
    (level / "worker-0.log").write_text("printed")
    before, measured, untouched = files_of(old.root), read_metrics(old), files_of(young.root)

    would = prune(tmp_path, 90 * DAY, datetime.now(UTC), dry_run=True)
    assert files_of(old.root) == before

    found = prune(tmp_path, 90 * DAY, datetime.now(UTC), dry_run=False)
    assert found == would
    assert [(run.run_id, run.kept_because) for run in found.runs] == [("r-1", "")]
    assert found.younger == 1
    assert found.bytes > 10_000
    assert files_of(young.root) == untouched
    gone = before - files_of(old.root)
    assert {path.rpartition("/")[2] for path in gone} == {
        *("records.parquet", "cache", "worker-0-home", "worker-0.log"),
        *("worker-0.kinds", "worker-0.slots", "worker-0.sqlite", "measure.jsonl"),
    }
    assert metrics_of(old) == measured
    assert (old.root / "report.html").exists()
    again = prune(tmp_path, 90 * DAY, datetime.now(UTC), dry_run=False)
    assert again.runs[0].kept_because == "its records were removed before"


def test_later_commands_say_that_the_records_were_pruned(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    run = ended(write_run(tmp_path, "r-1"), 100)
    monkeypatch.setenv("PERF_PIPELINE_RESULTS", str(tmp_path))
    assert call(["records", "r-1", "--json"]) == 0
    counted = last_object(capsys.readouterr().out)
    assert call(["prune", "--keep", "90d", "--json"]) == 0
    out = capsys.readouterr()
    assert last_object(out.out)["runs"][0]["bytes"] > 0
    assert "run r-1: freed" in out.err

    today = f"{datetime.now(UTC):%Y-%m-%d}"
    for command in ("records", "report"):
        assert call([command, "r-1", "--json"]) == 0
        out = capsys.readouterr()
        assert f"pruned on {today}" in out.err, command
        assert last_object(out.out)["pruned_at"].startswith(today)
        if command == "records":
            assert last_object(out.out)["outcomes"] == counted["outcomes"]
    assert call(["histograms", "r-1"]) == 0
    with pytest.raises(RunFolderError, match=f"no records: they were pruned on {today}"):
        open_run("r-1").records()
    with pytest.raises(RunFolderError, match="are gone: they were pruned on"):
        read_level(run.level_folders()[0], 1)
    run.metrics.unlink()
    with pytest.raises(RunFolderError, match="pruned on"):
        metrics_of(run)


def test_what_may_go_on_or_was_not_measured_is_not_touched(tmp_path: Path) -> None:
    running = write_run(tmp_path, "r-1", status=None)
    record = json.loads(running.status_file.read_bytes())
    old = (datetime.now(UTC) - 100 * DAY).isoformat()
    write_json(running.status_file, {**record, "started_at": old})
    unmeasured = ended(write_run(tmp_path, "r-2", measured=False), 100)
    before = files_of(tmp_path)

    found = prune(tmp_path, 0 * DAY, datetime.now(UTC), dry_run=False)

    assert files_of(tmp_path) == before
    reasons = {run.run_id: run.kept_because for run in found.runs}
    assert "running" in reasons[running.run_id]
    assert "was not measured" in reasons[unmeasured.run_id]


def test_other_peoples_runs_copies_and_links_are_not_touched(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    results = tmp_path / "results"
    run = ended(write_run(results, "r-1"), 100)
    elsewhere = ended(write_run(tmp_path / "elsewhere", "r-9"), 100)
    (results / "r-9").symlink_to(elsewhere.root)
    linked = ended(write_run(results, "r-2"), 100)
    level = linked.level_folders()[0]
    level.rename(tmp_path / "level")
    level.symlink_to(tmp_path / "level")
    before = files_of(tmp_path)
    monkeypatch.setattr("perf_pipeline.pruning.os.getuid", lambda: run.root.stat().st_uid + 1)
    found = prune(results, 90 * DAY, datetime.now(UTC), dry_run=False)
    assert {one.kept_because for one in found.runs} == {"it belongs to another user"}
    monkeypatch.undo()
    run.root.rename(results / "copy")
    found = prune(results, 90 * DAY, datetime.now(UTC), dry_run=True)
    kept = {one.run_id: one.kept_because for one in found.runs}
    assert "symbolic link" in kept["r-2"]
    assert any("r-9" in line for line in found.passed_over)
    (results / "copy").rename(run.root)
    assert files_of(tmp_path) == before


def test_a_wrong_time_is_refused(capsys: pytest.CaptureFixture[str]) -> None:
    assert call(["prune", "--keep", "soon"]) == 2
    assert "--keep is" in capsys.readouterr().err
