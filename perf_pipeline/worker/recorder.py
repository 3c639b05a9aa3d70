"""Stores the records of one worker process and commits them about every half second.

A record is five int64 (``samples/record.py``). Storing one is one ``list.extend``, which is atomic
under the interpreter lock and costs half of packing the record at once. Records are packed a block
at a time, when the block is committed.

The thread that ends a workflow commits when half a second has passed. A separate writer thread
would wait up to 2.7 s for the interpreter lock among 1000 threads (measured in a trial); a timer is
needed only while nothing ends, and that is the main thread, which wakes about once a second
(``next_look_ns``).
"""

from __future__ import annotations

import sqlite3
import struct
from collections import Counter
from itertools import chain
from typing import TYPE_CHECKING

from perf_pipeline.redaction.redact import redacted
from perf_pipeline.samples.disk_space import is_disk_full
from perf_pipeline.samples.record import RECORD_WORDS, record_word
from perf_pipeline.samples.slots import DISK_FULL, ENDED, FAILED, HEADER_WORDS, SLOT_WORDS, SlotFile
from perf_pipeline.worker.own_time import new_lock

if TYPE_CHECKING:
    from collections.abc import Callable

    from perf_pipeline.samples.journal import JournalWriter
    from perf_pipeline.steps import StepBuffer

COMMIT_EVERY_NS = 500_000_000
BLOCK_RECORDS = 8192
"""A block of this many records is committed earlier: an uncommitted record takes 140 bytes."""
FIRST_COMMIT_NS = 50_000_000
"""How long after the go the first block is committed: until then no rate is known."""
LOOK_AFTER_NS = COMMIT_EVERY_NS + 50_000_000
_CHUNK = struct.Struct(f"<{1024 * RECORD_WORDS}q")
"""Packed in one call; more in one call exceed a core's cache and cost a tenth more."""
EXAMPLES_A_CLASS = 3
EXAMPLE_LENGTH = 2000
_READ_LENGTH = 100_000
"""An error's text may be huge; what lies behind this is never shown."""


