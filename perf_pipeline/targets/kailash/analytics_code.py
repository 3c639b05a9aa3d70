"""The analytics family as users of kailash write it: SQLDatabaseNode, PythonCodeNode, RedisNode.

The code of a PythonCodeNode runs with separate globals and locals: comprehensions do not see the
names that it assigned, hence the plain loops. Every piece of code gives what the plain function
of the same name in ``perf_pipeline.workload.analytics`` gives; tests compare them.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from kailash.nodes.code import PythonCodeNode  # noqa: F401 - puts it into the registry
from kailash.nodes.data.redis import RedisNode  # noqa: F401 - ditto
from kailash.nodes.data.sql import SQLDatabaseNode
from kailash.workflow.builder import WorkflowBuilder

from perf_pipeline.targets.kailash.written import WrittenWorkflow
from perf_pipeline.targets.pools import postgres_pool_options, sqlalchemy_url
from perf_pipeline.workload import analytics

if TYPE_CHECKING:
    from redis import Redis

    from perf_pipeline.targets.target import Job
    from perf_pipeline.workload.task import Task

_STATISTICS = """
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
    "least": values[0],
    "most": values[-1],
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
}


def write_code(complexity: str, job: Job, redis: Redis | None) -> WrittenWorkflow:
    """Build the analytics workflow of a complexity over the job's servers.

    Every SQLDatabaseNode is given the same URL and pool options, for kailash keeps one pool a
    process for each distinct set of them. RedisNode has no option for its pool: the client that
    it makes by itself opens up to 100 connections and then raises "Too many connections" at once;
    besides, two threads may make one each. So the stock node is given ``redis``.

    Args:
        complexity: ``simple``, ``medium`` or ``complex``.
        job: What the worker executes.
        redis: A client over a bounded pool; only the simple workflow does without.
    """
    schema = job.stores.postgres_schema
    database = {"connection_string": sqlalchemy_url(job), **postgres_pool_options(job)}
    names = analytics.STAGES[complexity]
    builder = WorkflowBuilder()
    builder.add_node("SQLDatabaseNode", "query", {**database, "query": analytics.query_sql(schema)})
    builder.add_node("PythonCodeNode", "statistics", {"code": _STATISTICS})
    builder.add_connection("query", "data", "statistics", "rows")
    if "report" in names:
        builder.add_node("PythonCodeNode", "report", {"code": _REPORT})
        builder.add_connection("statistics", "result", "report", "summary")
    if "cache" in names:
        builder.add_node("RedisNode", "cache", {"operation": "set", "ttl": analytics.CACHE_TTL_S})
        builder.add_connection("report", "result.payload", "cache", "value")
    if "store" in names:
        insert = {**database, "query": analytics.insert_sql(schema)}
        builder.add_node("SQLDatabaseNode", "store", insert)
        builder.add_connection("report", "result.row", "store", "parameters")
    workflow = builder.build()
    if "cache" in names:
        workflow.get_node("cache")._client = redis  # noqa: SLF001 - there is no public way
    return WrittenWorkflow(
        workflow=workflow,
        ports={name: _PORTS[name] for name in names},
        inputs=_analytics_inputs if "report" in names else _query_inputs,
    )


def close_postgres_pools() -> None:
    """Close every connection of every SQLDatabaseNode of the process."""
    SQLDatabaseNode.cleanup_pools()


def _query_inputs(task: Task) -> dict[str, dict[str, Any]]:
    return {"query": {"parameters": {"bucket": task.bucket}}}


def _analytics_inputs(task: Task) -> dict[str, dict[str, Any]]:
    return {
        "query": {"parameters": {"bucket": task.bucket}},
        "report": {"run_id": task.run_id, "level": task.level, "number": task.number},
        "cache": {"key": task.redis_key},
    }
