"""A kailash node around one plain function, as cheap as a node can be.

It is how users of kailash talk to what kailash has no node for.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar

from kailash.nodes.base import Node, NodeParameter

if TYPE_CHECKING:
    from collections.abc import Callable


class FunctionNode(Node):  # type: ignore[misc] # kailash's Node has no types
    """A node that calls one plain function; made by ``function_node``."""

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


def function_node(name: str, function: Callable[..., Any], **parameters: type) -> Node:
    """Make a node whose inputs are the function's arguments, and whose output is ``result``.

    Args:
        name: Names the node's class.
        function: What it calls, with its inputs in the order of ``parameters``.
        **parameters: Each input and its type.
    """
    node_class = type(
        f"{name.title().replace('_', '')}Node",
        (FunctionNode,),
        {"function": staticmethod(function), "parameters": parameters},
    )
    return node_class()
