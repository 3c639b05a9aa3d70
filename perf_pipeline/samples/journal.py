"""The durable journal of one worker: blocks of records, each committed whole or not at all.

One SQLite file in WAL mode a worker process: a level, a repeat or a restarted worker has its own
file, so no two blocks can collide. A record is *acknowledged* once the commit of its block
has returned; from then on killing any process loses nothing of it. ``synchronous=NORMAL`` means
that a loss of power may take the last blocks, but never makes the file unreadable.

Large pages and no checkpoint while load runs make a block cost 0.6 ns a byte instead of 2.9
(measured in a trial). This module is imported in the target's process: standard
library only.
"""

from __future__ import annotations

import os
import sqlite3
import stat
import zlib
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING

from perf_pipeline.redaction.redact import redacted
from perf_pipeline.samples.disk_space import is_disk_full
from perf_pipeline.samples.steps.step_journal import STEP_TABLES, JournalSteps, StepWriter, steps_in

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from perf_pipeline.steps import StepBuffer

_TABLES = f"""
CREATE TABLE block (
    seq INTEGER PRIMARY KEY, committed_ns INTEGER NOT NULL, records INTEGER NOT NULL,
    crc INTEGER NOT NULL, payload BLOB NOT NULL);
CREATE TABLE fact (name TEXT PRIMARY KEY, value TEXT NOT NULL);
CREATE TABLE error_example (error_class INTEGER NOT NULL, text TEXT NOT NULL);
{STEP_TABLES}
CREATE TABLE wait (at_ns INTEGER NOT NULL, what TEXT NOT NULL, threads INTEGER NOT NULL);
"""


REPLACED = "replaced"
"""Fact of a worker process: what foreign code had replaced in it, a sentence a line."""

TEARDOWN = "teardown"
"""Fact of a worker process: what went wrong with the user's teardown in it, in a sentence."""

LASTING_LOG_PAGES = 1000
"""The log of a journal that is written for an hour has 4 MB at most."""

LASTING_CACHE_KIB = 64
"""What it keeps of its pages in memory, which is the target's: SQLite's default is 2 MB. Only
the newest pages are ever read again."""

SELECT_BLOCKS = "SELECT seq, committed_ns, crc, payload FROM block WHERE seq >= ? ORDER BY seq"
"""The blocks from a sequence number on, oldest first."""


class JournalWriter:
    """Writes one worker's journal. Not for two threads at once: the caller holds a lock."""

    def __init__(self, path: Path, *, lasting: bool = False) -> None:
        """Create the file.

        Args:
            path: Where; must not exist.
            lasting: It is written for an hour: small pages, and the log is folded into the file
                meanwhile, because a commit writes whole pages and the log keeps each of them. Few
                pages stay in memory.

        Raises:
            FileExistsError: ``path`` exists; a journal is never written by two processes.
            sqlite3.Error: It cannot be created.
        """
        if path.exists():
            raise FileExistsError(f"{path} exists: every worker process writes its own journal")
        self._db = sqlite3.connect(path, isolation_level=None, check_same_thread=False)
        self._db.execute(f"PRAGMA page_size = {4096 if lasting else 65536}")
        self._db.execute("PRAGMA journal_mode = WAL")
        self._db.execute("PRAGMA synchronous = NORMAL")
        self._db.execute(f"PRAGMA wal_autocheckpoint = {LASTING_LOG_PAGES if lasting else 0}")
        if lasting:
            self._db.execute(f"PRAGMA cache_size = -{LASTING_CACHE_KIB}")
        self._db.executescript(_TABLES)
        self._seq = 0

    def commit(self, payload: bytes, records: int, committed_ns: int) -> None:
        """Commit one block; when this returns, its records are acknowledged.

        Raises:
            sqlite3.Error: The block is not in the journal (disk full, say); the caller keeps it.
        """
        self._db.execute(
            "INSERT INTO block VALUES (?, ?, ?, ?, ?)",
            (self._seq, committed_ns, records, zlib.crc32(payload), payload),
        )
        self._seq += 1

    def step_writer(self, buffer: StepBuffer) -> StepWriter:
        """Return what commits the steps of this process into the same file."""
        return StepWriter(self._db, buffer)

    def payloads(self) -> Iterator[bytes]:
        """Yield the payloads of all blocks committed so far, one at a time: they may be 4 GB."""
        for (payload,) in self._db.execute("SELECT payload FROM block ORDER BY seq"):
            yield payload

    def facts(self, facts: dict[str, str]) -> None:
        """Store facts about this process; passwords are removed from them."""
        rows = [(name, redacted(value)) for name, value in facts.items()]
        self._db.executemany("INSERT OR REPLACE INTO fact VALUES (?, ?)", rows)

    def error_example(self, error_class: int, text: str) -> None:
        """Store the text of one error; the caller bounds how many."""
        self._db.execute("INSERT INTO error_example VALUES (?, ?)", (error_class, text))

    def waits(self, at_ns: int, threads: dict[str, int]) -> None:
        """Store a sample of what the threads do."""
        self._db.executemany(
            "INSERT INTO wait VALUES (?, ?, ?)", [(at_ns, what, n) for what, n in threads.items()]
        )

    def close(self) -> None:
        """Fold the write-ahead log into the file and close it.

        On a full disk the log stays beside the file, where it is read as well.
        """
        try:
            self._db.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        except sqlite3.Error as error:
            if not is_disk_full(error):
                raise
        self._db.close()


