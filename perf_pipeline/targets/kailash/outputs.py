"""What kailash returned, as node name to output."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from perf_pipeline.targets.target import WrongResultError

if TYPE_CHECKING:
    from collections.abc import Mapping


def read_outputs(
    results: Mapping[str, Mapping[str, Any]], ports: Mapping[str, str]
) -> dict[str, Any]:
    """Take each node's output from what ``LocalRuntime.execute`` returned.

    A node without successors that fails raises nothing in LocalRuntime: its error is in the
    results, and is raised here.

    Args:
        results: Node name to its output dictionary.
        ports: Node name to the key that holds its output.

    Returns:
        Node name to its output; nodes that did not run are absent.

    Raises:
        WrongResultError: A node failed without an exception, or reports that it did not succeed.
        Exception: What a failed node raised.
    """
    outputs = {}
    for node, port in ports.items():
        result = results.get(node)
        if result is None:
            continue
        if result.get("failed"):
            error = result.get("_exception")
            if isinstance(error, Exception):
                raise error
            raise WrongResultError(f"node {node}: failed: {result.get('error')}")
        if result.get("success") is False:
            raise WrongResultError(f"node {node}: no success: {result.get('error')}")
        if port in result:
            outputs[node] = result[port]
    return outputs
