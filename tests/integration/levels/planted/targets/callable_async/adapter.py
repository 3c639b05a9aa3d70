"""A runtime that executes two workflows at once and queues the others; each waits for 10 ms."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Self

from perf_pipeline.targets.classification import classify

if TYPE_CHECKING:
    from perf_pipeline.targets.target import Job

__all__ = ["classify", "open_target"]

AT_ONCE = 2


async def open_target(_job: Job) -> Gated:
    """Make the runtime on the event loop."""
    return Gated()


class Gated:
    """Is its own slot."""

    at_once = AT_ONCE

    def __init__(self) -> None:
        self._gate = asyncio.Semaphore(AT_ONCE)
        self._executing = 0

    def open_slot(self) -> Self:
        """Return the runtime itself."""
        return self

    async def execute(self, _kind: int, _number: int) -> None:
        """Wait for one of the two places, then for something that takes 10 ms."""
        async with self._gate:
            self._executing += 1
            await asyncio.sleep(0.01)
            self._executing -= 1

    def executing(self) -> int:
        """Return how many have a place."""
        return self._executing

    async def close(self) -> None:
        """Do nothing."""
