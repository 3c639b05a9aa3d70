"""A target that holds the interpreter lock: threads of its own compute without end."""

from __future__ import annotations

import threading

HOGS = 2


class _Hogs:
    started = False


def compute() -> None:
    """Hold the interpreter lock until the process ends."""
    while True:
        sum(range(1000))


def start_hogs() -> None:
    """Start the threads, once a process."""
    if not _Hogs.started:
        _Hogs.started = True
        for _ in range(HOGS):
            threading.Thread(target=compute, daemon=True).start()


def work(number: int) -> None:
    """Execute a workflow that does nothing, beside the threads of its runtime."""
    start_hogs()


async def work_async(number: int) -> None:
    """Do the same as a coroutine."""
    start_hogs()
