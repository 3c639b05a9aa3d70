"""Counts the nodes that kailash executes in this process, for whoever looks from outside.

Imported in the target's environment, before the target, by a ``sitecustomize`` on the path of the
process. A count of nodes moves with the work that is done; a count of workflows needs several
turnovers before it does, because a workflow counts only once it has ended.
"""

from __future__ import annotations

import itertools
import mmap
import os
from pathlib import Path
from typing import TYPE_CHECKING, Any

from kailash.nodes.base import Node

if TYPE_CHECKING:
    from collections.abc import Callable


def count_nodes() -> None:
    """Count every execution of a node from now on, in the file ``nodes`` of HOME (one int64)."""
    path = Path(os.environ["HOME"]) / "nodes"
    path.write_bytes(bytes(8))
    with path.open("r+b") as file:
        words = memoryview(mmap.mmap(file.fileno(), 8)).cast("q")
    execute: Callable[..., Any] = Node.execute
    numbers = itertools.count(1)

    def counted(node: Node, **inputs: Any) -> Any:
        outputs = execute(node, **inputs)
        words[0] = next(numbers)  # out of order by a switch of threads: too few for a moment
        return outputs

    Node.execute = counted
