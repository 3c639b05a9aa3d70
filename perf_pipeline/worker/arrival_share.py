"""The schedule of an open load level as one worker process plays it."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from array import array


class ArrivalShare:
    """The intended starts of an open level; a worker plays every ``workers``-th of them.

    A stop before ``last_ns`` cuts the level short: nothing more starts. After a stop at the end of
    the schedule, workflows that are waiting for a slot may still start within the drain, because
    they arrived in time.

    Attributes:
        intended_ns: int64[n], when each workflow should start, ns after the go, non-decreasing.
        scheduled: n.
        last_ns: When the last workflow should start, ns after the go.
        start_timeout_ns: A workflow that has waited longer for a free slot is dropped.
    """

    def __init__(self, intended_ns: array[int], start_timeout_ns: int) -> None:
        self.intended_ns = intended_ns
        self.scheduled = len(intended_ns)
        self.last_ns = intended_ns[-1] if intended_ns else 0
        self.start_timeout_ns = start_timeout_ns

    def is_cut_at(self, stop_ns: int) -> bool:
        """Return whether a stop ``stop_ns`` after the go cuts the level short."""
        return stop_ns <= self.last_ns
