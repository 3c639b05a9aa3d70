"""The offset between this host's CLOCK_MONOTONIC and the clock of the Redis at which shards meet.

Hosts have no clock in common, but all can ask one Redis for its TIME. The answer was made somewhere
between the question and its arrival, so half of the round trip bounds the error, whichever way was
the slower one. Of several round trips the quickest decides (Cristian, "Probabilistic clock
synchronization", 1989); only the latest are regarded, because clocks drift.
"""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from perf_pipeline.lifeline import own_stamp

if TYPE_CHECKING:
    from collections.abc import Callable

ROUND_TRIPS = 16
"""How many of the latest are regarded."""

_RESOLUTION_NS = 1_000
"""TIME counts whole microseconds, so an answer is on average half of one too early."""


@dataclass(frozen=True)
class ClockOffset:
    """How a host's CLOCK_MONOTONIC relates to the TIME of Redis.

    Attributes:
        offset_ns: What is added to CLOCK_MONOTONIC to get the time of Redis.
        error_ns: How far the true offset is from it at most.
    """

    offset_ns: int
    error_ns: int


class OffsetClock:
    """Measures the offset, a round trip at a time.

    Args:
        now_ns: CLOCK_MONOTONIC, ns.
    """

    def __init__(self, now_ns: Callable[[], int]) -> None:
        self._now_ns = now_ns
        self._trips: deque[ClockOffset] = deque(maxlen=ROUND_TRIPS)

    def ask(self, ask_time: Callable[[], tuple[int, int]]) -> None:
        """Measure one round trip.

        Args:
            ask_time: Returns what Redis answers to TIME: seconds and microseconds.
        """
        asked_ns = self._now_ns()
        seconds, microseconds = ask_time()
        answered_ns = self._now_ns()
        redis_ns = seconds * 1_000_000_000 + microseconds * 1_000 + _RESOLUTION_NS // 2
        offset_ns = redis_ns - (asked_ns + answered_ns) // 2
        error_ns = (answered_ns - asked_ns + 1) // 2 + _RESOLUTION_NS // 2
        self._trips.append(ClockOffset(offset_ns, error_ns))

    def quickest(self) -> ClockOffset:
        """Return what the quickest of the latest round trips says."""
        return min(self._trips, key=lambda trip: trip.error_ns)


def clock_id() -> str:
    """Identify the CLOCK_MONOTONIC of this process: those of one id are one clock.

    All containers of a host share its clock, unless one was given a time namespace of its own
    (time_namespaces(7)).

    Raises:
        OSError: /proc is not mounted.
    """
    namespace = Path("/proc/self/ns/time")
    inode = namespace.stat().st_ino if namespace.exists() else 0
    return f"{own_stamp().boot_id}-{inode}"
