"""The engine gives a server's container less memory: its kernel reclaims, at the worst it kills."""

from __future__ import annotations

from typing import TYPE_CHECKING

from perf_pipeline.faults.acting import wait_until_it_acts
from perf_pipeline.faults.arguments import number
from perf_pipeline.faults.containers.container_fault import (
    ServerContainer,
    start_ended,
    undo_for_dead,
)
from perf_pipeline.faults.containers.container_group import group_of
from perf_pipeline.faults.fault import FaultRefusedError, Sign
from perf_pipeline.servers.stack.docker_container import host_processes

if TYPE_CHECKING:
    from collections.abc import Mapping

    from perf_pipeline.config.fault.fault_window import SettingValue
    from perf_pipeline.faults.containers.container_group import ContainerGroup
    from perf_pipeline.faults.fault import Fault, Place, State
    from perf_pipeline.servers.stack.docker_container import ContainerState, DockerContainer

_MEMORY, _WITH_SWAP = "memory_bytes", "memory_swap_bytes"
_MB = 1_000_000
_PAGE_BYTES = 65536
HELD_NS = 450_000_000
"""How long one shortage of memory counts."""
FULL = 0.98
"""Share of its limit that a container uses when nothing is free for it."""


def make(place: Place, settings: Mapping[str, SettingValue]) -> Fault:
    """Make the failure."""
    return MemoryLimitFault(place, round(number("memory_limit", settings, "memory_mb") * _MB))


def undo_left_behind(entry: Mapping[str, SettingValue]) -> None:
    """Give the container of an entry its memory back, and start it if it was killed."""
    memory, with_swap = int(entry[_MEMORY]), int(entry[_WITH_SWAP])
    undo_for_dead(entry, lambda container: _give_back(container, memory, with_swap))


class MemoryLimitFault:
    """Limits the memory of a server's container, with swap; see ``Fault``.

    A limit that the server does not reach changes nothing, so it is in effect only while the kernel
    must reclaim memory for the container, or has killed it.
    """

    def __init__(self, place: Place, memory_bytes: int) -> None:
        """Prepare.

        Args:
            place: Where.
            memory_bytes: What it may use.
        """
        self._place, self._bytes = place, memory_bytes
        self._container: ServerContainer | None = None
        self._group: ContainerGroup | None = None
        self._first: int | None = None
        self._last = self._short_ns = 0

    def preflight(self) -> None:
        """Find the container, and what its kernel counts."""
        container = ServerContainer(self._place)
        before, asked = container.before, f"memory_mb is {self._bytes / _MB:g}"
        if not before.memory_bytes:
            raise FaultRefusedError(
                f"container {before.name} has no memory limit, and Docker cannot take one away "
                "again: give it one in the Compose file"
            )
        if before.memory_bytes <= self._bytes:
            raise FaultRefusedError(
                f"container {before.name} has {before.memory_bytes / _MB:.0f} MB, and {asked}: it "
                "would not be limited further"
            )
        self._group = group_of(host_processes(before.pid, container.container_id), before.name)
        used = self._group.memory()
        if used is None or self._group.memory_shortages() is None:
            raise FaultRefusedError(
                "this kernel does not count how often a group is short of memory"
            )
        if used.used >= self._bytes:
            raise FaultRefusedError(
                f"container {before.name} uses {used.used / _MB:.0f} MB that cannot be reclaimed, "
                f"and {asked}: the kernel would kill it at once, which is server_crash"
            )
        self._container = container

    def state(self) -> State:
        """Return what the server and its container are."""
        assert self._container is not None
        return self._container.state()

    def undo_entry(self) -> Mapping[str, SettingValue]:
        """Return what finds the container, and the limits that it had."""
        assert self._container is not None
        had = self._container.before
        limits = {_MEMORY: had.memory_bytes, _WITH_SWAP: had.memory_swap_bytes}
        return {**self._container.entry(), **limits}

    def inject(self) -> None:
        """Limit it, so that nothing of it is swapped out in place."""
        assert self._container is not None
        self._container.engine.limit_memory(self._bytes, self._bytes)
        wait_until_it_acts(self, self._place)

    def sign(self) -> Sign:
        """Ask the kernel for the limit, what is used, and how often memory was short."""
        assert self._group is not None
        assert self._container is not None
        used, short = self._group.memory(), self._group.memory_shortages()
        if used is None or short is None:
            return _sign_of_ended(self._container.engine.inspect())
        now_ns = self._place.clock_ns()
        if abs(used.limit - self._bytes) > _PAGE_BYTES:
            self._first = None
            text = f"the kernel's limit is {used.limit / _MB:.0f} MB"
            return Sign(in_effect=False, value=0.0, text=text)
        if self._first is None:
            self._first, self._short_ns = short, now_ns - HELD_NS - 1
        elif short > self._last:
            self._short_ns = now_ns
        self._last = short
        return Sign(
            in_effect=now_ns - self._short_ns <= HELD_NS or used.used >= FULL * used.limit,
            value=float(short - self._first),
            text=f"limited to {used.limit / _MB:.0f} MB, of which {used.used / _MB:.0f} MB cannot "
            f"be reclaimed; memory was short {short - self._first} times",
        )

    def undo(self) -> None:
        """Give its memory back, and start it again if the kernel has killed it."""
        if self._container is not None:
            had = self._container.before
            _give_back(self._container.engine, had.memory_bytes, had.memory_swap_bytes)


def _sign_of_ended(now: ContainerState) -> Sign:
    text = f"container {now.status}"
    if now.was_out_of_memory:
        text += ": the kernel killed it for want of memory"
    return Sign(in_effect=now.status == "exited" and now.was_out_of_memory, value=0.0, text=text)


def _give_back(container: DockerContainer, memory_bytes: int, with_swap_bytes: int) -> None:
    if container.inspect().memory_bytes != memory_bytes:
        container.limit_memory(memory_bytes, with_swap_bytes)
    start_ended(container)
