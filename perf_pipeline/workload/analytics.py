"""The analytics family: query PostgreSQL, compute statistics, cache in Redis, store the result.

``query`` reads the rows of one bucket, ``statistics`` computes, ``report`` makes the text to be
stored, ``cache`` sets it in Redis, ``store`` inserts it into PostgreSQL and ``document`` the
statistics into MongoDB. Integers only, so that results compare exactly. What is written carries
the run, the level and the workflow's number, so that it can be counted on the server against the
records.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, Protocol

from perf_pipeline.workload.dataset import MEASUREMENTS
from perf_pipeline.workload.stages import remaining, run_in_order

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Mapping

    from perf_pipeline.workload.stages import Outputs, Stage
    from perf_pipeline.workload.task import Task

Row = dict[str, Any]

STAGES: Mapping[str, tuple[str, ...]] = {
    "simple": ("query", "statistics"),
    "medium": ("query", "statistics", "report", "cache"),
    "complex": ("query", "statistics", "report", "cache", "store", "document"),
}
"""Complexity to the names of its nodes, in the order in which they run."""

OPTIONAL: Mapping[str, str] = {"mongodb": "document"}
"""Server to the node that is left out where the server is unavailable."""

CACHE_TTL_S = 86_400
"""Keys that a killed run left on a user's server expire after a day."""


class AnalyticsServers(Protocol):
    """The servers as the plain functions see them."""

    def query(self, bucket: int) -> list[Row]:
        """Read the ``value`` and ``category`` of a bucket's rows, by position."""

    def cache(self, key: str, payload: str) -> bool:
        """Set a key for ``CACHE_TTL_S``; True when the server confirmed it."""

    def store(self, row: Row) -> int:
        """Insert a row of results; how many rows the server inserted."""

    def insert(self, document: Row) -> bool:
        """Insert a document of results; True when the server acknowledged it."""


def stages(complexity: str, without: Collection[str] = ()) -> tuple[str, ...]:
    """Return the names of the nodes that remain without some servers."""
    return remaining(STAGES[complexity], OPTIONAL, without)


def query_sql(schema: str) -> str:
    """Return the query of a bucket; its parameter is ``:bucket``."""
    return (
        f'SELECT value, category FROM "{schema}".{MEASUREMENTS} '  # noqa: S608 - checked by ddl()
        "WHERE bucket = :bucket ORDER BY position"
    )


def statistics(rows: list[Row]) -> Row:
    """Describe the values of rows and of each of their categories, in integers.

    Returns:
        ``count``, ``sum``, ``minimum``, ``maximum``; ``double_median`` (the sum of the two middle
        values); ``scaled_variance`` (``n * sum(x*x) - sum(x)**2``, which is n squared times the
        variance); ``categories``: ``category``, ``count`` and ``sum``, in alphabetical order.
    """
    values = sorted(row["value"] for row in rows)
    count = len(values)
    whole = sum(values)
    categories: dict[str, Row] = {}
    for row in rows:
        category = row["category"]
        if category not in categories:
            categories[category] = {"category": category, "count": 0, "sum": 0}
        categories[category]["count"] += 1
        categories[category]["sum"] += row["value"]
    return {
        "count": count,
        "sum": whole,
        "minimum": values[0],
        "maximum": values[-1],
        "double_median": values[(count - 1) // 2] + values[count // 2],
        "scaled_variance": count * sum(value * value for value in values) - whole * whole,
        "categories": [categories[category] for category in sorted(categories)],
    }


def report(summary: Row, run_id: str, level: int, number: int) -> Row:
    """Make the text to be stored (``payload``) and the row of the table of results (``row``)."""
    payload = json.dumps(summary, sort_keys=True)
    row = {"run_id": run_id, "level": level, "number": number, "payload": payload}
    return {"payload": payload, "row": row}


def document(summary: Row, run_id: str, level: int, number: int) -> Row:
    """Make the document of results: the statistics as they are, under a key that is unique."""
    return {
        "_id": f"{run_id}:{level}:{number}",
        "run_id": run_id,
        "level": level,
        "number": number,
        "statistics": summary,
    }


def insert_document(
    insert: Callable[[Row], bool], summary: Row, run_id: str, level: int, number: int
) -> bool:
    """Make the document of results and insert it: one node does both."""
    return insert(document(summary, run_id, level, number))


STAGE_FUNCTIONS: dict[str, Stage[AnalyticsServers]] = {
    "query": lambda task, servers, _: servers.query(task.bucket),
    "statistics": lambda _task, _servers, done: statistics(done["query"]),
    "report": lambda task, _, done: report(done["statistics"], **task.signature()),
    "cache": lambda task, servers, done: servers.cache(task.redis_key, done["report"]["payload"]),
    "store": lambda _, servers, done: servers.store(done["report"]["row"]),
    "document": lambda task, servers, done: insert_document(
        servers.insert, done["statistics"], **task.signature()
    ),
}

ASKING = frozenset(("query", "cache", "store", "document"))
"""The nodes that ask a server and wait for it."""


def run_stages(
    complexity: str, task: Task, servers: AnalyticsServers, without: Collection[str] = ()
) -> Outputs:
    """Call the stages of a complexity one after the other; errors of ``servers`` pass."""
    return run_in_order(stages(complexity, without), STAGE_FUNCTIONS, task, servers)
