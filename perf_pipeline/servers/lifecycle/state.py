"""Brings each server to a stated state between levels, so that a level does not pay for others.

Each function returns what the report says beside the server's name: what was done, and what was
left as it was. Caches stay as warm as the levels before left them; no server is restarted.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from psycopg import errors, sql

from perf_pipeline.servers.mongodb import data as mongodb_data
from perf_pipeline.servers.mysql import data as mysql_data
from perf_pipeline.servers.mysql import launch as mysql
from perf_pipeline.servers.postgres import launch as postgres
from perf_pipeline.servers.redis import data as redis_data

if TYPE_CHECKING:
    from collections.abc import Sequence

    import psycopg

_SETTLE_S = 120.0
"""A checkpoint may have a gigabyte to write."""

_WARM = "its caches stay warm"


def settle_postgres(url: str, schema: str, *, emptied: str, kept: Sequence[str]) -> str:
    """Empty a run's table of results, renew the statistics, and write everything to disk.

    Args:
        url: The server.
        schema: The run's own.
        emptied: Table of the schema that is emptied.
        kept: Its other tables.

    Returns:
        What was done.

    Raises:
        NotAnsweringError: The server failed.
    """
    with postgres.session(url, _SETTLE_S) as connection:
        results = sql.Identifier(schema, emptied)
        row = connection.execute(sql.SQL("SELECT count(*) FROM {}").format(results)).fetchone()
        connection.execute(sql.SQL("TRUNCATE {}").format(results))
        for table in (emptied, *kept):
            connection.execute(sql.SQL("ANALYZE {}").format(sql.Identifier(schema, table)))
        checkpoint = _checkpoint(connection)
    rows = int(row[0]) if row else 0
    return (
        f"{emptied} truncated ({rows} rows), {' and '.join((emptied, *kept))} "
        f"analyzed, {checkpoint}; {_WARM}."
    )


def settle_mysql(url: str, table: str) -> str:
    """Empty a run's table of results and renew its statistics.

    Returns:
        What was done.

    Raises:
        NotAnsweringError: The server failed.
    """
    named = mysql_data.quoted(table)
    with mysql.session(url, _SETTLE_S) as cursor:
        cursor.execute(f"SELECT count(*) FROM {named}")  # noqa: S608 - quoted
        row = cursor.fetchone()
        cursor.execute(f"TRUNCATE TABLE {named}")
        cursor.execute(f"ANALYZE TABLE {named}")
    rows = int(row[0]) if row else 0
    return (
        f"results truncated ({rows} rows) and analyzed; it has no checkpoint on command, "
        f"so what it had not written yet it writes during the level; {_WARM}."
    )


def settle_redis(url: str, prefix: str) -> str:
    """Delete a run's keys.

    Returns:
        What was done.

    Raises:
        NotAnsweringError: The server failed.
    """
    keys = redis_data.delete(url, prefix)
    return f"{keys} keys of the run deleted, other keys left alone; {_WARM}."


def settle_mongodb(url: str, collection: str) -> str:
    """Empty a run's collection; its index stays.

    Returns:
        What was done.

    Raises:
        NotAnsweringError: The server failed.
    """
    documents = mongodb_data.empty(url, collection)
    return f"collection emptied ({documents} documents), its index kept; {_WARM}."


def _checkpoint(connection: psycopg.Connection) -> str:
    try:
        connection.execute("CHECKPOINT")
    except errors.InsufficientPrivilege:
        return "no checkpoint (the URL's user may not)"
    return "checkpoint written"
