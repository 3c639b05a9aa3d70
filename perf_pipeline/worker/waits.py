"""What the workflows of a worker process are waiting for, from the stacks of its threads.

A sample looks at the innermost frames of each thread. A frame in a driver shows which server the
thread talks to, one in a pool that it waits for a connection. Everything else is ``runtime``:
running or waiting for the interpreter lock, which a stack cannot distinguish.
"""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable
    from types import FrameType

FRAMES = 12
THREADS = 100
EVERY_MIN_NS, EVERY_MAX_NS = 500_000_000, 2_000_000_000
_EACH_NS = 20_000_000

_PLACES: tuple[tuple[str, str], ...] = (
    ("-packages/sqlalchemy/pool/", "pool"),
    ("-packages/sqlalchemy/util/queue.py", "pool"),
    ("-packages/psycopg2/", "postgres"),
    ("-packages/sqlalchemy/engine/default.py", "postgres"),  # psycopg2 itself is C
    ("-packages/pymysql/", "mysql"),
    ("-packages/redis/", "redis"),
    ("-packages/pymongo/lock.py", ""),  # who waits for the lock is told by the frame below
    ("-packages/pymongo/", "mongodb"),
)
"""Below site-packages or dist-packages: the environment itself may lie in a folder "redis"."""

_IDLE = "/worker/open_loop.py"
"""A thread that waits for the time of its next workflow is not in flight."""

_OWN_POOLS = {"redis": "get_connection", "mongodb": "_get_conn"}
"""Clients that wait for their own pool in their own code, and the function that does."""


def where(frame: FrameType | None) -> str:
    """Return what a thread with this innermost frame is doing.

    Returns:
        ``pool``, ``postgres``, ``mysql``, ``redis``, ``mongodb`` or ``runtime``.
    """
    seen: set[str] = set()
    for _ in range(FRAMES):
        if frame is None:
            break
        place = _place(frame.f_code.co_filename)
        if place in _OWN_POOLS:
            return "pool" if frame.f_code.co_name == _OWN_POOLS[place] else place
        seen.add(place)
        frame = frame.f_back
    # A pool's frames stand below a connect to the server: the connect is what is waited for. And
    # those of SQLAlchemy's engine stand below PyMySQL's.
    for place in ("mysql", "postgres", "pool"):
        if place in seen:
            return place
    return "runtime"


def _place(path: str) -> str:
    for part, place in _PLACES:
        if part in path:
            return place
    return ""


def sample_every_ns(workflows: int) -> int:
    """Return how long to wait after a sample of so many workflows at once, ns.

    Few workflows are sampled more often, so that a short load level has the samples that shares
    need; from 25 on it is 50 a second, which cost 0.04 % of a core.
    """
    return min(max(_EACH_NS * workflows, EVERY_MIN_NS), EVERY_MAX_NS)


class WaitSampler:
    """Samples at most ``THREADS`` of the given threads, as often as ``sample_every_ns`` says."""

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
