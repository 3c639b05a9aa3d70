"""Stamps the start of every workflow and records its end, for threads and tasks alike."""

from __future__ import annotations

from typing import TYPE_CHECKING

from perf_pipeline.samples.record import NOT_STARTED, ErrorClass, Outcome, cold_kind, record_word
from perf_pipeline.samples.slots import ENDED, NUMBER, START_NS, STARTED, STOP_NS, SlotFile
from perf_pipeline.targets.missing_variable import how_to_set

if TYPE_CHECKING:
    from array import array
    from collections.abc import Callable, Iterator

    from perf_pipeline.worker.recorder import Recorder


class Ledger:
    """Stamps the start of a workflow into its slot, and records its end.

    Takes no lock: a slot is used by one thread or task alone.
    """

    def __init__(
        self,
        *,
        classify: Callable[[BaseException], ErrorClass],
        recorder: Recorder,
        slots: SlotFile,
        kinds: array[int],
        kind_count: int,
        deadline_ns: int,
        clock_ns: Callable[[], int],
    ) -> None:
        """Prepare for one worker process.

        Args:
            classify: Gives an exception its error class.
            recorder: Stores the records.
            slots: Stamps of what is in flight.
            kinds: Kind of workflow ``n`` is ``kinds[n % len(kinds)]``.
            kind_count: Number of kinds.
            deadline_ns: A workflow that takes longer is a timeout, even if it is answered later.
            clock_ns: CLOCK_MONOTONIC.
        """
        self._classify = classify
        self._recorder = recorder
        self._words = slots.words
        self._kinds = kinds
        self._kind_count = kind_count
        self._deadline_ns = deadline_ns
        self._clock_ns = clock_ns

    def kind_of(self, number: int) -> int:
        """Return the index of the kind of workflow ``number``."""
        if number < 0:
            return cold_kind(number, self._kind_count)
        return self._kinds[number % len(self._kinds)]

    def in_flight(self, slot: int, now_ns: int) -> tuple[int, int, int, int]:
        """Describe the workflow in flight in ``slot``, as it is recorded if it is cut short now.

        Returns:
            Its number, kind, start (CLOCK_MONOTONIC ns) and outcome.
        """
        base = SlotFile.base(slot)
        number, start_ns = self._words[base + NUMBER], self._words[base + START_NS]
        late = now_ns - start_ns > self._deadline_ns
        return (
            number,
            self.kind_of(number),
            start_ns,
            Outcome.TIMEOUT if late else Outcome.ABANDONED,
        )

    def start(self, slot: int, number: int) -> int:
        """Stamp that workflow ``number`` is in flight in ``slot`` from now on.

        Returns:
            Its start, CLOCK_MONOTONIC ns.
        """
        words, base = self._words, SlotFile.base(slot)
        words[base + NUMBER] = number
        start_ns = self._clock_ns()
        words[base + START_NS] = start_ns
        words[base + STARTED] += 1
        return start_ns

    def end(
        self,
        slot: int,
        number: int,
        start_ns: int,
        end_ns: int,
        error_class: ErrorClass | None,
        flags: int,
        intended_ns: int = 0,
    ) -> None:
        """Record that workflow ``number`` ended; ``error_class`` is None when it raised nothing."""
        outcome = Outcome.OK if error_class is None else Outcome.ERROR
        if end_ns - start_ns > self._deadline_ns:
            outcome, error_class = Outcome.TIMEOUT, None
        self._recorder.record(
            number,
            self.kind_of(number),
            slot,
            start_ns,
            end_ns,
            outcome,
            error_class or ErrorClass.NONE,
            flags,
            intended_ns=intended_ns,
        )

    def drop(self, slot: int, number: int, intended_ns: int) -> None:
        """Record that workflow ``number`` waited too long for ``slot`` and is not started.

        It counts as one that was started and ended at once, so that what is in flight is right.
        """
        now_ns = self.start(slot, number)
        self._recorder.record(
            number,
            self.kind_of(number),
            slot,
            now_ns,
            now_ns,
            Outcome.DROPPED,
            ErrorClass.NONE,
            NOT_STARTED,
            intended_ns=intended_ns,
        )

    def play(self, slot: int, execute: Callable[[int, int], None], numbers: Iterator[int]) -> None:
        """Execute one workflow after the other in ``slot`` until the stop, in a closed loop.

        Does what ``start`` and ``end`` do, inlined: calling them for each workflow costs more than
        storing its record (measured by the selftest ``overhead``). The clock reading that becomes
        the start is also compared with the stop, so a thread that had to wait for the interpreter
        lock notices the stop.

        Args:
            slot: Used by the caller alone.
            execute: Executes a workflow, given its kind and number.
            numbers: Shared by all slots.
        """
        words, kinds, clock_ns, recorder = self._words, self._kinds, self._clock_ns, self._recorder
        cycle, deadline_ns, keep = len(kinds), self._deadline_ns, recorder.keep
        base = SlotFile.base(slot)
        at_started, at_ended = base + STARTED, base + ENDED
        at_number, at_start = base + NUMBER, base + START_NS
        ok_words = [record_word(slot, kind) for kind in range(self._kind_count)]
        started = words[at_started]
        while (start_ns := clock_ns()) < words[STOP_NS]:
            number = next(numbers)
            kind = kinds[number % cycle]
            words[at_number] = number
            words[at_start] = start_ns
            started += 1
            words[at_started] = started
            try:
                execute(kind, number)
                end_ns = clock_ns()
            except BaseException as error:  # noqa: BLE001 a target may raise anything; it is counted by class
                end_ns = clock_ns()
                self.end(slot, number, start_ns, end_ns, self.class_of(error), 0)
                continue
            if end_ns - start_ns > deadline_ns:
                self.end(slot, number, start_ns, end_ns, None, 0)
                continue
            keep((number, start_ns, start_ns, end_ns, ok_words[kind]))
            words[at_ended] = started
            if end_ns >= recorder.due_ns:
                recorder.commit_if_due(end_ns)

    def class_of(self, error: BaseException) -> ErrorClass:
        """Classify an error and keep its text; one that cannot even be read is ``OTHER``."""
        name = type(error).__name__
        try:
            error_class = self._classify(error)
            text = f"{name}: {error}{how_to_set(error)}"
        except Exception as unreadable:  # noqa: BLE001 the texts of exceptions run the target's code
            error_class = ErrorClass.OTHER
            text = f"{name}, which cannot be read: {type(unreadable).__name__}"
        self._recorder.error_example(error_class, text)
        return error_class
