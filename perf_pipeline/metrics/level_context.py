"""What summarising a level needs to know of its run."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, NamedTuple

from perf_pipeline.config.scenario.scenario import MAX_ERROR_RATIO
from perf_pipeline.config.services import SERVICES
from perf_pipeline.metrics.survival.window_times import PERCENTILES

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from perf_pipeline.config.fault.fault_window import FaultWindow
    from perf_pipeline.config.settings import NoiseHandling
    from perf_pipeline.config.slo.slo import Slo


class Machine(NamedTuple):
    """One of several machines that played a run.

    Attributes:
        name: Of its host, or hosts.
        cpu_limit_cores: Of the control group of the run on it; None without one.
    """

    name: str
    cpu_limit_cores: float | None


@dataclass(frozen=True)
class LevelContext:
    """Facts of a run that every level of it shares.

    Attributes:
        kinds: (family, complexity) of each kind, by index.
        servers: The servers that the run used.
        pools: Server to what bounds its connections, as text.
        noise: Whether use of the machine by other programs makes a level invalid (``judge``) or is
            only reported (``tell``); None: it is not examined.
        cpu_limit_cores: Of the control group of the run; None without one.
        slos: The objectives of the run.
        max_error_ratio: Of the scenario: above it the target has failed.
        faults: Of the scenario: what fails in its levels, and when.
        machines: Those that played it; empty where one did.
    """

    kinds: Sequence[tuple[str, str]]
    servers: Sequence[str]
    pools: dict[str, str]
    noise: NoiseHandling | None = None
    cpu_limit_cores: float | None = None
    slos: Sequence[Slo] = ()
    max_error_ratio: float = MAX_ERROR_RATIO
    faults: Sequence[FaultWindow] = ()
    machines: Sequence[Machine] = ()

    @property
    def percentiles(self) -> tuple[float, ...]:
        """The percentiles of every level, 0 to 1: the usual ones and those of objectives."""
        own = {slo.about.p for slo in self.slos if slo.about.kind == "percentile"}
        return tuple(sorted({*PERCENTILES, *own}))

    def connection_limits(self, plan: Mapping[str, Any]) -> dict[str, int]:
        """Return the maximum of connections to each server that all workers of a level may open.

        Every worker has an equal share, in which the connections count by which its driver
        watches the server; beside them there is room for one at least.

        Args:
            plan: The plan of the level, as ``level.json`` has it.
        """
        processes: int = plan["processes"]
        share = plan["connections"]["max_db_connections"] // processes
        return {
            name: processes * max(share, 1 + SERVICES[name].monitor_connections)
            if name in SERVICES
            else processes * share
            for name in self.servers
        }
