"""What arrives in one worker of an open level, and when."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from array import array


class ArrivalShare:
    """The schedule of an open level; a worker plays every ``workers``-th number of it.

    Attributes:
        scheduled: Workflows of the whole schedule.
        start_timeout_ns: What has waited longer for a free slot is dropped.
    """

    def __init__(self, intended_ns: array[int], start_timeout_ns: int) -> None:
        """Take the schedule: int64[n], ns after the go, non-decreasing, n > 0."""
        self._intended_ns = intended_ns
        self._last_ns = intended_ns[-1] if intended_ns else 0
        self.scheduled = len(intended_ns)
        self.start_timeout_ns = start_timeout_ns

    def due_ns(self, number: int) -> int:
        """Return when workflow ``number`` should start, ns after the go."""
        return self._intended_ns[number]

    def is_cut(self, go_ns: int, stop_ns: int, now_ns: int) -> bool:
        """Say whether the level was stopped before its schedule was over.

        Then nothing more starts. After a stop at the end of the schedule, what has waited for a
        slot may still start within the drain: it arrived in time.
        """
        return now_ns >= stop_ns and stop_ns <= go_ns + self._last_ns
