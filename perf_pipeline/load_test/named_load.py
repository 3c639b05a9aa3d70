"""The loads that database and resource-pressure tests are made of: one level each, with a name."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any


@dataclass(frozen=True)
class NamedLoad:
    """What one level has other than the options say.

    Attributes:
        name: What people call it.
        changed: Option of ``LoadTestConfig`` to its value.
    """

    name: str
    changed: Mapping[str, Any] = field(default_factory=lambda: MappingProxyType({}))


DATABASE_LOADS = (
    NamedLoad("light_load", {"concurrent_workflows": 100}),
    NamedLoad("medium_load", {"concurrent_workflows": 300}),
    NamedLoad("heavy_load", {"concurrent_workflows": 500}),
    NamedLoad(
        "connection_exhaustion", {"concurrent_workflows": 200, "max_db_connections": 50}
    ),
)
"""Source: the README of the framework that this project replaces."""

PRESSURE_MEMORY_MB = 512
"""Source: the same."""

PRESSURE_CPU_PERCENT = 100
"""One core for all workers, so that two of them are held at half a core each."""


def pressure_loads(memory_mb: float | None, cpu_percent: float | None) -> tuple[NamedLoad, ...]:
    """Return the same load with each limit, with both, and without, to compare them with.

    Args:
        memory_mb: Memory of all workers; None for ``PRESSURE_MEMORY_MB``.
        cpu_percent: CPU of all workers, percent of one core; None for ``PRESSURE_CPU_PERCENT``.
    """
    memory = {"memory_limit_mb": memory_mb or PRESSURE_MEMORY_MB, "cpu_limit_percent": None}
    cpu = {"memory_limit_mb": None, "cpu_limit_percent": cpu_percent or PRESSURE_CPU_PERCENT}
    return (
        NamedLoad("no_pressure", {"memory_limit_mb": None, "cpu_limit_percent": None}),
        NamedLoad("memory_pressure", memory),
        NamedLoad("cpu_saturation", cpu),
        NamedLoad(
            "combined_pressure",
            {
                "memory_limit_mb": memory["memory_limit_mb"],
                "cpu_limit_percent": cpu["cpu_limit_percent"],
            },
        ),
    )
