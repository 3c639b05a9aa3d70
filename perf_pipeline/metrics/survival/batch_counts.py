"""Workflows of each batch of a window, counted by age in buckets of at most 0.4 %.

The counts of many records take no more memory than those of few, and add up: of slices of the
records, and of kinds of workflow. All batches together give the histogram of the window; each on
its own gives what it adds to the share of workflows that last longer than a percentile.
"""

from __future__ import annotations

from dataclasses import dataclass, fields
from typing import TYPE_CHECKING, Self, TypeAlias

import numpy as np

from perf_pipeline.metrics.survival.batches import BATCHES, CARRIED, CENSORED, ENDED
from perf_pipeline.metrics.survival.log_buckets import BUCKETS, bucket_of
from perf_pipeline.metrics.survival.survival_curve import entry_buckets

if TYPE_CHECKING:
    from collections.abc import Iterable

    from perf_pipeline.metrics.survival.batches import Observed
    from perf_pipeline.metrics.survival.survival_curve import Floats, Ints, SurvivalCurve

SLICE = 1 << 16
"""Records counted at a time: their columns stay in a core's cache and need no new memory."""

Counts: TypeAlias = np.ndarray[tuple[int, int], np.dtype[np.int64]]


@dataclass(frozen=True)
class BatchCounts:
    """Counts of one kind of workflow, or of several together.

    Attributes:
        ended: int64[BATCHES, BUCKETS], workflows that ended in the batch, by age at the end.
        censored: int64[BATCHES, BUCKETS], workflows whose observation ended in the batch: in flight
            at the end of the window, or not answered.
        carried: int64[BATCHES, BUCKETS], workflows in flight at the end of the batch, by their age
            then, that went on into the next batch; none in the last.
        delayed_entries: int64[BUCKETS], workflows in flight when the window began that ended
            within it, as ``entry_buckets`` gives them.
    """

    ended: Counts
    censored: Counts
    carried: Counts
    delayed_entries: Ints

    @property
    def exits(self) -> Counts:
        """int64[BATCHES, BUCKETS], workflows that left the risk set of the batch."""
        return self.ended + self.censored + self.carried

    @property
    def entries(self) -> Counts:
        """int64[BATCHES, BUCKETS], workflows that entered the batch at an age, by that age."""
        return np.concatenate([self.delayed_entries[None], self.carried[:-1]])

    @property
    def new_entries(self) -> Ints:
        """int64[BATCHES], workflows that were under observation from their start."""
        new: Ints = self.exits.sum(axis=1) - self.entries.sum(axis=1)
        return new

    @classmethod
    def empty(cls) -> Self:
        """Return the counts of no workflows."""
        ended, censored, carried = np.zeros((3, BATCHES, BUCKETS), dtype=np.int64)
        return cls(ended, censored, carried, np.zeros(BUCKETS, dtype=np.int64))

    @classmethod
    def of(cls, slices: Iterable[Observed], kinds: int) -> tuple[Self, ...]:
        """Count what was observed, by kind of workflow.

        Args:
            slices: Taken one at a time; up to some 100,000 records each are fastest.
            kinds: How many kinds there are.
        """
        counts = tuple(cls.empty() for _ in range(kinds))
        for observed in slices:
            keys, buckets = observed.kind * BATCHES + observed.batch, bucket_of(observed.age_ns)
            for fate, name in ((ENDED, "ended"), (CENSORED, "censored"), (CARRIED, "carried")):
                those = np.flatnonzero(observed.fate == fate)
                _add([getattr(each, name) for each in counts], keys[those], buckets[those])
            for kind in np.unique(observed.entry_kind).tolist():
                of_kind = observed.entry_kind == kind
                ages, ends = observed.entry_age_ns[of_kind], observed.entry_end_ns[of_kind]
                np.add.at(counts[kind].delayed_entries, entry_buckets(ages, ends)[0], 1)
        return counts

    @classmethod
    def together(cls, parts: Iterable[BatchCounts]) -> Self:
        """Return the counts of several kinds as one."""
        total = cls.empty()
        for part in parts:
            for each in fields(cls):
                counts = getattr(total, each.name)
                counts += getattr(part, each.name)
        return total

    def influence(self, curve: SurvivalCurve, share: float) -> Floats:
        """Return what each batch adds to the share that outlasts the age of ``share``.

        It is the derivative of the curve by the weight of the batch: the ends in the batch beyond
        those expected of its risk set (Efron, "Nonparametric Estimates of Standard Error",
        Biometrika 68, 1981). Without censoring it is the share of the batch's workflows that last
        longer, less that of all.

        Args:
            curve: The curve of all batches together.
            share: A share that the curve comes down to, above 0.

        Returns:
            float64[BATCHES], with the sum 0; zeros if the curve does not come down to ``share``.
        """
        crossing = curve.crossing(share)
        if crossing is None:
            return np.zeros(BATCHES)
        bucket, into = crossing
        upto = slice(curve.first, curve.first + bucket + 1)
        changes = self.entries - self.exits
        before = np.cumsum(changes, axis=1) - changes
        at_risk = (self.new_entries[:, None] + before)[:, upto]
        at_risk_of_all = np.maximum(curve.at_risk[: bucket + 1], 1)
        hazard = curve.ended[: bucket + 1] / at_risk_of_all
        weight = np.ones(bucket + 1)
        weight[-1] = into
        left = at_risk_of_all * np.maximum(1.0 - weight * hazard, 1e-9)
        excess = (self.ended[:, upto] - at_risk * hazard) * weight / left
        parts: Floats = -share * excess.sum(axis=1)
        return parts


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
