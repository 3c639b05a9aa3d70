"""The bell: a ring before the wait is not lost, and many rings wake once."""

from __future__ import annotations

import os
import threading
import time
from typing import TYPE_CHECKING

import pytest

from perf_pipeline.worker.bell import Bell

if TYPE_CHECKING:
    from collections.abc import Iterator


@pytest.fixture
def bell() -> Iterator[Bell]:
    """A bell of this process."""
    descriptor = os.eventfd(0, os.EFD_CLOEXEC)
    yield Bell(descriptor)
    os.close(descriptor)


def _waited_s(bell: Bell, seconds: float) -> float:
    begin_s = time.monotonic()
    bell.wait(seconds)
    return time.monotonic() - begin_s


def test_a_ring_wakes_whoever_waits(bell: Bell) -> None:
    ringing = threading.Timer(0.1, bell.ring)
    ringing.start()
    assert 0.09 < _waited_s(bell, 10) < 2
    ringing.join()


def test_rings_before_the_wait_are_not_lost_and_wake_once(bell: Bell) -> None:
    bell.ring()
    bell.ring()
    assert _waited_s(bell, 10) < 1
    assert _waited_s(bell, 0.05) >= 0.05


def test_a_bell_that_does_not_ring_wakes_at_the_time_and_at_once_for_a_time_that_has_passed(
    bell: Bell,
) -> None:
    assert 0.05 <= _waited_s(bell, 0.05) < 1
    assert _waited_s(bell, -5.0) < 1
