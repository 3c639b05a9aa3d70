"""What summarising a level needs to know of its run."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from perf_pipeline.config.services import SERVICES

if TYPE_CHECKING:
    from collections.abc import Sequence

    from perf_pipeline.config.settings import NoiseHandling
    from perf_pipeline.config.slo.slo import Slo


@dataclass(frozen=True)
class LevelContext:
    """Facts of a run that every level of it shares.

    Attributes:
        kinds: (family, complexity) of each kind, by index.
        servers: The servers that the run used.
        max_db_connections: The most connections that all workers together may open to each.
        pools: Server to what bounds its connections, in words.
        noise: Whether a machine that others used makes a level no measurement (``judge``) or is
            only told of (``tell``); None: nothing looked for it.
        cpu_limit_cores: Of the control group of the run; None without one.
        slos: The objectives of the run.
    """

    kinds: Sequence[tuple[str, str]]
    servers: Sequence[str]
    max_db_connections: int
    pools: dict[str, str]
    noise: NoiseHandling | None = None
    cpu_limit_cores: float | None = None
    slos: Sequence[Slo] = ()

    def connection_limits(self, processes: int) -> dict[str, int]:
        """Return the most connections that each server can see: a whole pool for every worker."""
        limit = self.max_db_connections // processes * processes
        # Some drivers open more connections in each process, by which they watch the server.
        return {
            name: limit + processes * SERVICES[name].monitor_connections
            if name in SERVICES
            else limit
            for name in self.servers
        }
