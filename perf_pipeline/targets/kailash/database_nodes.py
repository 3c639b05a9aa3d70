"""The database family for kailash: a node that makes the order, and one that stores it.

kailash has no node for a transaction over several servers, so users write one (``function_node``),
whether their other nodes are code or classes.
"""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any

from kailash.nodes.code import PythonCodeNode  # noqa: F401 - puts it into the registry
from kailash.workflow.builder import WorkflowBuilder
from kailash.workflow.graph import Workflow

from perf_pipeline.targets.kailash.function_node import function_node
from perf_pipeline.targets.kailash.written import WrittenWorkflow
from perf_pipeline.workload import database

if TYPE_CHECKING:
    from collections.abc import Collection

    from perf_pipeline.targets.pooled_servers import PooledServers
    from perf_pipeline.workload.task import Task

_ORDER = f"""
import json
lines = []
pieces = 0
for item in range({database.LINES}):
    count = (data_seed * 31 + item * 17) % 97
    lines.append({{"item": item, "pieces": count}})
    pieces += count
payload = json.dumps({{"lines": lines, "pieces": pieces}}, sort_keys=True)
row = {{"run_id": run_id, "level": level, "number": number, "payload": payload}}
result = {{"row": row, "key": key}}
"""
"""Gives what ``database.order`` gives; a test compares them."""


def write(
    complexity: str,
    nodes: str,
    servers: PooledServers,
    without: Collection[str],
    *,
    branching: bool,
) -> WrittenWorkflow:
    """Build the database workflow of a complexity over shared pools; they are not closed here.

    Args:
        complexity: ``simple``, ``medium`` or ``complex``.
        nodes: ``code`` or ``lean``.
        servers: The pools.
        without: Servers that are left out of the unit of work.
        branching: A SwitchNode, whose condition always holds, leads from one node to the other.
    """
    if nodes == "code":
        builder = WorkflowBuilder()
        builder.add_node("PythonCodeNode", "order", {"code": _ORDER})
        workflow = builder.build()
    else:
        name = f"database_{complexity}"
        workflow = Workflow(workflow_id=name, name=name)
        kinds = {"data_seed": int, "key": str, "run_id": str, "level": int, "number": int}
        workflow.add_node("order", function_node("order", database.order, **kinds))
    transact = partial(servers.transact, database.servers(complexity, without))
    workflow.add_node("transact", function_node("transact", transact, order=dict))
    if branching:
        # Here, so that a process without it imports what it always did.
        from kailash.nodes.logic import SwitchNode  # noqa: PLC0415

        workflow.add_node("branch", SwitchNode(condition_field="key", operator="!=", value=""))
        workflow.connect("order", "branch", {"result": "input_data"})
        workflow.connect("branch", "transact", {"true_output": "order"})
    else:
        workflow.connect("order", "transact", {"result": "order"})

    def inputs(task: Task) -> dict[str, dict[str, Any]]:
        return {"order": database.inputs(task)}

    return WrittenWorkflow(
        workflow=workflow, ports=dict.fromkeys(database.STAGES, "result"), inputs=inputs
    )
