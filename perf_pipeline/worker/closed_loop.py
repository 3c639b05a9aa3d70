"""Closed loop: every slot starts its next workflow when the last one has been answered.

At once, or after a think time: then a slot is a user, who is in flight or thinking.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from perf_pipeline.samples.record import COLD, ErrorClass
from perf_pipeline.samples.slots import GO_NS, SLOTS_ENDED, STOP_NS
from perf_pipeline.worker.own_time import new_lock, start_thread

if TYPE_CHECKING:
    from array import array
    from collections.abc import Callable, Iterable, Iterator, Sequence

    from perf_pipeline.samples.slots import SlotFile
    from perf_pipeline.targets.target import Slot, Target
    from perf_pipeline.worker.ledger import Ledger

WAIT_FOR_GO_S = 0.01
"""The go is announced 0.03 s ahead; one thread looks for it."""

THINK_STEP_S = 0.5
"""A thinking slot notices a stop after this long at the latest: a wake-up a second costs less."""

LONGEST_WAIT_S = 0.2
"""A sleeping slot notices a stop of the level after this long at the latest."""


class ClosedLoop:
    """Plays one worker's share of a closed-loop plan, one thread a slot.

    Attributes:
        problems: Why a slot did not play, one text a slot.
    """

    def __init__(
        self,
        *,
        target: Target,
        ledger: Ledger,
        slots: SlotFile,
        numbers: Iterator[int],
        ramp_ns: array[int],
        clock_ns: Callable[[], int],
        sleep: Callable[[float], None],
        threads: list[int],
        on_last_end: Callable[[], None],
        think_s: Sequence[Iterator[float]] = (),
    ) -> None:
        """Prepare the threads.

        Args:
            target: What executes the workflows.
            ledger: Stamps starts and records ends; with the same slots and clock.
            slots: Stamps of what is in flight, and when to go and to stop.
            numbers: This worker's workflow numbers, in order; shared by all slots.
            ramp_ns: When each slot starts, after the go.
            clock_ns: CLOCK_MONOTONIC.
            sleep: Sleeps for some seconds.
            threads: Filled with the identifiers of the slots' threads.
            on_last_end: Called by the last slot as it ends.
            think_s: Think times of each slot, s; empty for none.
        """
        self._target = target
        self._ledger = ledger
        self._slots = slots
        self._numbers = numbers
        self._ramp_ns = ramp_ns
        self._clock_ns = clock_ns
        self._sleep = sleep
        self._threads = threads
        self._on_last_end = on_last_end
        self._think_s = think_s
        self._looking_for_go = new_lock()
        self._ending = new_lock()
        self.problems: list[str] = []

    def start(self) -> None:
        """Start every slot's thread; each waits for the go.

        All are started before any workflow runs: a code node of kailash limits the address
        space of the process while it runs, and a new thread would not fit.

        Raises:
            RuntimeError: This machine cannot run so many threads; the text names the number.
        """
        for slot in range(self._slots.slots):
            try:
                self._threads.append(start_thread(self._play, (slot,)))
            except (RuntimeError, MemoryError) as error:
                reason = str(error) or type(error).__name__
                raise RuntimeError(
                    f"only {slot} of {self._slots.slots} threads could be started ({reason}): the "
                    "limit on threads (ulimit -u, pids.max), on address space (ulimit -v, with "
                    "ulimit -s for each) or on memory is reached; lower concurrency, or see "
                    "perf-pipeline doctor"
                ) from error

    def alive(self) -> int:
        """Return how many slots have not ended."""
        return len(self._threads) - self._slots.words[SLOTS_ENDED]

    def in_flight(self, slot: int, now_ns: int) -> tuple[int, int, int, int]:
        """As ``Ledger.in_flight``."""
        return self._ledger.in_flight(slot, now_ns)

    def execute(
        self, target_slot: Slot, slot: int, number: int, flags: int = 0, intended_ns: int = 0
    ) -> None:
        """Execute one workflow and record its outcome.

        ``intended_ns`` is when it should have started; 0 when nothing was intended.
        """
        ledger, clock_ns, kind = self._ledger, self._clock_ns, self._ledger.kind_of(number)
        error_class: ErrorClass | None = None
        start_ns = ledger.start(slot, number)
        try:
            target_slot.execute(kind, number)
            end_ns = clock_ns()
        except BaseException as error:  # noqa: BLE001 a target may raise anything; it is counted by class
            end_ns = clock_ns()
            error_class = ledger.class_of(error)
        ledger.end(slot, number, start_ns, end_ns, error_class, flags, intended_ns)

    def cold_start(self, numbers: Iterable[int]) -> None:
        """Execute the first workflows of this process, one after the other, in slot 0."""
        target_slot = self._target.open_slot()
        for number in numbers:
            self.execute(target_slot, 0, number, COLD)

    def close(self) -> None:
        """Close the target; every thread has ended."""
        self._target.close()

    def _play(self, slot: int) -> None:
        doing = "opened"
        try:
            target_slot = self._target.open_slot()
            doing = "played on"
            self._play_slot(target_slot, slot)
        except BaseException as error:  # noqa: BLE001 a slot that is lost is reported with its text
            self.problems.append(lost_slot(slot, doing, error))
        with self._ending:
            self._slots.words[SLOTS_ENDED] += 1
        if ClosedLoop.alive(self) <= 0:  # below, while the last thread is not in the list yet
            self._on_last_end()

    def _wait_for_go(self) -> None:
        """Return after the go or the stop: one thread looks for it, the others wait for that one.

        If 500 threads looked, they would take time from the cold starts of the other workers.
        """
        words = self._slots.words
        with self._looking_for_go:
            while not words[GO_NS] and not self._stopped():
                self._sleep(WAIT_FOR_GO_S)

    def _stopped(self) -> bool:
        return self._clock_ns() >= self._slots.words[STOP_NS]

    def _play_slot(self, target_slot: Slot, slot: int) -> None:
        self._wait_for_go()
        begin_ns = self._slots.words[GO_NS] + self._ramp_ns[slot]
        while (wait_ns := begin_ns - self._clock_ns()) > 0 and not self._stopped():
            self._sleep(min(wait_ns / 1e9, LONGEST_WAIT_S))
        if not self._think_s:
            self._ledger.play(slot, target_slot.execute, self._numbers)
            return
        for think_s in self._think_s[slot]:
            if self._stopped():
                return
            self.execute(target_slot, slot, next(self._numbers))
            due_ns = self._clock_ns() + int(think_s * 1e9)
            while (wait_ns := due_ns - self._clock_ns()) > 0 and not self._stopped():
                self._sleep(min(wait_ns / 1e9, THINK_STEP_S))


def lost_slot(slot: int, doing: str, error: BaseException) -> str:
    """Return the text for a slot that could not be opened, started or played on."""
    return f"slot {slot} could not be {doing}: {type(error).__name__}: {error}"
