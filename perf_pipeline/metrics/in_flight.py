"""How many workflows were in flight, counted at every start and every end."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    import numpy.typing as npt
    import polars as pl


@dataclass(frozen=True)
class InFlightCurve:
    """The number in flight as a step function of time.

    Attributes:
        at_ns: int64[m], times of the steps, non-decreasing, CLOCK_MONOTONIC.
        count: int64[m], number in flight from ``at_ns[i]`` to ``at_ns[i + 1]``.
    """

    at_ns: npt.NDArray[np.int64]
    count: npt.NDArray[np.int64]

    @classmethod
    def of(cls, frame: pl.DataFrame) -> InFlightCurve:
        """Count +1 at every start and -1 at every end of ``frame``.

        At equal times ends come first: a slot is never counted twice at the moment when it goes
        from one workflow to the next.
        """
        starts, ends = frame["start_ns"].to_numpy(), frame["end_ns"].to_numpy()
        at_ns = np.concatenate([ends, starts])
        step = np.concatenate([-np.ones_like(ends), np.ones_like(starts)])
        order = np.argsort(at_ns, kind="stable")
        return cls(at_ns[order], np.cumsum(step[order]))

    def within(self, start_ns: int, end_ns: int) -> tuple[npt.NDArray[np.int64], ...]:
        """Return the counts within a window and how long each lasted, ns."""
        if not len(self.at_ns):
            return self.count, self.at_ns
        edges = np.clip(self.at_ns, start_ns, end_ns)
        lasted = np.diff(edges, prepend=start_ns, append=end_ns)
        count = np.concatenate([[0], self.count])  # nothing is in flight before the first step
        keep = lasted > 0
        return count[keep], lasted[keep]

    def median(self, start_ns: int, end_ns: int) -> float | None:
        """Return the time-weighted median over a window; None if nothing is known of it."""
        count, lasted = self.within(start_ns, end_ns)
        if not len(count):
            return None
        order = np.argsort(count, kind="stable")
        half = np.cumsum(lasted[order])
        return float(count[order][np.searchsorted(half, half[-1] / 2)])

    def least(self, start_ns: int, end_ns: int) -> int | None:
        """Return the least number in flight over a window."""
        count, _ = self.within(start_ns, end_ns)
        return int(count.min()) if len(count) else None

    def means(self, edges_ns: npt.NDArray[np.int64]) -> npt.NDArray[np.float64]:
        """Return the time-weighted mean between each two neighbours of ``edges_ns``.

        Args:
            edges_ns: int64[k + 1], increasing.

        Returns:
            float64[k].
        """
        if not len(self.at_ns):
            return np.zeros(len(edges_ns) - 1)
        origin = min(int(self.at_ns[0]), int(edges_ns[0]))
        lasted = np.diff(self.at_ns)
        area = np.concatenate([[0.0], np.cumsum(self.count[:-1] * lasted)])
        at_edges = np.interp(edges_ns - origin, self.at_ns - origin, area)
        means: npt.NDArray[np.float64] = np.diff(at_edges) / np.diff(edges_ns)
        return means
