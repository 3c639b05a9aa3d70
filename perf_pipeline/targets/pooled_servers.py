"""The servers of the workflows over bounded pools, for nodes and functions of our own."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

from sqlalchemy import Engine, TextClause, create_engine, text
from sqlalchemy.pool import QueuePool

from perf_pipeline.targets.pools import (
    SQLALCHEMY_MYSQL,
    SQLALCHEMY_POSTGRES,
    mysql_pool_options,
    open_redis,
    postgres_pool_options,
)
from perf_pipeline.targets.unit_of_work import UnitsOfWork
from perf_pipeline.workload import analytics
from perf_pipeline.workload.dataset import insert_sql, mysql_insert_sql
from perf_pipeline.workload.servers import servers_used

if TYPE_CHECKING:
    from collections.abc import Collection

    from redis import Redis

    from perf_pipeline.targets.documents import Documents
    from perf_pipeline.targets.target import Job

Row = dict[str, Any]


def job_servers(job: Job) -> frozenset[str]:
    """Return the servers that the workflows of a job use.

    Raises:
        ValueError: A kind is to be built without a server that it needs.
    """
    used = (servers_used(kind.family, kind.complexity, kind.without) for kind in job.kinds)
    return frozenset().union(*used)


class PooledServers:
    """One pool to each server that is used; safe to share between threads."""

    def __init__(self, job: Job, servers: frozenset[str]) -> None:
        """Make the pools; nothing connects yet, but for the watch over MongoDB.

        Args:
            job: What the worker executes.
            servers: Which servers to make a pool to.
        """
        self._postgres: Engine | None = None
        self._mysql: Engine | None = None
        self._redis: Redis | None = None
        self._documents: Documents | None = None
        self._units = UnitsOfWork(job.servers.transaction_think_time_s, time.sleep)
        schema = job.servers.name("postgres")
        if "postgres" in servers:
            self._postgres = _engine(SQLALCHEMY_POSTGRES, postgres_pool_options(job))
            self._query = text(analytics.query_sql(schema))
            self._insert = text(insert_sql(schema))
            self._units.add_sql("postgres", self._postgres, self._insert)
        if "mysql" in servers:
            self._mysql = _engine(SQLALCHEMY_MYSQL, mysql_pool_options(job))
            self._mysql_insert = text(mysql_insert_sql(job.servers.name("mysql")))
            self._units.add_sql("mysql", self._mysql, self._mysql_insert)
        if "redis" in servers:
            self._redis = open_redis(job)
            self._units.add_redis(self._redis)
        if "mongodb" in servers:
            # Here, for pymongo takes 14 MB of every process that imports it.
            from perf_pipeline.targets.documents import Documents  # noqa: PLC0415

            self._documents = Documents(job)
            self._units.add_mongodb(self._documents)

    @property
    def redis(self) -> Redis:
        """The client of Redis."""
        assert self._redis is not None
        return self._redis

    def query(self, bucket: int) -> list[Row]:
        """Read the ``value`` and ``category`` of a bucket's rows, by position."""
        assert self._postgres is not None
        with self._postgres.begin() as connection:
            result = connection.execute(self._query, {"bucket": bucket})
            return [{"value": value, "category": category} for value, category in result]

    def cache(self, key: str, payload: str) -> bool:
        """Set a key for ``CACHE_TTL_S``; True when the server confirmed it."""
        return bool(self.redis.setex(key, analytics.CACHE_TTL_S, payload))

    def store(self, row: Row) -> int:
        """Insert a row of results into PostgreSQL; how many were inserted, committed."""
        assert self._postgres is not None
        return _inserted(self._postgres, self._insert, row)

    def store_mysql(self, row: Row) -> int:
        """Insert a row of results into MySQL; how many were inserted, committed."""
        assert self._mysql is not None
        return _inserted(self._mysql, self._mysql_insert, row)

    def insert(self, document: Row) -> bool:
        """Insert a document of results into MongoDB; True when the server acknowledged it."""
        assert self._documents is not None
        return self._documents.insert(document)

    def transact(self, servers: Collection[str], order: Row) -> Row:
        """Store an order on all of some servers, in one unit of work; what each of them said."""
        return self._units.transact(servers, order)

    def close(self) -> None:
        """Close every connection."""
        for engine in (self._postgres, self._mysql):
            if engine is not None:
                engine.dispose()
        if self._redis is not None:
            self._redis.connection_pool.disconnect()
        if self._documents is not None:
            self._documents.close()


def _engine(url: str, options: dict[str, Any]) -> Engine:
    return create_engine(url, poolclass=QueuePool, **options)


def _inserted(engine: Engine, statement: TextClause, row: Row) -> int:
    with engine.begin() as connection:
        return connection.execute(statement, row).rowcount
