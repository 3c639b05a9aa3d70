"""The rows that analytics workflows read, and the tables and names of a run's results.

PostgreSQL has a schema of the run's own (``schema_name``) with two tables; MySQL has a table and
MongoDB a collection, both named by ``results_name``. Redis has keys with a prefix
(``task.redis_key``).

Rows are a pure function of the run's seed, so that the harness can fill the table, the target can
be given the same rows without a server, and both know what a query must return.
Only ``random.Random.random`` is used: it alone is documented to give the same sequence in every
Python version, and harness and target may run different ones.
"""

from __future__ import annotations

import random
import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

BUCKETS = 64
"""Distinct inputs of a run: buckets of the table, and data seeds of the transformation family."""

ROWS_PER_BUCKET = 100
"""Rows that one query returns."""

CATEGORIES = ("east", "north", "south", "west")

MEASUREMENTS = "measurements"
MEASUREMENT_COLUMNS = ("bucket", "position", "value", "category")

RESULTS = "results"

_NAME = re.compile(r"[a-z_][a-z0-9_]{0,62}")


def schema_name(run_id: str) -> str:
    """Return the name of a run's schema in PostgreSQL."""
    return "perf_" + re.sub("[-.]", "_", run_id).lower()


def ddl(schema: str) -> list[str]:
    """Return the statements that make a run's two empty tables in its schema.

    Args:
        schema: Name of the run's own schema; at most 63 characters ``[a-z0-9_]``, not starting
            with a digit.

    Returns:
        Statements for PostgreSQL, to be executed in order. The schema must exist.

    Raises:
        ValueError: ``schema`` is not such a name.
    """
    _check("schema", schema)
    return [
        f"""CREATE TABLE "{schema}".{MEASUREMENTS} (
            bucket integer NOT NULL, position integer NOT NULL,
            value integer NOT NULL, category text NOT NULL,
            PRIMARY KEY (bucket, position))""",
        f"""CREATE TABLE "{schema}".{RESULTS} (
            run_id text NOT NULL, level integer NOT NULL, number bigint NOT NULL,
            payload text NOT NULL,
            PRIMARY KEY (run_id, level, number))""",
    ]


def mysql_ddl(table: str) -> list[str]:
    """Return the statements that make a run's empty table of results in MySQL.

    It is the table of PostgreSQL: the same columns and the same primary key, so that a second
    write of the same workflow is refused. What is written is ASCII.

    Args:
        table: Name of the run's own table (``results_name``), in the database of the URL.

    Raises:
        ValueError: ``table`` is not such a name.
    """
    _check("table", table)
    return [
        f"""CREATE TABLE `{table}` (
            run_id varchar(63) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
            level integer NOT NULL, number bigint NOT NULL,
            payload mediumtext CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
            PRIMARY KEY (run_id, level, number)) ENGINE=InnoDB""",
    ]


def results_name(prefix: str) -> str:
    """Return the name of a run's table in MySQL and of its collection in MongoDB.

    Args:
        prefix: The run's own; its PostgreSQL schema's name will do.

    Raises:
        ValueError: The name would be longer than 63 characters or need quoting.
    """
    name = f"{prefix}_{RESULTS}"
    _check("table", name)
    return name


def insert_sql(schema: str) -> str:
    """Return the insertion of a result into PostgreSQL; its parameters are the columns."""
    _check("schema", schema)
    return _insert(f'"{schema}".{RESULTS}')


def mysql_insert_sql(table: str) -> str:
    """Return the insertion of a result into MySQL; its parameters are the columns."""
    _check("table", table)
    return _insert(f"`{table}`")


def _insert(table: str) -> str:
    return (
        f"INSERT INTO {table} (run_id, level, number, payload) "  # noqa: S608 - checked
        "VALUES (:run_id, :level, :number, :payload)"
    )


def _check(what: str, name: str) -> None:
    """Refuse a name that would need quoting: statements contain it unquoted."""
    if not _NAME.fullmatch(name):
        raise ValueError(
            f"{what} name {name!r} is not 1 to 63 characters of [a-z0-9_] without a leading digit"
        )


def measurement_rows(seed: int) -> Iterator[tuple[int, int, int, str]]:
    """Draw the rows of the table of measurements.

    Args:
        seed: Seed of the run; the same seed gives the same rows on every host.

    Yields:
        ``BUCKETS * ROWS_PER_BUCKET`` rows in the order of ``MEASUREMENT_COLUMNS``, sorted by
        bucket and position; values are 0 to 9999.
    """
    for bucket in range(BUCKETS):
        rng = random.Random(f"measurements {seed} {bucket}")
        for position in range(ROWS_PER_BUCKET):
            value = int(rng.random() * 10_000)
            category = CATEGORIES[int(rng.random() * len(CATEGORIES))]
            yield bucket, position, value, category


def bucket_rows(seed: int) -> list[list[dict[str, int | str]]]:
    """Return what the query of each bucket must give.

    Args:
        seed: Seed of the run.

    Returns:
        Shape ``(BUCKETS, ROWS_PER_BUCKET)``: rows with ``value`` and ``category``, by position.
    """
    rows: list[list[dict[str, int | str]]] = [[] for _ in range(BUCKETS)]
    for bucket, _position, value, category in measurement_rows(seed):
        rows[bucket].append({"value": value, "category": category})
    return rows
