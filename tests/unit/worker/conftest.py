"""A worker's parts over real files, with a clock and a target of the test's own."""

from __future__ import annotations

import itertools
import socket
import threading
from array import array
from typing import TYPE_CHECKING, Any

import pytest

from perf_pipeline.samples.journal import JournalWriter, read_journal
from perf_pipeline.samples.record import RECORD, ErrorClass
from perf_pipeline.samples.slots import GO_NS, STOP_NS, SlotFile
from perf_pipeline.worker.closed_loop import ClosedLoop
from perf_pipeline.worker.recorder import Recorder
from tests.simulated_level import Row

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path


class Clock:
    """A clock that only its users move; sleeping moves it too."""

    def __init__(self, now_ns: int = 1_000_000_000_000) -> None:
        self.now_ns = now_ns
        self._lock = threading.Lock()

    def __call__(self) -> int:
        return self.now_ns

    def sleep(self, seconds: float) -> None:
        """Let time pass."""
        with self._lock:
            self.now_ns += round(seconds * 1e9)


class ScriptedTarget:
    """A target whose every workflow is one call of ``work(kind, number)``; its own slot."""

    def __init__(self, work: Callable[[int, int], object]) -> None:
        self._work = work
        self.closed = False

    def open_slot(self) -> ScriptedTarget:
        return self

    def execute(self, kind: int, number: int) -> None:
        self._work(kind, number)

    def close(self) -> None:
        self.closed = True


class Bench:
    """One worker's slot file, journal and recorder.

    Attributes:
        clock: Moved by the test.
        slots: Real slot file.
        journal: Real journal.
        recorder: Between the two.
    """

    def __init__(self, folder: Path, slots: int) -> None:
        self.folder = folder
        self.clock = Clock()
        self.slots = SlotFile.create(folder / "worker-0.slots", slots, 0)
        self.journal = JournalWriter(folder / "worker-0.sqlite")
        self.recorder = Recorder(self.journal, self.slots, self.clock)

    def loop(self, target: Any, **changes: Any) -> ClosedLoop:
        """Return a closed loop over everything; the go is now, the stop after ``run_s``."""
        self.slots.words[GO_NS] = self.clock()
        run_s = changes.pop("run_s", 10.0)
        self.slots.words[STOP_NS] = self.clock() + round(run_s * 1e9)
        arguments: dict[str, Any] = {
            "target": target,
            "classify": lambda _error: ErrorClass.WORKFLOW_ERROR,
            "recorder": self.recorder,
            "slots": self.slots,
            "numbers": itertools.count(),
            "kinds": array("q", [0]),
            "kind_count": 1,
            "ramp_ns": array("q", [0] * self.slots.slots),
            "deadline_ns": 5_000_000_000,
            "clock_ns": self.clock,
            "sleep": self.clock.sleep,
            "threads": [],
        }
        return ClosedLoop(**(arguments | changes))

    def committed(self) -> list[Row]:
        """Return the records that the journal holds now."""
        payload = read_journal(self.folder / "worker-0.sqlite").payload
        return [Row(row[0], row[2], row[3], *row[4:]) for row in RECORD.iter_unpack(payload)]

    def commits_ns(self) -> tuple[int, ...]:
        """Return when blocks were committed."""
        return read_journal(self.folder / "worker-0.sqlite").commits_ns

    def examples(self) -> tuple[tuple[int, str], ...]:
        """Return the texts of errors that the journal holds."""
        return read_journal(self.folder / "worker-0.sqlite").error_examples


def join(loop: ClosedLoop, timeout_s: float = 10.0) -> None:
    """Wait for the threads of a loop."""
    for thread in loop._threads:
        thread.join(timeout_s)
    assert loop.alive() == 0


@pytest.fixture
def bench(tmp_path: Path) -> Iterator[Callable[[int], Bench]]:
    """A function that makes the parts of one worker with so many slots."""
    made: list[Bench] = []

    def make(slots: int) -> Bench:
        made.append(Bench(tmp_path, slots))
        return made[-1]

    yield make
    for each in made:
        each.slots.words[STOP_NS] = 0
        each.journal._db.close()


@pytest.fixture
def silent_server() -> Iterator[tuple[str, int]]:
    """A server on loopback that lets clients connect and never answers."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        yield "127.0.0.1", server.getsockname()[1]
