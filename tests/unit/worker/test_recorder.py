"""The recorder: every record once, committed about every half second, whatever happens."""

from __future__ import annotations

import itertools
import threading
from typing import TYPE_CHECKING, Any

import pytest

from perf_pipeline.samples.journal import read_steps
from perf_pipeline.samples.record import RECORD, Outcome
from perf_pipeline.samples.slots import ENDED, FAILED, NUMBER, START_NS, STARTED, SlotFile
from perf_pipeline.steps import STEP_WORDS, StepBuffer
from perf_pipeline.worker.recorder import (
    BLOCK_RECORDS,
    COMMIT_EVERY_NS,
    EXAMPLE_LENGTH,
    EXAMPLES_A_CLASS,
    Recorder,
)

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.unit.worker.conftest import Bench

SECOND = 1_000_000_000


def _start(bench: Bench, slot: int, number: int) -> None:
    base = SlotFile.base(slot)
    bench.slots.words[base + NUMBER] = number
    bench.slots.words[base + START_NS] = bench.clock()
    bench.slots.words[base + STARTED] += 1


def _end(bench: Bench, slot: int, number: int, outcome: int = Outcome.OK) -> None:
    start_ns = bench.slots.words[SlotFile.base(slot) + START_NS]
    bench.recorder.record(number, 0, slot, start_ns, bench.clock(), outcome)


def _play(bench: Bench, number: int, service_s: float = 0.01, slot: int = 0) -> None:
    _start(bench, slot, number)
    bench.clock.sleep(service_s)
    _end(bench, slot, number)


def _abandon(bench: Bench) -> Callable[[int, int], tuple[int, int, int, int]]:
    def describe(slot: int, _now_ns: int) -> tuple[int, int, int, int]:
        words, base = bench.slots.words, SlotFile.base(slot)
        return words[base + NUMBER], 0, words[base + START_NS], Outcome.ABANDONED

    return describe


def test_the_thread_that_ends_a_workflow_commits_when_half_a_second_has_passed(
    bench: Callable[[int], Bench],
) -> None:
    """Workflows end every 10 ms for 10 s: about 20 blocks, no two more than 0.52 s apart."""
    b = bench(1)
    begin_ns = b.clock()
    for number in range(1000):
        _play(b, number)

    commits = [begin_ns, *b.commits_ns()]

    gaps = [later - earlier for earlier, later in itertools.pairwise(commits)]
    assert len(gaps) in {19, 20}
    assert max(gaps) <= COMMIT_EVERY_NS + 20_000_000
    assert min(gaps) >= COMMIT_EVERY_NS
    assert [row.number for row in b.committed()] == list(range(len(b.committed())))


def test_the_timer_commits_when_nothing_ends_and_writes_no_empty_block(
    bench: Callable[[int], Bench],
) -> None:
    b = bench(1)
    _play(b, 0)
    assert b.committed() == []

    b.recorder.commit_if_due(b.clock())
    assert b.committed() == []
    b.clock.sleep(0.5)
    b.recorder.commit_if_due(b.clock())
    assert [row.number for row in b.committed()] == [0]
    b.clock.sleep(10)
    b.recorder.commit_if_due(b.clock())
    assert len(b.commits_ns()) == 1


def test_a_record_keeps_every_column_and_counts_ends_and_failures(
    bench: Callable[[int], Bench],
) -> None:
    b = bench(3)
    b.recorder.record(7, 2, 1, 100, 250, Outcome.ERROR, 5, 1)
    b.recorder.record(8, 0, 1, 100, 250, Outcome.OK)

    assert b.recorder.finish(_abandon(b)) == 0

    assert b.committed()[0] == (7, 100, 250, 1, 2, Outcome.ERROR, 5, 1)
    base = SlotFile.base(1)
    assert (b.slots.words[base + ENDED], b.slots.words[base + FAILED]) == (2, 1)
    assert b.slots.totals().ended == 2


def test_the_values_of_a_record_are_its_bytes_for_any_number_of_records(
    bench: Callable[[int], Bench],
) -> None:
    """Blocks are packed 1024 records at once; 2500 are two chunks and a rest, all in order."""
    b = bench(3)
    expected = []
    for number in range(2500):
        row = (
            number % 5,
            number % 3,
            100 + number,
            200 + number,
            number % 5,
            number % 8,
            number % 128,
        )
        kind, slot, start_ns, end_ns, outcome, error_class, flags = row
        b.recorder.record(number, kind, slot, start_ns, end_ns, outcome, error_class, flags)
        expected.append((number, start_ns, end_ns, slot, kind, outcome, error_class, flags))
    b.recorder.finish(_abandon(b))

    assert b.committed() == expected


