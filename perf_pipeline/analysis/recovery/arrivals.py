"""The workflows of a level in the order of their arrival, as arrays."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal, Self

import numpy as np
import polars as pl

from perf_pipeline.samples.record import COLD, NOT_STARTED, TIMES_LOST, Outcome

if TYPE_CHECKING:
    from perf_pipeline.metrics.survival.survival_curve import Floats, Ints

    Bools = np.ndarray[tuple[int], np.dtype[np.bool_]]

SLOW, DROPPED, TIMEOUT = "slow", "dropped", "timeout"
"""Classes of what was not answered well, beside those of errors."""


@dataclass(frozen=True)
class Arrivals:
    """Workflows by arrival; a closed loop has no arrivals, so there it is their start.

    Attributes:
        due_ns: When they arrived, non-decreasing, CLOCK_MONOTONIC.
        end_ns: When they ended, or were last known to go on.
        number: Their number in the plan.
        outcome: ``Outcome``.
        error_class: ``ErrorClass``.
        has_lost_times: Their times went with a killed worker.
    """

    due_ns: Ints
    end_ns: Ints
    number: Ints
    outcome: Ints
    error_class: Ints
    has_lost_times: Bools

    def __len__(self) -> int:
        return len(self.due_ns)

    def between(self, start_ns: int, end_ns: int) -> Self:
        """Return those that arrived in ``[start_ns, end_ns)``."""
        first, last = np.searchsorted(self.due_ns, [start_ns, end_ns])
        return self._taken(slice(int(first), int(last)))

    def where(self, wanted: Bools) -> Self:
        """Return those for which ``wanted`` is true."""
        return self._taken(wanted)

    def _taken(self, which: slice | Bools) -> Self:
        return type(self)(*(getattr(self, name)[which] for name in self.__dataclass_fields__))

    @property
    def took_s(self) -> Floats:
        """Time from arrival to the end, or as long as it is known to have been."""
        taken: Floats = (self.end_ns - self.due_ns) / 1e9
        return taken

    @property
    def is_failed(self) -> Bools:
        """They ended in an error or a timeout, or were dropped."""
        return ~np.isin(self.outcome, [int(Outcome.OK), int(Outcome.ABANDONED)])

    def is_known(self, limit_s: float) -> Bools:
        """Whether it is known that they were answered within a time, or were not.

        What our own stop cut short earlier is not: it might have been answered.
        """
        is_cut = self.outcome == int(Outcome.ABANDONED)
        known: Bools = ~is_cut | ((self.took_s > limit_s) & ~self.has_lost_times)
        return known

    def is_bad(self, limit_s: float) -> Bools:
        """Whether they were not answered well within a time; false where that is unknown."""
        is_late: Bools = (self.took_s > limit_s) & ~self.has_lost_times
        return (self.is_failed | is_late) & self.is_known(limit_s)


def arrivals_of(frame: pl.DataFrame, loop: Literal["closed", "open"]) -> Arrivals:
    """Return the workflows of a level, without cold starts.

    Args:
        frame: All its records, ``SCHEMA``.
        loop: Of the level; what a closed one never started has not arrived either.
    """
    warm = frame.filter((pl.col("flags") & COLD) == 0)
    due = "intended_start_ns"
    if loop == "closed":
        warm, due = warm.filter((pl.col("flags") & NOT_STARTED) == 0), "start_ns"
    warm = warm.sort(due)
    return Arrivals(
        due_ns=warm[due].to_numpy(),
        end_ns=warm["end_ns"].to_numpy(),
        number=warm["number"].to_numpy(),
        outcome=warm["outcome"].cast(pl.Int64).to_numpy(),
        error_class=warm["error_class"].cast(pl.Int64).to_numpy(),
        has_lost_times=((warm["flags"] & TIMES_LOST) != 0).to_numpy(),
    )
