"""Use of worker processes, servers, harness and machine in a level's steady phase.

Cores are CPU seconds a second; all values are means over the phase.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

    from perf_pipeline.metrics.types.cpu_use import HostCores


@dataclass(frozen=True)
class ServerUse:
    """Use of one server.

    Attributes:
        name: The service.
        cores: Of its processes; None where they are not on this machine or could not be read.
        busiest_cores: Of its busiest process.
        io_mb_per_s: Read from and written to files by its processes.
        connections: Mean of the run's connections to it.
        limit: Maximum that the pools allow.
        active: Mean of those that executed a query or waited for a lock.
        waiting: Mean of those that waited for a lock.
        executing: Mean of the sessions that executed a query, by its query time where it counts
            that, else by ``active``.
        executing_by: Which of the two.
    """

    name: str
    cores: float | None
    busiest_cores: float | None
    io_mb_per_s: float | None
    connections: float | None
    limit: int | None
    active: float | None
    waiting: float | None
    executing: float | None
    executing_by: str

    @property
    def pool_use(self) -> float | None:
        """Connections / limit."""
        if self.connections is None or not self.limit:
            return None
        return self.connections / self.limit

    @property
    def lock_ratio(self) -> float | None:
        """Sessions that waited for a lock / sessions that were active."""
        if self.waiting is None or self.active is None:
            return None
        return self.waiting / self.active if self.active else 0.0


@dataclass(frozen=True)
class LevelUse:
    """Everything that the rules of the bottleneck use.

    Attributes:
        wanted: Workflows that should be in flight.
        slots: Maximum in flight of an open level; None for a closed one, where it is ``wanted``.
        in_flight: Mean number in flight.
        waits: Share of thread samples (asynchronous: of workflows) by place; None with too few
            samples, or when the target does not report them.
        wait_samples: Number of samples behind the shares.
        at_once: Workflows that the runtime executes at once at most, all workers; None if
            nothing bounds them or it does not report that.
        workers: Worker processes.
        worker_cores: Of each; None unless all were read.
        waiting_for_core: Threads of the workers that waited for a core, mean.
        waiting_for_disk: Threads of workers and servers that waited for a disk, mean; None
            where the kernel does not count.
        worker_io_mb_per_s: Read from and written to files by the workers.
        harness_cores: Of the harness.
        host: The cores that the run may use.
        others_cores: Cores that processes outside of the run used (``CpuOfOthers``); None if that
            is not known.
        servers: By name.
        cpu_limit_cores: The scenario's limit for all workers together.
        children_cores: Of the processes that the workers have started.
        thinks: Slots are users, who think between two workflows.
        sends_requests: Workflows are requests: what they wait for is the answer of their server.
    """

    wanted: int
    slots: int | None
    in_flight: float
    waits: Mapping[str, float] | None
    wait_samples: int
    at_once: int | None
    workers: int
    worker_cores: tuple[float, ...] | None
    waiting_for_core: float | None
    waiting_for_disk: float | None
    worker_io_mb_per_s: float | None
    harness_cores: float | None
    host: HostCores | None
    others_cores: float | None
    servers: tuple[ServerUse, ...]
    cpu_limit_cores: float | None
    children_cores: float | None = 0.0
    thinks: bool = False
    sends_requests: bool = False

    @property
    def target_cores(self) -> float | None:
        """Cores that all workers and what they have started used."""
        if self.worker_cores is None or self.children_cores is None:
            return None
        return sum(self.worker_cores) + self.children_cores

    @property
    def min_cores(self) -> float | None:
        """Cores that the least busy worker used."""
        return None if self.worker_cores is None else min(self.worker_cores)

    @property
    def busiest_cores(self) -> float | None:
        """Cores that the busiest worker used."""
        return None if self.worker_cores is None else max(self.worker_cores)

    @property
    def usable_cores(self) -> float | None:
        """Cores that the run may use."""
        return None if self.host is None else self.host.usable

    @property
    def busy_ratio(self) -> float | None:
        """Usable cores neither idle nor waiting for a disk / usable cores."""
        if self.host is None:
            return None
        return 1 - (self.host.idle + self.host.iowait) / self.host.usable

    @property
    def wanted_cores(self) -> float | None:
        """Threads of the workers that ran or waited for a core: cores used, had they been free."""
        if self.target_cores is None or self.waiting_for_core is None:
            return None
        return self.target_cores + self.waiting_for_core

    def part_of_cores(self, ratio: float) -> float | None:
        """Return ``ratio`` of the cores that the run may use."""
        return None if self.host is None else ratio * self.host.usable

    def share(self, *places: str) -> float | None:
        """Return the share of workflows in any of ``places``."""
        if self.waits is None:
            return None
        return sum(self.waits.get(place, 0.0) for place in places)

    def share_of_executing(self, *places: str) -> float | None:
        """Return the same, of the workflows that the runtime has not queued."""
        share, queued = self.share(*places), self.share("queued")
        if share is None or queued is None or queued >= 1:
            return None
        return share / (1 - queued)

    def at_limit(self) -> ServerUse | None:
        """Return the server with the greatest known use of its pools."""
        known = [server for server in self.servers if server.pool_use is not None]
        return max(known, key=lambda server: server.pool_use or 0.0, default=None)
