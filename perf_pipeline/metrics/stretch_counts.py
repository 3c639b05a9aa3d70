"""What each stretch of a window saw of workflows of every age, in buckets of at most 0.4 %.

The counts of many records take no more memory than those of few, and add up: of slices of the
records, and of kinds of workflow.
"""

from __future__ import annotations

from dataclasses import dataclass, fields
from typing import TYPE_CHECKING, Self, TypeAlias

import numpy as np

from perf_pipeline.metrics.stretches import STRETCHES

if TYPE_CHECKING:
    from collections.abc import Iterable

    from perf_pipeline.metrics.stretches import Ints, Observed

_FINE_BITS = 8
"""Times are counted in 256 buckets an octave."""

_SHIFT = 52 - _FINE_BITS
_FIRST = 1023 << _FINE_BITS  # the exponent of 1 ns, which is also what 0 ns counts as
BUCKETS = 53 << _FINE_BITS
"""Up to 104 days, where every number of nanoseconds is a float64."""

SLICE = 1 << 16
"""Records taken at a time: their columns stay in a core's cache, and need no new memory."""

Counts: TypeAlias = np.ndarray[tuple[int, int], np.dtype[np.int64]]


@dataclass(frozen=True)
class StretchCounts:
    """Counts of one kind of workflow, or of some together.

    Attributes:
        ended: int64[STRETCHES, BUCKETS], workflows that ended at an age of the bucket.
        left: Likewise, those too that went on into the next stretch, or were cut off.
        came: Likewise, those that were of such an age when the stretch, or the watch on them, began.
        fresh: int64[STRETCHES], those that were seen from their beginning.
    """

    ended: Counts
    left: Counts
    came: Counts
    fresh: Ints

    @classmethod
    def none(cls) -> Self:
        """Return the counts of nothing."""
        ended, left, came = np.zeros((3, STRETCHES, BUCKETS), dtype=np.int64)
        return cls(ended, left, came, fresh=np.zeros(STRETCHES, dtype=np.int64))

    @classmethod
    def of(cls, slices: Iterable[Observed], kinds: int) -> tuple[Self, ...]:
        """Count the pieces of some slices of records, by kind of workflow.

        Args:
            slices: Taken one at a time; up to some 100,000 records each are fastest.
            kinds: How many there are.
        """
        counts = tuple(cls.none() for _ in range(kinds))
        for observed in slices:
            late = observed.from_ns > 0
            keys = observed.kind * STRETCHES + observed.stretch
            to, ended = bucket_of(observed.to_ns), observed.ended
            _add([each.left for each in counts], keys, to)
            _add([each.ended for each in counts], keys[ended], to[ended])
            _add([each.came for each in counts], keys[late], bucket_of(observed.from_ns[late]))
            fresh = np.bincount(keys[~late], minlength=kinds * STRETCHES)
            for kind, each in enumerate(counts):
                each.fresh[:] += fresh[kind * STRETCHES : (kind + 1) * STRETCHES]
        return counts

    @classmethod
    def together(cls, parts: Iterable[StretchCounts]) -> Self:
        """Return the counts of several kinds as one."""
        total = cls.none()
        for part in parts:
            for each in fields(cls):
                counts = getattr(total, each.name)
                counts += getattr(part, each.name)
        return total


def bucket_of(age_ns: Ints) -> Ints:
    """Return the number of the bucket of each age: the upper bits of a float64 (HdrHistogram)."""
    bits: Ints = np.maximum(age_ns, 1).astype(np.float64).view(np.int64)
    bits >>= _SHIFT
    bits -= _FIRST
    return bits


def edges_ns(first: int, last: int) -> np.ndarray[tuple[int], np.dtype[np.float64]]:
    """Return the ages at which buckets ``first`` to ``last`` begin, and where the last one ends."""
    places = np.arange(_FIRST + first, _FIRST + last + 2, dtype=np.int64) << _SHIFT
    edges: np.ndarray[tuple[int], np.dtype[np.float64]] = places.view(np.float64)
    return edges


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
            counts[key // STRETCHES][key % STRETCHES, low : low + width] += row
