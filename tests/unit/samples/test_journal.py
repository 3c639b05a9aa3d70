"""The journal: blocks that are there whole or not at all."""

from __future__ import annotations

import sqlite3
from typing import TYPE_CHECKING

import pytest

from perf_pipeline.samples.journal import EMPTY_JOURNAL, JournalWriter, read_journal
from perf_pipeline.samples.record import RECORD

if TYPE_CHECKING:
    from pathlib import Path


def _block(first: int, count: int) -> bytes:
    return b"".join(RECORD.pack(first + i, 1, 2, 3, 0, 0, 0, 0, 0) for i in range(count))


def _numbers(payload: bytes) -> list[int]:
    return [row[0] for row in RECORD.iter_unpack(payload)]


def test_a_closed_journal_reads_back_everything_that_was_written(tmp_path: Path) -> None:
    path = tmp_path / "worker-0.sqlite"
    writer = JournalWriter(path)
    writer.facts({"python": "3.11.2", "gc": "(700, 10, 10)"})
    writer.commit(_block(0, 3), 3, 100)
    writer.commit(_block(3, 2), 2, 600)
    writer.error_example(5, "ValueError: 'ü'\n\x00<b>")
    writer.waits(550, {"pool": 7, "runtime": 3})
    assert list(writer.payloads()) == [_block(0, 3), _block(3, 2)]
    writer.close()

    journal = read_journal(path)

    assert _numbers(journal.payload) == [0, 1, 2, 3, 4]
    assert journal.commits_ns == (100, 600)
    assert journal.facts == {"python": "3.11.2", "gc": "(700, 10, 10)"}
    assert journal.error_examples == ((5, "ValueError: 'ü'\n\x00<b>"),)
    assert sorted(journal.waits) == [(550, "pool", 7), (550, "runtime", 3)]
    assert journal.damaged_blocks == 0
    assert not path.with_name("worker-0.sqlite-wal").exists()


def test_a_journal_is_read_while_it_is_being_written(tmp_path: Path) -> None:
    """Each reading sees exactly the blocks whose commit had returned, and disturbs no later one."""
    path = tmp_path / "worker-0.sqlite"
    writer = JournalWriter(path)
    for seq in range(20):
        writer.commit(_block(10 * seq, 10), 10, seq)

        assert _numbers(read_journal(path).payload) == list(range(10 * seq + 10))
    writer.close()
    assert len(read_journal(path).commits_ns) == 20


def test_a_block_with_a_wrong_checksum_is_counted_and_not_read(tmp_path: Path) -> None:
    """One byte of the middle block is changed in the file, as a bad disk would."""
    path = tmp_path / "worker-0.sqlite"
    writer = JournalWriter(path)
    marked = RECORD.pack(0x1122334455667788, 1, 2, 3, 0, 0, 0, 0, 0)
    for seq, payload in enumerate((_block(0, 2), marked, _block(7, 2))):
        writer.commit(payload, len(payload) // RECORD.size, seq)
    writer.close()
    raw = path.read_bytes()
    at = raw.index(marked)
    path.write_bytes(raw[:at] + b"\x00" + raw[at + 1 :])

    journal = read_journal(path)

    assert journal.damaged_blocks == 1
    assert _numbers(journal.payload) == [0, 1, 7, 8]
    assert journal.commits_ns == (0, 2)


def test_a_journal_is_never_written_by_two_processes(tmp_path: Path) -> None:
    path = tmp_path / "worker-0.sqlite"
    writer = JournalWriter(path)
    writer.commit(_block(0, 1), 1, 1)

    with pytest.raises(FileExistsError, match=r"worker-0.sqlite exists"):
        JournalWriter(path)

    writer.commit(_block(1, 1), 1, 2)
    assert _numbers(read_journal(path).payload) == [0, 1]


def test_a_second_writer_fails_even_if_it_looked_before_the_first_made_the_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "worker-0.sqlite"
    writer = JournalWriter(path)
    monkeypatch.setattr(type(path), "exists", lambda _self: False)

    with pytest.raises(sqlite3.OperationalError, match="already exists"):
        JournalWriter(path)

    writer.commit(_block(0, 1), 1, 1)
    assert list(writer.payloads()) == [_block(0, 1)]


def test_a_worker_that_died_before_its_first_commit_left_an_empty_journal(tmp_path: Path) -> None:
    empty, missing = tmp_path / "empty.sqlite", tmp_path / "missing.sqlite"
    empty.touch()

    assert read_journal(missing) == EMPTY_JOURNAL
    assert not missing.exists()
    assert read_journal(empty) == EMPTY_JOURNAL


def test_a_file_that_is_no_journal_is_not_read_as_an_empty_one(tmp_path: Path) -> None:
    path = tmp_path / "worker-0.sqlite"
    path.write_bytes(b"not a database at all " * 100)

    with pytest.raises(sqlite3.DatabaseError):
        read_journal(path)


@pytest.mark.parametrize(
    "statement",
    [
        (
            "CREATE VIEW wait AS WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n) "
            "SELECT i AS at_ns, '' AS what, i AS threads FROM n"
        ),
        "CREATE TABLE wait (at_ns); CREATE TRIGGER t AFTER INSERT ON wait BEGIN SELECT 1; END",
    ],
)
def test_a_foreign_journal_that_computes_its_rows_is_none(tmp_path: Path, statement: str) -> None:
    """A view without an end would be read for ever."""
    db = sqlite3.connect(tmp_path / "worker-0.sqlite")
    db.executescript(statement)
    db.close()
    with pytest.raises(sqlite3.DatabaseError, match="a view, a trigger or a virtual table"):
        read_journal(tmp_path / "worker-0.sqlite")
