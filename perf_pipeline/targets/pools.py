"""Bounded connection pools: the same options for every target, so that only the runtime differs.

One pool a process to each server, shared by its threads. None grows beyond
``ServerAccess.connections``; a thread that finds no free connection waits ``connection_timeout_s``.
MongoDB's client keeps one connection of these to watch the server, and its pool has the others,
but one at least.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from redis import BlockingConnectionPool, Redis
from redis.connection import parse_url

from perf_pipeline.workload.servers import connection_name
from perf_pipeline.workload.sql_urls import mysql_arguments, postgres_arguments

if TYPE_CHECKING:
    from perf_pipeline.targets.target import Job

CONNECT_TIMEOUT_S = 10
"""How long opening one connection may take."""

SELECTION_TIMEOUT_S = 5
"""How long MongoDB's client looks for a server that answers; the others fail at once."""

STATEMENT_TIMEOUT_MS = 30_000
"""How long one statement may take; the seeded queries need about a millisecond.

PostgreSQL ends it. MySQL has no limit for insertions, so there the client stops waiting and closes
the connection.
"""

MONGODB_WATCHERS = 1
"""Connections of these by which MongoDB's client watches the server."""

RECYCLE_S = 3600
"""Age at which a connection is replaced; the default of kailash's SQLDatabaseNode."""


SQLALCHEMY_POSTGRES = "postgresql+psycopg2://"
"""All that SQLAlchemy and kailash are given as a URL: where to connect is in the options.

The bare ``postgresql://`` means psycopg 3 in SQLAlchemy 2.1, which is not installed here.
"""

SQLALCHEMY_MYSQL = "mysql+pymysql://"
"""As ``SQLALCHEMY_POSTGRES``; the bare ``mysql://`` means MySQLdb, which is not installed here."""


def postgres_pool_options(job: Job) -> dict[str, Any]:
    """Return the options of the pool to PostgreSQL, for ``create_engine`` and SQLDatabaseNode.

    A pooler takes no options for a session of the server, so there a statement has no time limit.

    Raises:
        ValueError: The job has no PostgreSQL, ``ServerAccess.connections`` is below 1 (0 means
            unlimited to SQLAlchemy), or the run's id cannot be part of a connection's name.
    """
    url = _checked(job.servers.url("postgres"), "PostgreSQL", "postgresql")
    connect_args: dict[str, Any] = {
        **postgres_arguments(url),
        "connect_timeout": CONNECT_TIMEOUT_S,
        "application_name": connection_name(job.run_id),
    }
    if not job.servers.addresses["postgres"].is_pooler:
        limit = f"-c statement_timeout={STATEMENT_TIMEOUT_MS}"
        connect_args["options"] = f"{connect_args.get('options', '')} {limit}".strip()
    return {**_pool_options(job), "connect_args": connect_args}


def mysql_pool_options(job: Job) -> dict[str, Any]:
    """Return the options of the pool to MySQL, for ``create_engine`` and SQLDatabaseNode.

    PyMySQL's ``connect_timeout`` ends with the TCP connection; a server that accepts and is silent
    is noticed by ``read_timeout``.

    Raises:
        ValueError: As for PostgreSQL.
    """
    connect_args = {
        **mysql_arguments(_checked(job.servers.url("mysql"), "MySQL", "mysql")),
        "connect_timeout": CONNECT_TIMEOUT_S,
        "read_timeout": STATEMENT_TIMEOUT_MS / 1000,
        "write_timeout": STATEMENT_TIMEOUT_MS / 1000,
        "program_name": connection_name(job.run_id),
    }
    return {**_pool_options(job), "connect_args": connect_args}


def _checked(url: str | None, product: str, scheme: str) -> str:
    found, separator, _ = (url or "").partition("://")
    if url is None or not separator or found != scheme:
        raise ValueError(
            f"the workflows need a {product} URL, {scheme}://user@host:port/database; got "
            f"{'none' if url is None else 'another'}"
        )
    return url


def _pool_options(job: Job) -> dict[str, Any]:
    """Return what both SQL pools share; a target with pool settings has its own in ``job``."""
    return {
        "pool_size": _connections(job),
        "max_overflow": 0,
        "pool_timeout": job.servers.connection_timeout_s,
        "pool_recycle": job.settings.get("pool_recycle_s", RECYCLE_S),
        "pool_pre_ping": job.settings.get("pool_pre_ping", True),
    }


def open_redis(job: Job) -> Redis:
    """Make a client over a bounded pool; nothing connects yet.

    The pool of a plain ``redis.Redis`` raises "Too many connections" at once when its 100 are
    taken; this one waits. Retries and timeouts are those of a plain ``redis.Redis``.

    Raises:
        ValueError: The job has no Redis, ``ServerAccess.connections`` is below 1, or the run's id
            cannot be part of a connection's name.
    """
    url = job.servers.url("redis")
    if url is None:
        raise ValueError("the workflows need a Redis URL, redis://host:port/db; got none")
    arguments = {
        **parse_url(url),  # type: ignore[no-untyped-call]
        "max_connections": _connections(job),
        "timeout": job.servers.connection_timeout_s,
        "decode_responses": True,
        "client_name": connection_name(job.run_id),
    }
    # Not BlockingConnectionPool.from_url: there an option of the URL would win over ours.
    pool = BlockingConnectionPool(  # type: ignore[no-untyped-call]
        **{"retry": Redis().get_retry(), **arguments}
    )
    return Redis(connection_pool=pool)


def mongodb_options(job: Job) -> dict[str, Any]:
    """Return the options of the client, for ``MongoClient``.

    It watches the server by polling: streaming, the default, takes a second connection.

    Raises:
        ValueError: ``ServerAccess.connections`` is below 1 (0 means unlimited to MongoClient), or
            the run's id cannot be part of a connection's name.
    """
    return {
        "maxPoolSize": max(1, _connections(job) - MONGODB_WATCHERS),
        "waitQueueTimeoutMS": round(job.servers.connection_timeout_s * 1000),
        "serverSelectionTimeoutMS": SELECTION_TIMEOUT_S * 1000,
        "connectTimeoutMS": CONNECT_TIMEOUT_S * 1000,
        "socketTimeoutMS": STATEMENT_TIMEOUT_MS,
        "serverMonitoringMode": "poll",
        "appname": connection_name(job.run_id),
    }


def _connections(job: Job) -> int:
    connections = job.servers.connections
    if connections < 1:
        raise ValueError(
            f"servers.connections = {connections}: a process needs at least one connection to each "
            "server; raise max_db_connections or lower the number of processes"
        )
    return connections
