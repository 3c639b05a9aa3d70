"""Workflows that do nothing: their times are those of the load generator.

Imported in the target's process: standard library only.
"""

from __future__ import annotations


def work(number: int) -> None:
    """Do nothing."""


async def work_async(number: int) -> None:
    """Do nothing, as a coroutine."""
