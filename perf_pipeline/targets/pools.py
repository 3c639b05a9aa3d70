"""Bounded connection pools: the same options for every target, so that only the runtime differs.

One pool a process to each server, shared by its threads. None grows beyond
``ServerAccess.connections``; a thread that finds no free connection waits ``connection_timeout_s``.
MongoDB's client keeps one connection of these to watch the server, and its pool has the others,
but one at least.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from redis import BlockingConnectionPool, Redis

from perf_pipeline.config.services import SERVICES
from perf_pipeline.workload.servers import connection_name

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

RECYCLE_S = 3600
"""Age at which a connection is replaced; the default of kailash's SQLDatabaseNode."""


def postgres_url(job: Job) -> str:
    """Return the URL of PostgreSQL for SQLAlchemy, with the driver named.

    The bare ``postgresql://`` means psycopg 3 in SQLAlchemy 2.1, which is not installed here.

    Raises:
        ValueError: The job has no PostgreSQL, or its URL is of another kind.
    """
    rest = _after_scheme(job.servers.url("postgres"), "PostgreSQL", "postgresql", "postgres")
    return f"postgresql+psycopg2://{rest}"


def mysql_url(job: Job) -> str:
    """Return the URL of MySQL for SQLAlchemy, with the driver named.

    The bare ``mysql://`` means MySQLdb, which is not installed here.

    Raises:
        ValueError: The job has no MySQL, or its URL is of another kind.
    """
    rest = _after_scheme(job.servers.url("mysql"), "MySQL", "mysql", "mariadb")
    return f"mysql+pymysql://{rest}"


def _after_scheme(url: str | None, product: str, *schemes: str) -> str:
    scheme, separator, rest = (url or "").partition("://")
    if not separator or scheme not in schemes:
        raise ValueError(
            f"the workflows need a {product} URL, {schemes[0]}://user@host:port/database; got "
            f"{'none' if url is None else f'scheme {scheme!r}'}"
        )
    return rest


def postgres_pool_options(job: Job) -> dict[str, Any]:
    """Return the options of the pool to PostgreSQL, for ``create_engine`` and SQLDatabaseNode.

    Raises:
        ValueError: ``ServerAccess.connections`` is below 1 (0 means unlimited to SQLAlchemy), or
            the run's id cannot be part of a connection's name.
    """
    connect_args = {
        "connect_timeout": CONNECT_TIMEOUT_S,
        "application_name": connection_name(job.run_id),
        "options": f"-c statement_timeout={STATEMENT_TIMEOUT_MS}",
    }
    return {**_pool_options(job), "connect_args": connect_args}


def mysql_pool_options(job: Job) -> dict[str, Any]:
    """Return the options of the pool to MySQL, for ``create_engine`` and SQLDatabaseNode.

    PyMySQL's ``connect_timeout`` ends with the TCP connection; a server that accepts and is silent
    is noticed by ``read_timeout``.

    Raises:
        ValueError: As for PostgreSQL.
    """
    connect_args = {
        "connect_timeout": CONNECT_TIMEOUT_S,
        "read_timeout": STATEMENT_TIMEOUT_MS / 1000,
        "write_timeout": STATEMENT_TIMEOUT_MS / 1000,
        "program_name": connection_name(job.run_id),
    }
    return {**_pool_options(job), "connect_args": connect_args}


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
    pool = BlockingConnectionPool.from_url(
        url,
        max_connections=_connections(job),
        timeout=job.servers.connection_timeout_s,
        decode_responses=True,
        client_name=connection_name(job.run_id),
        retry=Redis().get_retry(),
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
        "maxPoolSize": max(1, _connections(job) - SERVICES["mongodb"].monitor_connections),
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
