"""What a run keeps in MySQL: a table of its own, and the rows that it wrote."""

from __future__ import annotations

from typing import TYPE_CHECKING

from perf_pipeline.servers.mysql.launch import session

if TYPE_CHECKING:
    from collections.abc import Iterable

_PROVISION_S = 60.0
_COUNT_S = 60.0
_DROP_S = 30.0


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


def drop(url: str, table: str) -> None:
    """Drop a run's table; one that is not there is fine.

    Raises:
        NotAnsweringError: The server failed, or somebody used the table for too long.
    """
    with session(url, _DROP_S) as cursor:
        cursor.execute(f"DROP TABLE IF EXISTS {quoted(table)}")


def quoted(name: str) -> str:
    """Return a table's name, which holds no percent sign, as statements want it."""
    return "`" + name.replace("`", "``") + "`"