def test_a_record_keeps_when_its_workflow_was_to_start(bench: Callable[[int], Bench]) -> None:
    b = bench(1)
    b.recorder.record(0, 0, 0, 100, 250, Outcome.OK, intended_ns=40)
    b.recorder.record(1, 0, 0, 300, 350, Outcome.OK)
    b.recorder.finish(_abandon(b))

    payload = next(b.journal.payloads())
    assert [row[1:4] for row in RECORD.iter_unpack(payload)] == [(40, 100, 250), (300, 300, 350)]


def test_what_is_pending_is_bounded_however_fast_workflows_end(
    bench: Callable[[int], Bench],
) -> None:
    """10 us a workflow is 50,000 in half a second, six times what may be pending.

    Before the first block no rate is known; every later one is as small as it should be.
    """
    b = bench(1)
    for number in range(150_000):
        _play(b, number, 0.000_01)

    blocks = [len(payload) // RECORD.size for payload in b.journal.payloads()]
    assert blocks[0] <= 50_001
    assert len(blocks) > 10
    assert max(blocks[1:]) <= BLOCK_RECORDS + 1


def test_the_first_block_after_the_go_is_small_though_no_rate_is_known_before(
    bench: Callable[[int], Bench],
) -> None:
    """10 us a workflow: 5,000 in the first 50 ms, which show that half a second has too many."""
    b = bench(1)
    b.clock.sleep(60)
    b.recorder.begin_load(b.clock())
    for number in range(50_000):
        _play(b, number, 0.000_01)

    blocks = [len(payload) // RECORD.size for payload in b.journal.payloads()]
    assert blocks[0] == pytest.approx(5_000, abs=2)
    assert max(blocks) <= BLOCK_RECORDS + 1


def test_the_main_thread_looks_when_no_workflow_has_ended_for_half_a_second_after_a_commit_was_due(
    bench: Callable[[int], Bench],
) -> None:
    """So it never competes with threads that commit, and no record waits longer than 1.05 s."""
    b = bench(1)
    _play(b, 0, 0.6)
    _play(b, 1, 0.01)
    ended_ns = b.clock()
    assert [row.number for row in b.committed()] == [0]

    look_ns = b.recorder.next_look_ns(ended_ns)
    b.clock.now_ns = look_ns
    b.recorder.commit_if_due(look_ns)

    assert look_ns - b.recorder.due_ns == -COMMIT_EVERY_NS  # just committed
    assert look_ns - ended_ns <= 1_050_000_000
    assert [row.number for row in b.committed()] == [0, 1]
    assert b.recorder.next_look_ns(look_ns) == look_ns + 1_050_000_000


def test_a_full_disk_keeps_records_pending_and_reports_it(bench: Callable[[int], Bench]) -> None:
    """SQLite itself says so: the file may not grow, then it may again; no record lost or twice."""
    b = bench(1)
    pages = b.journal._db.execute("PRAGMA page_count").fetchone()[0]
    b.journal._db.execute(f"PRAGMA max_page_count = {pages}")
    number = 0
    while b.recorder.problem is None:
        _play(b, number, 0.0001)
        number += 1
        assert number < 100_000, "the journal grew without bound"
    assert "full" in b.recorder.problem
    acknowledged = len(b.committed())
    assert acknowledged < number
    b.clock.sleep(0.6)
    b.recorder.commit_if_due(b.clock())
    assert b.recorder.problem is not None
    assert len(b.committed()) == acknowledged

    b.journal._db.execute("PRAGMA max_page_count = 1000000")
    b.clock.sleep(0.6)
    _play(b, number)

    assert b.recorder.problem is None
    assert [row.number for row in b.committed()] == list(range(number + 1))


class _BrokenJournal:
    """A journal whose commits fail in a way that no real one can be made to fail at will."""

    def __init__(self, error: Exception) -> None:
        self.error: Exception | None = error
        self.blocks: list[bytes] = []

    def commit(self, payload: bytes, _records: int, _committed_ns: int) -> None:
        if self.error:
            raise self.error
        self.blocks.append(payload)

    def payloads(self) -> list[bytes]:
        if self.error:
            raise self.error
        return self.blocks

    def error_example(self, _error_class: int, _text: str) -> None:
        if self.error:
            raise self.error


def test_a_process_short_of_memory_keeps_its_records_and_its_thread(
    bench: Callable[[int], Bench],
) -> None:
    """Python turns SQLite's "out of memory" into MemoryError; a code node's limit can cause it."""
    b = bench(1)
    journal: Any = _BrokenJournal(MemoryError())
    b.recorder = Recorder(journal, b.slots, b.clock)

    _play(b, 0, 0.6)
    b.recorder.error_example(5, "text")

    assert b.recorder.problem is not None
    assert "MemoryError" in b.recorder.problem
    journal.error = None
    _play(b, 1, 0.6)
    assert [len(block) for block in journal.blocks] == [80]
    assert b.recorder.problem is None


def test_a_journal_that_cannot_be_finished_is_reported(bench: Callable[[int], Bench]) -> None:
    b = bench(1)
    journal: Any = _BrokenJournal(MemoryError("no room"))
    b.recorder = Recorder(journal, b.slots, b.clock)
    _play(b, 0)

    b.recorder.finish(_abandon(b))

    assert b.recorder.problem == "journal could not be written: MemoryError: no room"


def test_finish_records_what_is_in_flight_as_abandoned(bench: Callable[[int], Bench]) -> None:
    """Slot 0 has ended and is committed, slot 1 has ended and is pending, slot 2 is in flight."""
    b = bench(4)
    _play(b, 0, 0.6, slot=0)
    _play(b, 1, 0.1, slot=1)
    _start(b, 2, 2)
    start_ns = b.clock()
    b.clock.sleep(0.1)

    assert b.recorder.finish(_abandon(b)) == 1

    rows = {row.number: row for row in b.committed()}
    assert [rows[n].outcome for n in (0, 1, 2)] == [Outcome.OK, Outcome.OK, Outcome.ABANDONED]
    assert (rows[2].start_ns, rows[2].end_ns, rows[2].slot) == (start_ns, b.clock(), 2)
    assert len(b.committed()) == 3


def test_what_ends_after_the_finish_is_not_recorded_twice(bench: Callable[[int], Bench]) -> None:
    """A thread that comes back late is due to commit; its workflow already is "abandoned"."""
    b = bench(1)
    _start(b, 0, 0)
    b.recorder.finish(_abandon(b))

    b.clock.sleep(5)
    _end(b, 0, 0)
    b.recorder.commit_if_due(b.clock())

    assert [(row.number, row.outcome) for row in b.committed()] == [(0, Outcome.ABANDONED)]


@pytest.mark.parametrize("moment", ["clock", "describe"])
def test_a_workflow_that_ends_during_the_finish_is_recorded_once(
    bench: Callable[[int], Bench], moment: str
) -> None:
    b = bench(2)
    _start(b, 0, 10)
    _start(b, 1, 11)
    describe, clock = _abandon(b), b.clock

    def describe_while_one_ends(slot: int, now_ns: int) -> tuple[int, int, int, int]:
        if moment == "describe" and slot == 1:
            _end(b, 1, 11)
        return describe(slot, now_ns)

    def clock_while_one_ends() -> int:
        if moment == "clock":
            b.recorder._clock_ns = clock
            _end(b, 0, 10)
        return clock()

    b.recorder._clock_ns = clock_while_one_ends
    b.recorder.finish(describe_while_one_ends)

    assert sorted(row.number for row in b.committed()) == [10, 11]


def test_finish_neither_loses_nor_doubles_while_threads_are_still_ending(
    bench: Callable[[int], Bench],
) -> None:
    """32 threads as fast as they can, stopped at some moment, finished with no drain at all."""
    slots = 32
    b = bench(slots)
    stop = threading.Event()
    lock = threading.Lock()
    next_number = iter(range(10_000_000))

    def work(slot: int) -> None:
        while not stop.is_set():
            with lock:
                number = next(next_number)
            _start(b, slot, number)
            if number % 97 == slot:
                b.clock.sleep(0.05)
            _end(b, slot, number)

    threads = [threading.Thread(target=work, args=(slot,)) for slot in range(slots)]
    for thread in threads:
        thread.start()
    threading.Event().wait(0.05)
    stop.set()
    b.recorder.finish(_abandon(b))
    at_finish = b.committed()
    for thread in threads:
        thread.join()

    rows = b.committed()
    assert rows == at_finish
    assert len(rows) > 500
    assert len({row.number for row in rows}) == len(rows)
    by_slot = [0] * slots
    for row in rows:
        by_slot[row.slot] += 1
    for slot in range(slots):
        started = b.slots.words[SlotFile.base(slot) + STARTED]
        slipped_in = started - by_slot[slot]
        assert slipped_in in {0, 1}, f"slot {slot}: {started} started, {by_slot[slot]} recorded"
        if slipped_in:
            latest = b.slots.words[SlotFile.base(slot) + NUMBER]
            assert latest not in {row.number for row in rows}


def test_error_texts_are_bounded_a_class_also_among_threads(
    bench: Callable[[int], Bench],
) -> None:
    b = bench(1)
    barrier = threading.Barrier(32)

    def fail(index: int) -> None:
        barrier.wait()
        b.recorder.error_example(2 + index % 2, f"{index}" * 3000)

    threads = [threading.Thread(target=fail, args=(i,)) for i in range(32)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    examples = b.examples()
    assert len(examples) == 2 * EXAMPLES_A_CLASS
    assert {error_class for error_class, _ in examples} == {2, 3}
    assert {len(text) for _, text in examples} == {EXAMPLE_LENGTH}


def test_an_error_text_that_no_database_stores_stays_readable(
    bench: Callable[[int], Bench],
) -> None:
    """A file name of undecodable bytes comes into an exception's text as half characters."""
    b = bench(1)

    b.recorder.error_example(7, "FileNotFoundError: '\udcff\x00ü'")

    assert b.examples() == ((7, "FileNotFoundError: '\\udcff\x00ü'"),)
    assert b.recorder.problem is None


def test_while_one_thread_commits_no_other_waits(bench: Callable[[int], Bench]) -> None:
    b = bench(1)
    _play(b, 0)
    b.clock.sleep(1)
    with b.recorder._committing:
        b.recorder.commit_if_due(b.clock())
        _play(b, 1)
    assert b.committed() == []

    _play(b, 2)
    assert len(b.committed()) == 3


def test_what_threads_wait_for_is_asked_at_commits_and_stored(
    bench: Callable[[int], Bench],
) -> None:
    b = bench(1)
    asked: list[int] = []

    def sample(now_ns: int) -> dict[str, int]:
        asked.append(now_ns)
        return {"pool": len(asked)} if len(asked) % 2 else {}

    b.recorder = Recorder(b.journal, b.slots, b.clock, sample)
    for number in range(4):
        _play(b, number, 0.6)

    rows = b.journal._db.execute("SELECT at_ns, what, threads FROM wait").fetchall()
    assert rows == [(asked[0], "pool", 1), (asked[2], "pool", 3)]


def test_the_steps_of_a_workflow_are_committed_no_later_than_its_record(
    bench: Callable[[int], Bench],
) -> None:
    """A commit of the steps that fails leaves them pending, and is a problem until it succeeds."""
    made = bench(1)
    buffer = StepBuffer(made.clock)
    recorder = Recorder(made.journal, made.slots, made.clock, steps=buffer)
    blocks: list[int] = []

    def commit(_at_ns: int) -> None:
        blocks.append(len(made.committed()))

    recorder._steps.commit = commit  # type: ignore[union-attr,method-assign]
    buffer.add("pay", made.clock(), 5, 0, (1, 0))
    recorder.record(1, 0, 0, made.clock(), made.clock(), 0)
    made.clock.sleep(0.6)
    recorder.commit_if_due(made.clock())
    assert blocks == [0]
    assert [row.number for row in made.committed()] == [1]


def test_steps_that_cannot_be_committed_are_a_problem_although_the_records_are(
    bench: Callable[[int], Bench],
) -> None:
    made = bench(1)
    buffer = StepBuffer(made.clock)
    recorder = Recorder(made.journal, made.slots, made.clock, steps=buffer)
    made.journal._db.execute("ALTER TABLE step_block RENAME TO elsewhere")
    buffer.add("pay", made.clock(), 5, 0, (1, 0))
    for number in range(2):
        recorder.record(number, 0, 0, made.clock(), made.clock(), 0)
        made.clock.sleep(0.6)
        recorder.commit_if_due(made.clock())
    assert len(made.committed()) == 2
    assert "step_block" in str(recorder.problem)
    made.journal._db.execute("ALTER TABLE elsewhere RENAME TO step_block")
    recorder.record(2, 0, 0, made.clock(), made.clock(), 0)
    made.clock.sleep(0.6)
    recorder.commit_if_due(made.clock())
    assert recorder.problem is None
    assert not buffer.pending


def test_a_full_block_of_steps_is_committed_without_any_workflow_that_ends(
    bench: Callable[[int], Bench],
) -> None:
    made = bench(1)
    buffer = StepBuffer(made.clock)
    Recorder(made.journal, made.slots, made.clock, steps=buffer)
    for _ in range(8192 + 1):
        buffer.add("pay", made.clock(), 5, 0, (1, 0))
    assert len(buffer.pending) == STEP_WORDS
    assert len(read_steps(made.folder / "worker-0.sqlite").payload) == 8192 * 8 * STEP_WORDS
