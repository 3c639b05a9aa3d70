"""Limits that control groups set on a process, in version 1, version 2 and mixtures."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

_PAGE_CACHE = ("active", "inactive")
_V1_UNLIMITED = 2**62
"""Version 1 writes the greatest multiple of the page size below 2**63 for "no limit"."""


@dataclass(frozen=True)
class Allowance:
    """A limit and how much of it is used already.

    Attributes:
        limit: Greatest amount; bytes, or tasks (processes and threads together).
        used: What is in use now and cannot be reclaimed, same unit.
        source: File that the limit was read from, or the name of the resource limit.
    """

    limit: int
    used: int
    source: str

    @property
    def free(self) -> int:
        """What is left; never negative."""
        return max(self.limit - self.used, 0)


def memory_allowance(proc: Path, cgroups: Path) -> Allowance | None:
    """Return the tightest memory limit of this process's groups, in bytes; None if there is none.

    Inactive page cache is not counted as used, because the kernel reclaims it.
    """
    found = []
    for folder, version in groups_of("memory", proc, cgroups):
        names = ("memory.max", "memory.current", "inactive_file")
        if version == 1:
            names = ("memory.limit_in_bytes", "memory.usage_in_bytes", "total_inactive_file")
        limit, usage = _number(folder / names[0]), _number(folder / names[1])
        if limit is not None and usage is not None:
            used = max(usage - _statistic(folder / "memory.stat", names[2]), 0)
            found.append(Allowance(limit, used, str(folder / names[0])))
    return min(found, key=lambda allowance: allowance.free, default=None)


def memory_usage(folder: Path, version: int) -> int | None:
    """Return the bytes that a group uses, with the page cache; None where the kernel has none."""
    return _number(folder / ("memory.usage_in_bytes" if version == 1 else "memory.current"))


def unreclaimable_bytes(folder: Path, version: int) -> int | None:
    """Return the bytes of that without the files in the page cache, which the kernel may drop."""
    usage = memory_usage(folder, version)
    if usage is None:
        return None
    total = "total_" if version == 1 else ""
    files = [_statistic(folder / "memory.stat", f"{total}{one}_file") for one in _PAGE_CACHE]
    return max(usage - sum(files), 0)


def memory_limit(folder: Path, version: int) -> int | None:
    """Return the memory limit of one group, bytes; None if it has none."""
    return _number(folder / ("memory.limit_in_bytes" if version == 1 else "memory.max"))


def memory_shortages(folder: Path, version: int) -> int | None:
    """Return how often memory was reclaimed for a group because of its own limit.

    None where the kernel does not count it. With version 1 newer kernels count some of it only:
    Linux 6.18 counts none of the page cache.

    Source:
        admin-guide/cgroup-v1/memory.rst (failcnt) and admin-guide/cgroup-v2.rst of the kernel.
    """
    if version == 1:
        return _number(folder / "memory.failcnt")
    events = _read(folder / "memory.events")
    return None if events is None else _statistic(folder / "memory.events", "max")


def tasks_allowance(proc: Path, cgroups: Path) -> Allowance | None:
    """Return the tightest limit on tasks of this process's groups; None if there is none."""
    found = []
    for folder, _ in groups_of("pids", proc, cgroups):
        limit, used = _number(folder / "pids.max"), _number(folder / "pids.current")
        if limit is not None and used is not None:
            found.append(Allowance(limit, used, str(folder / "pids.max")))
    return min(found, key=lambda allowance: allowance.free, default=None)


@dataclass(frozen=True)
class CpuQuota:
    """A limit on the CPU time of a control group and of the groups in it.

    Attributes:
        cores: CPU seconds a second that all of it may use.
        source: File that the limit was read from.
    """

    cores: float
    source: str

    @property
    def folder(self) -> Path:
        """The group."""
        return Path(self.source).parent


@dataclass(frozen=True)
class Throttling:
    """How often the kernel stopped a group that had used up its quota, since the group was made.

    Attributes:
        periods: Periods (usually of 100 ms) in which the group wanted to run.
        throttled: Those in which it was stopped before their end.
        throttled_s: Time for which its run queues were stopped, summed over the cores.
    """

    periods: int
    throttled: int
    throttled_s: float


def cpu_quotas(proc: Path, cgroups: Path) -> list[CpuQuota]:
    """Return the CPU quota of this process's group and of each group above it, tightest first."""
    found = [cpu_quota_of_group(folder) for folder, _ in groups_of("cpu", proc, cgroups)]
    return sorted((quota for quota in found if quota), key=lambda quota: quota.cores)


def cpu_quota_of_group(folder: Path) -> CpuQuota | None:
    """Return the CPU quota of one group; None if it has none."""
    file = folder / "cpu.max"
    quota, _, period = (_read(file) or "").strip().partition(" ")
    if not quota:
        file = folder / "cpu.cfs_quota_us"
        quota = (_read(file) or "").strip()
        period = (_read(folder / "cpu.cfs_period_us") or "").strip()
    if not (quota.isdecimal() and period.isdecimal() and int(period)):  # "max" and -1: no limit
        return None
    return CpuQuota(int(quota) / int(period), str(file))


def read_throttling(folder: Path) -> Throttling | None:
    """Return how often a group was throttled; None where the kernel does not count it.

    Source:
        Documentation/scheduler/sched-bwc.rst (version 1, nanoseconds) and
        admin-guide/cgroup-v2.rst of the kernel.
    """
    lines = (line.split() for line in (_read(folder / "cpu.stat") or "").splitlines())
    counts = {words[0]: int(words[1]) for words in lines if len(words) == 2}  # noqa: PLR2004
    if "nr_periods" not in counts:
        return None
    throttled_s = counts.get("throttled_usec", 0) / 1e6 + counts.get("throttled_time", 0) / 1e9
    return Throttling(counts["nr_periods"], counts.get("nr_throttled", 0), throttled_s)


def groups_of(
    controller: str, proc: Path, cgroups: Path, process: str = "self"
) -> Iterator[tuple[Path, int]]:
    """Yield each folder from a process's own group up to the mount, and the version.

    In a container the path is often that of the host and does not exist here: then the mount
    itself is the container's group.
    """
    memberships = _read(proc / process / "cgroup") or ""
    for line in memberships.splitlines():
        identifier, controllers, path = line.split(":", 2)
        if controller in controllers.split(","):
            mount, version = cgroups / controller, 1
            if not mount.is_dir():  # mounted together, without a link for each
                mount = cgroups / controllers
        elif identifier == "0":
            mixed = (cgroups / "unified").is_dir()
            mount, version = cgroups / "unified" if mixed else cgroups, 2
        else:
            continue
        parts = [part for part in path.split("/") if part not in ("", "..")]
        for length in range(len(parts), -1, -1):
            folder = mount.joinpath(*parts[:length])
            if folder.is_dir():
                yield folder, version


def _read(path: Path) -> str | None:
    """Return a kernel file's text; None where this kernel or container has no such file."""
    try:
        return path.read_text(encoding="utf-8")
    except OSError:
        return None


def _number(path: Path) -> int | None:
    text = (_read(path) or "").strip()
    return int(text) if text.isdecimal() and int(text) < _V1_UNLIMITED else None


def _statistic(path: Path, name: str) -> int:
    for line in (_read(path) or "").splitlines():
        key, _, value = line.partition(" ")
        if key == name and value.isdecimal():
            return int(value)
    return 0
