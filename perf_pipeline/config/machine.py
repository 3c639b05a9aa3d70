"""The limits of this machine on a run: descriptors, tasks, memory, stacks and cores."""

from __future__ import annotations

import math
import os
import resource
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from perf_pipeline.config.cgroup import (
    Allowance,
    CpuQuota,
    cpu_quotas,
    memory_allowance,
    tasks_allowance,
)
from perf_pipeline.config.stacks import StackLimits, read_stack_limits

if TYPE_CHECKING:
    from perf_pipeline.config.scenario.scenario import Scenario


@dataclass(frozen=True)
class MachineLimits:
    """Limits on this process and its children; None where there is no limit or it is unknown.

    Attributes:
        descriptors_soft: RLIMIT_NOFILE now; None for unlimited.
        descriptors_hard: The value to which a process may raise it itself; None for unlimited.
        tasks: The tightest limit on processes and threads together: RLIMIT_NPROC (which does not
            hold for root), the control group's, or the kernel's.
        memory_available_bytes: MemAvailable: memory that can be allocated without swapping.
        memory_group: The tightest memory limit of the control groups, bytes.
        cores_usable: Cores that this process may use at once: those that it may be scheduled on,
            or the CPU quota rounded up, whichever is less; at least 1.
        cores_affinity: Those that it may be scheduled on; None where that was not read.
        cpu_quota: The tightest CPU quota of the control groups; None without one.
        stacks: Limits on the stacks of threads; None where they were not read.
    """

    descriptors_soft: int | None
    descriptors_hard: int | None
    tasks: Allowance | None
    memory_available_bytes: int | None
    memory_group: Allowance | None
    cores_usable: int
    cores_affinity: int | None = None
    cpu_quota: CpuQuota | None = None
    stacks: StackLimits | None = None

    @property
    def memory_free_bytes(self) -> int | None:
        """The smaller of what the machine and the control group have left, bytes."""
        group = None if self.memory_group is None else self.memory_group.free
        known = (self.memory_available_bytes, group)
        return min((value for value in known if value is not None), default=None)


def processes_of(scenario: Scenario, limits: MachineLimits) -> int:
    """Return the number of worker processes a level: the scenario's, else one a usable core."""
    return scenario.processes or limits.cores_usable


def read_machine_limits(
    proc: Path = Path("/proc"), cgroups: Path = Path("/sys/fs/cgroup")
) -> MachineLimits:
    """Read the limits of this process from the kernel.

    Args:
        proc: Where the process file system is mounted.
        cgroups: Where the control groups are mounted.
    """
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    tasks = [_user_tasks(proc), tasks_allowance(proc, cgroups), kernel_tasks(proc)]
    affinity, quotas = len(os.sched_getaffinity(0)), cpu_quotas(proc, cgroups)
    return MachineLimits(
        descriptors_soft=_finite(soft),
        descriptors_hard=_finite(hard),
        tasks=min((t for t in tasks if t is not None), key=lambda t: t.free, default=None),
        memory_available_bytes=_memory_available_bytes(proc),
        memory_group=memory_allowance(proc, cgroups),
        cores_usable=min([affinity, *(max(math.ceil(quota.cores), 1) for quota in quotas)]),
        cores_affinity=affinity,
        cpu_quota=quotas[0] if quotas else None,
        stacks=read_stack_limits(proc),
    )


def _finite(limit: int) -> int | None:
    return None if limit == resource.RLIM_INFINITY else limit


def _user_tasks(proc: Path) -> Allowance | None:
    """Return RLIMIT_NPROC and the user's threads; None where the kernel does not enforce it."""
    soft = _finite(resource.getrlimit(resource.RLIMIT_NPROC)[0])
    user = os.getuid()
    if soft is None or (user == 0 and _is_root_of_the_host(proc)):
        return None
    return Allowance(soft, sum(_threads_of(user, proc)), "ulimit -u")


def _is_root_of_the_host(proc: Path) -> bool:
    """Return whether user 0 is 0 outside of every user namespace, too."""
    text = _text(proc / "self" / "uid_map")
    return text is None or text.split()[:2] == ["0", "0"]


def _threads_of(user: int, proc: Path) -> list[int]:
    counts = []
    for folder in proc.iterdir():
        status = _text(folder / "status") if folder.name.isdecimal() else None
        if status is not None:  # None: it ended while we looked
            fields = dict(line.split(":", 1) for line in status.splitlines() if ":" in line)
            if fields.get("Uid", "").split()[:1] == [str(user)]:
                counts.append(int(fields.get("Threads", "1")))
    return counts


def kernel_tasks(proc: Path) -> Allowance | None:
    """Return the kernel's own limit: thread ids, or threads, whichever is smaller."""
    limits = [
        (int(text), f"kernel.{name}")
        for name in ("pid_max", "threads-max")
        if (text := _text(proc / "sys" / "kernel" / name)) is not None
    ]
    load = _text(proc / "loadavg")  # "0.03 0.09 0.04 2/86 5643": 86 threads exist
    if not limits or load is None:
        return None
    limit, source = min(limits)
    return Allowance(limit, int(load.split()[3].split("/")[1]), source)


def _memory_available_bytes(proc: Path) -> int | None:
    for line in (_text(proc / "meminfo") or "").splitlines():
        if line.startswith("MemAvailable:"):
            return int(line.split()[1]) * 1024
    return None


def _text(path: Path) -> str | None:
    """Return a kernel file's text; None where it is not there, or its process has ended."""
    try:
        return path.read_text(encoding="utf-8")
    except OSError:
        return None
