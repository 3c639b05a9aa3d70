"""What the threads of a worker are waiting for, as far as their stacks tell.

A sample looks at the innermost frames of some threads. Inside a driver it says which server the
thread talks to, inside a pool that it waits for a connection; everything else is ``runtime``:
running, or waiting for the interpreter lock, which a stack cannot tell apart.
"""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable
    from types import FrameType

FRAMES = 12
THREADS = 100
EVERY_NS = 2_000_000_000

_PLACES: tuple[tuple[str, str], ...] = (
    ("-packages/sqlalchemy/pool/", "pool"),
    ("-packages/sqlalchemy/util/queue.py", "pool"),
    ("-packages/psycopg2/", "postgres"),
    ("-packages/sqlalchemy/engine/default.py", "postgres"),
    ("-packages/redis/", "redis"),
)
"""Below site-packages or dist-packages: the environment itself may lie in a folder "redis"."""


def where(frame: FrameType | None) -> str:
    """Say what a thread with this innermost frame is doing.

    Returns:
        ``pool``, ``postgres``, ``redis`` or ``runtime``.
    """
    seen: set[str] = set()
    for _ in range(FRAMES):
        if frame is None:
            break
        path = frame.f_code.co_filename
        for part, place in _PLACES:
            if part in path:
                seen.add(place)
                if place == "redis":  # its client waits for its own pool in its own code
                    return "pool" if frame.f_code.co_name == "get_connection" else "redis"
        frame = frame.f_back
    # A pool's frames stand below a connect to the server: the connect is what is waited for.
    for place in ("postgres", "pool"):
        if place in seen:
            return place
    return "runtime"


class WaitSampler:
    """Samples at most ``THREADS`` of the given threads every ``EVERY_NS``."""

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
        """Return how many threads were seen doing what; empty if it is too early."""
        if now_ns < self._due_ns:
            return {}
        self._due_ns = now_ns + EVERY_NS
        frames = self._frames()
        step = max(1, len(self._threads) // THREADS)
        counts: dict[str, int] = {}
        for ident in self._threads[::step]:
            if ident in frames:
                place = where(frames[ident])
                counts[place] = counts.get(place, 0) + 1
        return counts
