"""One hour of a campaign on one event loop; see ``hour_loop``. A slot is a task of the hour.

Asynchronous targets are their own slots, so an hour has tasks of its own and shares the target.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from perf_pipeline.worker.async_loop import AsyncLoop
from perf_pipeline.worker.async_open_loop import AsyncOpenLoop

if TYPE_CHECKING:
    from perf_pipeline.targets.target import AsyncSlot


class NumberedTask:
    """As ``NumberedSlot``, awaited."""

    def __init__(self, slot: AsyncSlot, first: int) -> None:
        """Add ``first`` to the number of each workflow."""
        self._execute = slot.execute
        self._first = first

    async def execute(self, kind: int, number: int) -> None:
        """As ``AsyncSlot.execute``."""
        await self._execute(kind, self._first + number)


class HourTasks(AsyncOpenLoop):
    """An open loop on an event loop that outlives it.

    Attributes:
        closed: Its last record is being committed: nothing more starts.
        first: Number in the campaign of its first workflow.
    """

    closed = False
    first = 0

    async def _play_slot(self, target_slot: AsyncSlot, slot: int) -> None:
        await super()._play_slot(NumberedTask(target_slot, self.first), slot)

    def _is_cut(self, go_ns: int) -> bool:
        return self.closed or super()._is_cut(go_ns)


class LastingTasks(AsyncLoop):
    """The target of a lasting worker on its event loop: cold starts, and its end."""

    def start(self) -> None:
        """Do nothing: each hour starts its own tasks."""

    def alive(self) -> int:
        """Return 0: no slot is played outside of an hour."""
        return 0
