"""Open loop on one event loop; see ``open_loop``. A slot is a task.

An event loop's timers are those of epoll, which counts in milliseconds: a start is up to 1 ms
late, with the control target as well.
"""

from __future__ import annotations

from asyncio import Semaphore
from typing import TYPE_CHECKING

from perf_pipeline.samples.slots import GO_NS, STOP_NS
from perf_pipeline.worker.async_loop import AsyncLoop
from perf_pipeline.worker.closed_loop import LONGEST_WAIT_S
from perf_pipeline.worker.open_loop import TURNS

if TYPE_CHECKING:
    from perf_pipeline.targets.target import AsyncSlot
    from perf_pipeline.worker.arrival_share import ArrivalShare


class AsyncOpenLoop(AsyncLoop):
    """Plays one worker's share of an open-loop plan; the slots are those of a closed loop."""

    def schedule(self, share: ArrivalShare) -> None:
        """Set the schedule; called before ``start``."""
        self._share = share
        self._turns = Semaphore(TURNS)

    def alive(self) -> int:
        """Return how many slots have not ended; one that has no more to play waits for the stop."""
        waiting = self._slots.slots - len(self.problems) if not self._stopped() else 0
        return max(super().alive(), waiting)

    async def _play_slot(self, target_slot: AsyncSlot, slot: int) -> None:
        go_ns, timeout_ns = self._slots.words[GO_NS], self._share.start_timeout_ns
        while (taken := await self._take(go_ns)) is not None:
            number, intended_ns, waited_ns = taken
            if waited_ns > timeout_ns:
                self._ledger.drop(slot, number, intended_ns)
            else:
                await self.execute(target_slot, slot, number, intended_ns=intended_ns)

    async def _take(self, go_ns: int) -> tuple[int, int, int] | None:
        """As ``OpenLoop._take``."""
        share = self._share
        async with self._turns:
            number = next(self._numbers)
            if number >= share.scheduled:
                return None
            intended_ns = go_ns + share.intended_ns[number]
            while (wait_ns := intended_ns - self._clock_ns()) > 0 and not self._is_cut(go_ns):
                await self._sleep(min(wait_ns / 1e9, LONGEST_WAIT_S))
            return None if self._is_cut(go_ns) else (number, intended_ns, -wait_ns)

    def _is_cut(self, go_ns: int) -> bool:
        return self._share.is_cut_at(self._slots.words[STOP_NS] - go_ns) and self._stopped()
