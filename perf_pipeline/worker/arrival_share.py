"""What arrives at a worker of an open level, and when."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from array import array


class ArrivalShare:
    """The schedule of an open level; a worker plays every ``workers``-th number of it.

    A level that is stopped before ``last_ns`` was cut short, and nothing more of it starts. After
    a stop at the end of the schedule, what has waited for a slot may still start within the
    drain: it arrived in time.

    Attributes:
        intended_ns: int64[n], when each workflow should start, ns after the go, non-decreasing.
        scheduled: n.
        last_ns: When the last one should.
        start_timeout_ns: What has waited longer for a free slot is dropped.
    """

    def __init__(self, intended_ns: array[int], start_timeout_ns: int) -> None:
        self.intended_ns = intended_ns
        self.scheduled = len(intended_ns)
        self.last_ns = intended_ns[-1] if intended_ns else 0
        self.start_timeout_ns = start_timeout_ns

    def is_cut_at(self, stop_ns: int) -> bool:
        """Return whether a stop so long after the go cuts the level short."""
        return stop_ns <= self.last_ns
