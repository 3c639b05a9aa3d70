"""What the workers of a level have committed to their journals so far, read as it grows."""

from __future__ import annotations

import sqlite3
from collections import Counter, deque
from contextlib import closing
from typing import TYPE_CHECKING

from perf_pipeline.samples.record import RECORD, ErrorClass, Outcome

if TYPE_CHECKING:
    from pathlib import Path

WINDOW_S = 10.0
_OUTCOME_BYTE, _CLASS_BYTE = RECORD.size - 4 + 1, RECORD.size - 4 + 2
_WORDS, _START, _END = RECORD.size // 8, 2, 3
"""Where a record has its outcome and error class, in bytes; its start and end, in words."""


class EndedWorkflows:
    """Errors by class and the recent mean service time of one level.

    Only new blocks are read, and their columns are taken by slicing: 10,000 records cost less than
    a millisecond. The journals are opened for reading alone, so nothing of the run can change.
    """

    def __init__(self, folder: Path) -> None:
        """Read nothing yet.

        Args:
            folder: The level's.
        """
        self._folder = folder
        self._next_seq: dict[Path, int] = {}
        self._recent: deque[tuple[int, int, int]] = deque()  # committed at, workflows, ns in all
        self.errors: Counter[str] = Counter()
        self.readable = True

    def read(self) -> None:
        """Read what is new; a journal that cannot be read makes ``readable`` False, for good."""
        for path in sorted(self._folder.glob("worker-*.sqlite")):
            try:
                with closing(sqlite3.connect(f"{path.as_uri()}?mode=ro", uri=True)) as db:
                    self._take(path, db)
            except sqlite3.Error as error:
                if "no such table" not in str(error):  # a worker that is just starting
                    self.readable = False

    def mean_service_s(self, now_ns: int) -> float | None:
        """Return the mean service time of what ended lately; None if nothing did.

        Args:
            now_ns: CLOCK_MONOTONIC.
        """
        while self._recent and self._recent[0][0] < now_ns - WINDOW_S * 1e9:
            self._recent.popleft()
        ended = sum(count for _, count, _ in self._recent)
        return sum(ns for _, _, ns in self._recent) / ended / 1e9 if ended else None

    def _take(self, path: Path, db: sqlite3.Connection) -> None:
        rows = db.execute(
            "SELECT seq, committed_ns, payload FROM block WHERE seq >= ? ORDER BY seq",
            (self._next_seq.get(path, 0),),
        )
        for seq, committed_ns, payload in rows:
            self._next_seq[path] = seq + 1
            for number, count in Counter(payload[_CLASS_BYTE :: RECORD.size]).items():
                if number:
                    self.errors[ErrorClass(number).name.lower()] += count
            if Outcome.ABANDONED not in payload[_OUTCOME_BYTE :: RECORD.size]:
                words = memoryview(payload).cast("q")
                spent_ns = sum(words[_END::_WORDS]) - sum(words[_START::_WORDS])
                self._recent.append((committed_ns, len(payload) // RECORD.size, spent_ns))
