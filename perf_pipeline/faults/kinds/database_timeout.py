"""Writes wait: what workflows write to is locked, and the lock is held by an idle client.

The lock is held between two statements, never in one: a server goes on with a running statement
seconds after its client has died, and the lock would stay (reference/faults.md, section 0).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from perf_pipeline.faults.arguments import server_of
from perf_pipeline.faults.locks.mongodb import locks_of_mongodb, unlock_mongod
from perf_pipeline.faults.locks.mysql import MysqlLock
from perf_pipeline.faults.locks.postgres import PostgresLock
from perf_pipeline.faults.locks.redis import RedisPause

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from perf_pipeline.config.fault.fault_window import SettingValue
    from perf_pipeline.faults.fault import Fault, Place

_LOCKS: dict[str, Callable[[Place], Fault]] = {
    "postgres": PostgresLock,
    "mysql": MysqlLock,
    "redis": RedisPause,
    "mongodb": locks_of_mongodb,
}


def make(place: Place, settings: Mapping[str, SettingValue]) -> Fault:  # noqa: ARG001 - it has none
    """Return the failure in a place."""
    return _LOCKS[server_of(place).service](place)


def undo_left_behind(entry: Mapping[str, SettingValue]) -> None:
    """Unlock the MongoDB that a dead injector locked; all other locks die with their client."""
    unlock_mongod(str(entry["url"]))
