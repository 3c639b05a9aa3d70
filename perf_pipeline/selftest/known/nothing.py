"""A target that does nothing: what remains is the generator's own cost."""

from __future__ import annotations


def nothing(_number: int) -> None:
    """Execute a workflow that does nothing."""
