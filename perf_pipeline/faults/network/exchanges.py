"""A question to each service whose answer, or which itself, has a given size."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from perf_pipeline.servers.mongodb import session as mongodb
from perf_pipeline.servers.mysql import session as mysql
from perf_pipeline.servers.postgres import session as postgres
from perf_pipeline.servers.redis import session as redis

if TYPE_CHECKING:
    from collections.abc import Callable
    from contextlib import AbstractContextManager

PATIENCE_S = 3600.0
"""A session waits longer than any failure lasts: whoever asks keeps the time."""


def open_session(service: str, url: str) -> AbstractContextManager[Any]:
    """Return the block in which a session with a server is open, for ``exchange``."""
    return _SESSIONS[service](url, PATIENCE_S)


def exchange(service: str, opened: Any, size_bytes: int) -> None:
    """Ask once, and wait for the answer.

    Args:
        service: The service.
        opened: What ``open_session`` yields.
        size_bytes: Of the question (MongoDB), of the answer (PostgreSQL, MySQL), of both (Redis).
    """
    _EXCHANGES[service](opened, size_bytes)


def _postgres(opened: Any, size_bytes: int) -> None:
    opened.execute("SELECT repeat('x', %s::int)", (size_bytes,)).fetchone()


def _mysql(opened: Any, size_bytes: int) -> None:
    opened.execute("SELECT REPEAT('x', %s)", (size_bytes,))
    opened.fetchone()


def _redis(opened: Any, size_bytes: int) -> None:
    opened.echo("x" * size_bytes)


def _mongodb(opened: Any, size_bytes: int) -> None:
    opened.admin.command("ping", comment="x" * size_bytes)


_SESSIONS: dict[str, Callable[[str, float], AbstractContextManager[Any]]] = {
    "postgres": postgres.session,
    "mysql": mysql.session,
    "redis": redis.session,
    "mongodb": mongodb.session,
}
_EXCHANGES: dict[str, Callable[[Any, int], None]] = {
    "postgres": _postgres,
    "mysql": _mysql,
    "redis": _redis,
    "mongodb": _mongodb,
}
