"""Clearing goes on past a run whose record is damaged."""

from __future__ import annotations

import subprocess
from dataclasses import replace
from typing import TYPE_CHECKING

from perf_pipeline.clearing import clear
from perf_pipeline.config.settings import current_settings
from perf_pipeline.lifeline import own_stamp
from perf_pipeline.samples.run_folder import RunFolder, read_json, write_json
from perf_pipeline.samples.run_record import KILLED

if TYPE_CHECKING:
    from pathlib import Path


def test_a_damaged_record_is_named_and_the_killed_run_behind_it_is_marked(tmp_path: Path) -> None:
    results = tmp_path / "results"
    damaged, killed = RunFolder(results / "20260101-aaaa"), RunFolder(results / "20260102-bbbb")
    for folder in (damaged, killed):
        folder.begin("baseline")
    damaged.status_file.write_text("{ cut off", encoding="utf-8")
    ended = subprocess.Popen(["true"])
    ended.wait()
    process = [ended.pid, *own_stamp()[1:]]
    write_json(killed.status_file, {**read_json(killed.status_file), "process": process})
    settings = replace(
        current_settings(),
        results_dir=results,
        state_dir=tmp_path / "state",
        temp_dir=tmp_path,
        lock_path=tmp_path / "load.lock",
    )

    reported = "\n".join(clear(settings))

    assert f"not changed: {damaged.status_file} cannot be read as JSON" in reported
    assert f"run {killed.run_id} was killed" in reported
    assert read_json(killed.status_file)["status"] == KILLED
