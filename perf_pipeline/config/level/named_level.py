"""A closed level with a name, and bounds of its own where the scenario's do not fit: ``[[level]]``.

A number in flight names a level of ``concurrency``; here the same number can be played twice, with
another pool or another limit, on the same servers.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterable

LEVEL_TABLE = "level"


@dataclass(frozen=True)
class NamedLevel:
    """One level; what is None is as the scenario has it.

    Attributes:
        label: Name in the report and of a folder; unique in the scenario.
        concurrency: Workflows in flight.
        title: Its name for people.
        steady_s: Minimum length of its steady phase.
        max_db_connections: As ``ConnectionPools`` has it.
        connection_timeout_s: Likewise.
        memory_mb: As ``WorkerLimits`` has it.
        cpu_percent: Likewise.
    """

    label: str
    concurrency: int
    title: str = ""
    steady_s: float | None = None
    max_db_connections: int | None = None
    connection_timeout_s: float | None = None
    memory_mb: float | None = None
    cpu_percent: float | None = None

    def pools(self) -> dict[str, Any]:
        """Return the fields of ``ConnectionPools`` that it has of its own."""
        return self._own("max_db_connections", "connection_timeout_s")

    def limits(self) -> dict[str, Any]:
        """Return the fields of ``WorkerLimits`` that it has of its own."""
        return self._own("memory_mb", "cpu_percent")

    def _own(self, *names: str) -> dict[str, Any]:
        given = {name: getattr(self, name) for name in names}
        return {name: value for name, value in given.items() if value is not None}


def levels_of(tables: Iterable[dict[str, Any]]) -> tuple[NamedLevel, ...]:
    """Make the levels of ``[[level]]`` tables, whose values fit their keys already."""
    return tuple(NamedLevel(**table) for table in tables)
