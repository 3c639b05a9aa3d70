"""What each stretch of a window saw of workflows of every age, in buckets of at most 0.4 %.

The counts of many records take no more memory than those of few, and add up: of slices of the
records, and of kinds of workflow.
"""

from __future__ import annotations

from dataclasses import dataclass, fields
from typing import TYPE_CHECKING, Self, TypeAlias

import numpy as np

from perf_pipeline.metrics.survival.batches import BATCHES
from perf_pipeline.metrics.survival.log_buckets import LogBuckets

if TYPE_CHECKING:
    from collections.abc import Iterable

    from perf_pipeline.metrics.survival.batches import Ints, Observed

FINE = LogBuckets(8)
"""Times are counted in 256 buckets an octave."""

BUCKETS = FINE.count

SLICE = 1 << 16
"""Records taken at a time: their columns stay in a core's cache, and need no new memory."""

Counts: TypeAlias = np.ndarray[tuple[int, int], np.dtype[np.int64]]


@dataclass(frozen=True)
class BatchCounts:
    """Counts of one kind of workflow, or of some together.

    Attributes:
        left: int64[BATCHES, BUCKETS], workflows that ended at an age of the bucket, or were that
            old at the end of the stretch.
        stayed: Likewise, only those that did not end: they went on into the next stretch, or were
            cut off.
        came: Likewise, those that were so old when the stretch, or the watch on them, began.
    """

    left: Counts
    stayed: Counts
    came: Counts

    @property
    def ended(self) -> Counts:
        """int64[BATCHES, BUCKETS], workflows that ended at an age of the bucket."""
        return self.left - self.stayed

    @property
    def fresh(self) -> Ints:
        """int64[BATCHES], workflows that were seen from their beginning."""
        fresh: Ints = self.left.sum(axis=1) - self.came.sum(axis=1)
        return fresh

    @classmethod
    def none(cls) -> Self:
        """Return the counts of nothing."""
        return cls(*np.zeros((3, BATCHES, BUCKETS), dtype=np.int64))

    @classmethod
    def of(cls, slices: Iterable[Observed], kinds: int) -> tuple[Self, ...]:
        """Count the pieces of some slices of records, by kind of workflow.

        Args:
            slices: Taken one at a time; up to some 100,000 records each are fastest.
            kinds: How many there are.
        """
        counts = tuple(cls.none() for _ in range(kinds))
        for observed in slices:
            keys = observed.kind * BATCHES + observed.batch
            to, stayed = FINE.of(observed.to_ns), np.flatnonzero(~observed.ended)
            late = np.flatnonzero(observed.from_ns > 0)
            _add([each.left for each in counts], keys, to)
            _add([each.stayed for each in counts], keys[stayed], to[stayed])
            _add([each.came for each in counts], keys[late], FINE.of(observed.from_ns[late]))
        return counts

    @classmethod
    def together(cls, parts: Iterable[BatchCounts]) -> Self:
        """Return the counts of several kinds as one."""
        total = cls.none()
        for part in parts:
            for each in fields(cls):
                counts = getattr(total, each.name)
                counts += getattr(part, each.name)
        return total


def _add(counts: list[Counts], keys: Ints, buckets: Ints) -> None:
    """Count into the part of ``counts`` (one a kind) that the slice touches: it is a small one."""
    if not len(keys):
        return
    low, width = int(buckets.min()), int(np.ptp(buckets)) + 1
    first, last = int(keys.min()), int(keys.max())
    cells = (keys - first) * width + (buckets - low)
    found = np.bincount(cells, minlength=(last - first + 1) * width).reshape(-1, width)
    for key, row in enumerate(found, first):
        if row.any():
            counts[key // BATCHES][key % BATCHES, low : low + width] += row
