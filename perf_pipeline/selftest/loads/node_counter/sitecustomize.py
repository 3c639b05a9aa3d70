"""Counts the nodes that kailash executes in every worker that has this folder on its path.

Python imports it when it starts. A count of nodes moves with the work that is done; a count of
workflows needs several turnovers before it does, because a workflow counts only once it has ended.
The count is in the file ``nodes`` of HOME, one int64.
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

path = Path(os.environ["HOME"]) / "nodes"
path.write_bytes(bytes(8))
with path.open("r+b") as file:
    words = memoryview(mmap.mmap(file.fileno(), 8)).cast("q")
execute: Callable[..., Any] = Node.execute
numbers = itertools.count(1)


def counted(node: Node, **inputs: Any) -> Any:
    """Execute a node and count it; two threads that store in the wrong order are soon corrected."""
    outputs = execute(node, **inputs)
    words[0] = next(numbers)
    return outputs


Node.execute = counted
