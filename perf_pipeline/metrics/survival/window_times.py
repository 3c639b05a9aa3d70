"""Service and response times of a window: averages, percentiles, intervals, distribution.

Service times. In a closed loop with an unfair target, half of the workflows may not end within a
level at all: the average of those that did would be wrong. So the average is the time that
workflows spent in flight within the window, divided by the number that ended in it. In steady state
that is the mean service time (Little, "A Proof for the Queuing Formula: L = lambda W", Operations
Research 9, 1961), and work that never ends counts.

Response times, from when a workflow should have started to its end, are those of the workflows that
were to start in the window, whenever they ended: what was scheduled is judged, so a workflow cannot
leave the statistics by being late. One that was not answered is right-censored: a timeout at the
time when it was found to be one, a dropped or abandoned arrival at the time that it had waited. The
average is over all of them, each at its time so far.

Percentiles of both come from the product-limit curve (``survival_curve.py``).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import polars as pl

from perf_pipeline.metrics.survival.batch_counts import SLICE, BatchCounts
from perf_pipeline.metrics.survival.batches import observed_between, observed_responses
from perf_pipeline.metrics.survival.distribution import distribution_of
from perf_pipeline.metrics.survival.histogram import Histogram, Quantity
from perf_pipeline.metrics.survival.intervals import with_interval
from perf_pipeline.metrics.survival.outcomes import ANSWERED, ENDED
from perf_pipeline.metrics.types.service_times import Distribution, ServiceTimes
from perf_pipeline.samples.record import COLD, TIMES_LOST, Outcome

if TYPE_CHECKING:
    from collections.abc import Sequence

PERCENTILES = (0.5, 0.9, 0.95, 0.99, 0.999)
"""Those that every level has; an objective may be about others."""


def service_times(frame: pl.DataFrame, start_ns: int, end_ns: int) -> ServiceTimes:
    """Summarise the service times of a window.

    Args:
        frame: Records of ``SCHEMA`` without cold starts.
        start_ns: Start of the window, CLOCK_MONOTONIC.
        end_ns: End of the window, exclusive.
    """
    frame = frame.with_columns(kind=pl.lit(0, pl.UInt8))
    return WindowTimes.by_kind(frame, start_ns, end_ns, 1)[0].summary()


def response_times(frame: pl.DataFrame, start_ns: int, end_ns: int) -> ServiceTimes:
    """Summarise the response times of the workflows that were to start in a window.

    Args:
        frame: Records of an open level, one for every arrival.
        start_ns: Start of the window, CLOCK_MONOTONIC.
        end_ns: End of the window, exclusive.

    Returns:
        ``samples`` were answered, ``in_flight_at_end`` were not.
    """
    return window_responses(frame, start_ns, end_ns).summary()


def scheduled_within(frame: pl.DataFrame, start_ns: int, end_ns: int) -> pl.DataFrame:
    """Return the records of workflows that were to start in ``[start_ns, end_ns)``.

    Without cold starts, and without those whose times are unknown.
    """
    due = pl.col("intended_start_ns")
    known = (pl.col("flags") & (COLD | TIMES_LOST)) == 0
    return frame.filter(known, due >= start_ns, due < end_ns)


@dataclass(frozen=True)
class WindowTimes:
    """The times of the workflows of a window.

    Attributes:
        quantity: Service or response times.
        counts: The times by batch and bucket.
        min_ns: Shortest time of what ended; None without any.
        min_censored_ns: Shortest time so far of what did not; None without any.
        max_ns: Longest of both; None without any.
        total_ns: Of service times: time that all spent in flight within the window. Of response
            times: their sum, censored ones at their time so far.
    """

    quantity: Quantity
    counts: BatchCounts
    min_ns: int | None
    min_censored_ns: int | None
    max_ns: int | None
    total_ns: int

    @classmethod
    def by_kind(
        cls, frame: pl.DataFrame, start_ns: int, end_ns: int, kinds: int
    ) -> tuple[WindowTimes, ...]:
        """Take the service times of each kind of workflow from records.

        Args:
            frame: Records of ``SCHEMA`` without cold starts.
            start_ns: Start of the window, CLOCK_MONOTONIC.
            end_ns: End of the window, exclusive.
            kinds: How many kinds of workflow there are.
        """
        started, end = pl.col("start_ns"), pl.col("end_ns")
        until = pl.min_horizontal(end, pl.lit(end_ns, pl.Int64))
        since = pl.max_horizontal(started, pl.lit(start_ns, pl.Int64))
        is_ended = pl.col("outcome").is_in(ENDED) & (end < end_ns)
        started_ones = pl.col("outcome") != int(Outcome.DROPPED)
        within = frame.lazy().filter(started < end_ns, end >= start_ns, started_ones)
        extremes = _extremes(within, is_ended, until - started, total=(until - since).sum())
        slices = frame.select("start_ns", "end_ns", "kind", "outcome").iter_slices(SLICE)
        observed = (observed_between(part, start_ns, end_ns) for part in slices)
        counts = BatchCounts.of(observed, kinds)
        nothing = (None, None, None, 0)
        return tuple(
            cls("service_time", counts[kind], *extremes.get(kind, nothing)) for kind in range(kinds)
        )

    @classmethod
    def merged(cls, parts: Sequence[WindowTimes]) -> WindowTimes:
        """Return the times of all ``parts``, one or more of the same window."""
        whole = parts[0].histogram()
        for part in parts[1:]:
            whole.merge(part.histogram())
        return cls(
            quantity=whole.quantity,
            counts=BatchCounts.together(part.counts for part in parts),
            min_ns=whole.min_ns,
            min_censored_ns=whole.min_censored_ns,
            max_ns=whole.max_ns,
            total_ns=sum(part.total_ns for part in parts),
        )

    def histogram(self) -> Histogram:
        """Return the times as the histogram that merges with those of other levels."""
        return Histogram(
            self.quantity,
            ended=self.counts.ended.sum(axis=0),
            censored=self.counts.censored.sum(axis=0),
            delayed_entries=self.counts.delayed_entries.copy(),
            min_ns=self.min_ns,
            min_censored_ns=self.min_censored_ns,
            max_ns=self.max_ns,
        )

    def summary(self, percentiles: Sequence[float] = PERCENTILES) -> ServiceTimes:
        """Return the summary that is stored in the metrics, with these percentiles, 0 to 1."""
        histogram = self.histogram()
        curve = histogram.curve()
        ended, censored = histogram.count_ended, histogram.count_censored
        averaged = ended if self.quantity == "service_time" else ended + censored
        found = (histogram.percentile(p, curve) for p in percentiles)
        return ServiceTimes(
            samples=ended,
            in_flight_at_end=censored,
            avg_s=self.total_ns / averaged / 1e9 if averaged else None,
            min_s=None if self.min_ns is None else self.min_ns / 1e9,
            max_s=None if self.max_ns is None else self.max_ns / 1e9,
            percentiles=tuple(
                with_interval(each, ended, ended + censored, self.counts, curve) for each in found
            ),
        )

    def distribution(self) -> Distribution | None:
        """Return the distribution that charts draw; None without any time."""
        return distribution_of(self.histogram())


def window_responses(frame: pl.DataFrame, start_ns: int, end_ns: int) -> WindowTimes:
    """Return the response times of the workflows that were to start in a window.

    Args:
        frame: Records of an open level, one for every arrival.
        start_ns: Start of the window, CLOCK_MONOTONIC.
        end_ns: End of the window, exclusive.
    """
    frame = scheduled_within(frame, start_ns, end_ns).with_columns(kind=pl.lit(0, pl.UInt8))
    took = pl.col("end_ns") - pl.col("intended_start_ns")
    found = _extremes(frame.lazy(), pl.col("outcome").is_in(ANSWERED), took, total=took.sum())
    slices = (observed_responses(part, start_ns, end_ns) for part in frame.iter_slices(SLICE))
    (counts,) = BatchCounts.of(slices, 1)
    return WindowTimes("response_time", counts, *found.get(0, (None, None, None, 0)))


def _extremes(
    frame: pl.LazyFrame, is_ended: pl.Expr, time: pl.Expr, *, total: pl.Expr
) -> dict[int, tuple[int | None, int | None, int | None, int]]:
    """Return kind to the shortest ended, shortest censored and longest time, and to ``total``."""
    found = frame.group_by("kind").agg(
        time.filter(is_ended).min().alias("min"),
        time.filter(~is_ended).min().alias("min_censored"),
        time.max().alias("max"),
        total.alias("total"),
    )
    return {kind: tuple(values) for kind, *values in found.collect().iter_rows()}
