"""Groups are made where we are, hold what they can, and those of dead supervisors are removed.

Version 2 has no controllers on machines like this one, so its folders are plain ones here; what
the kernel does with real groups (version 1 here) is in tests/integration/levels/test_limits.py.
"""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

import pytest

from perf_pipeline.lifeline import own_stamp
from perf_pipeline.loadgen.limits.control_group import (
    PREFIX,
    ControlGroup,
    group_name,
    host_oom_kills,
    make_control_group,
    outer_memory_reason,
    outer_oom_kills,
    remove_leftovers,
)

V2_FILES = ("cgroup.procs", "memory.max", "memory.swap.max", "cpu.max")


@pytest.fixture
def kernel(monkeypatch: pytest.MonkeyPatch) -> dict[Path, tuple[str, ...]]:
    """Folders made below one of these get its files, as the kernel does it."""
    files: dict[Path, tuple[str, ...]] = {}
    really = os.mkdir

    def mkdir(path: Path, mode: int = 0o777) -> None:
        really(path, mode)
        for name in files.get(Path(path).parent, ()):
            Path(path, name).write_text("max\n", encoding="ascii")

    monkeypatch.setattr(os, "mkdir", mkdir)
    return files


def _member_of(proc: Path, line: str) -> Path:
    (proc / "self").mkdir(parents=True)
    (proc / "self" / "cgroup").write_text(line + "\n", encoding="ascii")
    return proc


def test_one_group_of_version_2_holds_both_limits(
    tmp_path: Path, kernel: dict[Path, tuple[str, ...]]
) -> None:
    own = tmp_path / "cgroup" / "ours"
    own.mkdir(parents=True)
    kernel[own] = V2_FILES
    proc = _member_of(tmp_path / "proc", "0::/ours")

    group = make_control_group("g", 10**8, 0.5, cgroups=tmp_path / "cgroup", proc=proc)

    assert group == ControlGroup(10**8, {"memory": own / "g", "cpu": own / "g"})
    texts = [(own / "g" / name).read_text(encoding="ascii") for name in V2_FILES[1:]]
    assert texts == ["100000000", "0", "50000 100000"]


@pytest.mark.parametrize(("own_limit", "made"), [("max", True), ("200000000", False)])
def test_beside_our_group_of_version_2_only_if_it_would_escape_no_limit(
    tmp_path: Path,
    kernel: dict[Path, tuple[str, ...]],
    own_limit: str,
    made: bool,  # noqa: FBT001
) -> None:
    """Our own group holds processes, so that the kernel gives groups below it no limits."""
    above = tmp_path / "cgroup" / "above"
    own = above / "ours"
    own.mkdir(parents=True)
    (own / "memory.max").write_text(f"{own_limit}\n", encoding="ascii")
    kernel[above] = V2_FILES
    proc = _member_of(tmp_path / "proc", "0::/above/ours")

    group = make_control_group("g", 10**8, None, cgroups=tmp_path / "cgroup", proc=proc)

    assert (group is not None and group.folders == {"memory": above / "g"}) is made
    assert (above / "g").exists() is made
    assert not (own / "g").exists()


def test_a_machine_with_one_limit_of_two_names_it(
    tmp_path: Path, kernel: dict[Path, tuple[str, ...]]
) -> None:
    memory = tmp_path / "cgroup" / "memory"
    memory.mkdir(parents=True)
    kernel[memory] = ("cgroup.procs", "memory.limit_in_bytes")
    proc = _member_of(tmp_path / "proc", "4:memory:/elsewhere\n1:cpu:/")

    group = make_control_group("g", 10**8, 0.5, cgroups=tmp_path / "cgroup", proc=proc)

    assert group == ControlGroup(10**8, {"memory": memory / "g"})


def test_a_machine_without_control_groups_gives_none_and_keeps_nothing(tmp_path: Path) -> None:
    """A folder that is no control group has no file for limits; what was made is taken back."""
    (tmp_path / "cgroup" / "memory").mkdir(parents=True)
    proc = _member_of(tmp_path / "proc", "4:memory:/")

    assert make_control_group("g", 10**8, None, cgroups=tmp_path / "cgroup", proc=proc) is None
    assert list((tmp_path / "cgroup" / "memory").iterdir()) == []


def test_only_groups_of_processes_that_are_gone_are_removed(tmp_path: Path) -> None:
    """One that has the id of a dead maker is not its maker; another container's is not seen."""
    ended = subprocess.Popen(["true"])
    ended.wait()
    memory = tmp_path / "memory" / "container"
    own = own_stamp()
    dead = memory / f"{PREFIX}{ended.pid}-7-{own.pid_namespace}-0-1"
    reused = memory / f"{PREFIX}{os.getpid()}-{own.start_ticks - 1}-{own.pid_namespace}-0-1"
    alive, other = memory / group_name(0, 1), memory / f"{PREFIX}somebody-else"
    not_seen = memory / f"{PREFIX}{ended.pid}-7-{own.pid_namespace + 1}-0-1"
    for folder in (dead, reused, alive, other, not_seen):
        folder.mkdir(parents=True)

    assert sorted(remove_leftovers(tmp_path)) == sorted([str(dead), str(reused)])
    assert sorted(memory.iterdir()) == sorted([alive, other, not_seen])


def test_kills_for_a_limit_around_the_run_are_counted_and_named(tmp_path: Path) -> None:
    """A container of version 2: the limit is two groups above our own."""
    proc, cgroups = tmp_path / "proc", tmp_path / "cgroup"
    (proc / "self").mkdir(parents=True)
    (proc / "self/cgroup").write_text("0::/box/session\n")
    (cgroups / "box/session").mkdir(parents=True)
    (cgroups / "box/memory.max").write_text("64000000\n")
    (cgroups / "box/memory.current").write_text("63000000\n")
    (cgroups / "box/memory.events").write_text("oom 1\noom_kill 1\n")
    assert outer_oom_kills(cgroups, proc) == 1

    (cgroups / "box/memory.events").write_text("oom 3\noom_kill 3\n")

    assert outer_oom_kills(cgroups, proc) == 3
    reason = outer_memory_reason(cgroups, proc)
    assert reason.startswith("memory limit: ")
    assert "of 64 MB" in reason


def test_oom_kills_of_the_host_are_counted_or_unknown(tmp_path: Path) -> None:
    assert host_oom_kills(tmp_path) is None
    (tmp_path / "vmstat").write_text("nr_free_pages 5\noom_kill 3\n")
    assert host_oom_kills(tmp_path) == 3
