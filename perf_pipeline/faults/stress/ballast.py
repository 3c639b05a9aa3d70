"""Takes memory until little is available, keeps it so, and lets go below a floor, until killed."""

from __future__ import annotations

import mmap
import os
import select
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

from perf_pipeline.faults.host_floor import available_memory, memory_floor_bytes

if TYPE_CHECKING:
    from typing import TextIO

CHUNK_BYTES = 16 << 20
READY_BYTES = 256 << 20
"""Of what is to be taken, left for the begin of the window: a fraction of a second's work."""

_MOST_CHUNKS = 16
"""Taken between two looks at what is available."""

_PAUSE_BEFORE_MS, _PAUSE_MS = 50, 10
"""Between two looks, before the window and in it."""

_FIRST_TO_DIE = "1000"
_AHEAD_OF_OTHERS = -10
"""Nice value: what others give back is taken within a moment, however many of them want a core."""


def main(arguments: list[str], orders: TextIO) -> None:
    """Hold memory.

    Args:
        arguments: How many bytes are to stay available.
        orders: Until a line comes, ``READY_BYTES`` more than that stay available.
    """
    target = int(arguments[0])
    Path("/proc/self/oom_score_adj").write_text(_FIRST_TO_DIE, encoding="ascii")
    with suppress(PermissionError):
        os.setpriority(os.PRIO_PROCESS, 0, _AHEAD_OF_OTHERS)
    chunks: list[mmap.mmap] = []
    pipe = select.poll()
    pipe.register(orders, select.POLLIN)
    pause_ms, ahead = _PAUSE_BEFORE_MS, READY_BYTES
    while True:
        if pipe.poll(pause_ms):
            if not orders.readline():
                return
            pipe.unregister(orders)
            pause_ms, ahead = _PAUSE_MS, 0
        available, total = available_memory()
        wanted = steps(available, target + ahead, memory_floor_bytes(total), len(chunks))
        chunks.extend(_chunk() for _ in range(wanted))
        for _ in range(-wanted):
            chunks.pop().close()


def steps(available: int, target: int, floor: int, held: int) -> int:
    """Return how many chunks to take, or, negative, to let go.

    Args:
        available: What is available now, bytes.
        target: What is to be, bytes.
        floor: What is never to be taken, bytes: below it everything is let go at once.
        held: Chunks that are held.
    """
    if available < floor:
        return -held
    wanted = (available - target) // CHUNK_BYTES  # rounded down: never below the target
    return max(-held, min(wanted, _MOST_CHUNKS))


def _chunk() -> mmap.mmap:
    """Return memory that the kernel has really given."""
    return mmap.mmap(-1, CHUNK_BYTES, mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS | mmap.MAP_POPULATE)
