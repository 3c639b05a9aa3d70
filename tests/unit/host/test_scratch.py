"""Files that workflows read lie where a target may read them, and can be found again."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from perf_pipeline.host.scratch import remove_abandoned_scratch, scratch_folder

ROOT = Path(__file__).parents[3]


def test_a_scratch_folder_is_gone_after_its_block_with_everything_in_it(tmp_path: Path) -> None:
    with scratch_folder(tmp_path, "20260101_000000-abcd") as folder:
        (folder / "input.csv").write_text("1,2\n", encoding="ascii")
        assert folder.parent == tmp_path
    assert list(tmp_path.iterdir()) == []


def test_what_a_killed_run_left_is_removed_and_a_living_runs_files_are_not(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whatever the run's status says: it may have been killed after its last record."""
    monkeypatch.setattr("perf_pipeline.host.scratch.PLACES", ())
    code = (
        "import os, sys; from pathlib import Path; from perf_pipeline.host.scratch import *\n"
        "with scratch_folder(Path(sys.argv[1]), 'run') as folder:\n"
        "    (folder / 'input.csv').touch(); print(folder, flush=True); sys.stdin.read()"
    )
    run = subprocess.Popen(
        [sys.executable, "-c", code, tmp_path],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        cwd=ROOT,
    )
    assert run.stdout is not None
    assert run.stdin is not None
    folder = Path(run.stdout.readline().strip())
    link = tmp_path / "perf_pipeline-files-run-x3"
    link.symlink_to(folder)

    assert remove_abandoned_scratch(tmp_path) == []
    run.kill()
    run.wait()
    run.stdin.close()
    run.stdout.close()

    assert remove_abandoned_scratch(tmp_path) == [folder]
    assert list(tmp_path.iterdir()) == [link]


def test_files_never_lie_in_a_folder_that_a_target_refuses_to_read(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """Kailash reads nothing below /root and the system's folders; here that is the test's own."""
    monkeypatch.setattr("perf_pipeline.host.scratch.REFUSED", (str(tmp_path / "root"),))
    monkeypatch.setattr("perf_pipeline.host.scratch.PLACES", (tmp_path,))
    (tmp_path / "root").mkdir()
    with scratch_folder(tmp_path / "root", "run") as folder:
        assert folder.parent == tmp_path


def test_a_block_that_fails_leaves_nothing(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="of the test"), scratch_folder(tmp_path, "run"):
        raise ValueError("of the test")
    assert list(tmp_path.iterdir()) == []
