"""The database family: a unit of work that keeps a transaction open on every server at once.

``order`` makes what is stored; ``transact`` begins on one server after the other, writes, thinks
(``[connections] transaction_think_time_s``) and commits everything. So a workflow keeps one
connection to each server for at least its think time, and the smallest pool bounds how many
workflows are in that state. All begin in the same order, so that none waits for a connection of
another that waits for one of its own. Integers and texts only, so that results compare exactly.
"""

from __future__ import annotations

import json
from functools import partial
from typing import TYPE_CHECKING, Any, Protocol

from perf_pipeline.workload.stages import run_in_order

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping

    from perf_pipeline.workload.stages import Outputs, Stage
    from perf_pipeline.workload.task import Task

Row = dict[str, Any]

STAGES = ("order", "transact")
"""The nodes, in the order in which they run; the same for every complexity."""

SERVERS: Mapping[str, tuple[str, ...]] = {
    "simple": ("postgres",),
    "medium": ("postgres", "redis"),
    "complex": ("postgres", "mysql", "redis", "mongodb"),
}
"""Complexity to the servers of its unit of work, in the order in which it begins on them."""

OPTIONAL = ("mysql", "mongodb")
"""Servers that are left out of the unit of work where they are unavailable."""

LINES = 20
"""Lines of an order."""

ASKING = frozenset(("transact",))
"""The nodes that ask a server and wait for it."""

RIGHT: Mapping[str, int | bool] = {"postgres": 1, "mysql": 1, "redis": True, "mongodb": True}
"""What each server says of a write that it took."""


class DatabaseServers(Protocol):
    """The servers as the plain functions see them."""

    def transact(self, servers: Collection[str], order: Row) -> Row:
        """Store an order on all of some servers, in one unit of work; what each of them said."""


def servers(complexity: str, without: Collection[str] = ()) -> tuple[str, ...]:
    """Return the servers of a complexity's unit of work that remain without some servers."""
    missing = set(OPTIONAL).intersection(without)
    return tuple(name for name in SERVERS[complexity] if name not in missing)


def connection_step(server: str) -> str:
    """Return the name of the step in which a workflow waits for a connection to a server."""
    return f"connection to {server}"


def payload(data_seed: int) -> str:
    """Return the text of an order: its lines, and their sum."""
    lines = [{"item": item, "pieces": (data_seed * 31 + item * 17) % 97} for item in range(LINES)]
    pieces = sum(line["pieces"] for line in lines)
    return json.dumps({"lines": lines, "pieces": pieces}, sort_keys=True)


def order(data_seed: int, key: str, run_id: str, level: int, number: int) -> Row:
    """Make the order: the row of the tables of results (``row``) and the key in Redis (``key``)."""
    row = {"run_id": run_id, "level": level, "number": number, "payload": payload(data_seed)}
    return {"row": row, "key": key}


def document(row: Row) -> Row:
    """Make the document of results of a row, under a key that is unique."""
    return {"_id": f"{row['run_id']}:{row['level']}:{row['number']}", **row}


def inputs(task: Task) -> Row:
    """Return the arguments of ``order`` for a workflow."""
    return {"data_seed": task.data_seed, "key": task.redis_key, **task.signature()}


def stage_functions(
    complexity: str, without: Collection[str] = ()
) -> dict[str, Stage[DatabaseServers]]:
    """Return what each node does, with the servers of a complexity."""
    return {
        "order": lambda task, _servers, _done: order(**inputs(task)),
        "transact": partial(_transact, servers(complexity, without)),
    }


def run_stages(
    complexity: str, task: Task, pooled: DatabaseServers, without: Collection[str] = ()
) -> Outputs:
    """Call the stages of a complexity one after the other; errors of the servers pass."""
    return run_in_order(STAGES, stage_functions(complexity, without), task, pooled)


def _transact(names: Collection[str], _task: Task, pooled: DatabaseServers, done: Outputs) -> Row:
    return pooled.transact(names, done["order"])
