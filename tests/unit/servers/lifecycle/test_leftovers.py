"""Clearing away removes what the dead left, and nothing else."""

from __future__ import annotations

import json
import os
from typing import TYPE_CHECKING

from perf_pipeline.config.settings import read_settings
from perf_pipeline.lifeline import own_stamp
from perf_pipeline.servers.lifecycle.leftovers import clear_leftovers

if TYPE_CHECKING:
    from pathlib import Path

    from perf_pipeline.config.settings import Settings
    from perf_pipeline.lifeline import ProcessStamp


def test_only_folders_whose_guardian_is_dead_are_removed(tmp_path: Path) -> None:
    """Dead is also one whose process id has been given to another, here to this process."""
    living = own_stamp()
    dead = living._replace(start_ticks=living.start_ticks - 1)
    in_use = _folder(tmp_path, "living", living)
    not_seen = [
        _folder(tmp_path, "other-container", dead._replace(pid_namespace=7)),
        _folder(tmp_path, "other-host", dead._replace(boot_id="another", machine="another")),
    ]
    _folder(tmp_path, "dead", dead)
    foreign = tmp_path / "somebody-elses"
    foreign.mkdir()
    cleared = clear_leftovers(_settings(tmp_path), [])
    assert len(cleared.removed) == 1
    assert "perf_pipeline-server-dead" in cleared.removed[0]
    assert in_use.exists()
    assert foreign.exists()
    assert all(folder.exists() for folder in not_seen)
    assert not (tmp_path / "perf_pipeline-server-dead").exists()


def test_a_folder_in_the_making_is_left_alone_for_a_minute(tmp_path: Path) -> None:
    """It does not name its owner yet."""
    young = _folder(tmp_path, "young", None)
    old = _folder(tmp_path, "old", None)
    an_hour_ago_s = young.stat().st_mtime - 3600
    os.utime(old, (an_hour_ago_s, an_hour_ago_s))
    assert len(clear_leftovers(_settings(tmp_path), []).removed) == 1
    assert young.exists()
    assert not old.exists()


def _folder(temp_dir: Path, name: str, guardian: ProcessStamp | None) -> Path:
    folder = temp_dir / f"perf_pipeline-server-{name}"
    folder.mkdir()
    if guardian is not None:
        text = json.dumps({"guardian": list(guardian)})
        (folder / "guardian.json").write_text(text, encoding="ascii")
    return folder


def _settings(folder: Path) -> Settings:
    return read_settings({"HOME": str(folder), "TMPDIR": str(folder)}, current_dir=folder)
