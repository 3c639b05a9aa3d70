"""How many threads of an executor are at work, read from their stacks.

A pool does not report how many of its threads are at work. The innermost frame of an idle thread is
the pool's own loop, which waits for its queue; any other innermost frame is work.
"""

from __future__ import annotations

import sys
from concurrent.futures import ThreadPoolExecutor, thread
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from types import FrameType

_FILE = thread.__file__
_IDLE = "_worker"
"""The function that every pool thread runs; it waits for the queue in C, without a frame."""


def is_at_work(frame: FrameType | None) -> bool:
    """Return whether a thread with this innermost frame executes something for an executor."""
    if frame is None or (frame.f_code.co_name == _IDLE and frame.f_code.co_filename == _FILE):
        return False
    while frame is not None:
        if frame.f_code.co_filename == _FILE and frame.f_code.co_name == _IDLE:
            return True
        frame = frame.f_back
    return False


def threads_at_work(pool: object) -> int | None:
    """Count the threads of a pool that execute something; from any thread.

    Returns:
        How many; None when the pool is none of ``concurrent.futures``, or of a Python whose pools
        do not list their threads.
    """
    threads = getattr(pool, "_threads", None)
    if not isinstance(pool, ThreadPoolExecutor) or threads is None:
        return None
    frames = sys._current_frames()  # noqa: SLF001 the interpreter's documented way
    return sum(is_at_work(frames.get(one.ident)) for one in list(threads))
