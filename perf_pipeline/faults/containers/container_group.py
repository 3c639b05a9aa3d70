"""What the kernel knows of a container's group: its limits, and how often it ran into them."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from perf_pipeline.config.cgroup import (
    Throttling,
    cpu_quota_of_group,
    groups_of,
    memory_limit,
    memory_shortages,
    memory_usage,
    read_throttling,
    unreclaimable_bytes,
)
from perf_pipeline.faults.fault import FaultRefusedError


@dataclass(frozen=True)
class ContainerGroup:
    """The group of a container on this machine, as long as its main process lives.

    Attributes:
        process: That process.
        proc: Where the kernel shows processes.
        cgroups: Where it shows groups.
    """

    process: str
    proc: Path = Path("/proc")
    cgroups: Path = Path("/sys/fs/cgroup")

    def cpus(self) -> float | None:
        """Return its CPU limit, CPU seconds a second; None for none."""
        group = self._group("cpu")
        quota = cpu_quota_of_group(group[0]) if group else None
        return quota.cores if quota else None

    def throttling(self) -> Throttling | None:
        """Return how often it was throttled; None where the kernel does not count that."""
        group = self._group("cpu")
        return read_throttling(group[0]) if group else None

    def memory_limit(self) -> int | None:
        """Return its memory limit, bytes; None for none."""
        group = self._group("memory")
        return memory_limit(*group) if group else None

    def unreclaimable_bytes(self) -> int | None:
        """Return the bytes that it uses and that cannot be reclaimed."""
        group = self._group("memory")
        return unreclaimable_bytes(*group) if group else None

    def memory_usage(self) -> int | None:
        """Return the bytes that it uses, with the page cache; None where the kernel has none."""
        group = self._group("memory")
        return memory_usage(*group) if group else None

    def memory_shortages(self) -> int | None:
        """Return how often it was short of memory; None where the kernel does not count that."""
        group = self._group("memory")
        return memory_shortages(*group) if group else None

    def _group(self, controller: str) -> tuple[Path, int] | None:
        return next(groups_of(controller, self.proc, self.cgroups, self.process), None)


def group_of(pids: tuple[int, ...], name: str) -> ContainerGroup:
    """Return the group of a container.

    Args:
        pids: Its main process, if this machine has it.
        name: Of the container.

    Raises:
        FaultRefusedError: This machine does not have it: nothing would be seen of a limit.
    """
    if not pids:
        raise FaultRefusedError(
            f"the processes of container {name} are not seen on this machine (the engine is in a "
            "virtual machine, or this is a container itself), so the kernel's counters that would "
            "show the limit cannot be read"
        )
    return ContainerGroup(str(pids[0]))
