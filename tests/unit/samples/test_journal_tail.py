"""A journal is followed while it is written: nothing is read twice, and nothing is left out."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from perf_pipeline.samples.journal import JournalWriter
from perf_pipeline.samples.journal_tail import Block, JournalTail

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


@pytest.fixture
def writer(tmp_path: Path) -> Iterator[JournalWriter]:
    made = JournalWriter(tmp_path / "worker-0.sqlite")
    yield made
    made.close()


def test_each_look_returns_what_was_committed_since_the_one_before(
    tmp_path: Path, writer: JournalWriter
) -> None:
    tail = JournalTail(tmp_path)
    assert tail.new_blocks() == []
    writer.commit(b"one", 1, 10)
    writer.commit(b"two", 1, 20)
    assert tail.new_blocks() == [
        Block(10, b"one", "worker-0.sqlite"),
        Block(20, b"two", "worker-0.sqlite"),
    ]
    writer.commit(b"three", 1, 30)
    assert tail.new_blocks() == [Block(30, b"three", "worker-0.sqlite")]
    assert tail.new_blocks() == []


def test_a_worker_that_starts_later_is_followed_too(tmp_path: Path, writer: JournalWriter) -> None:
    tail = JournalTail(tmp_path)
    writer.commit(b"one", 1, 10)
    assert len(tail.new_blocks()) == 1
    late = JournalWriter(tmp_path / "worker-1.sqlite")
    late.commit(b"late", 1, 5)
    assert tail.new_blocks() == [Block(5, b"late", "worker-1.sqlite")]
    late.close()


def test_a_block_whose_checksum_is_wrong_is_left_out(tmp_path: Path, writer: JournalWriter) -> None:
    writer.commit(b"one", 1, 10)
    writer._db.execute("UPDATE block SET crc = crc + 1")
    writer.commit(b"two", 1, 20)
    tail = JournalTail(tmp_path)
    assert tail.new_blocks() == [Block(20, b"two", "worker-0.sqlite")]
    assert not tail.is_damaged
    assert tail.damaged_blocks == 1


def test_a_file_without_tables_is_read_later_and_one_that_is_no_journal_is_damaged(
    tmp_path: Path, writer: JournalWriter
) -> None:
    """What other workers commit is read all the same."""
    writer.commit(b"one", 1, 10)
    (tmp_path / "worker-1.sqlite").touch()
    tail = JournalTail(tmp_path)
    assert tail.new_blocks() == [Block(10, b"one", "worker-0.sqlite")]
    assert not tail.is_damaged
    (tmp_path / "worker-1.sqlite").write_bytes(b"no journal " * 100)
    writer.commit(b"two", 1, 20)
    assert tail.new_blocks() == [Block(20, b"two", "worker-0.sqlite")]
    assert tail.is_damaged
