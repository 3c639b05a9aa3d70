"""Keeps the records of one worker and commits them about every half second.

The thread that ends a workflow commits when half a second has passed. A writer thread of its own
would wait up to 2.7 s for the interpreter lock among 1000 threads (reference: trial); a timer is
needed only while nothing ends, and that is the main thread's ``commit_if_due``.
"""

from __future__ import annotations

import sqlite3
import threading
from collections import Counter
from typing import TYPE_CHECKING

from perf_pipeline.samples.record import RECORD, ErrorClass, Outcome
from perf_pipeline.samples.slots import ENDED, FAILED, SlotFile

if TYPE_CHECKING:
    from collections.abc import Callable

    from perf_pipeline.samples.journal import JournalWriter

COMMIT_EVERY_NS = 500_000_000
EXAMPLES_A_CLASS = 3
EXAMPLE_LENGTH = 2000


class Recorder:
    """Stores one record a workflow and commits them in blocks.

    ``record`` may be called by any number of threads. It takes no lock: appending to a list is
    atomic under the interpreter lock, and only one thread at a time commits.

    Attributes:
        problem: Why records are waiting that should be in the journal; None once they are.
    """

    def __init__(
        self,
        journal: JournalWriter,
        slots: SlotFile,
        clock_ns: Callable[[], int],
        sample_waits: Callable[[int], dict[str, int]] = lambda _now_ns: {},
    ) -> None:
        """Record into ``journal`` and into the stamps of ``slots``.

        Args:
            journal: Where blocks go.
            slots: Where ends and failures are counted for whoever watches.
            clock_ns: CLOCK_MONOTONIC, or a test's clock.
            sample_waits: Asked at every commit what the threads are doing; empty for nothing.
        """
        self._journal = journal
        self._slots = slots
        self._clock_ns = clock_ns
        self._sample_waits = sample_waits
        self._pending: list[bytes] = []
        self._committing = threading.Lock()
        self._due_ns = clock_ns() + COMMIT_EVERY_NS
        self._examples: Counter[int] = Counter()
        self._finished = False
        self.problem: str | None = None

    def record(
        self,
        number: int,
        kind: int,
        slot: int,
        start_ns: int,
        end_ns: int,
        outcome: int,
        error_class: int = ErrorClass.NONE,
        flags: int = 0,
        *,
        intended_ns: int = 0,
    ) -> None:
        """Store that workflow ``number`` ended; commit if half a second has passed.

        ``intended_ns`` is when the plan wanted it to start; 0 for a closed loop, where nothing
        is intended ahead of time and the start stands for it.
        """
        self._pending.append(
            RECORD.pack(
                number,
                intended_ns or start_ns,
                start_ns,
                end_ns,
                slot,
                kind,
                outcome,
                error_class,
                flags,
            )
        )
        base = SlotFile.base(slot)
        words = self._slots.words
        if outcome != Outcome.OK:
            words[base + FAILED] += 1
        words[base + ENDED] += 1
        if end_ns >= self._due_ns:
            self.commit_if_due(end_ns)

    def error_example(self, error_class: int, text: str) -> None:
        """Keep the text of an error, up to ``EXAMPLES_A_CLASS`` a class."""
        if self._examples[error_class] >= EXAMPLES_A_CLASS:
            return
        # A path or a driver's bytes may hold half a character, which no database stores.
        text = text[:EXAMPLE_LENGTH].encode(errors="backslashreplace").decode()
        with self._committing:
            if self._finished or self._examples[error_class] >= EXAMPLES_A_CLASS:
                return
            self._examples[error_class] += 1
            self._try(lambda: self._journal.error_example(error_class, text))

    def waits(self, now_ns: int, counts: dict[str, int]) -> None:
        """Store what workflows were seen doing at one moment."""
        with self._committing:
            if counts and not self._finished:
                self._try(lambda: self._journal.waits(now_ns, counts))

    def commit_if_due(self, now_ns: int) -> None:
        """Commit what is pending unless that was done less than half a second ago."""
        if now_ns < self._due_ns or not self._committing.acquire(blocking=False):
            return
        try:
            if self._finished:
                return
            self._due_ns = now_ns + COMMIT_EVERY_NS
            self._commit(self._pending)
            waits = self._sample_waits(now_ns)
            if waits:
                self._try(lambda: self._journal.waits(now_ns, waits))
        finally:
            self._committing.release()

    def finish(self, abandoned: Callable[[int, int], tuple[int, int, int, int]]) -> int:
        """Commit everything, workflows still in flight included, and take nothing more.

        Whether a slot's latest workflow has ended is decided by counting its records, committed
        and pending, against its starts: a thread that is just between storing its record and
        counting it is then neither lost nor counted twice. What ends from here on was in flight
        at our stop, and is recorded as that alone.

        Args:
            abandoned: Given slot and time, returns number, kind, start and outcome of the
                workflow in flight in that slot.

        Returns:
            How many were still in flight.
        """
        with self._committing:
            self._finished = True
            started = [self._slots.words[SlotFile.base(s)] for s in range(self._slots.slots)]
            final = list(self._pending)  # a list that no other thread knows
            recorded: Counter[int] = Counter()

            def count() -> None:
                for payload in (*self._journal.payloads(), b"".join(final)):
                    recorded.update(row[4] for row in RECORD.iter_unpack(payload))

            if not self._try(count):  # the reader will find out by itself who was in flight
                started = []
            now_ns = self._clock_ns()
            open_slots = [slot for slot, count in enumerate(started) if count > recorded[slot]]
            for slot in open_slots:
                number, kind, start_ns, outcome = abandoned(slot, now_ns)
                final.append(
                    RECORD.pack(number, start_ns, start_ns, now_ns, slot, kind, outcome, 0, 0)
                )
            self._commit(final)
        return len(open_slots)

    def _commit(self, pending: list[bytes]) -> None:
        count = len(pending)
        if not count:
            return

        def write() -> None:
            self._journal.commit(b"".join(pending[:count]), count, self._clock_ns())

        if self._try(write):
            del pending[:count]  # only now: what could not be committed is tried again
            self.problem = None

    def _try(self, write: Callable[[], None]) -> bool:
        """Write; a journal that cannot be written is a problem to report, not to crash on.

        SQLite's "out of memory" comes as MemoryError: a code node of kailash limits the address
        space of the whole process while it runs (reference: kailash, section 9).
        """
        try:
            write()
        except (sqlite3.Error, MemoryError) as error:
            self.problem = f"journal could not be written: {type(error).__name__}: {error}"
            return False
        return True
