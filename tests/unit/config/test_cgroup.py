"""Limits of control groups: version 1, version 2, mixtures, and from inside a container."""

from __future__ import annotations

from typing import TYPE_CHECKING

from perf_pipeline.config.cgroup import (
    Allowance,
    CpuQuota,
    Throttling,
    cpu_quotas,
    memory_allowance,
    read_throttling,
    tasks_allowance,
)

if TYPE_CHECKING:
    from pathlib import Path

UNLIMITED_V1 = "9223372036854771712"


def tree(root: Path, files: dict[str, str]) -> tuple[Path, Path]:
    """Write a false /proc and /sys/fs/cgroup."""
    for name, text in files.items():
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(f"{text}\n")
    return root / "proc", root / "cg"


def test_version_2_counts_what_is_used_without_idle_page_cache(tmp_path: Path) -> None:
    proc, groups = tree(
        tmp_path,
        {
            "proc/self/cgroup": "0::/a/b",
            "cg/a/memory.max": "max",
            "cg/a/memory.current": "5",
            "cg/a/b/memory.max": "1000",
            "cg/a/b/memory.current": "600",
            "cg/a/b/memory.stat": "anon 1\ninactive_file 250",
            "cg/a/pids.max": "40",
            "cg/a/pids.current": "30",
            "cg/a/b/pids.max": "20",
            "cg/a/b/pids.current": "1",
        },
    )
    assert memory_allowance(proc, groups) == Allowance(
        1000, 350, str(groups / "a" / "b" / "memory.max")
    )
    assert tasks_allowance(proc, groups) == Allowance(40, 30, str(groups / "a" / "pids.max"))


def test_version_1_has_its_own_value_for_no_limit(tmp_path: Path) -> None:
    proc, groups = tree(
        tmp_path,
        {
            "proc/self/cgroup": "8:pids:/\n4:cpu,memory:/x\n0::/",
            "cg/memory/memory.limit_in_bytes": "7000",
            "cg/memory/memory.usage_in_bytes": "6000",
            "cg/memory/memory.stat": "inactive_file 1\ntotal_inactive_file 2000",
            "cg/memory/x/memory.limit_in_bytes": UNLIMITED_V1,
            "cg/memory/x/memory.usage_in_bytes": "100",
            "cg/unified/memory.max": "1",
            "cg/pids/tasks": "",
        },
    )
    allowance = memory_allowance(proc, groups)
    assert allowance == Allowance(7000, 4000, str(groups / "memory" / "memory.limit_in_bytes"))
    assert allowance.free == 3000
    (groups / "memory" / "memory.limit_in_bytes").write_text(UNLIMITED_V1)
    assert memory_allowance(proc, groups) is None
    assert tasks_allowance(proc, groups) is None


def test_in_a_container_the_path_of_the_host_falls_back_to_the_mount(tmp_path: Path) -> None:
    proc, groups = tree(
        tmp_path,
        {
            "proc/self/cgroup": "3:memory:/docker/4f2c\n0::/../../kubepods",
            "cg/memory/memory.limit_in_bytes": "900",
            "cg/memory/memory.usage_in_bytes": "1000",
        },
    )
    allowance = memory_allowance(proc, groups)
    assert allowance is not None
    assert (allowance.limit, allowance.free) == (900, 0)


def test_a_machine_without_control_groups_has_no_such_limit(tmp_path: Path) -> None:
    assert memory_allowance(tmp_path, tmp_path) is None
    assert tasks_allowance(tmp_path, tmp_path) is None


def test_the_quota_of_any_group_above_counts_and_the_tightest_is_first(tmp_path: Path) -> None:
    proc, groups = tree(
        tmp_path,
        {
            "proc/self/cgroup": "0::/pod/container",
            "cg/pod/cpu.max": "50000 100000",
            "cg/pod/cpu.stat": "nr_periods 40\nnr_throttled 30\nthrottled_usec 2500000",
            "cg/pod/container/cpu.max": "max 100000",
            "cg/cpu.max": "150000 100000",
        },
    )
    pod, whole = cpu_quotas(proc, groups)
    assert pod == CpuQuota(0.5, str(groups / "pod/cpu.max"))
    assert whole.cores == 1.5
    assert read_throttling(pod.folder) == Throttling(40, 30, 2.5)
    assert read_throttling(whole.folder) is None


def test_version_1_counts_throttled_time_in_nanoseconds_also_where_controllers_share_a_mount(
    tmp_path: Path,
) -> None:
    proc, groups = tree(
        tmp_path,
        {
            "proc/self/cgroup": "4:cpu,cpuacct:/box",
            "cg/cpu,cpuacct/box/cpu.cfs_quota_us": "25000",
            "cg/cpu,cpuacct/box/cpu.cfs_period_us": "100000",
            "cg/cpu,cpuacct/box/cpu.stat": "nr_periods 8\nnr_throttled 4\nthrottled_time 500000000",
            "cg/cpu,cpuacct/cpu.cfs_quota_us": "-1",
            "cg/cpu,cpuacct/cpu.cfs_period_us": "100000",
        },
    )
    (quota,) = cpu_quotas(proc, groups)
    assert quota.cores == 0.25
    assert read_throttling(quota.folder) == Throttling(8, 4, 0.5)
