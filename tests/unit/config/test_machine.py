"""The limits of a machine are those of its kernel, and of the groups that this process is in."""

from __future__ import annotations

import os
import resource
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

from perf_pipeline.config.cgroup import Allowance
from perf_pipeline.config.machine import MachineLimits, processes_of, read_machine_limits
from perf_pipeline.config.scenario.scenario import Scenario

if TYPE_CHECKING:
    from pathlib import Path


def test_processes_are_one_a_core_unless_the_scenario_sets_them(machine: MachineLimits) -> None:
    assert processes_of(Scenario("x"), machine) == 2
    assert processes_of(Scenario("x", processes=5), machine) == 5


def test_the_limits_are_those_that_a_child_really_has() -> None:
    """A child that is given 512 descriptors, 256 of them now, on one core reads just that."""
    code = (
        "from perf_pipeline.config.machine import read_machine_limits as r\n"
        "m = r()\nprint(m.descriptors_soft, m.descriptors_hard, m.cores_usable)"
    )
    core = min(os.sched_getaffinity(0))

    def confine() -> None:
        resource.setrlimit(resource.RLIMIT_NOFILE, (256, 512))
        os.sched_setaffinity(0, {core})

    child = subprocess.run(
        [sys.executable, "-c", code],
        preexec_fn=confine,
        capture_output=True,
        text=True,
        check=True,
    )
    assert child.stdout.split() == ["256", "512", "1"]


def test_memory_and_tasks_are_read_from_this_kernel() -> None:
    limits = read_machine_limits()
    total = os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
    assert limits.memory_available_bytes is not None
    assert 10_000_000 < limits.memory_available_bytes <= total
    assert limits.tasks is not None
    assert 1 <= limits.tasks.used < limits.tasks.limit


def test_a_kernel_that_reports_nothing_is_unknown_and_not_zero(tmp_path: Path) -> None:
    limits = read_machine_limits(proc=tmp_path, cgroups=tmp_path)
    assert limits.memory_free_bytes is None
    assert limits.memory_group is None


def test_the_smallest_of_the_kernels_own_limits_counts(tmp_path: Path) -> None:
    kernel = tmp_path / "sys" / "kernel"
    kernel.mkdir(parents=True)
    (kernel / "pid_max").write_text("500\n")
    (kernel / "threads-max").write_text("9000\n")
    (tmp_path / "loadavg").write_text("0.03 0.09 0.04 2/86 5643\n")
    tasks = read_machine_limits(proc=tmp_path, cgroups=tmp_path).tasks
    assert tasks == Allowance(500, 86, "kernel.pid_max")


@pytest.mark.parametrize(("quota_us", "cores"), [(50_000, 1), (5_000, 1), (10**9, None)])
def test_a_level_has_no_more_workers_than_the_cpu_quota_feeds(
    tmp_path: Path, quota_us: int, cores: int | None
) -> None:
    """Half a core is one worker however many cores the kernel would schedule it on."""
    (tmp_path / "self").mkdir()
    (tmp_path / "self" / "cgroup").write_text("0::/\n")
    (tmp_path / "cpu.max").write_text(f"{quota_us} 100000\n")
    limits = read_machine_limits(proc=tmp_path, cgroups=tmp_path)

    assert limits.cores_affinity == len(os.sched_getaffinity(0))
    assert limits.cores_usable == (cores or limits.cores_affinity)
    assert limits.cpu_quota is not None
    assert limits.cpu_quota.cores == quota_us / 100_000
    assert processes_of(Scenario("s"), limits) == limits.cores_usable
