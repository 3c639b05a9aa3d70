"""Facts about the host."""

from __future__ import annotations

import os
import platform
import shutil
import subprocess
from typing import TYPE_CHECKING

import psutil
import pytest

from perf_pipeline.host.facts import (
    CpuTimes,
    read_cpu_times,
    read_git_state,
    read_host_facts,
    steal_percent,
)

if TYPE_CHECKING:
    from pathlib import Path

GIT = shutil.which("git") or ""
PATH = os.path.dirname(GIT)  # noqa: PTH120 - a search path


def test_facts_agree_with_other_programs(tmp_path: Path) -> None:
    """The package psutil and the standard library read the same machine."""
    facts = read_host_facts(tmp_path)
    assert facts.memory_total_bytes == psutil.virtual_memory().total
    assert facts.cores_usable == len(psutil.Process().cpu_affinity())
    assert facts.kernel == os.uname().release
    assert facts.python == platform.python_version()
    mounts = psutil.disk_partitions(all=True)
    run_data = [one for one in mounts if tmp_path.resolve().is_relative_to(one.mountpoint)]
    assert facts.temp_file_system == max(run_data, key=lambda one: len(one.mountpoint)).fstype


def test_limits_of_a_version_2_control_group_are_found_on_the_way_up(tmp_path: Path) -> None:
    """A group of 1.5 cores in one of 4; the smaller counts."""
    _host(tmp_path, "0::/outer/inner\n")
    _write(tmp_path / "sys/fs/cgroup/outer/cpu.max", "400000 100000\n")
    _write(tmp_path / "sys/fs/cgroup/outer/inner/cpu.max", "75000 50000\n")
    facts = read_host_facts(tmp_path, tmp_path)
    assert facts.cgroup_cpu_limit_cores == pytest.approx(1.5)


def test_limits_of_a_version_1_control_group_are_found(tmp_path: Path) -> None:
    """In a container the path is the host's, and the mount itself is the container's group."""
    _host(tmp_path, "3:cpu,cpuacct:/docker/abc\n2:memory:/docker/abc\n1:cpuset:/docker/abc\n")
    _write(tmp_path / "sys/fs/cgroup/cpu/cpu.cfs_quota_us", "50000\n")
    _write(tmp_path / "sys/fs/cgroup/cpu/cpu.cfs_period_us", "200000\n")
    facts = read_host_facts(tmp_path, tmp_path)
    assert facts.cgroup_cpu_limit_cores == pytest.approx(0.25)


@pytest.mark.parametrize("quota", ["max 100000", ""])
def test_without_a_limit_there_is_none(tmp_path: Path, quota: str) -> None:
    """Unlimited is not a number of cores."""
    _host(tmp_path, "0::/\n")
    _write(tmp_path / "sys/fs/cgroup/cpu.max", quota)
    facts = read_host_facts(tmp_path, tmp_path)
    assert facts.cgroup_cpu_limit_cores is None
    assert facts.cgroup_memory_limit_bytes is None
    assert facts.container == "none"


@pytest.mark.parametrize(
    ("file", "text", "container"),
    [
        (".dockerenv", "", "docker"),
        ("run/.containerenv", 'engine="podman-4.3.1"\n', "podman"),
        ("run/systemd/container", "lxc\n", "lxc"),
    ],
)
def test_a_container_is_recognised(tmp_path: Path, file: str, text: str, container: str) -> None:
    """By the file that each engine leaves."""
    _host(tmp_path, "0::/\n")
    _write(tmp_path / file, text)
    assert read_host_facts(tmp_path, tmp_path).container == container


def test_steal_is_the_share_of_all_time_between_two_readings(tmp_path: Path) -> None:
    """1000 ticks pass, 25 of them stolen; guests' time is not counted twice."""
    _write(tmp_path / "stat", "cpu  100 0 100 800 0 0 0 10 50 0\ncpu0 1 2\n")
    before = read_cpu_times(tmp_path)
    assert before == CpuTimes(total_ticks=1010, steal_ticks=10)
    _write(tmp_path / "stat", "cpu  300 0 200 1475 0 0 0 35 99 0\n")
    assert steal_percent(before, read_cpu_times(tmp_path)) == pytest.approx(2.5)
    assert steal_percent(before, before) is None


@pytest.mark.skipif(not GIT, reason="git is not installed")
def test_the_commit_and_whether_it_was_changed_are_read(tmp_path: Path) -> None:
    """A separate repository, without anybody's configuration."""
    _git(tmp_path, "init", "--quiet")
    assert read_git_state(tmp_path, PATH).commit is None
    identity = ["-c", "user.name=n", "-c", "user.email=e"]
    _git(tmp_path, *identity, "commit", "--quiet", "--allow-empty", "--message", "m")
    commit = _git(tmp_path, "rev-parse", "HEAD")
    clean = read_git_state(tmp_path, PATH)
    assert (clean.commit, clean.dirty, clean.problem) == (commit, False, "")
    assert clean.changes_sha256 == ""


@pytest.mark.skipif(not GIT, reason="git is not installed")
def test_only_tracked_files_are_changes_and_two_changes_are_told_apart(tmp_path: Path) -> None:
    """A run writes its results into the user's folder, which is no change of their code."""
    _git(tmp_path, "init", "--quiet")
    shop = tmp_path / "shop.py"
    _write(shop, "PRICE = 1\n")
    _git(tmp_path, "add", "shop.py")
    _git(tmp_path, "-c", "user.name=n", "-c", "user.email=e", "commit", "--quiet", "--message", "m")
    (tmp_path / "results").touch()
    assert read_git_state(tmp_path, PATH).dirty is False
    digests = []
    for price in (2, 3, 2):
        _write(shop, f"PRICE = {price}\n")
        state = read_git_state(tmp_path, PATH)
        assert state.dirty
        digests.append(state.changes_sha256)
    assert digests[0] == digests[2] != digests[1]


def test_without_git_or_a_repository_there_is_a_reason_instead(tmp_path: Path) -> None:
    """None, not an empty commit."""
    assert read_git_state(tmp_path, "").problem == "git is not installed"
    if GIT:
        nowhere = read_git_state(tmp_path, PATH)
        assert (nowhere.commit, nowhere.dirty) == (None, None)
        assert "not a git repository" in nowhere.problem


def _git(folder: Path, *arguments: str) -> str:
    command = [GIT, "-C", str(folder), *arguments]
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout.strip()


def _host(root: Path, cgroup: str) -> None:
    _write(root / "proc/self/cgroup", cgroup)
    _write(root / "proc/meminfo", "MemTotal:  1000 kB\n")


def _write(path: Path, text: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="ascii")
