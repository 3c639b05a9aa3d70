"""What the workflows of a worker process are waiting for, from the stacks of its threads.

A sample looks at the innermost frames of each thread. A frame in a driver shows which server the
thread talks to, one in a pool that it waits for a connection. Everything else is ``runtime``:
running or waiting for the interpreter lock, which a stack cannot distinguish.
"""

from __future__ import annotations

import sys
from functools import cache
from typing import TYPE_CHECKING

from perf_pipeline.config.services import SERVICES

if TYPE_CHECKING:
    from collections.abc import Callable
    from types import FrameType

FRAMES = 12
THREADS = 100
EVERY_MIN_NS, EVERY_MAX_NS = 500_000_000, 2_000_000_000
_EACH_NS = 20_000_000

_SITE = "-packages/"
"""Drivers are below site-packages or dist-packages; the environment itself may be in a folder
"redis"."""

_POOL = "pool"
_POOL_FILES = (f"{_SITE}sqlalchemy/pool/", f"{_SITE}sqlalchemy/util/queue.py")
_LOCK_FILE = f"{_SITE}pymongo/lock.py"
"""A thread in it waits for a lock, and the frame below shows for which."""

_IDLE = ("/worker/open_loop.py", "/worker/closed_loop.py", "/worker/stages/staged_loop.py")
"""A thread that waits for the time of its next workflow or for its stage, or thinks, is not in
flight."""


@cache
def _drivers(services: tuple[str, ...]) -> list[tuple[str, str, str | None]]:
    """Return the path of each driver, its service, and the function that waits for its pool."""
    specs = [SERVICES[name] for name in services]
    return [
        (f"{_SITE}{path}", spec.name, spec.pool_function) for spec in specs for path in spec.drivers
    ]


def where(frame: FrameType | None) -> str:
    """Return what a thread with this innermost frame is doing.

    The innermost frame of a driver decides: it is above those of a pool that connects, and
    PyMySQL's above those of SQLAlchemy's engine.

    Returns:
        ``pool``, the name of a service, or ``runtime``.
    """
    in_pool, drivers = False, _drivers(tuple(SERVICES))
    for _ in range(FRAMES):
        if frame is None:
            break
        path, function = frame.f_code.co_filename, frame.f_code.co_name
        frame = frame.f_back
        if _LOCK_FILE in path:
            continue
        for driver, service, pool_function in drivers:
            if driver in path:
                return _POOL if function == pool_function else service
        in_pool = in_pool or any(file in path for file in _POOL_FILES)
    return _POOL if in_pool else "runtime"


def sample_every_ns(workflows: int) -> int:
    """Return how long to wait after a sample of so many workflows at once, ns.

    Few workflows are sampled more often, so that a short load level has the samples that shares
    need; from 25 on it is 50 workflows a second, from 100 on a sample every 2 s.
    """
    return min(max(_EACH_NS * workflows, EVERY_MIN_NS), EVERY_MAX_NS)


class WaitSampler:
    """Samples at most ``THREADS`` of the given threads, every ``sample_every_ns``."""

    def __init__(
        self,
        threads: list[int],
        frames: Callable[[], dict[int, FrameType]] = sys._current_frames,  # noqa: SLF001 the interpreter's documented way
    ) -> None:
        """Sample among ``threads`` (identifiers); the list may still grow."""
        self._threads = threads
        self._frames = frames
        self._due_ns = 0

    def __call__(self, now_ns: int) -> dict[str, int]:
        """Return how many threads do what; empty if no sample is due."""
        if now_ns < self._due_ns:
            return {}
        self._due_ns = now_ns + sample_every_ns(len(self._threads))
        frames = self._frames()
        step = max(1, len(self._threads) // THREADS)
        counts: dict[str, int] = {}
        for ident in self._threads[::step]:
            if ident in frames:
                place = where(frames[ident])
                if not frames[ident].f_code.co_filename.endswith(_IDLE):
                    counts[place] = counts.get(place, 0) + 1
        return counts
