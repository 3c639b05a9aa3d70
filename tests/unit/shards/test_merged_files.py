"""The files of all shards are in the level's folder, and those of the shards stay as they are."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any

import pytest

from perf_pipeline.loadgen.plan.share import Share
from perf_pipeline.samples.run_folder import INTENDED, STREAMS, RunFolder
from perf_pipeline.shards.level_part import LevelPart
from perf_pipeline.shards.merged_files import bring_files
from perf_pipeline.shards.shard_part import ShardPart

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture
def parts(tmp_path: Path) -> list[LevelPart]:
    """Two shards of a level of two workers, with a journal each."""
    made = []
    for index in range(2):
        folder = tmp_path / str(index)
        folder.mkdir()
        (folder / f"worker-{index}.sqlite").write_text(f"journal {index}")
        shard = ShardPart(Share(index, 2), "gen", RunFolder(folder), None, None, None)
        made.append(LevelPart(shard, folder, {"plan": {"processes": 2}}))
    return made


def brought(parts: list[LevelPart], level: Path) -> dict[str, str]:
    level.mkdir()
    bring_files(parts, level)
    return {path.name: path.read_text() for path in sorted(level.iterdir())}


JOURNALS = {"worker-0.sqlite": "journal 0", "worker-1.sqlite": "journal 1"}


def test_a_schedule_that_any_shard_has_is_that_of_the_level(
    parts: list[LevelPart], tmp_path: Path
) -> None:
    for name in (INTENDED, STREAMS):
        (parts[1].folder / name).write_text(name)
    wanted = JOURNALS | {INTENDED: INTENDED, STREAMS: STREAMS}
    assert brought(parts, tmp_path / "level") == wanted


def test_without_links_files_are_copied(
    parts: list[LevelPart], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_arguments: Any) -> None:
        raise OSError(18, "Invalid cross-device link")

    monkeypatch.setattr(os, "link", refuse)
    assert brought(parts, tmp_path / "level") == JOURNALS


def test_a_journal_that_was_not_closed_is_copied_since_reading_it_changes_it(
    parts: list[LevelPart], tmp_path: Path
) -> None:
    (parts[1].folder / "worker-1.sqlite-wal").write_text("the last blocks")
    (parts[1].folder / "worker-1.ramp").write_text("ramp")
    level = tmp_path / "level"
    assert brought(parts, level)["worker-1.sqlite-wal"] == "the last blocks"
    links = {path.name: path.stat().st_nlink for path in level.iterdir()}
    assert links == {
        "worker-0.sqlite": 2,
        "worker-1.ramp": 2,
        "worker-1.sqlite": 1,
        "worker-1.sqlite-wal": 1,
    }


def test_no_symbolic_link_is_followed(parts: list[LevelPart], tmp_path: Path) -> None:
    (tmp_path / "secret").write_text("of another user")
    (parts[0].folder / "worker-0.ramp").symlink_to(tmp_path / "secret")
    assert brought(parts, tmp_path / "level") == JOURNALS
