"""The data-processing family: read a CSV file, validate its rows, transform them, store them.

``read`` gives the rows as they are in the file, ``validate`` finds and counts the bad ones,
``transform`` makes numbers of the good ones' texts and weights them, ``statistics`` describes
them (as in the analytics family), ``report`` makes the row to be stored, ``store_postgres`` and
``store_mysql`` insert it. Integers only, so that results compare exactly.
"""

from __future__ import annotations

import csv
import json
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

from perf_pipeline.workload.analytics import statistics
from perf_pipeline.workload.input_file import DEFECTS, VALUE_LIMIT
from perf_pipeline.workload.stages import remaining, run_in_order
from perf_pipeline.workload.transformation import WEIGHTS

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping

    from perf_pipeline.workload.stages import Outputs, Stage
    from perf_pipeline.workload.task import Task

Row = dict[str, Any]

_SIMPLE = ("read", "validate", "transform")

STAGES: Mapping[str, tuple[str, ...]] = {
    "simple": _SIMPLE,
    "medium": (*_SIMPLE, "statistics"),
    "complex": (*_SIMPLE, "statistics", "report", "store_postgres", "store_mysql"),
}
"""Complexity to the names of its nodes, in the order in which they run."""

OPTIONAL: Mapping[str, str] = {"mysql": "store_mysql"}
"""Server to the node that is left out where there is no such server."""


class DataProcessingServers(Protocol):
    """The servers as the plain functions see them."""

    def store(self, row: Row) -> int:
        """Insert a row of results into PostgreSQL; how many rows the server inserted."""

    def store_mysql(self, row: Row) -> int:
        """Insert a row of results into MySQL; how many rows the server inserted."""


def stages(complexity: str, without: Collection[str] = ()) -> tuple[str, ...]:
    """Return the names of the nodes that remain without some servers."""
    return remaining(STAGES[complexity], OPTIONAL, without)


def read(file_path: str) -> list[Row]:
    """Read the rows of a CSV file as texts by column; a short row lacks its last columns.

    Raises:
        OSError: The file cannot be read.
    """
    with Path(file_path).open(encoding="utf-8", newline="") as file:
        reader = csv.reader(file)
        columns = next(reader)
        return [dict(zip(columns, fields, strict=False)) for fields in reader]


def validate(rows: list[Row]) -> Row:
    """Separate good rows from bad ones.

    Returns:
        ``rows``: the good rows, unchanged; ``bad``: how many rows have each of ``DEFECTS``, the
        first that is met; ``bad_rows``: how many that are.
    """
    good = []
    bad = dict.fromkeys(DEFECTS, 0)
    seen: set[str] = set()
    for row in rows:
        defect = _defect(row, seen)
        seen.add(row["id"])
        if defect:
            bad[defect] += 1
        else:
            good.append(row)
    return {"rows": good, "bad": bad, "bad_rows": len(rows) - len(good)}


def _defect(row: Row, seen: set[str]) -> str:
    value = row.get("value")
    if not value:
        return "missing"
    if not value.removeprefix("-").isdecimal():
        return "not_a_number"
    if not 0 <= int(value) < VALUE_LIMIT:
        return "out_of_range"
    if row["category"] not in WEIGHTS:
        return "unknown_category"
    return "duplicate" if row["id"] in seen else ""


def transform(rows: list[Row]) -> list[Row]:
    """Make numbers of the texts, and add each row's ``score``: its value times its weight."""
    return [
        {
            "id": int(row["id"]),
            "category": row["category"],
            "value": int(row["value"]),
            "score": int(row["value"]) * WEIGHTS[row["category"]],
        }
        for row in rows
    ]


def report(rows: list[Row], summary: Row, bad: Row, run_id: str, level: int, number: int) -> Row:
    """Make the row of the table of results: the rows, their statistics and the bad ones' counts."""
    payload = json.dumps({"rows": rows, "statistics": summary, "bad": bad}, sort_keys=True)
    return {"run_id": run_id, "level": level, "number": number, "payload": payload}


STAGE_FUNCTIONS: dict[str, Stage[DataProcessingServers]] = {
    "read": lambda task, _servers, _done: read(task.file_path),
    "validate": lambda _task, _servers, done: validate(done["read"]),
    "transform": lambda _task, _servers, done: transform(done["validate"]["rows"]),
    "statistics": lambda _task, _servers, done: statistics(done["transform"]),
    "report": lambda task, _, done: report(
        done["transform"], done["statistics"], done["validate"]["bad"], **task.signature()
    ),
    "store_postgres": lambda _, servers, done: servers.store(done["report"]),
    "store_mysql": lambda _, servers, done: servers.store_mysql(done["report"]),
}

ASKING = frozenset(("store_postgres", "store_mysql"))
"""The nodes that ask a server and wait for it."""


def run_stages(
    complexity: str, task: Task, servers: DataProcessingServers, without: Collection[str] = ()
) -> Outputs:
    """Call the stages of a complexity one after the other; errors of ``servers`` pass."""
    return run_in_order(stages(complexity, without), STAGE_FUNCTIONS, task, servers)
