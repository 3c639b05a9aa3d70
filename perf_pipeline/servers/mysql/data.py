"""The data of a run in MySQL: its own table for results; a ``Storage``."""

from __future__ import annotations

from perf_pipeline.servers.mysql.session import session
from perf_pipeline.workload.dataset import mysql_ddl, results_name, schema_name

_PROVISION_S = 60.0
_COUNT_S = 60.0
_DROP_S = 30.0
_SETTLE_S = 120.0


NEEDED_PRIVILEGES = (
    "CREATE, DROP, SELECT and INSERT in the database (GRANT ALL ON database.* TO user)"
)


def storage_name(run_id: str) -> str:
    """Return the name of a run's table."""
    return results_name(schema_name(run_id))


def try_out(url: str, name: str) -> None:
    """Make a run's table, write to it, read it, empty it and drop it.

    Raises:
        NotAnsweringError: The server refused or failed.
    """
    table = _quoted(name)
    with session(url, _DROP_S) as cursor:
        for statement in mysql_ddl(name):
            cursor.execute(statement)
        try:
            cursor.execute(f"INSERT INTO {table} SELECT * FROM {table}")  # noqa: S608 - quoted
            cursor.execute(f"TRUNCATE TABLE {table}")
        finally:
            cursor.execute(f"DROP TABLE {table}")


def create(url: str, name: str, seed: int) -> int:  # noqa: ARG001 - workflows read nothing here
    """Make a run's empty table.

    MySQL cannot undo the making of a table; the run's lease drops what a failure leaves.

    Returns:
        0: workflows read nothing here.

    Raises:
        NotAnsweringError: The server refused or failed, or the table exists already.
    """
    with session(url, _PROVISION_S) as cursor:
        for statement in mysql_ddl(name):
            cursor.execute(statement)
    return 0


def written_numbers(url: str, name: str, run_id: str, level: int) -> set[int]:
    """Return the numbers of the workflows of a load level whose row is on the server.

    Raises:
        NotAnsweringError: The server failed, so the numbers are not known.
    """
    query = f"SELECT number FROM {_quoted(name)} WHERE run_id = %s AND level = %s"  # noqa: S608 - quoted
    with session(url, _COUNT_S) as cursor:
        cursor.execute(query, [run_id, level])
        return {int(number) for (number,) in cursor.fetchall()}


def settle(url: str, name: str) -> str:
    """Empty a run's table of results and renew its statistics.

    Returns:
        What was done.

    Raises:
        NotAnsweringError: The server failed.
    """
    table = _quoted(name)
    with session(url, _SETTLE_S) as cursor:
        cursor.execute(f"SELECT count(*) FROM {table}")  # noqa: S608 - quoted
        row = cursor.fetchone()
        cursor.execute(f"TRUNCATE TABLE {table}")
        cursor.execute(f"ANALYZE TABLE {table}")
    rows = int(row[0]) if row else 0
    return (
        f"results truncated ({rows} rows) and analyzed; it has no checkpoint on command, "
        "so what it had not written yet it writes during the level; its caches stay warm."
    )


def drop(url: str, name: str) -> None:
    """Drop a run's table; a table that does not exist is fine.

    Raises:
        NotAnsweringError: The server failed, or a client used the table for too long.
    """
    with session(url, _DROP_S) as cursor:
        cursor.execute(f"DROP TABLE IF EXISTS {_quoted(name)}")


def _quoted(name: str) -> str:
    """Return a table's name, which must hold no percent sign, quoted for a statement."""
    return "`" + name.replace("`", "``") + "`"
