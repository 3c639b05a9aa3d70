"""Workflows that do nothing: what is left of a level's times is the generator's own.

Imported in the target's process: standard library only.
"""

from __future__ import annotations


def work(number: int) -> None:
    """Do nothing."""


async def work_async(number: int) -> None:
    """Do nothing, as a coroutine."""
