"""Who has locked an SQLite database for writes."""

from __future__ import annotations

import os
import sqlite3
from contextlib import closing
from typing import TYPE_CHECKING

import pytest

from perf_pipeline.faults.locks.sqlite_locks import write_lockers

if TYPE_CHECKING:
    from pathlib import Path


@pytest.mark.parametrize("mode", ["WAL", "DELETE"])
def test_a_process_with_the_lock_for_writes_is_found_until_it_gives_it_up(
    mode: str, tmp_path: Path
) -> None:
    """With a write-ahead log it locks another file than without."""
    path = tmp_path / "some.db"
    with closing(sqlite3.connect(path, isolation_level=None)) as database:
        database.execute(f"PRAGMA journal_mode = {mode}")
        database.execute("CREATE TABLE some (number)")
        assert write_lockers(path) == set()
        database.execute("BEGIN IMMEDIATE")
        assert write_lockers(path) == {os.getpid()}
        database.execute("ROLLBACK")
        database.execute("BEGIN")
        database.execute("SELECT * FROM some").fetchall()
        assert write_lockers(path) == set()


def test_locks_of_other_files_those_for_reading_and_those_that_wait_are_not_counted(
    tmp_path: Path,
) -> None:
    path = tmp_path / "some.db"
    path.touch()
    inode = path.stat().st_ino
    (tmp_path / "locks").write_text(
        f"1: POSIX  ADVISORY  READ 11 fe:00:{inode} 128 128\n"
        f"2: POSIX  ADVISORY  WRITE 12 fe:00:{inode} 120 120\n"
        f"2: -> POSIX  ADVISORY  WRITE 13 fe:00:{inode} 120 120\n"
        f"3: POSIX  ADVISORY  WRITE 14 fe:00:{inode + 1} 120 120\n"
        f"4: FLOCK  ADVISORY  WRITE 15 fe:00:{inode} 0 EOF\n"
    )
    assert write_lockers(path, tmp_path) == {12}
