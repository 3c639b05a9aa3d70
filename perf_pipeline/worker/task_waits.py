"""What the workflows of a target of coroutines are waiting for."""

from __future__ import annotations

import sys
from collections import Counter
from typing import TYPE_CHECKING

from perf_pipeline.targets.pool_threads import is_at_work
from perf_pipeline.worker.waits import EVERY_NS, where

if TYPE_CHECKING:
    from collections.abc import Callable
    from types import FrameType


class TaskSampler:
    """Counts the workflows of a target of coroutines every ``EVERY_NS``; asked by one thread.

    That thread is not the event loop's: whatever the loop executes would just have ended whenever
    it came to ask.
    """

    def __init__(
        self,
        in_flight: Callable[[], int],
        executing: Callable[[], int | None],
        frames: Callable[[], dict[int, FrameType]] = sys._current_frames,  # noqa: SLF001 the interpreter's documented way
    ) -> None:
        """Count by what the worker and the target say, and by where pool threads are."""
        self._in_flight = in_flight
        self._executing = executing
        self._frames = frames
        self._due_ns = 0

    def __call__(self, now_ns: int) -> dict[str, int]:
        """Return how many workflows are in flight by what they do; empty if it is too early.

        Returns:
            ``queued``: in flight and not executing. Those that execute: as ``where`` says of the
            thread of an executor that has them, else ``runtime``; ``unknown`` when the target
            cannot tell how many they are.
        """
        if now_ns < self._due_ns:
            return {}
        self._due_ns = now_ns + EVERY_NS
        in_flight, executing = self._in_flight(), self._executing()
        places = Counter(where(one) for one in self._frames().values() if is_at_work(one))
        in_runtime = places.pop("runtime", 0)
        counts: Counter[str] = Counter()
        left = in_flight if executing is None else min(executing, in_flight)
        queued = in_flight - left
        for place, threads in places.items():  # one workflow may have several threads
            counts[place] = min(threads, left)
            left -= counts[place]
        if executing is None:
            counts["runtime"] = min(in_runtime, left)
            counts["unknown"] = left - counts["runtime"]
        else:
            counts["runtime"], counts["queued"] = left, queued
        return {what: count for what, count in counts.items() if count}