_COMPUTED = "CREATE VIRTUAL"


@dataclass(frozen=True)
class Journal:
    """One worker's journal as read back.

    Attributes:
        payload: All records, ``record.RECORD.size`` bytes each, in order of commit.
        commits_ns: When each block was committed.
        facts: Facts that the worker process reported about itself.
        error_examples: (error class, text) pairs.
        waits: (time, what, threads) rows.
        damaged_blocks: Blocks whose checksum is wrong; their records are not in ``payload``.
    """

    payload: bytes
    commits_ns: tuple[int, ...]
    facts: dict[str, str]
    error_examples: tuple[tuple[int, str], ...]
    waits: tuple[tuple[int, str, int], ...]
    damaged_blocks: int


EMPTY_JOURNAL = Journal(b"", (), {}, (), (), 0)


def read_journal(path: Path) -> Journal:
    """Read a journal, also one whose writer was killed or is still writing.

    Args:
        path: The journal; a missing or table-less file is that of a worker which died before
            its first commit, and reads as empty.

    Raises:
        sqlite3.DatabaseError: The file is not a journal.
    """
    with _opened(path) as db:
        if db is None:
            return EMPTY_JOURNAL
        db.execute("BEGIN")  # one snapshot for all tables
        blocks = db.execute(SELECT_BLOCKS, (0,)).fetchall()
        whole = [(at, payload) for _, at, crc, payload in blocks if zlib.crc32(payload) == crc]
        return Journal(
            payload=b"".join(payload for _, payload in whole),
            commits_ns=tuple(at for at, _ in whole),
            facts=_facts(db),
            error_examples=tuple(db.execute("SELECT error_class, text FROM error_example")),
            waits=tuple(db.execute("SELECT at_ns, what, threads FROM wait")),
            damaged_blocks=len(blocks) - len(whole),
        )


def read_facts(path: Path) -> dict[str, str]:
    """Read the facts that a worker process reported, without its records; as ``read_journal``."""
    with _opened(path) as db:
        return {} if db is None else _facts(db)


def count_records(path: Path) -> int:
    """Count the records that a worker process committed, unread; as ``read_journal``."""
    with _opened(path) as db:
        if db is None:
            return 0
        count: int = db.execute("SELECT coalesce(sum(records), 0) FROM block").fetchone()[0]
        return count


def last_commit_ns(path: Path) -> int:
    """Return when a worker process committed last, by its clock; 0 where it never did."""
    with _opened(path) as db:
        if db is None:
            return 0
        at_ns: int = db.execute("SELECT coalesce(max(committed_ns), 0) FROM block").fetchone()[0]
        return at_ns


def read_steps(path: Path) -> JournalSteps:
    """Read the steps that a worker process committed; as ``read_journal``."""
    with _opened(path) as db:
        return JournalSteps() if db is None else steps_in(db)


@contextmanager
def _opened(path: Path) -> Iterator[sqlite3.Connection | None]:
    """Open a journal for reading; None where a worker died before it had made its tables."""
    if not os.path.lexists(path):
        yield None
        return
    found = path.lstat()
    is_foreign = found.st_nlink > 1 and found.st_uid != path.parent.stat().st_uid
    if is_foreign or not stat.S_ISREG(found.st_mode):  # opening it may write to it
        raise sqlite3.DatabaseError("it is a link, or no regular file")
    db = sqlite3.connect(path, isolation_level=None, timeout=5.0)
    try:
        db.execute("PRAGMA trusted_schema = OFF")
        made = False
        for kind, name, text in db.execute("SELECT type, name, sql FROM sqlite_master"):
            # What computes its rows could compute for ever: a foreign file may hold anything.
            if kind not in ("table", "index") or str(text or "").upper().startswith(_COMPUTED):
                raise sqlite3.DatabaseError("it has a view, a trigger or a virtual table")
            made = made or name == "wait"
        yield db if made else None
    finally:
        db.close()


def _facts(db: sqlite3.Connection) -> dict[str, str]:
    return dict(db.execute("SELECT name, value FROM fact"))
