"""Control groups of dead supervisors are removed; those of living ones and of others are not."""

from __future__ import annotations

import os
import subprocess
from typing import TYPE_CHECKING

from perf_pipeline.loadgen.limits.control_group import make_control_group, remove_leftovers

if TYPE_CHECKING:
    from pathlib import Path


def test_only_groups_of_processes_that_are_gone_are_removed(tmp_path: Path) -> None:
    ended = subprocess.Popen(["true"])
    ended.wait()
    memory = tmp_path / "memory"
    dead = memory / f"perf_pipeline-{ended.pid}-0-1"
    alive, other = memory / f"perf_pipeline-{os.getpid()}-0-1", memory / "somebody-else"
    for folder in (dead, alive, other):
        folder.mkdir(parents=True)

    assert remove_leftovers(tmp_path, "perf_pipeline-") == [str(dead)]
    assert sorted(memory.iterdir()) == sorted([alive, other])


def test_a_machine_without_control_groups_gives_none_and_keeps_nothing(tmp_path: Path) -> None:
    """A folder that is no control group has no file for limits; what was made is taken back."""
    (tmp_path / "memory").mkdir()
    (tmp_path / "memory" / "cgroup.procs").touch()

    assert make_control_group(tmp_path, "perf_pipeline-1-0-0", 10**8, None) is None
    assert [path.name for path in (tmp_path / "memory").iterdir()] == ["cgroup.procs"]
