"""A run in shards is finished once, by whoever comes first: command, sensor or clearing."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np
import pytest

from perf_pipeline.analysis.measure import measure
from perf_pipeline.clearing import clear
from perf_pipeline.config.settings import Settings, current_settings
from perf_pipeline.errors import RunFolderError
from perf_pipeline.finished_run import FinishedRun
from perf_pipeline.lifeline import own_stamp
from perf_pipeline.monitoring.start_exporter import LAST_SCRAPES_S
from perf_pipeline.report.run.files import report_files
from perf_pipeline.samples.run_folder import RunFolder, read_json, write_json
from perf_pipeline.samples.run_record import FAILED, KILLED, RUNNING
from perf_pipeline.samples.shards.shard_folders import is_unmerged
from perf_pipeline.shards import finish_shards as finish
from perf_pipeline.shards.finish_shards import begun_shards, finish_shards
from perf_pipeline.shards.shard_order import shard_folder
from tests.dealt_shards import Host, deal
from tests.simulated_run import write_run

if TYPE_CHECKING:
    from pathlib import Path

HOSTS = (Host("gen-a"), Host("gen-b"))


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    return replace(
        current_settings(),
        results_dir=tmp_path / "results",
        state_dir=tmp_path / "state",
        temp_dir=tmp_path,
        lock_path=tmp_path / "load.lock",
        is_recorded=False,
    )


@pytest.fixture
def run(tmp_path: Path, settings: Settings) -> Path:
    """A run of two shards that have ended; nobody has merged them."""
    played = write_run(tmp_path / "played", "r-1")
    for level in played.level_folders():
        np.zeros(10, "<i8").tofile(level / "worker-0.ramp")
    return deal(played, settings.results_dir, HOSTS)


def _set_status(run: Path, index: int, *, is_alive: bool) -> None:
    """Let a shard look as if it ran, in this process or in one that is gone."""
    folder = RunFolder(shard_folder(run, index))
    here = own_stamp()
    process = here if is_alive else here._replace(start_ticks=1)
    write_json(
        folder.status_file,
        {**read_json(folder.status_file), "status": RUNNING, "process": list(process)},
    )


def _measured(folder: RunFolder) -> FinishedRun:
    """Stand in for the report as well, which takes two seconds."""
    return FinishedRun(measure(folder), folder.root, report_files(folder.root))


def test_shards_that_ended_are_one_run_with_a_report(
    run: Path, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its figures are served when there are some, and a container ends after they were."""
    served: list[object] = []

    def start(folder: Path, scenario: str, _settings: Settings) -> int:
        served.append((folder, scenario, RunFolder(folder).metrics.exists()))
        return 4711

    monkeypatch.setattr(finish, "start_exporter", start)
    monkeypatch.setattr(finish, "outlast_exporter", lambda *given: served.append(given))
    assert is_unmerged(run)
    finished = finish_shards(run, settings, pytest.fail)
    assert not is_unmerged(run)
    assert finished.report.html.exists()
    assert finished.metrics.run_id == "r-1"
    assert finished.metrics.status == "complete"
    assert served == [(run, "simulated", True), (4711, LAST_SCRAPES_S)]


def test_a_run_that_is_merged_again_has_one_entry_in_the_history(
    run: Path, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    recorded: list[str] = []
    monkeypatch.setattr("perf_pipeline.shards.finish_shards.report_run", _measured)
    monkeypatch.setattr(
        "perf_pipeline.scenario_run.record_run", lambda folder, *_: recorded.append(folder.name)
    )
    for _ in range(2):
        finish_shards(run, replace(settings, is_recorded=True), pytest.fail)
    assert recorded == ["r-1"]


def test_a_shard_that_still_runs_is_not_merged_away(run: Path, settings: Settings) -> None:
    _set_status(run, 1, is_alive=True)
    with pytest.raises(RunFolderError, match="still goes on: shard 1 on gen-b"):
        finish_shards(run, settings, pytest.fail, within_s=0)
    assert clear(settings) == []
    assert is_unmerged(run)


def test_clearing_merges_the_shards_of_which_one_was_killed(run: Path, settings: Settings) -> None:
    _set_status(run, 1, is_alive=False)
    lines = "\n".join(clear(settings))
    assert "run r-1 was killed; it was shard 1" in lines
    assert "the shards of run r-1 were merged" in lines
    assert begun_shards(run)[1] == KILLED
    record = RunFolder(run).read_status()
    assert record["status"] == FAILED
    assert "gen-b" in record["why"]
    assert clear(settings) == []
