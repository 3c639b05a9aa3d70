"""What the whole machine does: its cores, its memory, its network interfaces."""

from __future__ import annotations

import os
from dataclasses import asdict, fields
from pathlib import Path
from typing import TYPE_CHECKING, Any

from perf_pipeline.config.cgroup import Throttling, cpu_quotas, read_throttling
from perf_pipeline.metrics.resources.countable_limits import countable_limits

if TYPE_CHECKING:
    from perf_pipeline.config.cgroup import CpuQuota

_TICKS_PER_S = os.sysconf("SC_CLK_TCK")


def read_host(proc: Path = Path("/proc"), cgroups: Path = Path("/sys/fs/cgroup")) -> dict[str, Any]:
    """Read the machine's counters.

    Returns:
        ``busy_s``, ``iowait_s``, ``steal_s``, ``idle_s`` (sums over all cores since boot),
        ``cores_usable`` by this process, ``memory_available_bytes``, ``network``: interface
        to ``sent_bytes`` and ``recv_bytes``, of all programs; and ``cpu_quotas``: for each CPU
        quota on the control groups of this process its ``cores`` and ``source``, and how often
        the kernel enforced it (``Throttling``; None where it is not counted); and ``limits``
        (``countable_limits.py``).

    Raises:
        OSError: The kernel does not tell.
    """
    first = (proc / "stat").read_text(encoding="utf-8").partition("\n")[0]
    ticks = [int(word) / _TICKS_PER_S for word in first.split()[1:9]]
    user, nice, system, idle, iowait, interrupts, soft, steal = ticks  # guests are in user
    return {
        "busy_s": user + nice + system + interrupts + soft,
        "iowait_s": iowait,
        "steal_s": steal,
        "idle_s": idle,
        "cores_usable": len(os.sched_getaffinity(0)),
        "memory_available_bytes": _available_bytes(proc / "meminfo"),
        "network": _interfaces(proc / "net/dev"),
        "limits": countable_limits(proc, cgroups),
        "cpu_quotas": [_quota_use(quota) for quota in cpu_quotas(proc, cgroups)],
    }


def _quota_use(quota: CpuQuota) -> dict[str, Any]:
    found = read_throttling(quota.folder)
    counted = dict.fromkeys(field.name for field in fields(Throttling))
    return {**asdict(quota), **(asdict(found) if found else counted)}


def _available_bytes(path: Path) -> int | None:
    for line in path.read_text(encoding="utf-8").splitlines():
        name, _, rest = line.partition(":")
        if name == "MemAvailable":
            return int(rest.split()[0]) * 1024
    return None


def _interfaces(path: Path) -> dict[str, dict[str, int]]:
    interfaces = {}
    for line in path.read_text(encoding="utf-8").splitlines()[2:]:
        name, _, rest = line.partition(":")
        counts = rest.split()
        interfaces[name.strip()] = {"sent_bytes": int(counts[8]), "recv_bytes": int(counts[0])}
    return interfaces
