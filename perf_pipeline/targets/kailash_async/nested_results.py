"""Workflows as AsyncLocalRuntime can connect them.

A connection from a node's output ``result`` gives the node behind the value under that key in
LocalRuntime, and the node's whole output, ``{"result": ...}``, in AsyncLocalRuntime (2.65.0,
``_prepare_sync_node_inputs``). A path such as ``result.value`` means the same in both. So every
node that is connected by its ``result`` alone gives it one level deeper here; the nodes, their
order and what they are given stay the same.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from kailash.nodes.code import PythonCodeNode

from perf_pipeline.targets.kailash.function_node import FunctionNode
from perf_pipeline.targets.target import WrongResultError

if TYPE_CHECKING:
    from collections.abc import Callable, Collection

    from kailash.workflow.graph import Workflow

RESULT = "result"
VALUE = "value"

_NEST = f"\n{RESULT} = {{{VALUE!r}: {RESULT}}}\n"


def nest_results(workflow: Workflow) -> frozenset[str]:
    """Change a workflow so that AsyncLocalRuntime gives each node what LocalRuntime does.

    Args:
        workflow: As written for LocalRuntime; changed in place, once.

    Returns:
        The nodes whose ``result`` is now ``{"value": ...}``.

    Raises:
        TypeError: Such a node is of a type that this does not know how to change.
    """
    graph = workflow.graph
    edges = list(graph.edges(data=True))
    nested = frozenset(before for before, _, edge in edges if RESULT in edge["mapping"])
    for name in nested:
        _nest(workflow.get_node(name))
    for before, after, edge in edges:
        if before in nested:
            mapping = {_deeper(path): given for path, given in edge["mapping"].items()}
            graph.add_edge(before, after, **edge | {"mapping": mapping})
    return nested


def unnest(outputs: dict[str, Any], nested: Collection[str]) -> dict[str, Any]:
    """Take the values out of the nested results.

    Raises:
        WrongResultError: A nested result has no value.
    """
    for name in nested:
        if name in outputs:
            try:
                outputs[name] = outputs[name][VALUE]
            except (TypeError, KeyError) as error:
                raise WrongResultError(f"node {name}: got {outputs[name]!r:.160}") from error
    return outputs


def _deeper(path: str) -> str:
    head, separator, rest = path.partition(".")
    return f"{head}.{VALUE}{separator}{rest}" if head == RESULT else path


def _nest(node: object) -> None:
    if isinstance(node, PythonCodeNode):
        node.code += _NEST
    elif isinstance(node, FunctionNode):
        type(node).function = staticmethod(_nesting(type(node).function))
    else:
        raise TypeError(
            f"{type(node).__name__}: AsyncLocalRuntime gives the node behind it its whole output; "
            f"connect it by a path below {RESULT!r}"
        )


def _nesting(function: Callable[..., Any]) -> Callable[..., dict[str, Any]]:
    return lambda *arguments: {VALUE: function(*arguments)}
