"""The loads that database and resource-pressure tests are made of: one level each, with a name."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping


@dataclass(frozen=True)
class NamedLoad:
    """The options that one level changes.

    Attributes:
        name: What people call it.
        changed: Option of ``LoadTestConfig`` to its value.
    """

    name: str
    changed: Mapping[str, Any]


BEFORE, EXHAUSTION, RECOVERY = "light_load", "connection_exhaustion", "recovery"

TRANSACTION_THINK_TIME_S = 1.0
"""As in the scenario ``database``."""

_ALL_SERVERS = {"workflow_complexity": "complex"}
"""Only complex workflows use every server."""

DATABASE_LOADS = (
    NamedLoad(BEFORE, {"concurrent_workflows": 100, **_ALL_SERVERS}),
    NamedLoad("medium_load", {"concurrent_workflows": 300, **_ALL_SERVERS}),
    NamedLoad("heavy_load", {"concurrent_workflows": 500, **_ALL_SERVERS}),
    NamedLoad(EXHAUSTION, {"concurrent_workflows": 200, "max_db_connections": 50, **_ALL_SERVERS}),
    NamedLoad(RECOVERY, {"concurrent_workflows": 100, **_ALL_SERVERS}),
)
"""The last one shows whether the servers have recovered. Source of the others: the README of the
framework that this project replaces."""

PRESSURE_MEMORY_MB = 512
"""Source: the same."""

PRESSURE_CPU_PERCENT = 100
"""One core for all workers, so that each of two workers is throttled to half a core."""


def pressure_loads(memory_mb: float | None, cpu_percent: float | None) -> tuple[NamedLoad, ...]:
    """Return the same load without a limit, with each, and with both.

    Args:
        memory_mb: Memory of all workers; None for ``PRESSURE_MEMORY_MB``.
        cpu_percent: CPU of all workers, percent of one core; None for ``PRESSURE_CPU_PERCENT``.
    """
    memory = memory_mb or PRESSURE_MEMORY_MB
    cpu = cpu_percent or PRESSURE_CPU_PERCENT
    limits = {
        "no_pressure": (None, None),
        "memory_pressure": (memory, None),
        "cpu_saturation": (None, cpu),
        "combined_pressure": (memory, cpu),
    }
    return tuple(
        NamedLoad(name, {"memory_limit_mb": memory_limit, "cpu_limit_percent": cpu_limit})
        for name, (memory_limit, cpu_limit) in limits.items()
    )
