"""The analytics family as users of kailash write it: SQLDatabaseNode, PythonCodeNode, RedisNode.

kailash has no node for MongoDB, so users write one (``function_node``).

The code of a PythonCodeNode runs with separate globals and locals: comprehensions do not see the
names that it assigned, hence the plain loops. Every piece of code gives what the plain function
of the same name in ``perf_pipeline.workload.analytics`` gives; tests compare them.
"""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any

from kailash.nodes.code import PythonCodeNode  # noqa: F401 - puts it into the registry
from kailash.nodes.data.redis import RedisNode  # noqa: F401 - ditto
from kailash.nodes.data.sql import SQLDatabaseNode  # noqa: F401 - ditto
from kailash.workflow.builder import WorkflowBuilder

from perf_pipeline.targets.kailash.function_node import function_node
from perf_pipeline.targets.kailash.written import WrittenWorkflow
from perf_pipeline.targets.pools import SQLALCHEMY_POSTGRES, postgres_pool_options
from perf_pipeline.workload import analytics
from perf_pipeline.workload.dataset import insert_sql

if TYPE_CHECKING:
    from collections.abc import Collection

    from perf_pipeline.targets.pooled_servers import PooledServers
    from perf_pipeline.targets.target import Job
    from perf_pipeline.workload.task import Task

STATISTICS = """
values = []
squares = 0
groups = {}
for row in rows:
    value = row["value"]
    category = row["category"]
    values.append(value)
    squares += value * value
    if category not in groups:
        groups[category] = {"category": category, "count": 0, "sum": 0}
    groups[category]["count"] += 1
    groups[category]["sum"] += value
values.sort()
count = len(values)
whole = sum(values)
categories = []
for category in sorted(groups):
    categories.append(groups[category])
result = {
    "count": count,
    "sum": whole,
    "minimum": values[0],
    "maximum": values[-1],
    "double_median": values[(count - 1) // 2] + values[count // 2],
    "scaled_variance": count * squares - whole * whole,
    "categories": categories,
}
"""

_REPORT = """
import json
payload = json.dumps(summary, sort_keys=True)
row = {"run_id": run_id, "level": level, "number": number, "payload": payload}
result = {"payload": payload, "row": row}
"""

_PORTS = {
    "query": "data",
    "statistics": "result",
    "report": "result",
    "cache": "result",
    "store": "row_count",
    "document": "result",
}


def write_code(
    complexity: str, job: Job, servers: PooledServers, without: Collection[str]
) -> WrittenWorkflow:
    """Build the analytics workflow of a complexity over the job's servers.

    Every SQLDatabaseNode is given the same URL and pool options, for kailash keeps one pool a
    process for each distinct set of them. RedisNode has no option for its pool: the client that
    it makes by itself opens up to 100 connections and then raises "Too many connections" at once;
    besides, two threads may make one each. So the stock node is given the client of ``servers``.

    Args:
        complexity: ``simple``, ``medium`` or ``complex``.
        job: What the worker executes.
        servers: The bounded pools to Redis and MongoDB.
        without: Servers that are not there; see ``analytics.OPTIONAL``.
    """
    schema = job.servers.name("postgres")
    database = {"connection_string": SQLALCHEMY_POSTGRES, **postgres_pool_options(job)}
    names = analytics.stages(complexity, without)
    builder = WorkflowBuilder()
    builder.add_node("SQLDatabaseNode", "query", {**database, "query": analytics.query_sql(schema)})
    builder.add_node("PythonCodeNode", "statistics", {"code": STATISTICS})
    builder.add_connection("query", "data", "statistics", "rows")
    if "report" in names:
        builder.add_node("PythonCodeNode", "report", {"code": _REPORT})
        builder.add_connection("statistics", "result", "report", "summary")
    if "cache" in names:
        builder.add_node("RedisNode", "cache", {"operation": "set", "ttl": analytics.CACHE_TTL_S})
        builder.add_connection("report", "result.payload", "cache", "value")
    if "store" in names:
        builder.add_node("SQLDatabaseNode", "store", {**database, "query": insert_sql(schema)})
        builder.add_connection("report", "result.row", "store", "parameters")
    workflow = builder.build()
    if "cache" in names:
        workflow.get_node("cache")._client = servers.redis  # noqa: SLF001 - there is no public way
    if "document" in names:
        insert = partial(analytics.insert_document, servers.insert)
        node = function_node("document", insert, summary=dict, run_id=str, level=int, number=int)
        workflow.add_node("document", node)
        workflow.connect("statistics", "document", {"result": "summary"})

    def inputs(task: Task) -> dict[str, dict[str, Any]]:
        given: dict[str, dict[str, Any]] = {
            "query": {"parameters": {"bucket": task.bucket}},
            "report": task.signature(),
            "cache": {"key": task.redis_key},
            "document": task.signature(),
        }
        return {name: given[name] for name in names if name in given}

    return WrittenWorkflow(
        workflow=workflow, ports={name: _PORTS[name] for name in names}, inputs=inputs
    )
