"""Closed loop with stages on one event loop; see ``staged_loop``. A slot is a task."""

from __future__ import annotations

from asyncio import Event, create_task
from typing import TYPE_CHECKING

from perf_pipeline.samples.slots import ALLOWED
from perf_pipeline.worker.async_loop import AsyncLoop
from perf_pipeline.worker.closed_loop import THINK_STEP_S
from perf_pipeline.worker.stages.staged_loop import LOOK_EVERY_S

if TYPE_CHECKING:
    from perf_pipeline.targets.target import AsyncSlot


class AsyncStagedLoop(AsyncLoop):
    """Plays one worker's share of the stages of a closed load."""

    async def _conduct(self) -> None:
        self._waiting: dict[int, Event] = {}
        self._gatekeeper = create_task(self._open_gates())
        await super()._conduct()

    async def _open_gates(self) -> None:
        """Release the slots that are allowed, until the stop; then all of them."""
        while not self._stopped():
            self._open(self._slots.words[ALLOWED])
            await self._sleep(LOOK_EVERY_S)
        self._open(self._slots.slots)

    def _open(self, allowed: int) -> None:
        for slot in [slot for slot in self._waiting if slot < allowed]:
            self._waiting.pop(slot).set()

    async def _play_slot(self, target_slot: AsyncSlot, slot: int) -> None:
        words = self._slots.words
        draws_s = self._think_s[slot] if self._think_s else None
        while not self._stopped():
            if slot >= words[ALLOWED]:
                self._waiting[slot] = gate = Event()
                await gate.wait()
                continue
            await self.execute(target_slot, slot, next(self._numbers))
            if draws_s is None:
                continue
            due_ns = self._clock_ns() + int(next(draws_s) * 1e9)
            while (wait_ns := due_ns - self._clock_ns()) > 0 and not self._stopped():
                await self._sleep(min(wait_ns / 1e9, THINK_STEP_S))
