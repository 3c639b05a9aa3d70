"""The families as lean nodes: custom Node classes that call the plain functions.

A PythonCodeNode costs milliseconds, a custom node microseconds: with both, the report can
distinguish what the runtime costs from what its code nodes cost.
"""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any

from kailash.workflow.graph import Workflow

from perf_pipeline.targets.kailash.function_node import function_node
from perf_pipeline.targets.kailash.written import WrittenWorkflow
from perf_pipeline.workload import analytics, data_processing, transformation

if TYPE_CHECKING:
    from collections.abc import Callable, Collection

    from perf_pipeline.targets.pooled_servers import PooledServers
    from perf_pipeline.workload.task import Task

Nodes = dict[str, tuple["Callable[..., Any]", dict[str, type]]]
"""Node to its function and the types of its inputs."""

_SIGNATURE: dict[str, type] = {"run_id": str, "level": int, "number": int}

# node: {input: (node before, output)}
_ANALYTICS = {
    "statistics": {"rows": ("query", "result")},
    "report": {"summary": ("statistics", "result")},
    "cache": {"payload": ("report", "result.payload")},
    "store": {"row": ("report", "result.row")},
    "document": {"summary": ("statistics", "result")},
}
_DATA_PROCESSING = {
    "validate": {"rows": ("read", "result")},
    "transform": {"rows": ("validate", "result.rows")},
    "statistics": {"rows": ("transform", "result")},
    "report": {
        "rows": ("transform", "result"),
        "summary": ("statistics", "result"),
        "bad": ("validate", "result.bad"),
    },
    "store_postgres": {"row": ("report", "result")},
    "store_mysql": {"row": ("report", "result")},
}


def write_transformation(complexity: str) -> WrittenWorkflow:
    """Build the transformation workflow of a complexity."""
    workflow = _empty_workflow(f"transformation_{complexity}")
    before = ""
    for name, stage in transformation.STAGES[complexity]:
        if before:
            workflow.add_node(name, function_node(name, stage, rows=list))
            workflow.connect(before, name, {"result": "rows"})
        else:
            workflow.add_node(name, function_node(name, stage, seed=int))
        before = name
    return WrittenWorkflow(
        workflow=workflow,
        ports={name: "result" for name, _ in transformation.STAGES[complexity]},
        inputs=lambda task: {"generate": {"seed": task.data_seed}},
    )


def write_analytics(
    complexity: str, servers: PooledServers, without: Collection[str]
) -> WrittenWorkflow:
    """Build the analytics workflow of a complexity over shared pools; they are not closed here."""
    nodes: Nodes = {
        "query": (servers.query, {"bucket": int}),
        "statistics": (analytics.statistics, {"rows": list}),
        "report": (analytics.report, {"summary": dict, **_SIGNATURE}),
        "cache": (servers.cache, {"key": str, "payload": str}),
        "store": (servers.store, {"row": dict}),
        "document": (
            partial(analytics.insert_document, servers.insert),
            {"summary": dict, **_SIGNATURE},
        ),
    }
    names = analytics.stages(complexity, without)

    def inputs(task: Task) -> dict[str, dict[str, Any]]:
        given: dict[str, dict[str, Any]] = {
            "query": {"bucket": task.bucket},
            "report": task.signature(),
            "cache": {"key": task.redis_key},
            "document": task.signature(),
        }
        return {name: given[name] for name in names if name in given}

    return _written(
        f"analytics_{complexity}", {name: nodes[name] for name in names}, _ANALYTICS, inputs
    )


def write_data_processing(
    complexity: str, servers: PooledServers, without: Collection[str]
) -> WrittenWorkflow:
    """Build the data-processing workflow of a complexity over shared pools."""
    nodes: Nodes = {
        "read": (data_processing.read, {"file_path": str}),
        "validate": (data_processing.validate, {"rows": list}),
        "transform": (data_processing.transform, {"rows": list}),
        "statistics": (analytics.statistics, {"rows": list}),
        "report": (
            data_processing.report,
            {"rows": list, "summary": dict, "bad": dict, **_SIGNATURE},
        ),
        "store_postgres": (servers.store, {"row": dict}),
        "store_mysql": (servers.store_mysql, {"row": dict}),
    }
    names = data_processing.stages(complexity, without)

    def inputs(task: Task) -> dict[str, dict[str, Any]]:
        given: dict[str, dict[str, Any]] = {"read": {"file_path": task.file_path}}
        if "report" in names:
            given["report"] = task.signature()
        return given

    wanted = {name: nodes[name] for name in names}
    return _written(f"data_processing_{complexity}", wanted, _DATA_PROCESSING, inputs)


def _written(
    name: str,
    nodes: Nodes,
    connections: dict[str, dict[str, tuple[str, str]]],
    inputs: Callable[[Task], dict[str, dict[str, Any]]],
) -> WrittenWorkflow:
    workflow = _empty_workflow(name)
    for node, (function, parameters) in nodes.items():
        workflow.add_node(node, function_node(node, function, **parameters))
        for parameter, (before, output) in connections.get(node, {}).items():
            workflow.connect(before, node, {output: parameter})
    return WrittenWorkflow(workflow=workflow, ports=dict.fromkeys(nodes, "result"), inputs=inputs)


def _empty_workflow(name: str) -> Workflow:
    """Make a workflow without the builder, which warns about every node that is an instance."""
    return Workflow(workflow_id=name, name=name)
