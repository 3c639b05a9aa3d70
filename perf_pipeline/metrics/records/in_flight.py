"""How many workflows were in flight, counted at every start and every end."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Callable

    import numpy.typing as npt
    import polars as pl

_NEVER_NS = (1 << 63) - 1


@dataclass(frozen=True)
class InFlightCurve:
    """The number in flight as a step function of time.

    It is stored as two sorted columns: 10 million workflows are 160 MB, and 20 million steps with
    their counts would be twice as much and take ten times as long to sort.

    Attributes:
        starts_ns: int64[n], when workflows started, non-decreasing, CLOCK_MONOTONIC.
        ends_ns: int64[n], when workflows ended, likewise; each on its own, not by workflow.
        chunk: Ends that are examined together, which bounds the memory.
    """

    starts_ns: npt.NDArray[np.int64]
    ends_ns: npt.NDArray[np.int64]
    chunk: int = 1 << 14

    @classmethod
    def of(cls, frame: pl.DataFrame | pl.LazyFrame) -> InFlightCurve:
        """Count +1 at every start and -1 at every end of ``frame``."""
        times = frame.lazy().select("start_ns", "end_ns").collect()
        ends_ns = times["end_ns"].to_numpy(writable=True)
        # Workers record in order of the ends, so that a merge sort has little left to do.
        ends_ns.sort(kind="stable")
        return cls(times["start_ns"].sort().to_numpy(), ends_ns)

    def time_at_or_above_ns(self, count: int, start_ns: int, end_ns: int) -> int:
        """Return for how long at least ``count`` were in flight within a window, ns.

        Between the k-th end and the next one, that holds from start number k + count on, so the
        two columns need not be merged.

        Args:
            count: >= 1.
            start_ns: Start of the window.
            end_ns: Its end, exclusive, > ``start_ns``.
        """
        first, last = self._ends_within(start_ns, end_ns)
        total = 0
        for at in range(first, last + 1, self.chunk):
            to = min(at + self.chunk, last + 1)
            since_ns, until_ns = self.ends_ns[max(at - 1, 0) : to - 1], self.ends_ns[at:to]
            if at == first:
                since_ns = np.append(start_ns, self.ends_ns[at : to - 1])
            if to > last:
                until_ns = np.append(self.ends_ns[at:last], end_ns)
            lasted_ns = until_ns - np.maximum(since_ns, self._starts(at + count - 1, to - at))
            total += int(np.maximum(lasted_ns, 0, out=lasted_ns).sum())
        return total

    def median_and_min(self, start_ns: int, end_ns: int) -> tuple[float, int] | tuple[None, None]:
        """Return the time-weighted median over a window and the minimum in it.

        Both are None if nothing is known of the window.
        """
        if not len(self.starts_ns) or end_ns <= start_ns:
            return None, None
        half_ns = (end_ns - start_ns) / 2
        mean = float(self.means(np.array([start_ns, end_ns]))[0])

        def is_reached(count: int) -> bool:
            return self.time_at_or_above_ns(count + 1, start_ns, end_ns) <= half_ns

        return float(_first_from(round(mean), is_reached)), self._min(start_ns, end_ns)

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
            # Workflows in flight at the left edge count for all of the time; each later start adds,
            # and each end subtracts, the rest of the time.
            stays = int(started[i] - ended[i]) * int(length_ns)
            joins = int((end_ns - self.starts_ns[started[i] : started[i + 1]]).sum())
            leaves = int((end_ns - self.ends_ns[ended[i] : ended[i + 1]]).sum())
            means[i] = (stays + joins - leaves) / int(length_ns)
        return means

    def _min(self, start_ns: int, end_ns: int) -> int:
        """Return the minimum in flight for any time > 0: at the start, or after an end."""
        first, last = self._ends_within(start_ns, end_ns)
        minimum = int(np.searchsorted(self.starts_ns, start_ns, side="right")) - first
        for at in range(first, last, self.chunk):
            ends_ns = self.ends_ns[at : min(at + self.chunk, last)]
            # After end k there are as many as before if start number k + minimum came first.
            fewer = np.flatnonzero(self._starts(at + minimum, len(ends_ns)) > ends_ns)
            if len(fewer):
                started = np.searchsorted(self.starts_ns, ends_ns[fewer], side="right")
                minimum = min(minimum, int((started - (at + 1 + fewer)).min()))
        return minimum

    def _ends_within(self, start_ns: int, end_ns: int) -> tuple[int, int]:
        """Return how many ended up to the start of a window, and how many before its end."""
        first = int(np.searchsorted(self.ends_ns, start_ns, side="right"))
        return first, int(np.searchsorted(self.ends_ns, end_ns))

    def _starts(self, first: int, count: int) -> npt.NDArray[np.int64]:
        """Return the starts of ``count`` ranks; past the last one ``_NEVER_NS``."""
        found = self.starts_ns[first : first + count]
        if len(found) == count:
            return found
        return np.concatenate([found, np.full(count - len(found), _NEVER_NS)])


def _first_from(guess: int, holds: Callable[[int], bool]) -> int:
    """Return the smallest number >= 0 for which ``holds``, which does from some number on."""
    low, high, step = 0, max(guess, 0), 1
    while not holds(high):
        low, high, step = high + 1, high + step, 2 * step
    step = 1
    while low < high:  # near the guess first, then by halves
        middle = max(high - step, (low + high) // 2)
        if holds(middle):
            high, step = middle, 2 * step
        else:
            low = middle + 1
    return high
