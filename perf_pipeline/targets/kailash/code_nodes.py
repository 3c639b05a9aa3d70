"""The families as users of kailash write them: PythonCodeNode and the stock nodes.

The code of a PythonCodeNode runs with separate globals and locals: comprehensions do not see the
names that it assigned, hence the plain loops. Every piece of code gives what the plain function
of the same name in ``perf_pipeline.workload`` gives; tests compare them.
"""

from __future__ import annotations

from itertools import pairwise
from typing import TYPE_CHECKING, Any

import kailash.nodes.transform  # noqa: F401 - puts FilterNode and Sort into the registry
from kailash.nodes.code import PythonCodeNode  # noqa: F401 - ditto
from kailash.nodes.data.redis import RedisNode  # noqa: F401 - ditto
from kailash.nodes.data.sql import SQLDatabaseNode
from kailash.workflow.builder import WorkflowBuilder

from perf_pipeline.targets.kailash.written import WrittenWorkflow
from perf_pipeline.targets.pools import open_redis, postgres_pool_options, sqlalchemy_url
from perf_pipeline.workload import analytics, transformation
from perf_pipeline.workload.dataset import CATEGORIES

if TYPE_CHECKING:
    from collections.abc import Callable

    from kailash.workflow.graph import Workflow

    from perf_pipeline.targets.target import Job
    from perf_pipeline.workload.task import Task

_GENERATE = f"""
import random
rng = random.Random(seed)
categories = {CATEGORIES!r}
result = []
for number in range({transformation.ROWS}):
    category = categories[int(rng.random() * len(categories))]
    value = int(rng.random() * 1100) - 100
    result.append({{"id": number, "category": category, "value": value}})
"""

_CLEAN = """
result = []
for row in rows:
    if row["value"] >= 0:
        result.append(row)
"""

_TOTAL = """
values = []
for row in rows:
    values.append(row["value"])
result = {
    "count": len(values),
    "sum": sum(values),
    "least": min(values) if values else 0,
    "most": max(values) if values else 0,
}
"""

_SCORE = f"""
weights = {transformation.WEIGHTS!r}
result = []
for row in rows:
    scored = dict(row)
    scored["score"] = row["value"] * weights[row["category"]]
    result.append(scored)
"""

_GROUP = """
groups = {}
for row in rows:
    category = row["category"]
    if category not in groups:
        groups[category] = {"category": category, "count": 0, "score": 0}
    groups[category]["count"] += 1
    groups[category]["score"] += row["score"]
result = []
for category in sorted(groups):
    result.append(groups[category])
"""

_SHARE = """
whole = 0
for group in rows:
    whole += group["score"]
result = []
for group in rows:
    shared = dict(group)
    shared["permille"] = group["score"] * 1000 // max(whole, 1)
    result.append(shared)
"""

_SUMMARY = """
count = 0
score = 0
for group in rows:
    count += group["count"]
    score += group["score"]
result = {
    "groups": len(rows),
    "count": count,
    "score": score,
    "first": rows[0]["category"] if rows else "",
}
"""

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

# name: (node type, configuration, input, output)
_CODE = "PythonCodeNode"
_TRANSFORMATION_NODES: dict[str, tuple[str, dict[str, Any], str, str]] = {
    "generate": (_CODE, {"code": _GENERATE}, "", "result"),
    "clean": (_CODE, {"code": _CLEAN}, "rows", "result"),
    "keep": (
        "FilterNode",
        {"field": "value", "operator": ">=", "value": transformation.LEAST_VALUE},
        "data",
        "filtered_data",
    ),
    "total": (_CODE, {"code": _TOTAL}, "rows", "result"),
    "score": (_CODE, {"code": _SCORE}, "rows", "result"),
    "order": ("Sort", {"field": "score", "reverse": True}, "data", "sorted_data"),
    "group": (_CODE, {"code": _GROUP}, "rows", "result"),
    "share": (_CODE, {"code": _SHARE}, "rows", "result"),
    "rank": ("Sort", {"field": "score", "reverse": True}, "data", "sorted_data"),
    "summary": (_CODE, {"code": _SUMMARY}, "rows", "result"),
}
_ANALYTICS_PORTS = {
    "query": "data",
    "statistics": "result",
    "report": "result",
    "cache": "result",
    "store": "row_count",
}


