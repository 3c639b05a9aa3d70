"""A target with a known capacity: all workflows share a few slots, each for the same time."""

from __future__ import annotations

import threading
import time
from collections import deque

SLOTS = 4
HELD_S = 0.02
"""``SLOTS / HELD_S`` a second leave it at most; with N > SLOTS in flight, one takes
N HELD_S / SLOTS."""


class FairSlots:
    """Slots that are handed on in the order in which they were asked for.

    A ``threading.Semaphore`` is not: a thread that gives its slot back has it again before one that
    waits has woken up. With 16 in flight, 10 then wait forever, and Little's law tells.
    """

    def __init__(self, slots: int) -> None:
        """All of ``slots`` are free."""
        self._free = slots
        self._waiting: deque[threading.Lock] = deque()
        self._mutex = threading.Lock()

    def take(self) -> None:
        """Wait for a slot."""
        with self._mutex:
            if self._free:
                self._free -= 1
                return
            turn = threading.Lock()
            turn.acquire()
            self._waiting.append(turn)
        turn.acquire()

    def give(self) -> None:
        """Hand the slot on to who has waited longest."""
        with self._mutex:
            if self._waiting:
                self._waiting.popleft().release()
            else:
                self._free += 1


_slots = FairSlots(SLOTS)


def hold(_number: int) -> None:
    """Wait for a slot and hold it for ``HELD_S``."""
    _slots.take()
    try:
        time.sleep(HELD_S)
    finally:
        _slots.give()
