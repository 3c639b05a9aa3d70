"""Closed loop on one event loop: N tasks, each starts its next workflow when the last has ended.

In flight means handed to the target and not yet answered. A coroutine is handed over through the
event loop: the start is stamped, then the task waits once in the loop's ready queue, and only then
does the target's first line run. So N are in flight even if the target never suspends, all tasks
get their turn, and waiting for the loop is part of the service time, as waiting for the
interpreter lock is with threads. How many of the N are executing is sampled separately
(``task_waits.TaskSampler``).
"""

from __future__ import annotations

from asyncio import create_task, sleep
from typing import TYPE_CHECKING

from perf_pipeline.samples.record import COLD, ErrorClass
from perf_pipeline.samples.slots import GO_NS, SLOTS_ENDED, STOP_NS
from perf_pipeline.worker.closed_loop import (
    LONGEST_WAIT_S,
    THINK_STEP_S,
    WAIT_FOR_GO_S,
    lost_slot,
)

if TYPE_CHECKING:
    from array import array
    from asyncio import Task
    from collections.abc import Awaitable, Callable, Iterable, Iterator, Sequence

    from perf_pipeline.samples.slots import SlotFile
    from perf_pipeline.targets.target import AsyncSlot, AsyncTarget
    from perf_pipeline.worker.event_thread import EventThread
    from perf_pipeline.worker.ledger import Ledger


class AsyncLoop:
    """Plays one worker's share of a closed-loop plan, one task a slot.

    Attributes:
        problems: Why a slot did not play, one text a slot.
    """

    def __init__(
        self,
        *,
        target: AsyncTarget,
        events: EventThread,
        ledger: Ledger,
        slots: SlotFile,
        numbers: Iterator[int],
        ramp_ns: array[int],
        clock_ns: Callable[[], int],
        sleep: Callable[[float], Awaitable[None]],
        on_last_end: Callable[[], None],
        think_s: Sequence[Iterator[float]] = (),
    ) -> None:
        """Prepare; nothing is scheduled.

        Args:
            target: What executes the workflows; opened on the loop of ``events``.
            events: Runs the tasks.
            ledger: Stamps starts and records ends; with the same slots and clock.
            slots: Stamps of what is in flight, and when to go and to stop.
            numbers: This worker's workflow numbers, in order; shared by all slots.
            ramp_ns: When each slot starts, after the go.
            clock_ns: CLOCK_MONOTONIC.
            sleep: Suspends a task for some seconds.
            on_last_end: Called by the last slot as it ends.
            think_s: Think times of each slot, s; empty for none.
        """
        self._target = target
        self._events = events
        self._ledger = ledger
        self._slots = slots
        self._numbers = numbers
        self._ramp_ns = ramp_ns
        self._clock_ns = clock_ns
        self._sleep = sleep
        self._target_slots: dict[int, AsyncSlot] = {}
        self._tasks: list[Task[None]] = []
        self._on_last_end = on_last_end
        self._think_s = think_s
        self.problems: list[str] = []

    def start(self) -> None:
        """Open every slot; from the go on, each gets its task at its time in the ramp."""
        self._events.run(self._open_slots())
        self._events.begin(self._conduct())

    def alive(self) -> int:
        """Return how many slots have not ended."""
        return len(self._target_slots) - self._slots.words[SLOTS_ENDED]

    def in_flight(self, slot: int, now_ns: int) -> tuple[int, int, int, int]:
        """As ``Ledger.in_flight``."""
        return self._ledger.in_flight(slot, now_ns)

    async def execute(
        self, target_slot: AsyncSlot, slot: int, number: int, flags: int = 0, intended_ns: int = 0
    ) -> None:
        """As ``ClosedLoop.execute``."""
        ledger, clock_ns, kind = self._ledger, self._clock_ns, self._ledger.kind_of(number)
        error_class: ErrorClass | None = None
        start_ns = ledger.start(slot, number)
        try:
            await sleep(0)  # through the loop to the target
            await target_slot.execute(kind, number)
            end_ns = clock_ns()
        except BaseException as error:  # noqa: BLE001 a target may raise anything; it is counted by class
            end_ns = clock_ns()
            error_class = ledger.class_of(error)
        ledger.end(slot, number, start_ns, end_ns, error_class, flags, intended_ns)

    def cold_start(self, numbers: Iterable[int]) -> None:
        """Execute the first workflows of this process, one after the other, in slot 0."""

        async def play() -> None:
            target_slot = self._target.open_slot()
            for number in numbers:
                await self.execute(target_slot, 0, number, COLD)

        self._events.run(play())

    def close(self) -> None:
        """Close the target and end the event loop; every task has ended."""
        self._events.run(self._target.close())
        self._events.stop()

    async def _open_slots(self) -> None:
        for slot in range(self._slots.slots):
            try:
                self._target_slots[slot] = self._target.open_slot()
            except BaseException as error:  # noqa: BLE001 a slot that is lost is reported with its text
                self._lost(slot, "opened", error)

    async def _conduct(self) -> None:
        """Start each slot's task when its time has come: one task waits for all of them."""
        words = self._slots.words
        slots = sorted(self._target_slots, key=self._ramp_ns.__getitem__)
        try:
            while not words[GO_NS] and not self._stopped():
                await self._sleep(WAIT_FOR_GO_S)
            for slot in slots:
                begin_ns = words[GO_NS] + self._ramp_ns[slot]
                while (wait_ns := begin_ns - self._clock_ns()) > 0 and not self._stopped():
                    await self._sleep(min(wait_ns / 1e9, LONGEST_WAIT_S))
                self._tasks.append(create_task(self._play(slot)))
        except BaseException as error:  # noqa: BLE001 slots that never start are reported
            for slot in slots[len(self._tasks) :]:
                self._lost(slot, "started", error)
                self._end_slot()

    async def _play(self, slot: int) -> None:
        target_slot = self._target_slots[slot]
        try:
            await self._play_slot(target_slot, slot)
        except BaseException as error:  # noqa: BLE001 a slot that is lost is reported with its text
            self._lost(slot, "played on", error)
        self._end_slot()

    def _end_slot(self) -> None:
        self._slots.words[SLOTS_ENDED] += 1
        if not AsyncLoop.alive(self):
            self._on_last_end()

    async def _play_slot(self, target_slot: AsyncSlot, slot: int) -> None:
        draws_s = self._think_s[slot] if self._think_s else None
        while not self._stopped():
            await self.execute(target_slot, slot, next(self._numbers))
            if draws_s is not None:
                due_ns = self._clock_ns() + int(next(draws_s) * 1e9)
                while (wait_ns := due_ns - self._clock_ns()) > 0 and not self._stopped():
                    await self._sleep(min(wait_ns / 1e9, THINK_STEP_S))

    def _stopped(self) -> bool:
        return self._clock_ns() >= self._slots.words[STOP_NS]

    def _lost(self, slot: int, doing: str, error: BaseException) -> None:
        self.problems.append(lost_slot(slot, doing, error))
