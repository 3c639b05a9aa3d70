"""Files that workflows read lie where a target may read them, and can be found again."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from perf_pipeline.host.scratch import remove_scratch, scratch_folder

if TYPE_CHECKING:
    from pathlib import Path


def test_a_scratch_folder_is_gone_after_its_block_with_everything_in_it(tmp_path: Path) -> None:
    with scratch_folder(tmp_path, "20260101_000000-abcd") as folder:
        (folder / "input.csv").write_text("1,2\n", encoding="ascii")
        assert folder.parent == tmp_path
    assert list(tmp_path.iterdir()) == []


def test_what_a_killed_run_left_is_found_by_its_id_alone(tmp_path: Path) -> None:
    """And neither another run's files nor a link that has the name are touched."""
    dead, living = "20260101_000000-dead", "20260101_000000-beef"
    left = tmp_path / f"perf_pipeline-files-{dead}-x1"
    others = tmp_path / f"perf_pipeline-files-{living}-x2"
    link = tmp_path / f"perf_pipeline-files-{dead}-x3"
    for folder in (left, others):
        folder.mkdir()
        (folder / "input.csv").touch()
    link.symlink_to(others)
    assert remove_scratch(tmp_path, dead) == [left]
    assert sorted(tmp_path.iterdir()) == [others, link]
    assert (others / "input.csv").exists()


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
