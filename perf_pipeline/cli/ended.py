"""What the workers of a level have committed to their journals so far, read as it grows."""

from __future__ import annotations

import sqlite3
from collections import Counter, deque
from contextlib import closing
from typing import TYPE_CHECKING, NamedTuple

from perf_pipeline.samples.record import NOT_STARTED, RECORD, ErrorClass, Outcome

if TYPE_CHECKING:
    from pathlib import Path

WINDOW_S = 10.0
_OUTCOME_BYTE, _CLASS_BYTE, _FLAGS_BYTE = (RECORD.size - 4 + place for place in (1, 2, 3))
_WORDS, _INTENDED, _START, _END = RECORD.size // 8, 1, 2, 3
"""Where a record has its outcome, error class and flags, in bytes; its three times, in words."""

_TIMES = (_INTENDED, _START, _END)


class _Recent(NamedTuple):
    """A block of records: when it was committed, and the sums of its times."""

    committed_ns: int
    workflows: int
    started: int
    service_ns: int
    response_ns: int


class EndedWorkflows:
    """Errors by class and the recent mean service and response time of one level.

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
        self._recent: deque[_Recent] = deque()
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
        self._forget(now_ns)
        started = sum(block.started for block in self._recent)
        return sum(block.service_ns for block in self._recent) / started / 1e9 if started else None

    def mean_response_s(self, now_ns: int) -> float | None:
        """Return the mean time from the intended start, likewise; what was dropped is in it."""
        self._forget(now_ns)
        ended = sum(block.workflows for block in self._recent)
        return sum(block.response_ns for block in self._recent) / ended / 1e9 if ended else None

    def _forget(self, now_ns: int) -> None:
        while self._recent and self._recent[0].committed_ns < now_ns - WINDOW_S * 1e9:
            self._recent.popleft()

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
                intended, start, end = (sum(words[at::_WORDS]) for at in _TIMES)
                count = len(payload) // RECORD.size
                flags = Counter(payload[_FLAGS_BYTE :: RECORD.size])
                never = sum(n for flag, n in flags.items() if flag & NOT_STARTED)
                times_ns = (end - start, end - intended)
                self._recent.append(_Recent(committed_ns, count, count - never, *times_ns))
