"""The data of a run in PostgreSQL: its own schema, seeded rows, results; a ``Storage``."""

from __future__ import annotations

from contextlib import suppress
from typing import TYPE_CHECKING

from psycopg import errors, sql

from perf_pipeline.servers.postgres.session import session
from perf_pipeline.workload.dataset import (
    MEASUREMENT_COLUMNS,
    MEASUREMENTS,
    RESULTS,
    ddl,
    measurement_rows,
    schema_name,
)

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    import psycopg

_PROVISION_S = 120.0
_COUNT_S = 60.0
_DROP_S = 30.0
_SETTLE_S = 120.0
"""A checkpoint may have a gigabyte to write."""

NEEDED_PRIVILEGES = "CREATE on the database (GRANT CREATE ON DATABASE name TO user)"

storage_name = schema_name


class _TriedOutError(Exception):
    """Ends a transaction without a trace."""


def try_out(url: str, name: str) -> None:
    """Make a schema with a run's tables, and undo it.

    Raises:
        NotAnsweringError: The server refused or failed.
    """
    with session(url, _DROP_S) as connection, suppress(_TriedOutError), connection.transaction():
        connection.execute(sql.SQL("CREATE SCHEMA {}").format(sql.Identifier(name)))
        for statement in ddl(name):
            connection.execute(statement.encode())
        raise _TriedOutError


def create(url: str, name: str, seed: int) -> int:
    """Make a run's schema with its two tables, and fill the one that workflows read.

    Returns:
        How many rows it holds.

    Raises:
        NotAnsweringError: The server refused or failed; nothing is left on it.
    """
    return provision(
        url,
        name,
        ddl=ddl(name),
        table=MEASUREMENTS,
        columns=MEASUREMENT_COLUMNS,
        rows=measurement_rows(seed),
    )


def provision(
    url: str,
    schema: str,
    *,
    ddl: list[str],
    table: str,
    columns: Sequence[str],
    rows: Iterable[Sequence[object]],
) -> int:
    """Make a run's schema with its tables, and fill one of them.

    All in one transaction: when it fails, nothing is left on the server.

    Args:
        url: The server; its user must be allowed to create a schema.
        schema: Must not exist.
        ddl: Statements that make the tables, names complete with the schema.
        table: Table of the schema to fill.
        columns: Its columns, in the order of the rows' values.
        rows: Values for COPY.

    Returns:
        How many rows the table holds then.

    Raises:
        NotAnsweringError: The server refused or failed.
    """
    target = sql.SQL("{}.{}").format(sql.Identifier(schema), sql.Identifier(table))
    names = sql.SQL(", ").join(map(sql.Identifier, columns))
    with session(url, _PROVISION_S) as connection:
        with connection.transaction():
            connection.execute(sql.SQL("CREATE SCHEMA {}").format(sql.Identifier(schema)))
            for statement in ddl:
                connection.execute(statement.encode())
            into = sql.SQL("COPY {} ({}) FROM STDIN").format(target, names)
            with connection.cursor() as cursor, cursor.copy(into) as copy:
                for row in rows:
                    copy.write_row(row)
        # Without statistics the first queries of a run would be planned otherwise than the rest.
        connection.execute(sql.SQL("ANALYZE {}").format(target))
        counted = connection.execute(sql.SQL("SELECT count(*) FROM {}").format(target)).fetchone()
    return int(counted[0]) if counted else 0


def written_numbers(url: str, name: str, run_id: str, level: int) -> set[int]:
    """Return the numbers of the workflows of a load level whose row is on the server.

    Raises:
        NotAnsweringError: The server failed, so the numbers are not known.
    """
    query = sql.SQL("SELECT number FROM {} WHERE run_id = {} AND level = {}").format(
        sql.Identifier(name, RESULTS), sql.Literal(run_id), sql.Literal(level)
    )
    with session(url, _COUNT_S) as connection:
        return {int(number) for (number,) in connection.execute(query)}


def settle(url: str, name: str) -> str:
    """Empty a run's table of results, renew the statistics, and write everything to disk.

    Returns:
        What was done.

    Raises:
        NotAnsweringError: The server failed.
    """
    with session(url, _SETTLE_S) as connection:
        results = sql.Identifier(name, RESULTS)
        row = connection.execute(sql.SQL("SELECT count(*) FROM {}").format(results)).fetchone()
        connection.execute(sql.SQL("TRUNCATE {}").format(results))
        for table in (RESULTS, MEASUREMENTS):
            connection.execute(sql.SQL("ANALYZE {}").format(sql.Identifier(name, table)))
        checkpoint = _checkpoint(connection)
    rows = int(row[0]) if row else 0
    return (
        f"{RESULTS} truncated ({rows} rows), {RESULTS} and {MEASUREMENTS} analyzed, "
        f"{checkpoint}; its caches stay warm."
    )


def drop(url: str, name: str) -> None:
    """Drop a run's schema with everything in it; a schema that does not exist is fine.

    Raises:
        NotAnsweringError: The server failed, or a client used the schema for too long.
    """
    with session(url, _DROP_S) as connection:
        named = sql.SQL("DROP SCHEMA IF EXISTS {} CASCADE").format(sql.Identifier(name))
        connection.execute(named)


def _checkpoint(connection: psycopg.Connection) -> str:
    try:
        connection.execute("CHECKPOINT")
    except errors.InsufficientPrivilege:
        return "no checkpoint (the URL's user may not)"
    return "checkpoint written"
