"""The engine gives a server's container less CPU time: its kernel stops it within each period."""

from __future__ import annotations

from typing import TYPE_CHECKING

from perf_pipeline.faults.acting import wait_until_it_acts
from perf_pipeline.faults.arguments import number
from perf_pipeline.faults.containers.container_fault import (
    ContainerFault,
    ServerContainer,
    undo_for_dead,
)
from perf_pipeline.faults.containers.container_group import group_of
from perf_pipeline.faults.fault import FaultRefusedError, Sign
from perf_pipeline.servers.stack.docker_container import CpuLimit, host_processes

if TYPE_CHECKING:
    from collections.abc import Mapping

    from perf_pipeline.config.cgroup import Throttling
    from perf_pipeline.config.fault.fault_window import SettingValue
    from perf_pipeline.faults.containers.container_group import ContainerGroup
    from perf_pipeline.faults.fault import Fault, Place
    from perf_pipeline.servers.stack.docker_container import DockerContainer

HELD_NS = 450_000_000
"""How long one throttled period counts: four of the usual periods of 100 ms."""
_NANO_CPUS, _QUOTA, _PERIOD = "nano_cpus", "quota_us", "period_us"
_SAME, _FELT_S = 0.02, 0.5


def make(place: Place, settings: Mapping[str, SettingValue]) -> Fault:
    """Make the failure."""
    return CpuLimitFault(place, number("cpu_limit", settings, "cpus"))


def undo_left_behind(entry: Mapping[str, SettingValue]) -> None:
    """Give the container of an entry its limit back."""
    limit = CpuLimit(int(entry[_NANO_CPUS]), int(entry[_QUOTA]), int(entry[_PERIOD]))
    undo_for_dead(entry, lambda container: _give_back(container, limit))


class CpuLimitFault(ContainerFault):
    """Limits the CPU time of a server's container; see ``Fault``.

    A limit that the server does not reach changes nothing, so it is in effect only while the kernel
    throttles the container.
    """

    def __init__(self, place: Place, cpus: float) -> None:
        """Prepare.

        Args:
            place: Where.
            cpus: CPU seconds a second.
        """
        super().__init__(place)
        self._cpus = cpus
        self._group: ContainerGroup | None = None
        self._first: Throttling | None = None
        self._last: Throttling | None = None
        self._throttled_ns = 0

    def preflight(self) -> None:
        """Find the container, and what its kernel counts."""
        container = ServerContainer(self.place)
        before = container.before
        if before.cpu.cpus is not None and before.cpu.cpus <= self._cpus:
            raise FaultRefusedError(
                f"container {before.name} has {before.cpu.cpus:g} CPUs, and cpus is "
                f"{self._cpus:g}: it would not be limited further"
            )
        self._group = group_of(host_processes(before.pid, container.container_id), before.name)
        if self._group.throttling() is None and before.cpu.cpus is not None:
            raise FaultRefusedError("this kernel does not count how often a group is throttled")
        self.found = container

    def undo_entry(self) -> Mapping[str, SettingValue]:
        """Return what finds the container, and the limit that it had."""
        had = self.container.before.cpu
        limit = {_NANO_CPUS: had.nano_cpus, _QUOTA: had.quota_us, _PERIOD: had.period_us}
        return {**self.container.entry(), **limit}

    def inject(self) -> None:
        """Limit it."""
        self.container.engine.limit_cpu(self.container.before.cpu.changed_to(self._cpus))
        wait_until_it_acts(self, self.place, at_most_s=_FELT_S)

    def sign(self) -> Sign:
        """Ask the kernel for the limit, and how often it has throttled the container."""
        assert self._group is not None
        limit, now, now_ns = self._group.cpus(), self._group.throttling(), self.place.clock_ns()
        is_limited = limit is not None and abs(limit / self._cpus - 1) < _SAME
        if not is_limited or now is None:
            self._first = self._last = None
            text = "none" if limit is None else f"{limit:g} CPUs"
            return Sign(in_effect=False, value=0.0, text=f"the kernel's limit is {text}")
        if self._first is None or self._last is None:
            self._first, self._throttled_ns = now, now_ns - HELD_NS - 1
        elif now.throttled > self._last.throttled:
            self._throttled_ns = now_ns
        self._last = now
        periods, throttled = (
            now.periods - self._first.periods,
            now.throttled - self._first.throttled,
        )
        return Sign(
            in_effect=now_ns - self._throttled_ns <= HELD_NS,
            value=float(throttled),
            text=f"limited to {limit:g} CPUs; the kernel has throttled it in {throttled} of "
            f"{periods} periods in which it ran",
        )

    def undo(self) -> None:
        """Give its limit back."""
        if self.found is not None:
            _give_back(self.found.engine, self.found.before.cpu)


def _give_back(container: DockerContainer, limit: CpuLimit) -> None:
    if container.inspect().cpu.cpus != limit.cpus:
        container.limit_cpu(limit)
