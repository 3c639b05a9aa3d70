"""How the nodes of a family run one after the other, in this process and without a runtime."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from typing import TYPE_CHECKING, Any, TypeVar

if TYPE_CHECKING:
    from perf_pipeline.workload.task import Task

Outputs = dict[str, Any]
"""Node name to its output, in the order in which they ran."""

Servers = TypeVar("Servers")

Stage = Callable[["Task", Servers, Outputs], Any]
"""Computes a node's output from the workflow's inputs, the servers, and the nodes before it."""


def remaining(
    names: Collection[str], optional: Mapping[str, str], without: Collection[str]
) -> tuple[str, ...]:
    """Return the names of the nodes that remain without some servers.

    Args:
        names: All nodes, in the order in which they run.
        optional: Server to the node that is left out where the server is unavailable.
        without: Unavailable servers; those that are not in ``optional`` do not matter.
    """
    left_out = {optional[server] for server in without if server in optional}
    return tuple(name for name in names if name not in left_out)


def run_in_order(
    names: Collection[str], stages: Mapping[str, Stage[Servers]], task: Task, servers: Servers
) -> Outputs:
    """Run the nodes with these names one after the other.

    Args:
        names: Which nodes, in the order in which they run.
        stages: What each node does.
        task: The workflow's inputs.
        servers: Handed to each node; their errors pass through.
    """
    outputs: Outputs = {}
    for name in names:
        outputs[name] = stages[name](task, servers, outputs)
    return outputs
