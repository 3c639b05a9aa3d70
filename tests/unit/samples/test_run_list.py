"""The runs of a folder that anybody may have written to."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import time
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import pytest

from perf_pipeline.errors import RunFolderError
from perf_pipeline.lifeline import own_stamp
from perf_pipeline.samples.run_folder import RunFolder
from perf_pipeline.samples.run_list import find_run, list_runs, passed_over_lines, read_runs
from perf_pipeline.samples.run_record import COMPLETE, NOT_SEEN

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

FIRST, SECOND, THIRD = (
    "20260101_000000-aaaa",
    "20260102_000000-bbbb",
    "20260103_000000-cccc",
)


def run(results: Path, name: str, **changes: Any) -> RunFolder:
    """Write a run that has ended, with changes to its record; None leaves a key out."""
    folder = RunFolder(results / name)
    folder.begin("baseline")
    folder.end(COMPLETE)
    record = {**json.loads(folder.status_file.read_text()), **changes}
    kept = {key: value for key, value in record.items() if value is not None}
    folder.status_file.write_text(json.dumps(kept))
    return folder


def test_a_run_is_found_by_id_by_path_or_as_the_latest(tmp_path: Path) -> None:
    for name in (FIRST, THIRD, SECOND):
        run(tmp_path, name)
    (tmp_path / "not-a-run").mkdir()
    (tmp_path / "baseline_100_20260101_000000.json").touch()

    assert find_run(tmp_path, None).run_id == SECOND
    assert find_run(tmp_path, FIRST).run_id == FIRST
    assert find_run(tmp_path, str(tmp_path / FIRST)).run_id == FIRST
    for name in ("nope", "a\0b", "not-a-run"):
        with pytest.raises(RunFolderError, match=rf"no run .*{SECOND}"):
            find_run(tmp_path, name)
    with pytest.raises(RunFolderError, match="make one"):
        find_run(tmp_path / "not-a-run", "latest")
    assert read_runs(tmp_path / "nowhere").found == ()
    with pytest.raises(RunFolderError, match="cannot be read: Not a directory"):
        read_runs(tmp_path / "baseline_100_20260101_000000.json")


def test_the_latest_run_is_the_one_that_started_last_whatever_it_is_called(tmp_path: Path) -> None:
    """A folder may be called like a run of the future, and a run may be renamed."""
    now = datetime.now(UTC)
    run(tmp_path, FIRST, started_at=(now - timedelta(minutes=1)).isoformat())
    run(tmp_path, "20991231_235959-ffff", started_at=(now - timedelta(days=2)).isoformat())
    run(tmp_path, "my-best-run", started_at=(now - timedelta(days=1)).isoformat())
    run(tmp_path, "aaa", started_at=(now + timedelta(minutes=5)).isoformat())
    run(tmp_path, "zzz", started_at=(now + timedelta(days=400)).isoformat())

    runs = read_runs(tmp_path)

    ordered = ["20991231_235959-ffff", "my-best-run", FIRST, "aaa"]
    assert [one.run_id for one in runs.folders] == ordered
    assert [one.partition(" says ")[0] for one in runs.passed_over] == [str(tmp_path / "zzz")]
    assert "in the future" in runs.passed_over[0]


def test_a_copy_of_a_run_is_neither_a_run_nor_the_latest(tmp_path: Path) -> None:
    original = run(tmp_path, FIRST)
    run(tmp_path, SECOND)
    shutil.copytree(original.root, tmp_path / "20270101_000000-dddd")
    shutil.copytree(original.root, tmp_path / "a-copy")
    (tmp_path / "newest").symlink_to(original.root)

    runs = read_runs(tmp_path)

    assert [one.run_id for one in runs.folders] == [FIRST, SECOND]
    copies = [one for one in runs.passed_over if one.endswith(f" is a copy of run {FIRST}")]
    assert len(copies) == 2
    assert "newest is a symbolic link" in (set(runs.passed_over) - set(copies)).pop()
    assert find_run(tmp_path, "a-copy").root == tmp_path / "a-copy"


def test_a_run_that_was_renamed_is_still_a_run(tmp_path: Path) -> None:
    run(tmp_path, FIRST).root.rename(tmp_path / "before-the-change")
    assert [one.run_id for one in list_runs(tmp_path)] == ["before-the-change"]
    assert read_runs(tmp_path).passed_over == ()


CHANGES: dict[str, dict[str, Any]] = {
    "process is a list, [4, ": {"process": [4, "x"]},
    "process is a list, [1.5, ": {"process": [1.5, 2, "boot"]},
    "process is a list, [-4, ": {"process": [-4, 2, "boot"]},
    "process is a list, [True, ": {"process": [True, 2, "boot"]},
    "process is a str, 'me'": {"process": "me"},
    "status is a str, 'excellent'": {"status": "excellent"},
    "status is a list": {"status": []},
    "started_at is an int, 5": {"started_at": 5},
    "started_at is a str, '2026'": {"started_at": "2026"},
    "started_at is a str, '2026-01-01T00:00:00'": {"started_at": "2026-01-01T00:00:00"},
    "run_id is a dict": {"run_id": {}},
    "why is a list": {"why": []},
    "stopped is a str": {"stopped": "yes"},
    "it has no started_at": {"started_at": None},
}


@pytest.mark.parametrize(("named", "changes"), CHANGES.items())
def test_a_record_of_wrong_types_is_named_and_hides_no_other_run(
    tmp_path: Path, named: str, changes: dict[str, Any]
) -> None:
    run(tmp_path, FIRST)
    run(tmp_path, SECOND, **changes)

    runs = read_runs(tmp_path)

    assert [one.run_id for one in runs.folders] == [FIRST]
    assert len(runs.passed_over) == 1
    assert runs.passed_over[0].startswith(f"{tmp_path / SECOND}/run.json is not the record")
    assert named in runs.passed_over[0]


def test_a_process_that_is_null_is_named(tmp_path: Path) -> None:
    folder = run(tmp_path, FIRST)
    record = {**json.loads(folder.status_file.read_text()), "process": None}
    folder.status_file.write_text(json.dumps(record))
    assert "process is a NoneType" in read_runs(tmp_path).passed_over[0]


def _pipe(path: Path) -> None:
    os.mkfifo(path)


def _folder(path: Path) -> None:
    path.mkdir()


def _endless(path: Path) -> None:
    path.symlink_to("/dev/zero")


def _loop(path: Path) -> None:
    path.symlink_to(path.name)


def _written(content: bytes) -> Callable[[Path], object]:
    return lambda path: path.write_bytes(content)


FILES: dict[str, Callable[[Path], object]] = {
    "is not a regular file": _pipe,
    "is not a regular file ": _folder,
    "is a symbolic link": _endless,
    "is a symbolic link ": _loop,
    "is missing": lambda _path: None,
    "cannot be read as JSON": _written(b"{ cut off"),
    "cannot be read as JSON ": _written(b""),
    "cannot be read as JSON  ": _written(b"\xff\xfe\x00binary"),
    "cannot be read as JSON   ": _written(b"[" * 100_000),
    "it has no run_id": _written(b"{}"),
    "it holds a list": _written(b"[]"),
    "it holds a NoneType": _written(b"null"),
}


@pytest.mark.parametrize(("named", "write"), FILES.items())
def test_what_is_no_record_is_named_and_hides_no_other_run(
    tmp_path: Path, named: str, write: Callable[[Path], object]
) -> None:
    """A pipe and an endless device in its place do not hang."""
    run(tmp_path, FIRST)
    (tmp_path / SECOND).mkdir()
    write(tmp_path / SECOND / "run.json")

    lines: list[str] = []

    assert find_run(tmp_path, "latest", lines.append).run_id == FIRST
    assert len(lines) == 1
    assert lines[0].startswith(f"passed over: {tmp_path / SECOND}")
    assert named.strip() in lines[0]


@pytest.mark.skipif(os.getuid() == 0, reason="root may read everything")
def test_a_folder_that_may_not_be_read_is_named(tmp_path: Path) -> None:
    folder = run(tmp_path, FIRST).root
    folder.chmod(0)
    try:
        assert "Permission denied" in read_runs(tmp_path).passed_over[0]
    finally:
        folder.chmod(0o700)


def test_many_folders_that_are_no_runs_are_counted_and_not_listed() -> None:
    lines = passed_over_lines([f"folder {n}" for n in range(9)])
    assert len(lines) == 6
    assert lines[-1] == "passed over: 4 more, which `perf-pipeline status` names"


def test_a_running_run_of_another_container_or_host_is_not_called_killed(tmp_path: Path) -> None:
    mine = own_stamp()
    for name, process in (
        (FIRST, mine._replace(pid_namespace=7)),
        (SECOND, mine._replace(boot_id="another", machine="another")),
    ):
        run(tmp_path, name, status="running", process=list(process))
    statuses = {one.folder.run_id: one.record["status"] for one in read_runs(tmp_path).found}
    assert statuses == {FIRST: NOT_SEEN, SECOND: NOT_SEEN}
    assert "another container" in RunFolder(tmp_path / FIRST).read_status()["why"]


def test_a_run_that_records_no_namespace_is_judged_by_the_rest(tmp_path: Path) -> None:
    """As versions before this one wrote it."""
    ended = subprocess.Popen([sys.executable, "-c", ""])
    ended.wait()
    mine = own_stamp()
    run(tmp_path, FIRST, status="running", process=list(mine[:3]))
    run(tmp_path, SECOND, status="running", process=[ended.pid, 1, mine.boot_id])
    assert [one.record["status"] for one in read_runs(tmp_path).found] == ["running", "killed"]


def test_a_thousand_runs_are_listed_in_a_moment(tmp_path: Path) -> None:
    for number in range(1000):
        (tmp_path / f"r{number}").mkdir()
        record = {
            "run_id": f"r{number}",
            "scenario": "s",
            "status": "complete",
            "process": [1, 2, "b"],
            "started_at": "2026-01-01T00:00:00+00:00",
        }
        (tmp_path / f"r{number}" / "run.json").write_text(json.dumps(record))
    before_s = time.process_time()
    assert len(read_runs(tmp_path).found) == 1000
    assert time.process_time() - before_s < 1.0
