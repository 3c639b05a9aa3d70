"""Bounded connection pools: the same options for every target, so that only the runtime differs.

One pool to PostgreSQL and one to Redis a process, shared by its threads. Neither grows beyond
``Stores.connections``; a thread that finds no free connection waits ``connection_timeout_s``.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from redis import BlockingConnectionPool, Redis
from sqlalchemy import create_engine, text
from sqlalchemy.pool import QueuePool

from perf_pipeline.workload import analytics
from perf_pipeline.workload.servers import connection_name

if TYPE_CHECKING:
    from perf_pipeline.targets.target import Job

CONNECT_TIMEOUT_S = 10
"""How long opening one connection may take."""

STATEMENT_TIMEOUT_MS = 30_000
"""How long the server works on one statement; the seeded queries need about a millisecond."""

RECYCLE_S = 3600
"""Age at which a connection is replaced; the default of kailash's SQLDatabaseNode."""


def sqlalchemy_url(job: Job) -> str:
    """Return the URL of PostgreSQL for SQLAlchemy, with the driver named.

    The bare ``postgresql://`` means psycopg 3 in SQLAlchemy 2.1, which is not installed here.

    Raises:
        ValueError: The job has no PostgreSQL, or its URL is of another kind.
    """
    url = job.stores.postgres_url
    scheme, separator, rest = (url or "").partition("://")
    if not separator or scheme not in {"postgresql", "postgres"}:
        raise ValueError(
            f"the workflows need a PostgreSQL URL, postgresql://user@host:port/database; got "
            f"{'none' if url is None else f'scheme {scheme!r}'}"
        )
    return f"postgresql+psycopg2://{rest}"


def postgres_pool_options(job: Job) -> dict[str, Any]:
    """Return the options of the pool to PostgreSQL, for ``create_engine`` and SQLDatabaseNode.

    Raises:
        ValueError: ``Stores.connections`` is below 1 (0 means unlimited to SQLAlchemy), or the
            run's id cannot be part of a connection's name.
    """
    return {
        "pool_size": _connections(job),
        "max_overflow": 0,
        "pool_timeout": job.stores.connection_timeout_s,
        "pool_recycle": RECYCLE_S,
        "pool_pre_ping": True,
        "connect_args": {
            "connect_timeout": CONNECT_TIMEOUT_S,
            "application_name": connection_name(job.run_id),
            "options": f"-c statement_timeout={STATEMENT_TIMEOUT_MS}",
        },
    }


def open_redis(job: Job) -> Redis:
    """Make a client over a bounded pool; nothing connects yet.

    The pool of a plain ``redis.Redis`` raises "Too many connections" at once when its 100 are
    taken; this one waits. Retries and timeouts are those of a plain ``redis.Redis``.

    Raises:
        ValueError: The job has no Redis, ``Stores.connections`` is below 1, or the run's id
            cannot be part of a connection's name.
    """
    url = job.stores.redis_url
    if url is None:
        raise ValueError("the workflows need a Redis URL, redis://host:port/db; got none")
    pool = BlockingConnectionPool.from_url(
        url,
        max_connections=_connections(job),
        timeout=job.stores.connection_timeout_s,
        decode_responses=True,
        client_name=connection_name(job.run_id),
        retry=Redis().get_retry(),
    )
    return Redis(connection_pool=pool)


def _connections(job: Job) -> int:
    connections = job.stores.connections
    if connections < 1:
        raise ValueError(
            f"stores.connections = {connections}: a process needs at least one connection to each "
            "server; raise max_db_connections or lower the number of processes"
        )
    return connections


class PooledStores:
    """The servers of the analytics workflows, for targets whose own nodes do not talk to them.

    Safe to share between threads.
    """

    def __init__(self, job: Job, servers: frozenset[str]) -> None:
        """Make the pools; nothing connects yet.

        Args:
            job: What the worker executes.
            servers: Which of ``postgres`` and ``redis`` its workflows use.
        """
        self._engine = (
            create_engine(sqlalchemy_url(job), poolclass=QueuePool, **postgres_pool_options(job))
            if "postgres" in servers
            else None
        )
        self._redis = open_redis(job) if "redis" in servers else None
        self._query = text(analytics.query_sql(job.stores.postgres_schema))
        self._insert = text(analytics.insert_sql(job.stores.postgres_schema))

    def query(self, bucket: int) -> list[analytics.Row]:
        """Read the ``value`` and ``category`` of a bucket's rows, by position."""
        assert self._engine is not None
        with self._engine.begin() as connection:
            result = connection.execute(self._query, {"bucket": bucket})
            return [{"value": value, "category": category} for value, category in result]

    def cache(self, key: str, payload: str) -> bool:
        """Set a key for ``CACHE_TTL_S``; True when the server confirmed it."""
        assert self._redis is not None
        return bool(self._redis.setex(key, analytics.CACHE_TTL_S, payload))

    def store(self, row: analytics.Row) -> int:
        """Insert a row of results; how many rows the server inserted, committed."""
        assert self._engine is not None
        with self._engine.begin() as connection:
            return connection.execute(self._insert, row).rowcount

    def close(self) -> None:
        """Close every connection."""
        if self._engine is not None:
            self._engine.dispose()
        if self._redis is not None:
            self._redis.connection_pool.disconnect()
