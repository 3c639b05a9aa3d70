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
        max_db_connections: Maximum of connections that all workers together may open to each.
        pools: Server to what bounds its connections, as text.
        noise: Whether use of the machine by other programs makes a level invalid (``judge``) or is
            only reported (``tell``); None: it is not examined.
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
        """Return the maximum of connections to each server: a whole pool for every worker."""
        limit = self.max_db_connections // processes * processes
        # Some drivers open more connections in each process, by which they watch the server.
        return {
            name: limit + processes * SERVICES[name].monitor_connections
            if name in SERVICES
            else limit
            for name in self.servers
        }
