"""A target that holds the interpreter lock: it has a thread that computes without end."""

from __future__ import annotations

import threading
import time


class _Hog:
    started = False


def compute(delay_s: float) -> None:
    """Hold the interpreter lock until the process ends."""
    time.sleep(delay_s)
    while True:
        sum(range(1000))


def start_hog(delay_s: float = 0.0) -> None:
    """Start the thread, once a process."""
    if not _Hog.started:
        _Hog.started = True
        threading.Thread(target=compute, args=(delay_s,), daemon=True).start()


def work(_number: int) -> None:
    """Execute a workflow that does nothing, beside the thread of its runtime."""
    start_hog()


async def work_async(_number: int) -> None:
    """Do the same as a coroutine."""
    start_hog()
