"""What a run keeps in MySQL: a table of its own, the rows that it wrote, its connections."""

from __future__ import annotations

from typing import TYPE_CHECKING

from perf_pipeline.infrastructure.connection_count import ConnectionCount
from perf_pipeline.infrastructure.mysql import database_of, session

if TYPE_CHECKING:
    from collections.abc import Iterable

_PROVISION_S = 60.0
_COUNT_S = 60.0
_DROP_S = 30.0
PROBE_S = 2.0
"""A probe that takes longer is counted as failed."""

_IDLE = "Sleep"

_BY_NAME = """
    SELECT count(*), coalesce(sum(p.command <> %s), 0)
    FROM information_schema.processlist AS p
    JOIN performance_schema.session_account_connect_attrs AS a ON a.processlist_id = p.id
    WHERE a.attr_name = 'program_name' AND a.attr_value = %s"""

_BY_DATABASE = """
    SELECT count(*), coalesce(sum(p.command <> %s), 0)
    FROM information_schema.processlist AS p
    WHERE p.user = substring_index(user(), '@', 1) AND p.db = %s"""


def provision(url: str, ddl: Iterable[str]) -> None:
    """Make a run's empty tables.

    MySQL cannot undo the making of a table; the run's lease drops what a failure leaves.

    Args:
        url: The server; its user must be allowed to create and drop tables in the database.
        ddl: Statements that make the tables; that fail if one is there already.

    Raises:
        NotAnsweringError: The server refused or failed.
    """
    with session(url, _PROVISION_S) as cursor:
        for statement in ddl:
            cursor.execute(statement)


def written_numbers(url: str, table: str, run_id: str, level: int) -> set[int]:
    """Return the numbers of the workflows of a level whose row is on the server.

    Raises:
        NotAnsweringError: The server failed, so it is not known.
    """
    query = f"SELECT number FROM {quoted(table)} WHERE run_id = %s AND level = %s"  # noqa: S608 - quoted
    with session(url, _COUNT_S) as cursor:
        cursor.execute(query, [run_id, level])
        return {int(number) for (number,) in cursor.fetchall()}


def delete_written(url: str, table: str, run_id: str, level: int) -> int:
    """Delete the rows of a level, and return how many there were.

    Raises:
        NotAnsweringError: The server failed.
    """
    query = f"DELETE FROM {quoted(table)} WHERE run_id = %s AND level = %s"  # noqa: S608 - quoted
    with session(url, _COUNT_S) as cursor:
        return cursor.execute(query, [run_id, level])


def drop(url: str, table: str) -> None:
    """Drop a run's table; one that is not there is fine.

    Raises:
        NotAnsweringError: The server failed, or somebody used the table for too long.
    """
    with session(url, _DROP_S) as cursor:
        cursor.execute(f"DROP TABLE IF EXISTS {quoted(table)}")


def connection_count(url: str, program_name: str) -> ConnectionCount:
    """Count the connections of a run's workers, all of them and those executing a statement.

    The server knows the name of the program behind a connection only while its performance schema
    is on, which is MySQL's default and not MariaDB's. Without it the connections of the URL's user
    in the URL's database are counted; this probe enters no database, so that it is not one of
    them, but another program of that user there would be.

    Args:
        url: The server; its user is that of the workers.
        program_name: What workers give as the connection attribute ``program_name``.

    Raises:
        NotAnsweringError: The server did not answer in ``PROBE_S``.
    """
    with session(url, PROBE_S, without_database=True) as cursor:
        cursor.execute("SELECT @@performance_schema")
        named = (row := cursor.fetchone()) is not None and bool(row[0])
        if named:
            how = f"connections of programs named {program_name} (performance schema)"
            cursor.execute(_BY_NAME, [_IDLE, program_name])
        else:
            how = "connections of the URL's user in its database (no performance schema)"
            cursor.execute(_BY_DATABASE, [_IDLE, database_of(url)])
        counted = cursor.fetchone()
    total, active = counted or (0, 0)
    return ConnectionCount(int(total), int(active), how)


def quoted(name: str) -> str:
    """Return a table's name, which holds no percent sign, as statements want it."""
    return "`" + name.replace("`", "``") + "`"
