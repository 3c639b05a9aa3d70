"""Steps and counts in a worker's journal: blocks of records and the names that they refer to.

A block is committed whole or not at all, as one of workflow records is (``journal.py``), and before
the block with the records of the workflows that have ended by then: so the steps of a workflow
whose record is acknowledged are acknowledged too.

This module is imported in the target's process: standard library only.
"""

from __future__ import annotations

import struct
import zlib
from dataclasses import dataclass
from typing import TYPE_CHECKING

from perf_pipeline.redaction.redact import redacted
from perf_pipeline.steps import MAX_NAMES, STEP_WORDS, StepBuffer, is_name

if TYPE_CHECKING:
    import sqlite3

STEP_TABLES = """
CREATE TABLE step_name (place INTEGER PRIMARY KEY, name TEXT NOT NULL);
CREATE TABLE step_block (
    seq INTEGER PRIMARY KEY, committed_ns INTEGER NOT NULL, unnamed INTEGER NOT NULL,
    no_room INTEGER NOT NULL, crc INTEGER NOT NULL, payload BLOB NOT NULL);
"""
SAMPLED_EVERY = "steps_sampled_every"
"""Fact of a worker process: of which workflows the target's own steps are recorded."""

_RECORD_BYTES = 8 * STEP_WORDS


class StepWriter:
    """Commits what a buffer holds. Not for two threads at once: the caller holds a lock."""

    def __init__(self, db: sqlite3.Connection, buffer: StepBuffer) -> None:
        """Write into a journal that has ``STEP_TABLES``."""
        self._db = db
        self._buffer = buffer
        self._names = 0
        self._reported = (0, 0)

    def commit(self, committed_ns: int) -> None:
        """Commit what is pending as one block; when this returns, it is acknowledged.

        Raises:
            sqlite3.Error: It is not in the journal, and still pending.
        """
        buffer = self._buffer
        size = len(buffer.pending)
        now = (buffer.unnamed, buffer.no_room)
        if not size and now == self._reported:
            return
        names = list(enumerate(buffer.names))[self._names :]
        payload = struct.pack(f"<{size}q", *buffer.pending[:size])
        unnamed, no_room = (
            count - before for count, before in zip(now, self._reported, strict=True)
        )
        self._db.execute("BEGIN")
        try:
            self._db.executemany(
                "INSERT INTO step_name VALUES (?, ?)", [(at, redacted(name)) for at, name in names]
            )
            self._db.execute(
                "INSERT INTO step_block VALUES (NULL, ?, ?, ?, ?, ?)",
                (committed_ns, unnamed, no_room, zlib.crc32(payload), payload),
            )
            self._db.execute("COMMIT")
        except BaseException:
            if self._db.in_transaction:
                self._db.execute("ROLLBACK")
            raise
        del buffer.pending[:size]  # only now: what could not be committed is tried again
        self._names += len(names)
        self._reported = now


@dataclass(frozen=True)
class JournalSteps:
    """The steps of one worker process as read back.

    Attributes:
        payload: All records, ``STEP_WORDS`` little-endian int64 each.
        names: Index to name; an index without one refers to a damaged name.
        unnamed: How many were not recorded because of their name.
        no_room: How many because the journal could not be written.
        damaged_blocks: Blocks that are not as they were written.
    """

    payload: bytes = b""
    names: dict[int, str] | None = None
    unnamed: int = 0
    no_room: int = 0
    damaged_blocks: int = 0


def steps_in(db: sqlite3.Connection) -> JournalSteps:
    """Read the steps of a journal; none where it is of a version without them."""
    tables = {name for (name,) in db.execute("SELECT name FROM sqlite_master")}
    if not {"step_name", "step_block"} <= tables:
        return JournalSteps()
    db.execute("BEGIN")  # one snapshot for both tables
    found = db.execute(
        "SELECT place, name FROM step_name WHERE place BETWEEN 0 AND ?", (MAX_NAMES - 1,)
    )
    names = {place: name for place, name in found if is_name(name)}
    whole, unnamed, no_room, damaged = [], 0, 0, 0
    for lost, full, crc, payload in db.execute(
        "SELECT unnamed, no_room, crc, payload FROM step_block ORDER BY seq"
    ):
        if not isinstance(payload, bytes) or zlib.crc32(payload) != crc or _cut(payload):
            damaged += 1
            continue
        whole.append(payload)
        unnamed += _count(lost)
        no_room += _count(full)
    return JournalSteps(b"".join(whole), names, unnamed, no_room, damaged)


def _cut(payload: bytes) -> bool:
    return len(payload) % _RECORD_BYTES != 0


def _count(value: object) -> int:
    return value if isinstance(value, int) and value > 0 else 0
