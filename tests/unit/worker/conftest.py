"""A worker's parts over real files, with a clock and a target of the test's own."""

from __future__ import annotations

import asyncio
import itertools
import os
import socket
import threading
import time
from array import array
from typing import TYPE_CHECKING, Any

import pytest

from perf_pipeline.samples.journal import JournalWriter, read_journal
from perf_pipeline.samples.record import RECORD, ErrorClass
from perf_pipeline.samples.slots import GO_NS, STOP_NS, SlotFile
from perf_pipeline.worker.async_loop import AsyncLoop
from perf_pipeline.worker.bell import Bell
from perf_pipeline.worker.closed_loop import ClosedLoop
from perf_pipeline.worker.event_thread import EventThread
from perf_pipeline.worker.ledger import Ledger
from perf_pipeline.worker.recorder import Recorder
from tests.simulated_level import Row

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Iterator
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

    async def sleep_on_loop(self, seconds: float) -> None:
        """Let time pass, and other tasks have their turn."""
        self.sleep(seconds)
        await asyncio.sleep(0)


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


class ScriptedAsyncTarget:
    """A target whose every workflow awaits ``work(kind, number)``; its own slot."""

    at_once: int | None = None

    def __init__(self, work: Callable[[int, int], Awaitable[object]]) -> None:
        self._work = work
        self.closed = False

    def open_slot(self) -> ScriptedAsyncTarget:
        return self

    def executing(self) -> int | None:
        return None

    async def execute(self, kind: int, number: int) -> None:
        await self._work(kind, number)

    async def close(self) -> None:
        self.closed = True


class Bench:
    """One worker's slot file, journal and recorder.

    Attributes:
        clock: Moved by the test.
        slots: Real slot file.
        journal: Real journal.
        recorder: Between the two.
        bell: What the last slot to end rings.
    """

    def __init__(self, folder: Path, slots: int) -> None:
        self.folder = folder
        self.clock = Clock()
        self.slots = SlotFile.create(folder / "worker-0.slots", slots, 0)
        self.journal = JournalWriter(folder / "worker-0.sqlite")
        self.recorder = Recorder(self.journal, self.slots, self.clock)
        self.bell_descriptor = os.eventfd(0, os.EFD_CLOEXEC)
        self.bell = Bell(self.bell_descriptor)

    def loop(self, target: Any, **changes: Any) -> ClosedLoop:
        """Return a closed loop over everything; the go is now, the stop after ``run_s``."""
        return ClosedLoop(
            **{"sleep": self.clock.sleep, "threads": []} | self._arguments(target, changes)
        )

    def async_loop(self, target: Any, events: EventThread, **changes: Any) -> AsyncLoop:
        """Return the same for a target of coroutines."""
        own: dict[str, Any] = {"sleep": self.clock.sleep_on_loop, "events": events}
        return AsyncLoop(**own | self._arguments(target, changes))

    def _arguments(self, target: Any, changes: dict[str, Any]) -> dict[str, Any]:
        """Return what a loop takes; ``changes`` go to it or to its ledger."""
        run_s = changes.pop("run_s", 10.0)
        self.slots.words[GO_NS] = self.clock()
        self.slots.words[STOP_NS] = self.clock() + round(run_s * 1e9)
        books: dict[str, Any] = {
            "classify": lambda _error: ErrorClass.WORKFLOW_ERROR,
            "recorder": self.recorder,
            "slots": self.slots,
            "kinds": array("q", [0]),
            "kind_count": 1,
            "deadline_ns": 5_000_000_000,
            "clock_ns": changes.get("clock_ns", self.clock),
        }
        ledger = Ledger(**{name: changes.pop(name, value) for name, value in books.items()})
        return {
            "target": target,
            "ledger": ledger,
            "slots": self.slots,
            "numbers": itertools.count(),
            "ramp_ns": array("q", [0] * self.slots.slots),
            "clock_ns": books["clock_ns"],
            "on_last_end": self.bell.ring,
        } | changes

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
    wait_for_end(loop, timeout_s)


def wait_for_end(loop: AsyncLoop | ClosedLoop, timeout_s: float = 10.0) -> None:
    """Wait for the slots of a loop."""
    end = time.monotonic() + timeout_s
    while loop.alive() and time.monotonic() < end:
        time.sleep(0.001)
    assert loop.alive() == 0


@pytest.fixture
def events() -> Iterator[EventThread]:
    """An event loop in a separate thread."""
    made = EventThread()
    yield made
    made.stop()


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
        os.close(each.bell_descriptor)


@pytest.fixture
def silent_server() -> Iterator[tuple[str, int]]:
    """A server on loopback that lets clients connect and never answers."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        yield "127.0.0.1", server.getsockname()[1]
