"""Number of records of each kind of workflow, outcome and class of error."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Self, TypeAlias

import numpy as np

from perf_pipeline.metrics.survival.batch_counts import SLICE
from perf_pipeline.metrics.survival.outcomes import ENDED
from perf_pipeline.samples.record import ErrorClass, Outcome

if TYPE_CHECKING:
    import polars as pl

_Table: TypeAlias = np.ndarray[tuple[int, int, int], np.dtype[np.int64]]
_SHAPE = (1 << 8, len(Outcome), len(ErrorClass))


@dataclass(frozen=True)
class OutcomeCounts:
    """Counts that add up.

    Attributes:
        table: int64[256, outcomes, error classes], by kind.
    """

    table: _Table

    @classmethod
    def of(
        cls, frame: pl.DataFrame, window_ns: tuple[int, int], rows: int = SLICE
    ) -> tuple[Self, Self]:
        """Count all records of ``frame``, and those that ended in ``[start, end)``.

        Args:
            frame: Records of ``SCHEMA``.
            window_ns: Start and end, exclusive, CLOCK_MONOTONIC.
            rows: Records that are counted together, which bounds the memory.
        """
        size = int(np.prod(_SHAPE))
        tables = np.zeros((2, size), dtype=np.int64)
        columns = frame.select("kind", "outcome", "error_class", "end_ns")
        for part in columns.iter_slices(rows):
            kind, outcome, error_class, end_ns = (column.to_numpy() for column in part)
            cell = np.ravel_multi_index((kind, outcome, error_class), _SHAPE)
            within = (end_ns >= window_ns[0]) & (end_ns < window_ns[1])
            counts = np.bincount(within * size + cell, minlength=2 * size).reshape(2, size)
            tables += counts[1], counts.sum(axis=0)
        within_all, everything = tables.reshape(2, *_SHAPE)
        answered = np.zeros_like(within_all)
        answered[:, ENDED] = within_all[:, ENDED]
        return cls(everything), cls(answered)

    def __add__(self, other: OutcomeCounts) -> OutcomeCounts:
        """Return the counts of both."""
        return OutcomeCounts(self.table + other.table)

    def __sub__(self, other: OutcomeCounts) -> OutcomeCounts:
        """Return the counts without others that are among them."""
        return OutcomeCounts(self.table - other.table)

    @property
    def outcomes(self) -> dict[str, int]:
        """Outcome to records, all five of them."""
        counts = self.table.sum(axis=(0, 2)).tolist()
        return {outcome.name.lower(): counts[outcome] for outcome in Outcome}

    @property
    def error_classes(self) -> dict[str, int]:
        """Class to errors; only classes that occurred."""
        counts = self.table.sum(axis=0)[Outcome.ERROR].tolist()
        return {one.name.lower(): counts[one] for one in ErrorClass if counts[one]}

    def ok(self, kinds: int) -> tuple[int, ...]:
        """Return how many of each kind ended well."""
        return tuple(self.table[:kinds, Outcome.OK].sum(axis=1).tolist())
