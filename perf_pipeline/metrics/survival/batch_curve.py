"""The share of workflows that last longer, by age, and what each stretch of a window gave to it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from perf_pipeline.metrics.survival.batch_counts import FINE
from perf_pipeline.metrics.survival.batches import BATCHES

if TYPE_CHECKING:
    from perf_pipeline.metrics.survival.batch_counts import BatchCounts, Counts
    from perf_pipeline.metrics.survival.batches import Floats


@dataclass(frozen=True)
class BatchCurve:
    """The share of workflows that last longer, by age, and what each stretch gave to it.

    Attributes:
        edges_ns: float64[k + 1], ages at which the buckets begin, and the end of the last.
        ended: int64[BATCHES, k], workflows that ended at an age of the bucket.
        at_risk: int64[BATCHES, k], workflows that were as old in the stretch, or ended so old.
        longer: float64[k], share that lasts longer than the bucket (product limit).
    """

    edges_ns: Floats
    ended: Counts
    at_risk: Counts
    longer: Floats

    @classmethod
    def of(cls, counts: BatchCounts) -> BatchCurve:
        """Make the curve of what was counted, which is not nothing."""
        used = np.flatnonzero(counts.left.any(axis=0))
        first, last = int(used[0]), int(used[-1])
        within = slice(first, last + 1)
        ended, left, came = (
            each[:, within].copy() for each in (counts.ended, counts.left, counts.came)
        )
        came[:, 0] += counts.came[:, :first].sum(axis=1)
        gone = np.cumsum(left, axis=1) - left
        at_risk = counts.fresh[:, None] + np.cumsum(came, axis=1) - gone
        all_ended, all_at_risk = ended.sum(axis=0), at_risk.sum(axis=0)
        longer = np.cumprod(1.0 - all_ended / np.maximum(all_at_risk, 1))
        return cls(FINE.edges_ns(first, last), ended, at_risk, longer)

    def place(self, share: float) -> tuple[int, float] | None:
        """Return the bucket in which the curve comes down to ``share``, and how far into it."""
        below = np.flatnonzero(self.longer <= share)
        if not len(below) or share <= 0.0:
            return None
        bucket = int(below[0])
        before = float(self.longer[bucket - 1]) if bucket else 1.0
        return bucket, (before - min(share, before)) / (before - float(self.longer[bucket]))

    def age_s(self, share: float) -> float | None:
        """Return the age that ``share`` outlast; None if the curve does not come down to it."""
        if share >= 1.0:
            return float(self.edges_ns[0]) / 1e9
        place = self.place(share)
        if place is None:
            return None
        bucket, into = place
        return float(self.edges_ns[bucket] + into * np.diff(self.edges_ns)[bucket]) / 1e9

    def beyond_expected(self, share: float) -> Floats:
        """Return what each stretch adds to the share that outlasts the age of ``share``."""
        place = self.place(share)
        if place is None:
            return np.zeros(BATCHES)
        bucket, into = place
        upto = slice(0, bucket + 1)
        ended, at_risk = self.ended[:, upto], self.at_risk[:, upto]
        risk = np.maximum(at_risk.sum(axis=0), 1)
        hazard = ended.sum(axis=0) / risk
        weight = np.ones(bucket + 1)
        weight[-1] = into
        left = risk * np.maximum(1.0 - weight * hazard, 1e-9)
        excess = (ended - at_risk * hazard) * weight / left
        parts: Floats = -share * excess.sum(axis=1)
        return parts
