"""When a load level is ended early: too many workflows fail, or the host lacks a resource.

A stress run looks for the load at which the target fails. Greater loads are not worth measuring,
and a host that runs out of memory or descriptors loses the measurement as well.
"""

from __future__ import annotations

import os
import resource
from collections import deque
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from perf_pipeline.config.machine import read_machine_limits
from perf_pipeline.samples.ended_because import EndedBecause

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from perf_pipeline.config.scenario.scenario import Stop
    from perf_pipeline.samples.slots import Totals

WINDOW_NS = 10_000_000_000
MIN_ENDED = 20
"""A share of fewer workflows is not judged."""


class EarlyEnd(NamedTuple):
    """Why a level ends early: the reason, and a sentence with the figures."""

    because: EndedBecause
    detail: str


def descriptors_free_of(pid: int) -> int | None:
    """Return how many more files a process may open; None without a limit, or if it has ended."""
    try:
        soft, _ = resource.prlimit(pid, resource.RLIMIT_NOFILE)
        opened = len(os.listdir(Path("/proc", str(pid), "fd")))  # noqa: PTH208 thousands of names
    except (OSError, ProcessLookupError):
        return None
    return None if soft == resource.RLIM_INFINITY else soft - opened


def memory_free_bytes() -> int | None:
    """Return what the machine, or the tightest control group, has left; None if unknown."""
    return read_machine_limits().memory_free_bytes


class StopWatch:
    """Decides once a second whether a level should end early."""

    def __init__(
        self,
        stop: Stop,
        *,
        memory_free_bytes: Callable[[], int | None] = memory_free_bytes,
        descriptors_free: Callable[[int], int | None] = descriptors_free_of,
    ) -> None:
        """Watch the limits of ``stop``; the functions read what the machine has left."""
        self._stop = stop
        self._memory_free_bytes = memory_free_bytes
        self._descriptors_free = descriptors_free
        self._recent: deque[tuple[int, int, int]] = deque()

    def begin(self, at_ns: int, totals: Totals) -> None:
        """Store when the load begins; workflows that ended before it do not count."""
        self._recent.append((at_ns, totals.ended, totals.failed))

    def look(self, at_ns: int, totals: Totals, pids: Sequence[int]) -> EarlyEnd | None:
        """Return why the level should end now; None if it should not. After ``begin``.

        Args:
            at_ns: CLOCK_MONOTONIC.
            totals: What the workers have done so far.
            pids: Workers that are alive.
        """
        return self._failing(at_ns, totals) or self._no_memory() or self._no_descriptors(pids)

    def _failing(self, at_ns: int, totals: Totals) -> EarlyEnd | None:
        self._recent.append((at_ns, totals.ended, totals.failed))
        while len(self._recent) > 1 and self._recent[1][0] <= at_ns - WINDOW_NS:
            self._recent.popleft()
        then_ns, ended_then, failed_then = self._recent[0]
        ended, failed = totals.ended - ended_then, totals.failed - failed_then
        failed = min(failed, ended)  # a slot counts a failure a moment before its end
        if ended < MIN_ENDED or failed <= self._stop.error_ratio * ended:
            return None
        return EarlyEnd(
            EndedBecause.MOSTLY_FAILING,
            f"{100 * failed / ended:.3g} % of the {ended} workflows that ended in the last "
            f"{(at_ns - then_ns) / 1e9:.0f} s failed (limit {100 * self._stop.error_ratio:.3g} %)",
        )

    def _no_memory(self) -> EarlyEnd | None:
        if not self._stop.memory_free_mb:
            return None
        free_bytes = self._memory_free_bytes()
        if free_bytes is None or free_bytes >= self._stop.memory_free_mb * 1e6:
            return None
        return EarlyEnd(
            EndedBecause.HOST_FLOOR,
            f"{free_bytes / 1e6:.0f} MB of memory were left (floor "
            f"{self._stop.memory_free_mb:.0f} MB)",
        )

    def _no_descriptors(self, pids: Sequence[int]) -> EarlyEnd | None:
        if not self._stop.descriptors_free:
            return None
        for pid in pids:
            free = self._descriptors_free(pid)
            if free is not None and free < self._stop.descriptors_free:
                return EarlyEnd(
                    EndedBecause.HOST_FLOOR,
                    f"worker process {pid} could open {free} more files (floor "
                    f"{self._stop.descriptors_free})",
                )
        return None