def write_transformation(complexity: str) -> WrittenWorkflow:
    """Build the transformation workflow of a complexity."""
    builder = WorkflowBuilder()
    names = [name for name, _ in transformation.STAGES[complexity]]
    for name in names:
        node_type, config, _, _ = _TRANSFORMATION_NODES[name]
        builder.add_node(node_type, name, dict(config))
    for before, after in pairwise(names):
        output, data = _TRANSFORMATION_NODES[before][3], _TRANSFORMATION_NODES[after][2]
        builder.add_connection(before, output, after, data)
    return WrittenWorkflow(
        workflow=builder.build(),
        ports={name: _TRANSFORMATION_NODES[name][3] for name in names},
        inputs=lambda task: {"generate": {"seed": task.data_seed}},
        close=lambda: None,
    )


def write_analytics(complexity: str, job: Job) -> WrittenWorkflow:
    """Build the analytics workflow of a complexity over the job's servers.

    Every SQLDatabaseNode is given the same URL and pool options, for kailash keeps one pool a
    process for each distinct set of them.
    """
    schema = job.stores.postgres_schema
    database = {"connection_string": sqlalchemy_url(job), **postgres_pool_options(job)}
    names = analytics.STAGES[complexity]
    builder = WorkflowBuilder()
    builder.add_node("SQLDatabaseNode", "query", {**database, "query": analytics.query_sql(schema)})
    builder.add_node(_CODE, "statistics", {"code": _STATISTICS})
    builder.add_connection("query", "data", "statistics", "rows")
    if "report" in names:
        builder.add_node(_CODE, "report", {"code": _REPORT})
        builder.add_connection("statistics", "result", "report", "summary")
    if "cache" in names:
        builder.add_node("RedisNode", "cache", {"operation": "set", "ttl": analytics.CACHE_TTL_S})
        builder.add_connection("report", "result.payload", "cache", "value")
    if "store" in names:
        insert = {**database, "query": analytics.insert_sql(schema)}
        builder.add_node("SQLDatabaseNode", "store", insert)
        builder.add_connection("report", "result.row", "store", "parameters")
    workflow = builder.build()
    return WrittenWorkflow(
        workflow=workflow,
        ports={name: _ANALYTICS_PORTS[name] for name in names},
        inputs=_analytics_inputs if "report" in names else _query_inputs,
        close=_bound_redis(workflow, job) if "cache" in names else _nothing_to_close,
    )


def close_postgres_pools() -> None:
    """Close every connection of every SQLDatabaseNode of the process."""
    SQLDatabaseNode.cleanup_pools()


def _bound_redis(workflow: Workflow, job: Job) -> Callable[[], None]:
    """Give the stock RedisNode a client that waits for a connection of a bounded pool.

    The node has no option for it. The client that it makes by itself opens up to 100 connections
    and then raises "Too many connections" at once; besides, two threads may make one each.

    Returns:
        What closes the pool.
    """
    client = open_redis(job)
    workflow.get_node("cache")._client = client  # noqa: SLF001 - see above
    return client.connection_pool.disconnect


def _nothing_to_close() -> None:
    """Do nothing: SQLDatabaseNode's pools belong to the process."""


def _query_inputs(task: Task) -> dict[str, dict[str, Any]]:
    return {"query": {"parameters": {"bucket": task.bucket}}}


def _analytics_inputs(task: Task) -> dict[str, dict[str, Any]]:
    return {
        "query": {"parameters": {"bucket": task.bucket}},
        "report": {"run_id": task.run_id, "level": task.level, "number": task.number},
        "cache": {"key": task.redis_key},
    }
