"""Medians of millions of times in some hundred cells of time, from counts in buckets.

They are for a series that is judged for a change of 5 %. The place within the bucket is taken from
the rank, so that they are less than 0.4 % off where a bucket holds one time, and far less where it
holds many; sorting the times of every cell takes far longer.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from perf_pipeline.metrics.survival.log_buckets import bucket_of, edges_ns

if TYPE_CHECKING:
    from perf_pipeline.metrics.survival.survival_curve import Floats, Ints


class CellMedians:
    """Takes times in any order, slice by slice."""

    def __init__(self, cells: int) -> None:
        """Begin with nothing in any of ``cells`` cells."""
        self._first = 0
        self._counts = np.zeros((cells, 0), dtype=np.int32)

    def add(self, cell: Ints, times_ns: Ints) -> None:
        """Count times.

        Args:
            cell: int64[n], the cell of each.
            times_ns: int64[n], >= 0.
        """
        if not len(cell):
            return
        buckets = bucket_of(times_ns)
        low, high = int(buckets.min()), int(buckets.max())
        self._widen(low, high)
        first, width = int(cell.min()), high - low + 1
        rows = int(cell.max()) - first + 1
        found = np.bincount((cell - first) * width + (buckets - low), minlength=rows * width)
        place = low - self._first
        self._counts[first : first + rows, place : place + width] += found.reshape(rows, width)

    def merge(self, other: CellMedians) -> None:
        """Add what ``other`` has counted in as many cells."""
        width = other._counts.shape[1]
        if width:
            self._widen(other._first, other._first + width - 1)
            place = other._first - self._first
            self._counts[:, place : place + width] += other._counts

    def values(self) -> tuple[Ints, Floats]:
        """Return which cells hold any, and their medians, ns."""
        known = np.flatnonzero(self._counts.any(axis=1))
        medians = np.zeros(len(known))
        edges = edges_ns(self._first, self._first + self._counts.shape[1] - 1)
        for at, cell in enumerate(known):
            until = np.cumsum(self._counts[cell])
            middle = np.array([(until[-1] - 1) // 2, until[-1] // 2])
            buckets = np.searchsorted(until, middle, side="right")
            in_bucket = self._counts[cell, buckets]
            into = (middle - (until[buckets] - in_bucket) + 0.5) / in_bucket
            low, high = edges[buckets], edges[buckets + 1]
            medians[at] = float((low + into * (high - low)).mean())
        return known, medians

    def _widen(self, low: int, high: int) -> None:
        """Make room for buckets from ``low`` to ``high``."""
        cells, buckets = self._counts.shape
        if not buckets:
            self._first = low
        first, last = min(low, self._first), max(high, self._first + buckets - 1)
        if last - first + 1 > buckets:
            wider = np.zeros((cells, last - first + 1), dtype=np.int32)
            wider[:, self._first - first : self._first - first + buckets] = self._counts
            self._first, self._counts = first, wider
