"""A target with a known capacity: a few slots that all workflows share, each held equally long."""

from __future__ import annotations

import threading
import time

SLOTS = 4
HELD_S = 0.02
CAPACITY_PER_S = SLOTS / HELD_S
"""What more never leaves it; with N in flight, N > SLOTS, one takes N HELD_S / SLOTS."""

_slots = threading.Semaphore(SLOTS)


def hold(_number: int) -> None:
    """Wait for a free slot and hold it for ``HELD_S``."""
    with _slots:
        time.sleep(HELD_S)
