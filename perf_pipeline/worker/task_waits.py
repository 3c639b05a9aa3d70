"""What the workflows of an asynchronous target are waiting for."""

from __future__ import annotations

import sys
from collections import Counter
from typing import TYPE_CHECKING

from perf_pipeline.targets.pool_threads import is_at_work
from perf_pipeline.worker.waits import sample_every_ns, where

if TYPE_CHECKING:
    from collections.abc import Callable
    from types import FrameType


class TaskSampler:
    """Samples what the workflows of an asynchronous target are doing; called by one thread.

    It is not called in the event loop's thread, where a sample would never find a workflow
    executing.

    Attributes:
        due_ns: When the next sample is due, CLOCK_MONOTONIC.
    """

    def __init__(
        self,
        in_flight: Callable[[], int],
        executing: Callable[[], int | None],
        frames: Callable[[], dict[int, FrameType]] = sys._current_frames,  # noqa: SLF001 the interpreter's documented way
    ) -> None:
        """Sample from the counts of worker and target, and from the stacks of pool threads."""
        self._in_flight = in_flight
        self._executing = executing
        self._frames = frames
        self.due_ns = 0

    def __call__(self, now_ns: int) -> dict[str, int]:
        """Return how many workflows in flight do what; empty if no sample is due.

        Returns:
            ``queued``: in flight and not executing. Those that execute: ``where`` of the
            thread of an executor that has them, else ``runtime``; ``unknown`` when the target
            cannot count them.
        """
        if now_ns < self.due_ns:
            return {}
        in_flight, executing = self._in_flight(), self._executing()
        self.due_ns = now_ns + sample_every_ns(in_flight)
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
