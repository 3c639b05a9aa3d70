"""The families as lean nodes: custom Node classes that call the plain functions.

A PythonCodeNode costs milliseconds, a custom node microseconds: with both, the report can tell
what the runtime costs from what its code nodes cost.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar

from kailash.nodes.base import Node, NodeParameter
from kailash.workflow.graph import Workflow

from perf_pipeline.targets.kailash.written import WrittenWorkflow
from perf_pipeline.workload import analytics, transformation

if TYPE_CHECKING:
    from collections.abc import Callable

    from perf_pipeline.targets.pools import PooledStores
    from perf_pipeline.workload.task import Task


class FunctionNode(Node):  # type: ignore[misc] # kailash's Node has no types
    """A node that calls one plain function; made by ``_node``."""

    parameters: ClassVar[dict[str, type]] = {}
    function: ClassVar[Callable[..., Any]]

    def get_parameters(self) -> dict[str, NodeParameter]:
        """Declare the arguments, in the function's order; all come when the node runs."""
        return {
            name: NodeParameter(name=name, type=kind, required=False)
            for name, kind in self.parameters.items()
        }

    def run(self, **arguments: Any) -> dict[str, Any]:
        """Call the function with what the node was given."""
        return {"result": self.function(*(arguments[name] for name in self.parameters))}


def _node(name: str, function: Callable[..., Any], **parameters: type) -> Node:
    node_class = type(
        f"{name.capitalize()}Node",
        (FunctionNode,),
        {"function": staticmethod(function), "parameters": parameters},
    )
    return node_class()


def write_transformation(complexity: str) -> WrittenWorkflow:
    """Build the transformation workflow of a complexity."""
    workflow = _empty_workflow(f"transformation_{complexity}")
    before = ""
    for name, stage in transformation.STAGES[complexity]:
        if before:
            workflow.add_node(name, _node(name, stage, rows=list))
            workflow.connect(before, name, {"result": "rows"})
        else:
            workflow.add_node(name, _node(name, stage, seed=int))
        before = name
    return WrittenWorkflow(
        workflow=workflow,
        ports={name: "result" for name, _ in transformation.STAGES[complexity]},
        inputs=lambda task: {"generate": {"seed": task.data_seed}},
    )


def write_analytics(complexity: str, stores: PooledStores) -> WrittenWorkflow:
    """Build the analytics workflow of a complexity over shared pools; they are not closed here."""
    names = analytics.STAGES[complexity]
    workflow = _empty_workflow(f"analytics_{complexity}")
    workflow.add_node("query", _node("query", stores.query, bucket=int))
    workflow.add_node("statistics", _node("statistics", analytics.statistics, rows=list))
    workflow.connect("query", "statistics", {"result": "rows"})
    if "report" in names:
        report = _node("report", analytics.report, summary=dict, run_id=str, level=int, number=int)
        workflow.add_node("report", report)
        workflow.connect("statistics", "report", {"result": "summary"})
    if "cache" in names:
        workflow.add_node("cache", _node("cache", stores.cache, key=str, payload=str))
        workflow.connect("report", "cache", {"result.payload": "payload"})
    if "store" in names:
        workflow.add_node("store", _node("store", stores.store, row=dict))
        workflow.connect("report", "store", {"result.row": "row"})
    return WrittenWorkflow(
        workflow=workflow,
        ports=dict.fromkeys(names, "result"),
        inputs=_analytics_inputs if "report" in names else _query_inputs,
    )


def _empty_workflow(name: str) -> Workflow:
    """Make a workflow without the builder, which warns about every node that is an instance."""
    return Workflow(workflow_id=name, name=name)


def _query_inputs(task: Task) -> dict[str, dict[str, Any]]:
    return {"query": {"bucket": task.bucket}}


def _analytics_inputs(task: Task) -> dict[str, dict[str, Any]]:
    return {
        "query": {"bucket": task.bucket},
        "report": {"run_id": task.run_id, "level": task.level, "number": task.number},
        "cache": {"key": task.redis_key},
    }
