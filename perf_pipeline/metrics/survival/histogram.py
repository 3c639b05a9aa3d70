"""A histogram of times that merges without loss: whole counts in buckets of at most 0.4 %.

Merging is adding: the percentiles of sixteen workers are those of one, bit for bit, in whatever
order they are added (``perf-pipeline selftest merge``). A level's percentiles in ``metrics.json``
come from this same form, so that a histogram of one level gives the very same values.

Memory: 13,568 buckets of three int64 counts, 326 kB, whatever is counted.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Literal

import numpy as np

from perf_pipeline.errors import PerfPipelineError
from perf_pipeline.metrics.survival.log_buckets import BUCKETS, MAX_NS, bucket_of
from perf_pipeline.metrics.survival.survival_curve import SurvivalCurve, entry_buckets
from perf_pipeline.metrics.types.service_times import Percentile

if TYPE_CHECKING:
    import numpy.typing as npt

Quantity = Literal["service_time", "response_time"]
QUANTITIES: tuple[Quantity, ...] = ("service_time", "response_time")


class HistogramError(PerfPipelineError):
    """Bytes are not a histogram, or two histograms are not of the same quantity."""


def checked_bucket_of(times_ns: npt.NDArray[np.int64]) -> npt.NDArray[np.int64]:
    """Return the bucket of each time.

    Args:
        times_ns: int64[n], each in [0, ``MAX_NS``].

    Returns:
        int64[n], each in [0, ``BUCKETS``).

    Raises:
        HistogramError: A time is negative or longer than ``MAX_NS``.
    """
    if len(times_ns) and not 0 <= times_ns.min() <= times_ns.max() <= MAX_NS:
        wrong = times_ns[(times_ns < 0) | (times_ns > MAX_NS)]
        raise HistogramError(
            f"{len(wrong)} of {len(times_ns)} times lie outside of 0 to {MAX_NS} ns, the first "
            f"is {wrong[0]} ns: an end before its start, or a clock that is not CLOCK_MONOTONIC"
        )
    return bucket_of(times_ns)


def _zeros() -> npt.NDArray[np.int64]:
    return np.zeros(BUCKETS, dtype=np.int64)


@dataclass
class Histogram:
    """Counts of times by bucket.

    Attributes:
        quantity: Which time was counted; two quantities are never merged.
        ended: int64[BUCKETS], workflows whose time is known, by its bucket.
        censored: int64[BUCKETS], workflows that lasted at least so long (right-censored).
        delayed_entries: int64[BUCKETS], workflows of ``ended`` that came under observation at an
            age, by its bucket: those in flight when the window began.
        min_ns: Shortest known time, exact; None without any.
        min_censored_ns: Shortest censored time, exact; None without any.
        max_ns: Longest of all times, exact; None without any.
    """

    quantity: Quantity
    ended: npt.NDArray[np.int64] = field(default_factory=_zeros)
    censored: npt.NDArray[np.int64] = field(default_factory=_zeros)
    delayed_entries: npt.NDArray[np.int64] = field(default_factory=_zeros)
    min_ns: int | None = None
    min_censored_ns: int | None = None
    max_ns: int | None = None

    @property
    def count(self) -> int:
        """How many workflows were counted, ended or censored."""
        return self.count_ended + self.count_censored

    @property
    def count_ended(self) -> int:
        """How many have a known time."""
        return int(self.ended.sum())

    @property
    def count_censored(self) -> int:
        """How many are only known to have lasted at least so long."""
        return int(self.censored.sum())

    def add(self, times_ns: npt.NDArray[np.int64], *, censored: bool = False) -> None:
        """Count times.

        Args:
            times_ns: int64[n], each in [0, ``MAX_NS``].
            censored: True if they are times so far of what had not ended.

        Raises:
            HistogramError: A time is out of range; nothing was counted.
        """
        if not len(times_ns):
            return
        counts = np.bincount(checked_bucket_of(times_ns), minlength=BUCKETS)
        self.add_counts(counts, int(times_ns.min()), int(times_ns.max()), censored=censored)

    def add_counts(
        self, counts: npt.NDArray[np.int64], min_ns: int, max_ns: int, *, censored: bool
    ) -> None:
        """Add int64[BUCKETS] counts of times of which the shortest and the longest are known."""
        if censored:
            self.censored += counts
            self.min_censored_ns = _min(self.min_censored_ns, min_ns)
        else:
            self.ended += counts
            self.min_ns = _min(self.min_ns, min_ns)
        self.max_ns = _max(self.max_ns, max_ns)

    def add_delayed_entries(
        self, entry_ages_ns: npt.NDArray[np.int64], times_ns: npt.NDArray[np.int64]
    ) -> None:
        """Say of some of the counted times at which age observation began.

        Args:
            entry_ages_ns: int64[n], > 0.
            times_ns: int64[n], the counted times, each >= its age at entry.
        """
        found, _ = entry_buckets(entry_ages_ns, times_ns)
        self.delayed_entries += np.bincount(found, minlength=BUCKETS)

    def merge(self, other: Histogram) -> None:
        """Add everything that ``other`` has counted.

        Raises:
            HistogramError: ``other`` counts another quantity.
        """
        if self.quantity != other.quantity:
            raise HistogramError(
                f"a histogram of {other.quantity} cannot be added to one of {self.quantity}: its "
                "counts would stand for other times; merge each quantity on its own"
            )
        self.ended += other.ended
        self.censored += other.censored
        self.delayed_entries += other.delayed_entries
        self.min_ns = _min(self.min_ns, other.min_ns)
        self.min_censored_ns = _min(self.min_censored_ns, other.min_censored_ns)
        self.max_ns = _max(self.max_ns, other.max_ns)

    def curve(self) -> SurvivalCurve | None:
        """Return the product-limit curve of what was counted; None of nothing."""
        if not self.count:
            return None
        return SurvivalCurve.of(self.ended, self.censored, self.delayed_entries)

    def percentile(self, p: float, curve: SurvivalCurve | None = None) -> Percentile:
        """Return a percentile of the product-limit curve, at most 0.4 % off.

        Where the curve does not come down to it, the value is the longest time of all, marked
        ``at_least``.

        The product-limit curve takes for granted that censoring has nothing to do with how long a
        workflow would have lasted. That holds for the end of a window, not for arrivals that were
        dropped or timed out: with most arrivals dropped, the last answered one became every
        percentile. So a percentile of response times is the curve's only as long as the answered
        workflows alone reach its rank: then it is known even if no other is ever answered.
        Otherwise it is the percentile with each unanswered workflow at the time that it had
        waited, which the true one cannot be below, marked ``at_least``.

        Args:
            p: In (0, 1).
            curve: The curve, if it has been made already.
        """
        curve = curve or self.curve()
        if curve is None or self.max_ns is None:
            return Percentile(p, None, at_least=False, samples_beyond=0)
        rank = math.ceil(round(p * self.count, 6))
        if self.quantity == "response_time" and rank > self.count_ended:
            place = curve.rank(rank)
            # Fewer than ``rank`` lie below the shortest censored time: those are all answered.
            low_ns = max(place.lower_ns, self.min_censored_ns or 0)
            return Percentile(p, low_ns / 1e9, at_least=True, samples_beyond=place.samples_beyond)
        found = curve.percentile(p)
        if found is None:
            return Percentile(p, self.max_ns / 1e9, at_least=True, samples_beyond=0)
        value_ns = min(max(found.time_ns, float(self.min_ns or 0)), float(self.max_ns))
        return Percentile(p, value_ns / 1e9, at_least=False, samples_beyond=found.samples_beyond)


def _min(one: int | None, other: int | None) -> int | None:
    return min((ns for ns in (one, other) if ns is not None), default=None)


def _max(one: int | None, other: int | None) -> int | None:
    return max((ns for ns in (one, other) if ns is not None), default=None)
