"""A lock is taken in the background, again and again where that helps, and given up."""

from __future__ import annotations

import threading

from perf_pipeline.faults.locks.lock_holder import LockHolder
from perf_pipeline.servers.service import NotAnsweringError
from tests.sandbox import until

_WAIT_S = 5.0


class PlantedLock:
    """A server whose tries end as planned."""

    def __init__(self, *ends: str) -> None:
        self.ends = list(ends)
        self.tried, self.is_taken = threading.Event(), threading.Event()
        self.touches = 0

    def take(self) -> PlantedLock:
        if self.ends:
            end = self.ends.pop(0)
            if not self.ends:
                self.tried.set()
            raise NotAnsweringError(end)
        self.is_taken.set()
        return self

    def touch(self) -> None:
        self.touches += 1

    def close(self) -> None:
        self.is_taken.clear()


def test_a_lock_is_tried_again_after_a_deadlock_and_held_until_the_end() -> None:
    server = PlantedLock("deadlock detected", "lock timeout")
    holder = LockHolder(server.take, ("deadlock", "lock timeout"))
    holder.touch()
    holder.start()
    assert server.is_taken.wait(_WAIT_S)
    holder.stop()
    assert not server.is_taken.is_set()
    holder.touch()


def test_an_error_that_another_try_does_not_mend_is_told_until_the_end() -> None:
    server = PlantedLock("permission denied")
    holder = LockHolder(server.take, ("deadlock",))
    holder.start()
    assert server.tried.wait(_WAIT_S)
    assert until(lambda: told(holder) == "permission denied", _WAIT_S)
    holder.stop()
    holder.touch()
    assert not server.is_taken.is_set()


def test_a_lock_that_comes_after_the_end_is_given_up_at_once() -> None:
    server, free = PlantedLock(), threading.Event()
    asked = threading.Event()

    def take() -> PlantedLock:
        asked.set()
        free.wait(_WAIT_S)
        return server.take()

    holder = LockHolder(take, ())
    holder.start()
    assert asked.wait(_WAIT_S)
    threading.Timer(0.05, free.set).start()
    holder.stop()
    assert free.is_set()
    assert not server.is_taken.is_set()


def told(holder: LockHolder) -> str:
    """Return the error that a holder tells."""
    try:
        holder.touch()
    except NotAnsweringError as error:
        return str(error)
    return ""
