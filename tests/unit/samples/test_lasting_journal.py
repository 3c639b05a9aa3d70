"""The journal of an hour: what it takes of the disk, and that it loses nothing meanwhile."""

from __future__ import annotations

from typing import TYPE_CHECKING

from perf_pipeline.samples.journal import JournalWriter, read_journal
from perf_pipeline.samples.record import RECORD
from perf_pipeline.worker.endurance.malloc_use import MallocReader

if TYPE_CHECKING:
    from pathlib import Path

COMMITS = 1200
"""Ten minutes, a commit each half second."""

RECORDS = 25
"""Of one of two workers, at 100 workflows a second."""


def test_the_journal_of_an_hour_takes_80_bytes_a_workflow_and_its_log_5_mb(tmp_path: Path) -> None:
    """So 24 hours at 100/s take below 700 MB, schedule included; pages of 64 kB would take 80 GB.

    At 1200 commits they would be 157 MB of log already.
    """
    path = tmp_path / "worker-0.sqlite"
    journal = JournalWriter(path, lasting=True)
    log = path.with_name(f"{path.name}-wal")
    largest = 0
    for number in range(COMMITS):
        record = RECORD.pack(number, 1, 2, 3, 0, 0, 0, 0, 0)
        journal.commit(record * RECORDS, RECORDS, number)
        largest = max(largest, log.stat().st_size)
    assert largest < 5_000_000
    assert len(read_journal(path).payload) == COMMITS * RECORDS * RECORD.size
    journal.close()
    assert path.stat().st_size < 72 * COMMITS * RECORDS


def test_the_journal_of_an_hour_keeps_few_of_its_pages_in_memory(tmp_path: Path) -> None:
    """1.2 MB of records; SQLite would keep all of their pages, in the memory of the target."""
    journal = JournalWriter(tmp_path / "worker-0.sqlite", lasting=True)
    payload = bytes(RECORD.size * RECORDS)
    malloc = MallocReader()
    before = malloc.read().used_bytes
    for number in range(COMMITS):
        journal.commit(payload, RECORDS, number)
    grown = malloc.read().used_bytes - before
    journal.close()
    assert COMMITS * len(payload) > 1_000_000
    assert grown < 300_000
