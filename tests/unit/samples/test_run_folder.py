"""A run on disk: files whole or not at all, and a status that no killed run can leave wrong."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

from perf_pipeline.errors import RunFolderError
from perf_pipeline.lifeline import own_stamp
from perf_pipeline.samples.run_file import DiskFullError, write_atomically
from perf_pipeline.samples.run_folder import RunFolder, read_json, write_json
from perf_pipeline.samples.run_record import COMPLETE, KILLED, RUNNING

if TYPE_CHECKING:
    from pathlib import Path


def test_a_write_that_fails_leaves_the_old_content(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "metrics.json"
    write_atomically(path, b"old")

    def full_disk(_descriptor: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full_disk)
    with pytest.raises(DiskFullError, match="No space"):
        write_atomically(path, b"new")

    assert path.read_bytes() == b"old"


def test_json_refuses_what_is_no_json(tmp_path: Path) -> None:
    for value in (float("nan"), float("inf"), {"x": [float("-inf")]}):
        with pytest.raises(ValueError, match="JSON"):
            write_json(tmp_path / "x.json", value)
    assert list(tmp_path.iterdir()) == []


def test_a_missing_or_broken_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(RunFolderError, match=r"level.json is missing"):
        read_json(tmp_path / "level.json")
    (tmp_path / "level.json").write_bytes(b'{"go_ns": 1')
    with pytest.raises(RunFolderError, match=r"level.json cannot be read as JSON"):
        read_json(tmp_path / "level.json")
    (tmp_path / "level.json").write_bytes(b"\xff\xfe")
    with pytest.raises(RunFolderError, match=r"level.json cannot be read as JSON"):
        read_json(tmp_path / "level.json")


def test_a_run_is_running_while_its_process_lives_and_then_as_it_recorded(tmp_path: Path) -> None:
    run = RunFolder(tmp_path / "r1")
    run.begin("baseline")
    assert run.read_status()["status"] == RUNNING

    run.end(COMPLETE)

    assert run.read_status()["status"] == COMPLETE
    with pytest.raises(FileExistsError):
        run.begin("baseline")


def test_a_run_whose_process_is_gone_was_killed(tmp_path: Path) -> None:
    """Its process id may already belong to another process: the start time tells them apart."""
    run = RunFolder(tmp_path / "r1")
    child = (
        "import os, sys; from pathlib import Path\n"
        "from perf_pipeline.samples.run_folder import RunFolder\n"
        "RunFolder(Path(sys.argv[1])).begin('baseline')\n"
        "os.kill(os.getpid(), 9)\n"
    )
    subprocess.run([sys.executable, "-c", child, run.root], check=False)
    assert run.read_status()["status"] == KILLED

    record = json.loads(run.status_file.read_text())
    mine = own_stamp()
    record["process"] = [mine.pid, mine.start_ticks - 1, mine.boot_id]
    write_json(run.status_file, record)
    assert run.read_status()["status"] == KILLED
    record["process"] = list(mine)
    write_json(run.status_file, record)
    assert run.read_status()["status"] == RUNNING


def test_levels_are_listed_in_the_order_in_which_they_ran(tmp_path: Path) -> None:
    run = RunFolder(tmp_path / "r1")
    run.begin("baseline")
    for name in ("10-arm", "00-100", "02-1000", "01-500"):
        (run.root / "levels" / name).mkdir()
        (run.root / "levels" / name / "level.json").touch()
    (run.root / "levels" / "03-not-begun").mkdir()
    (run.root / "levels" / "stray.txt").touch()

    assert [path.name for path in run.level_folders()] == ["00-100", "01-500", "02-1000", "10-arm"]
