"""How many workflows were in flight, counted at every start and every end."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Iterator

    import numpy.typing as npt
    import polars as pl

_STEPS_AT_A_TIME = 1 << 16


@dataclass(frozen=True)
class InFlightCurve:
    """The number in flight as a step function of time.

    It is kept as the two sorted columns that it is made of: 10 million workflows are 160 MB, and
    20 million steps with their counts would be twice as much and take ten times as long to sort.

    Attributes:
        starts_ns: int64[n], when workflows started, non-decreasing, CLOCK_MONOTONIC.
        ends_ns: int64[n], when workflows ended, likewise; each on its own, not by workflow.
    """

    starts_ns: npt.NDArray[np.int64]
    ends_ns: npt.NDArray[np.int64]

    @classmethod
    def of(cls, frame: pl.DataFrame | pl.LazyFrame) -> InFlightCurve:
        """Count +1 at every start and -1 at every end of ``frame``."""
        times = frame.lazy().select("start_ns", "end_ns").collect()
        ends_ns = times["end_ns"].to_numpy()
        # Workers record in order of the ends, so that a merge sort has little left to do.
        return cls(times["start_ns"].sort().to_numpy(), np.sort(ends_ns, kind="stable"))

    def lasted_ns(self, start_ns: int, end_ns: int) -> npt.NDArray[np.float64]:
        """Return for how long each number was in flight within a window.

        Returns:
            float64[most in flight + 1], ns, whole numbers (exact up to 104 days); empty when
            nothing is known of the window.
        """
        lasted = np.zeros(0)
        if len(self.starts_ns) and end_ns > start_ns:
            for count, piece_ns in self._pieces(start_ns, end_ns):
                sums = np.bincount(count, weights=piece_ns, minlength=len(lasted))
                more: npt.NDArray[np.float64] = sums.astype(np.float64, copy=False)
                more[: len(lasted)] += lasted
                lasted = more
        return lasted

    def median_and_least(self, start_ns: int, end_ns: int) -> tuple[float, int] | tuple[None, None]:
        """Return the time-weighted median over a window and the least number in it.

        Both are None if nothing is known of the window.
        """
        lasted = self.lasted_ns(start_ns, end_ns)
        if not len(lasted):
            return None, None
        until = np.cumsum(lasted)
        median = float(np.searchsorted(until, until[-1] / 2))
        return median, int(np.flatnonzero(lasted)[0])

    def means(self, edges_ns: npt.NDArray[np.int64]) -> npt.NDArray[np.float64]:
        """Return the time-weighted mean between each two neighbours of ``edges_ns``.

        Args:
            edges_ns: int64[k + 1], increasing.

        Returns:
            float64[k].
        """
        started = np.searchsorted(self.starts_ns, edges_ns)
        ended = np.searchsorted(self.ends_ns, edges_ns)
        means = np.zeros(len(edges_ns) - 1)
        for i, end_ns in enumerate(edges_ns[1:]):
            length_ns = end_ns - edges_ns[i]
            # What was there at the left edge stays for all of the time, what starts from then on
            # for the rest of it, and what ends is missing for the rest.
            stays = int(started[i] - ended[i]) * int(length_ns)
            joins = int((end_ns - self.starts_ns[started[i] : started[i + 1]]).sum())
            leaves = int((end_ns - self.ends_ns[ended[i] : ended[i + 1]]).sum())
            means[i] = (stays + joins - leaves) / int(length_ns)
        return means

    def _pieces(
        self, start_ns: int, end_ns: int
    ) -> Iterator[tuple[npt.NDArray[np.int64], npt.NDArray[np.int64]]]:
        """Yield numbers in flight and how long each lasted, ns > 0, some steps at a time.

        At equal times ends come first: a slot is never counted twice at the moment when it goes
        from one workflow to the next.
        """
        columns = (self.ends_ns, self.starts_ns)  # the last bit of a step: 0 for ends, 1 for starts
        at = [int(np.searchsorted(column, start_ns, side="right")) for column in columns]
        until = [int(np.searchsorted(column, end_ns)) for column in columns]
        stops = [
            column[a:b:_STEPS_AT_A_TIME] for column, a, b in zip(columns, at, until, strict=True)
        ]
        in_flight, left_ns = at[1] - at[0], start_ns
        for stop_ns in np.unique(np.concatenate([*stops, [end_ns]])).tolist():
            to = [int(np.searchsorted(column, stop_ns)) for column in columns]
            new = [
                (column[a:b] - left_ns) * 2 + is_start
                for is_start, (column, a, b) in enumerate(zip(columns, at, to, strict=True))
            ]
            steps = np.concatenate(new)
            steps.sort(kind="stable")  # two runs that are sorted already: merged in linear time
            edges_ns = np.concatenate([[0], steps >> 1, [stop_ns - left_ns]])
            count = in_flight + np.concatenate([[0], np.cumsum((steps & 1) * 2 - 1)])
            lasted_ns = np.diff(edges_ns)
            keep = lasted_ns > 0
            yield count[keep], lasted_ns[keep]
            in_flight, left_ns, at = int(count[-1]), stop_ns, to
