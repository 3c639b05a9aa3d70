"""Every connection that becomes free is taken."""

from __future__ import annotations

import threading
from contextlib import suppress
from typing import TYPE_CHECKING

from perf_pipeline.faults.connections.keeper import Keeper
from perf_pipeline.faults.connections.opened import LimitReachedError

if TYPE_CHECKING:
    from collections.abc import Callable


class FakeServer:
    """A server that takes ``limit`` connections."""

    def __init__(self, limit: int) -> None:
        self.free = threading.Semaphore(limit)
        self.held = 0
        self.changed = threading.Condition()

    def open(self) -> Callable[[], object]:
        if not self.free.acquire(blocking=False):
            raise LimitReachedError("full")
        self._count(1)
        return self._close

    def _close(self) -> None:
        self._count(-1)
        self.free.release()

    def _count(self, change: int) -> None:
        with self.changed:
            self.held += change
            self.changed.notify_all()


def test_all_connections_are_taken_and_one_that_becomes_free_as_well() -> None:
    """Ten at once, the eleventh when a client gives its own up, and none after the end."""
    server = FakeServer(10)
    client = server.open()
    keeper = Keeper(server.open, threads=3)
    assert keeper.start(full_s=5.0)
    assert server.held == 10
    client()
    with server.changed:
        assert server.changed.wait_for(lambda: server.held == 10, 5.0)
    keeper.stop()
    assert server.held == 0


def test_some_connections_are_taken_in_advance_and_the_rest_at_the_begin() -> None:
    """Seven of ten, so that others still find three; one that is refused ends it early."""
    server = FakeServer(10)
    keeper = Keeper(server.open, threads=3)
    assert keeper.prepare(7) == 7
    assert server.held == 7
    assert keeper.start(full_s=5.0)
    assert server.held == 10
    keeper.stop()
    assert server.held == 0
    few = Keeper(FakeServer(5).open, threads=3)
    assert few.prepare(7) == 5
    few.stop()


def test_an_end_before_the_begin_does_nothing() -> None:
    server = FakeServer(1)
    keeper = Keeper(server.open, threads=1)
    keeper.stop()
    with suppress(LimitReachedError):
        server.open()
    assert server.held == 1
