"""Follows what workflows count while their worker processes write it."""

from __future__ import annotations

import sqlite3
import zlib
from collections import Counter
from contextlib import closing
from typing import TYPE_CHECKING

import numpy as np

from perf_pipeline.samples.journal_tail import NO_END_NS
from perf_pipeline.samples.shards.clock_offsets import read_clock_offsets, worker_of
from perf_pipeline.samples.steps.level_steps import IS_COLD, IS_COUNT, IS_OUTSIDE, STEP_DTYPE

if TYPE_CHECKING:
    from collections.abc import Collection
    from pathlib import Path


_ROW = STEP_DTYPE.itemsize


class StepTail:
    """Sums counts of certain names as they are committed.

    Attributes:
        sums: Name to the sum of what workflows counted so far, cold starts left out.
    """

    def __init__(self, folder: Path, names: Collection[str]) -> None:
        """Read nothing yet.

        Args:
            folder: The level's.
            names: Of the counts.
        """
        self.sums: Counter[str] = Counter()
        self._folder = folder
        self._offsets_ns = read_clock_offsets(folder)
        self._names = frozenset(names)
        self._next_seq: dict[Path, int] = {}

    def read(self, until_ns: int = NO_END_NS) -> None:
        """Add what was committed since the last call; a busy journal is read at the next one.

        Args:
            until_ns: A block with a count that was begun later is left for a later call.
        """
        for path in sorted(self._folder.glob("worker-*.sqlite")):
            try:
                with closing(sqlite3.connect(f"{path.as_uri()}?mode=ro", uri=True)) as db:
                    self._read(path, db, until_ns - self._offsets_ns.get(worker_of(path), 0))
            except sqlite3.DatabaseError:
                continue  # JournalTail, which reads the same files, tells of it

    def _read(self, path: Path, db: sqlite3.Connection, until_ns: int) -> None:
        db.execute("BEGIN")  # one snapshot for both tables
        names = dict(db.execute("SELECT place, name FROM step_name"))
        wanted = {place: name for place, name in names.items() if name in self._names}
        if not wanted:
            return
        for seq, crc, payload in db.execute(
            "SELECT seq, crc, payload FROM step_block WHERE seq >= ? ORDER BY seq",
            (self._next_seq.get(path, 0),),
        ):
            rows = np.frombuffer(payload[: len(payload) // _ROW * _ROW], dtype=STEP_DTYPE)
            if rows["start_ns"].max(initial=0) > until_ns:
                break
            self._next_seq[path] = seq + 1
            if zlib.crc32(payload) != crc:
                continue
            flags = rows["flags"]
            rows = rows[(flags & IS_COUNT != 0) & (flags & (IS_COLD | IS_OUTSIDE) == 0)]
            for place, name in wanted.items():
                self.sums[name] += int(rows["value"][rows["name"] == place].sum())
