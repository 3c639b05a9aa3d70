"""A machine of which the idle cores are given; what is left of the others' is somebody's work."""

from __future__ import annotations

from typing import TYPE_CHECKING

from perf_pipeline.metrics.types.cpu_use import HostCores

if TYPE_CHECKING:
    from perf_pipeline.analysis.bottleneck.use import LevelUse


def host(usable: float, idle: float, iowait: float = 0.0, steal: float = 0.0) -> HostCores:
    """Return a machine of ``usable`` cores that are busy unless stated otherwise."""
    busy = usable - idle - iowait - steal
    return HostCores(usable, busy, iowait, steal, idle, seconds=20.0)  # type: ignore[arg-type]


def others_of(level: LevelUse) -> float | None:
    """Return the busy cores that nobody of the run used."""
    own = (level.target_cores, level.harness_cores, *(server.cores for server in level.servers))
    known = [cores for cores in own if cores is not None]
    if level.host is None or len(known) < len(own):
        return None
    return max(0.0, level.host.busy - sum(known))
