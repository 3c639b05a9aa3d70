"""The engine gives a server's container less memory: its kernel reclaims, at the worst it kills."""

from __future__ import annotations

from typing import TYPE_CHECKING

from perf_pipeline.faults.acting import wait_until_it_acts
from perf_pipeline.faults.arguments import number
from perf_pipeline.faults.containers.container_fault import (
    ContainerFault,
    ServerContainer,
    start_ended,
    undo_for_dead,
)
from perf_pipeline.faults.containers.container_group import group_of
from perf_pipeline.faults.fault import FaultRefusedError, Sign
from perf_pipeline.servers.stack.docker_container import EngineError, host_processes

if TYPE_CHECKING:
    from collections.abc import Mapping

    from perf_pipeline.config.fault.fault_window import SettingValue
    from perf_pipeline.faults.containers.container_group import ContainerGroup
    from perf_pipeline.faults.fault import Fault, Place
    from perf_pipeline.servers.stack.docker_container import ContainerState, DockerContainer

_MEMORY, _WITH_SWAP = "memory_bytes", "memory_swap_bytes"
_MB = 1_000_000
_PAGE_BYTES = 65536
_RECLAIMED_NS, _POLL_S, _FELT_S = 2_000_000_000, 0.05, 0.5
HELD_NS = 450_000_000
"""How long one sight of full memory counts: a transaction that ends may free some."""
FULL = 0.95
"""Share of its limit that a container uses when the kernel must reclaim some for anything more."""


def make(place: Place, settings: Mapping[str, SettingValue]) -> Fault:
    """Make the failure."""
    return MemoryLimitFault(place, round(number("memory_limit", settings, "memory_mb") * _MB))


def undo_left_behind(entry: Mapping[str, SettingValue]) -> None:
    """Give the container of an entry its memory back, and start it if it was killed."""
    memory, with_swap = int(entry[_MEMORY]), int(entry[_WITH_SWAP])
    undo_for_dead(entry, lambda container: _give_back(container, memory, with_swap))


class MemoryLimitFault(ContainerFault):
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
        super().__init__(place)
        self._bytes = memory_bytes
        self._group: ContainerGroup | None = None
        self._shortages: int | None = None
        self._short_ns: int | None = None

    def preflight(self) -> None:
        """Find the container, and what its kernel counts."""
        container = ServerContainer(self.place)
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
        kept = self._group.unreclaimable_bytes()
        if kept is None:
            raise FaultRefusedError("this kernel does not show what a container uses of its memory")
        if kept >= self._bytes:
            raise FaultRefusedError(
                f"container {before.name} uses {kept / _MB:.0f} MB that cannot be reclaimed, "
                f"and {asked}: the kernel would kill it at once, which is server_crash"
            )
        self.found = container

    def undo_entry(self) -> Mapping[str, SettingValue]:
        """Return what finds the container, and the limits that it had."""
        had = self.container.before
        limits = {_MEMORY: had.memory_bytes, _WITH_SWAP: had.memory_swap_bytes}
        return {**self.container.entry(), **limits}

    def inject(self) -> None:
        """Limit it, with swap; the kernel may have to write pages before it can reclaim them."""
        deadline_ns = self.place.clock_ns() + _RECLAIMED_NS
        while True:
            try:
                self.container.engine.limit_memory(self._bytes, self._bytes)
                break
            except EngineError:
                if self.place.clock_ns() > deadline_ns:
                    raise
                self.place.sleep(_POLL_S)
        wait_until_it_acts(self, self.place, at_most_s=_FELT_S)

    def sign(self) -> Sign:
        """Ask the kernel for the limit, what is used, and how often memory was short."""
        assert self._group is not None
        limit, usage = self._group.memory_limit(), self._group.memory_usage()
        if usage is None:
            return _sign_of_ended(self.container.engine.inspect())
        if limit is None or abs(limit - self._bytes) > _PAGE_BYTES:
            self._shortages = None
            text = "the kernel's limit is " + ("none" if limit is None else f"{limit / _MB:.0f} MB")
            return Sign(in_effect=False, value=usage / _MB, text=text)
        now_ns, shortages = self.place.clock_ns(), self._group.memory_shortages() or 0
        if usage >= FULL * limit or shortages > (self._shortages or shortages):
            self._short_ns = now_ns
        self._shortages = shortages
        return Sign(
            in_effect=self._short_ns is not None and now_ns - self._short_ns <= HELD_NS,
            value=usage / _MB,
            text=f"limited to {limit / _MB:.0f} MB; {usage / _MB:.0f} MB are in use, of which "
            f"{(self._group.unreclaimable_bytes() or 0) / _MB:.0f} MB cannot be reclaimed",
        )

    def undo(self) -> None:
        """Give its memory back, and start it again if the kernel has killed it."""
        if self.found is not None:
            had = self.found.before
            _give_back(self.found.engine, had.memory_bytes, had.memory_swap_bytes)


def _sign_of_ended(now: ContainerState) -> Sign:
    text = f"container {now.status}"
    if now.was_out_of_memory:
        text += ": the kernel killed it for want of memory"
    return Sign(in_effect=now.status == "exited" and now.was_out_of_memory, value=0.0, text=text)


def _give_back(container: DockerContainer, memory_bytes: int, with_swap_bytes: int) -> None:
    if container.inspect().memory_bytes != memory_bytes:
        container.limit_memory(memory_bytes, with_swap_bytes)
    start_ended(container)
