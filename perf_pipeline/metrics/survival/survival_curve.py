"""The product-limit curve of times counted in buckets: one curve for everything read off it.

The share of workflows that last longer than an age is the product, over all ages up to it, of the
share of the risk set that does not end there (Kaplan, Meier, "Nonparametric Estimation from
Incomplete Observations", JASA 53, 1958). The risk set of an age holds the workflows under
observation at that age. A right-censored workflow (in flight when the window ends, dropped,
abandoned) belongs to it up to the age that it is known to have reached. A workflow with delayed
entry (in flight when the window began) belongs to it from the age that it had then; counted from
its start, such workflows made the percentiles of exponential times a third too long at three
turnovers (left truncation: Klein, Moeschberger, "Survival Analysis", 2nd edition, section 4.6).

Percentiles, their intervals, the chart of the distribution and merged histograms all come from
this curve, so that a level has one 99th percentile. Counts lose the order of times within a bucket:
there, ends come before censored times, and an entry counts from the next bucket on.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeAlias

import numpy as np

from perf_pipeline.metrics.survival.log_buckets import bucket_of, edges_ns

if TYPE_CHECKING:
    Ints: TypeAlias = np.ndarray[tuple[int], np.dtype[np.int64]]
    Floats: TypeAlias = np.ndarray[tuple[int], np.dtype[np.float64]]

ROUNDING = 1e-9
"""Shares are compared to within this, so that 10 of 1000 are one percent."""


def entry_buckets(entry_ages_ns: Ints, ages_at_end_ns: Ints) -> tuple[Ints, Ints]:
    """Return the buckets in which workflows with delayed entry came under observation.

    A workflow that ends in the bucket of its entry is counted as having entered in the bucket
    before, so that it belongs to the risk set in which it ends.

    Args:
        entry_ages_ns: int64[n], > 0.
        ages_at_end_ns: int64[n], >= the age at entry.

    Returns:
        int64[m], m <= n, the buckets; and int64[m], the indices of these workflows: without those
        that belong to every risk set from the first bucket on.
    """
    buckets = np.minimum(bucket_of(entry_ages_ns), bucket_of(ages_at_end_ns) - 1)
    entered = np.flatnonzero(buckets >= 0)
    return buckets[entered], entered


@dataclass(frozen=True)
class Place:
    """Where a percentile lies.

    Attributes:
        time_ns: The time, from its rank among the ends of its bucket: less than a bucket's width
            (0.4 %) from the exact one, far less where the bucket holds many.
        lower_ns: Where the bucket begins.
        samples_beyond: Workflows of a higher rank, ended or censored.
    """

    time_ns: float
    lower_ns: float
    samples_beyond: int


@dataclass(frozen=True)
class SurvivalCurve:
    """The product-limit curve from the shortest counted time to the longest.

    Attributes:
        first: The bucket of the shortest time.
        edges_ns: float64[k + 1], where the buckets begin, and where the last one ends.
        ended: int64[k], workflows that ended in the bucket.
        exits: int64[k], workflows that ended or were censored in it.
        at_risk: int64[k], the risk set at the beginning of the bucket.
        longer: float64[k], share of workflows that last longer than the bucket, 0 to 1.
    """

    first: int
    edges_ns: Floats
    ended: Ints
    exits: Ints
    at_risk: Ints
    longer: Floats

    @classmethod
    def of(cls, ended: Ints, censored: Ints, delayed_entries: Ints) -> SurvivalCurve:
        """Return the curve of counts, of which at least one is above 0.

        Args:
            ended: int64[BUCKETS], workflows that ended, by the bucket of their time.
            censored: int64[BUCKETS], right-censored workflows, by that of their time so far.
            delayed_entries: int64[BUCKETS], entries, as ``entry_buckets`` gives them; each is one
                of the workflows in ``ended`` or ``censored``.
        """
        exits = ended + censored
        used = np.flatnonzero(exits)
        first, last = int(used[0]), int(used[-1])
        within = slice(first, last + 1)
        ended, exits, entries = ended[within], exits[within], delayed_entries[within]
        younger = int(delayed_entries[:first].sum())
        from_start = int(exits.sum() - entries.sum()) - younger
        at_risk = from_start + younger + _before(entries) - _before(exits)
        longer = np.cumprod(1.0 - ended / np.maximum(at_risk, 1))
        return cls(first, edges_ns(first, last), ended, exits, at_risk, longer)

    def percentile(self, p: float) -> Place | None:
        """Return where percentile ``p`` lies; None if the curve does not come down to it.

        Without censored times it is the nearest rank.
        """
        share = 1.0 - p + ROUNDING
        reached = np.flatnonzero(self.longer <= share)
        if not len(reached):
            return None
        bucket = int(reached[0])
        before = float(self.longer[bucket - 1]) if bucket else 1.0
        ended = int(self.ended[bucket])
        needed = math.ceil(self.at_risk[bucket] * (1.0 - share / before))
        return self._at_rank(bucket, min(max(needed, 1), ended), ended)

    def rank(self, rank: int) -> Place:
        """Return where a rank lies, 1 for the shortest, of all times whether ended or censored."""
        until = np.cumsum(self.exits)
        bucket = int(np.searchsorted(until, rank))
        exits = int(self.exits[bucket])
        return self._at_rank(bucket, rank - int(until[bucket]) + exits, exits)

    def _at_rank(self, bucket: int, rank: int, count: int) -> Place:
        """Return the place of a rank, 1 to ``count``, among so many times of a bucket."""
        low_ns, high_ns = self.edges_ns[bucket : bucket + 2].tolist()
        beyond = int(self.exits[bucket:].sum()) - rank
        return Place(low_ns + (rank - 0.5) / count * (high_ns - low_ns), low_ns, beyond)

    def crossing(self, share: float) -> tuple[int, float] | None:
        """Return in which bucket the curve comes down to ``share``, and how far into it, 0 to 1.

        The bucket counts from ``first``. None if the curve does not come down so far.
        """
        below = np.flatnonzero(self.longer <= share)
        if not len(below) or share <= 0.0:
            return None
        bucket = int(below[0])
        before = float(self.longer[bucket - 1]) if bucket else 1.0
        return bucket, (before - min(share, before)) / (before - float(self.longer[bucket]))

    def age_ns(self, share: float) -> float | None:
        """Return the age that ``share`` of workflows outlast; None if more than that outlast all.

        The curve is taken as straight within a bucket.
        """
        if share >= 1.0:
            return float(self.edges_ns[0])
        found = self.crossing(share)
        if found is None:
            return None
        bucket, into = found
        low_ns, high_ns = self.edges_ns[bucket : bucket + 2].tolist()
        return float(low_ns + into * (high_ns - low_ns))

    def longer_than(self, buckets: Ints) -> Floats:
        """Return the share of workflows that last longer than each bucket of ``log_buckets``."""
        longer = np.append(self.longer, 1.0)  # the place -1: before the first bucket
        found: Floats = longer[np.clip(buckets - self.first, -1, len(self.longer) - 1)]
        return found


def _before(counts: Ints) -> Ints:
    """Return for each bucket how many were counted in those before it."""
    before: Ints = np.cumsum(counts) - counts
    return before
