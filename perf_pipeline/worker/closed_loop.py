"""Closed loop: every slot starts its next workflow as soon as the last one has been answered."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING

from perf_pipeline.samples.record import ErrorClass, Outcome, cold_kind
from perf_pipeline.samples.slots import GO_NS, NUMBER, START_NS, STARTED, STOP_NS, SlotFile

if TYPE_CHECKING:
    from array import array
    from collections.abc import Callable, Iterator

    from perf_pipeline.targets.target import Slot, Target
    from perf_pipeline.worker.recorder import Recorder

WAIT_FOR_GO_S = 0.05
"""The go is announced 0.2 s ahead. At 2 ms, 500 waiting threads took a whole core from the cold
starts of the other workers; so they take a tenth of one."""


class ClosedLoop:
    """Plays one worker's share of a closed-loop plan, one thread a slot.

    Attributes:
        problems: What kept a slot from playing, one text a slot.
    """

    def __init__(
        self,
        *,
        target: Target,
        classify: Callable[[BaseException], ErrorClass],
        recorder: Recorder,
        slots: SlotFile,
        numbers: Iterator[int],
        kinds: array[int],
        kind_count: int,
        ramp_ns: array[int],
        deadline_ns: int,
        clock_ns: Callable[[], int],
        sleep: Callable[[float], None],
        threads: list[int],
    ) -> None:
        """Prepare the threads.

        Args:
            target: What executes the workflows.
            classify: Gives an exception its error class.
            recorder: Takes the records.
            slots: Stamps of what is in flight, and when to go and to stop.
            numbers: This worker's workflow numbers, in order; shared by all slots.
            kinds: Kind of workflow ``n`` is ``kinds[n % len(kinds)]``.
            kind_count: Number of kinds.
            ramp_ns: When each slot starts, after the go.
            deadline_ns: What takes longer is a timeout, even if an answer comes.
            clock_ns: CLOCK_MONOTONIC.
            sleep: Sleeps for some seconds.
            threads: Filled with the identifiers of the slots' threads.
        """
        self._target = target
        self._classify = classify
        self._recorder = recorder
        self._slots = slots
        self._numbers = numbers
        self._kinds = kinds
        self._kind_count = kind_count
        self._ramp_ns = ramp_ns
        self._deadline_ns = deadline_ns
        self._clock_ns = clock_ns
        self._sleep = sleep
        self._threads: list[threading.Thread] = []
        self._idents = threads
        self.problems: list[str] = []

    def start(self) -> None:
        """Start every slot's thread; each waits for the go.

        All are started before any workflow runs: a code node of kailash limits the address
        space of the process while it runs, and a new thread would not fit (reference: kailash).

        Raises:
            RuntimeError: This machine does not hold so many threads; the text says how many.
        """
        for slot in range(self._slots.slots):
            thread = threading.Thread(
                target=self._play, args=(slot,), name=f"slot-{slot}", daemon=True
            )
            try:
                thread.start()
            except RuntimeError as error:
                raise RuntimeError(
                    f"only {slot} of {self._slots.slots} threads could be started ({error}): "
                    "the limit on processes (ulimit -u) or memory is reached; lower concurrency"
                ) from error
            self._threads.append(thread)
            self._idents.append(thread.ident or 0)

    def alive(self) -> int:
        """Return how many slots have not ended."""
        return sum(thread.is_alive() for thread in self._threads)

    def kind_of(self, number: int) -> int:
        """Return the index of the kind of workflow ``number``."""
        if number < 0:
            return cold_kind(number, self._kind_count)
        return self._kinds[number % len(self._kinds)]

    def in_flight(self, slot: int, now_ns: int) -> tuple[int, int, int, int]:
        """Describe the workflow in flight in ``slot``: number, kind, start, outcome if cut now."""
        base = SlotFile.base(slot)
        number, start_ns = self._slots.words[base + NUMBER], self._slots.words[base + START_NS]
        late = now_ns - start_ns > self._deadline_ns
        return (
            number,
            self.kind_of(number),
            start_ns,
            Outcome.TIMEOUT if late else Outcome.ABANDONED,
        )

    def execute(self, target_slot: Slot, slot: int, number: int, flags: int = 0) -> None:
        """Execute one workflow and record it, whatever becomes of it."""
        words, clock_ns, kind = self._slots.words, self._clock_ns, self.kind_of(number)
        base = SlotFile.base(slot)
        words[base + NUMBER] = number
        start_ns = clock_ns()
        words[base + START_NS] = start_ns
        words[base + STARTED] += 1
        error_class = ErrorClass.NONE
        outcome = Outcome.OK
        try:
            target_slot.execute(kind, number)
            end_ns = clock_ns()
        except BaseException as error:  # noqa: BLE001 a target may raise anything; it is counted by class
            end_ns = clock_ns()
            outcome, error_class = Outcome.ERROR, self._class_of(error)
        if end_ns - start_ns > self._deadline_ns:
            outcome, error_class = Outcome.TIMEOUT, ErrorClass.NONE
        self._recorder.record(number, kind, slot, start_ns, end_ns, outcome, error_class, flags)

    def _class_of(self, error: BaseException) -> ErrorClass:
        """Classify an error and keep its text; one that cannot even be read is ``OTHER``."""
        name = type(error).__name__
        try:
            error_class, text = self._classify(error), f"{name}: {error}"
        except Exception as unreadable:  # noqa: BLE001 the texts of exceptions run the target's code
            error_class = ErrorClass.OTHER
            text = f"{name}, which cannot be read: {type(unreadable).__name__}"
        self._recorder.error_example(error_class, text)
        return error_class

    def _play(self, slot: int) -> None:
        doing = "opened"
        try:
            target_slot = self._target.open_slot()
            doing = "played on"
            self._play_slot(target_slot, slot)
        except BaseException as error:  # noqa: BLE001 a slot that is lost is reported with its text
            self.problems.append(
                f"slot {slot} could not be {doing}: {type(error).__name__}: {error}"
            )

    def _play_slot(self, target_slot: Slot, slot: int) -> None:
        words = self._slots.words
        while not words[GO_NS] and self._clock_ns() < words[STOP_NS]:
            self._sleep(WAIT_FOR_GO_S)
        begin_ns = words[GO_NS] + self._ramp_ns[slot]
        while (wait_ns := begin_ns - self._clock_ns()) > 0 and self._clock_ns() < words[STOP_NS]:
            self._sleep(min(wait_ns / 1e9, 0.2))
        while self._clock_ns() < words[STOP_NS]:
            self.execute(target_slot, slot, next(self._numbers))