class Recorder:
    """Stores one record a workflow and commits them in blocks.

    ``record`` may be called by any number of threads. It takes no lock: extending a list is
    atomic under the interpreter lock, and only one thread at a time commits.

    Attributes:
        keep: Stores the five integers of one record and does nothing else: number, intended start,
            start, end, ``record_word``. ``Ledger.play`` calls it for speed, then stamps the end
            into its slot and calls ``commit_if_due`` from ``due_ns`` on, as ``record`` does.
        due_ns: When the next commit is due, CLOCK_MONOTONIC.
        problem: Why records that should be in the journal are not; None if all are.
    """

    def __init__(
        self,
        journal: JournalWriter,
        slots: SlotFile,
        clock_ns: Callable[[], int],
        sample_waits: Callable[[int], dict[str, int]] = lambda _now_ns: {},
        steps: StepBuffer | None = None,
    ) -> None:
        """Record into ``journal`` and into the stamps of ``slots``.

        Args:
            journal: Where blocks go.
            slots: Where ends and failures are counted for the supervisor.
            clock_ns: CLOCK_MONOTONIC, or a test's clock.
            sample_waits: Asked at a commit what the threads are doing; empty for nothing.
            steps: The steps of this process, committed with the records.
        """
        self._journal = journal
        self._slots = slots
        self._words = slots.words
        self._clock_ns = clock_ns
        self._sample_waits = sample_waits
        self._pending: list[int] = []
        self._committing = new_lock()
        self._committed_ns = clock_ns()
        self.keep: Callable[[tuple[int, int, int, int, int]], None] = self._pending.extend
        self.due_ns = self._committed_ns + COMMIT_EVERY_NS
        self._examples: Counter[int] = Counter()
        self._finished = False
        self.problem: str | None = None
        self._steps = journal.step_writer(steps) if steps is not None else None
        if steps is not None:
            steps.commit = self.commit_steps

    def record(
        self,
        number: int,
        kind: int,
        slot: int,
        start_ns: int,
        end_ns: int,
        outcome: int,
        error_class: int = 0,
        flags: int = 0,
        intended_ns: int = 0,
    ) -> None:
        """Store that workflow ``number`` ended; commit if half a second has passed.

        ``intended_ns`` is its intended start; 0 in a closed loop, which has none: the start is
        stored in its place.
        """
        word = slot | kind << 32
        if outcome or error_class or flags:
            word = record_word(slot, kind, outcome, error_class, flags)
        self.keep((number, intended_ns or start_ns, start_ns, end_ns, word))
        words, base = self._words, HEADER_WORDS + SLOT_WORDS * slot
        if outcome:  # anything but OK
            words[base + FAILED] += 1
        words[base + ENDED] += 1
        if end_ns >= self.due_ns:
            self.commit_if_due(end_ns)

    def error_example(self, error_class: int, text: str) -> None:
        """Store the text of an error, up to ``EXAMPLES_A_CLASS`` a class."""
        if self._examples[error_class] >= EXAMPLES_A_CLASS:
            return
        # Before it is cut: half a password is not recognised.
        text = redacted(text[:_READ_LENGTH])[:EXAMPLE_LENGTH]
        # A path or a driver's bytes may hold half a character, which no database stores.
        text = text.encode(errors="backslashreplace").decode()
        with self._committing:
            if self._finished or self._examples[error_class] >= EXAMPLES_A_CLASS:
                return
            self._examples[error_class] += 1
            self._try(lambda: self._journal.error_example(error_class, text))

    def facts(self, facts: dict[str, str]) -> None:
        """Store facts about this process after its last record."""
        with self._committing:
            self._try(lambda: self._journal.facts(facts))

    def waits(self, now_ns: int, counts: dict[str, int]) -> None:
        """Store a sample of what the workflows were doing at one moment."""
        with self._committing:
            if counts and not self._finished:
                self._try(lambda: self._journal.waits(now_ns, counts))

    def begin_load(self, go_ns: int) -> None:
        """Note when the load begins; called before it does.

        The first block is committed ``FIRST_COMMIT_NS`` later, and shows how many records a
        second there are: half a second of them may be more than a block should hold.
        """
        self._committed_ns = go_ns
        self.due_ns = go_ns + FIRST_COMMIT_NS

    def next_look_ns(self, now_ns: int) -> int:
        """Return when the main thread should call ``commit_if_due`` although nothing woke it.

        Half a second after the next commit is due: by then a thread that ended a workflow has
        committed, or none has ended since. So a record waits 1.05 s at most, and while workflows
        end the main thread takes the interpreter lock about once a second, for nothing.
        """
        return max(self.due_ns, now_ns) + LOOK_AFTER_NS

    def commit_if_due(self, now_ns: int) -> None:
        """Commit what is pending unless that was done less than half a second ago."""
        if now_ns < self.due_ns or not self._committing.acquire(blocking=False):
            return
        try:
            if self._finished:
                return
            self.due_ns = now_ns + self._until_next(now_ns)
            self._commit(self._pending)
            waits = self._sample_waits(now_ns)
            if waits:
                self._try(lambda: self._journal.waits(now_ns, waits))
        finally:
            self._committing.release()

    def commit_steps(self) -> None:
        """Commit the steps alone, unless a commit goes on: a block of them is full."""
        if self._steps is not None and self._committing.acquire(blocking=False):
            try:
                if not self._finished:
                    self._try_steps()
            finally:
                self._committing.release()

    def finish(self, abandoned: Callable[[int, int], tuple[int, int, int, int]]) -> int:
        """Commit everything, workflows still in flight included, and store nothing more.

        A slot's latest workflow has ended if the slot has as many records, committed and pending,
        as starts. So a workflow whose thread has stored the record and not yet counted the end is
        neither lost nor recorded twice. A workflow that ends from now on is recorded as in flight
        at our stop, and only as that.

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
                for payload in chain(self._journal.payloads(), [_packed(final)]):
                    recorded.update(_slots(payload))

            if not self._try(count):  # the reader will find out by itself who was in flight
                started = []
            now_ns = self._clock_ns()
            open_slots = [slot for slot, count in enumerate(started) if count > recorded[slot]]
            for slot in open_slots:
                number, kind, start_ns, outcome = abandoned(slot, now_ns)
                final.extend((number, start_ns, start_ns, now_ns, record_word(slot, kind, outcome)))
            self._commit(final)
        return len(open_slots)

    def _until_next(self, now_ns: int) -> int:
        """Return how long until the next commit, ns; bounded in records at the rate since the last.

        Half a million records would take 70 MB until they are packed, and stop the thread that
        packs them for a tenth of a second.
        """
        elapsed_ns, self._committed_ns = now_ns - self._committed_ns, now_ns
        count = len(self._pending) // RECORD_WORDS
        return min(COMMIT_EVERY_NS, elapsed_ns * BLOCK_RECORDS // max(count, 1))

    def _commit(self, pending: list[int]) -> None:
        size = len(pending)
        # After their workflows were counted: steps are in the journal no later than the record.
        steps_stored = self._try_steps()
        if not size:
            return

        def write() -> None:
            payload = _packed(pending[:size])
            self._journal.commit(payload, size // RECORD_WORDS, self._clock_ns())

        if self._try(write):
            del pending[:size]  # only now: what could not be committed is tried again
            if steps_stored:
                self.problem = None
                self._words[DISK_FULL] = 0

    def _try_steps(self) -> bool:
        steps = self._steps
        return steps is None or self._try(lambda: steps.commit(self._clock_ns()))

    def _try(self, write: Callable[[], None]) -> bool:
        """Write; a journal that cannot be written is a problem to report, not to crash on.

        SQLite's "out of memory" comes as MemoryError: a code node of kailash limits the address
        space of the whole process while it runs.
        """
        try:
            write()
        except (sqlite3.Error, MemoryError) as error:
            if is_disk_full(error):
                self._words[DISK_FULL] = 1  # the supervisor makes room and ends the level
            self.problem = f"journal could not be written: {type(error).__name__}: {error}"
            return False
        return True


def _slots(payload: bytes) -> list[int]:
    """Return the slot of each record: the lower half of its last integer."""
    halves = memoryview(payload).cast("I")
    return halves[2 * (RECORD_WORDS - 1) :: 2 * RECORD_WORDS].tolist()


def _packed(words: list[int]) -> bytes:
    """Pack records as the journal stores them: ``RECORD`` after ``RECORD``."""
    size = _CHUNK.size // 8
    rest = len(words) // size * size
    chunks = [_CHUNK.pack(*words[at : at + size]) for at in range(0, rest, size)]
    # Not struct.pack: it keeps the last 100 formats, in the heap that is measured.
    return b"".join([*chunks, struct.Struct(f"<{len(words) - rest}q").pack(*words[rest:])])
