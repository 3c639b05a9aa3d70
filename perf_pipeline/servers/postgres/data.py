"""What a run keeps in PostgreSQL: a schema of its own, and the rows that it wrote."""

from __future__ import annotations

from typing import TYPE_CHECKING

from psycopg import sql

from perf_pipeline.servers.postgres.launch import session

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

_PROVISION_S = 120.0
_COUNT_S = 60.0
_DROP_S = 30.0


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


def written_numbers(url: str, schema: str, table: str, run_id: str, level: int) -> set[int]:
    """Return the numbers of the workflows of a level whose row is on the server.

    Raises:
        NotAnsweringError: The server failed, so it is not known.
    """
    query = sql.SQL("SELECT number FROM {}").format(_of_level(schema, table, run_id, level))
    with session(url, _COUNT_S) as connection:
        return {int(number) for (number,) in connection.execute(query)}


def drop(url: str, schema: str) -> None:
    """Drop a run's schema with everything in it; one that is not there is fine.

    Raises:
        NotAnsweringError: The server failed, or somebody used the schema for too long.
    """
    with session(url, _DROP_S) as connection:
        named = sql.SQL("DROP SCHEMA IF EXISTS {} CASCADE").format(sql.Identifier(schema))
        connection.execute("SET client_min_messages = warning")
        connection.execute(named)


def _of_level(schema: str, table: str, run_id: str, level: int) -> sql.Composed:
    return sql.SQL("{}.{} WHERE run_id = {} AND level = {}").format(
        sql.Identifier(schema), sql.Identifier(table), sql.Literal(run_id), sql.Literal(level)
    )
