"""The connections that a server counts, asked for once."""

from __future__ import annotations

from contextlib import closing
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from perf_pipeline.servers.probe import Probe
    from perf_pipeline.servers.snapshot import ConnectionCounts


def counted(probe: Probe) -> ConnectionCounts:
    """Ask, and end the session."""
    with closing(probe):
        return probe.ask().connections


def total_and_active(probe: Probe) -> tuple[int, int | None]:
    """Return how many connections there are, and how many execute something."""
    connections = counted(probe)
    return connections.total, connections.active
