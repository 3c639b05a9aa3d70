"""95 % intervals of percentiles and throughput that hold although neighbours in time are alike.

One slow moment makes many workflows slow at once, so n samples tell less than n independent ones
would (their effective sample size is smaller): on an M/M/1 queue at load 0.8 the interval of
independent samples covers the true 99th percentile 16 times in 100. Here the window is cut into 20
batches of equal length, long enough to hardly depend on each other, and the error is estimated from
what differs between them (batch means: Law, "Simulation Modeling and Analysis", 5th edition,
section 9.5.3).

For a percentile, what is averaged is the indicator that a workflow lasts longer than it (indicator
batch means: Chen, Kelton, "Quantile and Tolerance-Interval Estimation in Simulation", EJOR 168,
2006): the interval is made for that share, by what each batch adds to it
(``BatchCounts.influence``), and is then read off the curve of the times. One thing is added to the
textbook's method: long times come in clusters, so the shares of the batches are skewed, and the
true percentile lay above the plain t interval up to twice as often as it should. The interval is
lengthened upward by Johnson's skewness correction (Johnson, "Modified t Tests and Confidence
Intervals for Asymmetrical Populations", JASA 73, 1978). Coverage of the 99th percentile on M/M/1
without and with it, 1000 repetitions: load 0.8, 20,000 samples: 88.2 and 93.9 %; 100,000: 93.1 and
95.3 %; load 0.5, 5000 samples: 91.2 and 94.2 %.

Where so few clusters of long times occurred that no value can be ruled out as too great, the upper
end is None. ``perf-pipeline selftest coverage`` measures how often the intervals cover the truth.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from perf_pipeline.config.slo.verdict import MIN_TAIL_SAMPLES
from perf_pipeline.metrics.survival.batch_counts import SLICE
from perf_pipeline.metrics.survival.batches import BATCHES, batch_of
from perf_pipeline.metrics.survival.student import t_quantile
from perf_pipeline.samples.record import Outcome

if TYPE_CHECKING:
    import polars as pl

    from perf_pipeline.metrics.survival.batch_counts import BatchCounts
    from perf_pipeline.metrics.survival.survival_curve import Floats, SurvivalCurve
    from perf_pipeline.metrics.types.service_times import Percentile

MIN_ENDED = BATCHES
"""With fewer than one workflow a batch there is nothing to compare."""


@dataclass(frozen=True)
class Interval:
    """A 95 % interval; both ends are None where there is none, and ``why`` says so."""

    low: float | None
    high: float | None
    why: str = ""


def with_interval(
    percentile: Percentile,
    ended: int,
    observed: int,
    counts: BatchCounts,
    curve: SurvivalCurve | None,
) -> Percentile:
    """Give a percentile its interval, or say how many samples it needs.

    Args:
        percentile: Of the curve.
        ended: Workflows whose time is known.
        observed: Those and the censored ones.
        counts: All of them by batch.
        curve: The curve of all batches together; None without any workflow.
    """
    value_s = percentile.value_s
    too_few = ended < MIN_ENDED or percentile.is_weak
    if too_few or percentile.at_least or value_s is None or curve is None:
        return replace(percentile, samples_needed=_needed(percentile, observed))
    share = 1.0 - percentile.p
    up, down = _half_lengths(counts.influence(curve, share))
    low_ns, high_ns = curve.age_ns(share + down), curve.age_ns(share - up)
    return replace(
        percentile,
        low_s=None if low_ns is None else min(low_ns / 1e9, value_s),
        high_s=None if high_ns is None else max(high_ns / 1e9, value_s),
    )


def throughput_interval(frame: pl.DataFrame | pl.LazyFrame, start_ns: int, end_ns: int) -> Interval:
    """Return the interval of the workflows that end ok per second.

    Args:
        frame: Records of ``SCHEMA`` without cold starts.
        start_ns: Start of the window, CLOCK_MONOTONIC.
        end_ns: End of the window, exclusive.
    """
    counts = np.zeros(BATCHES, dtype=np.int64)
    for part in frame.lazy().select("end_ns", "outcome").collect().iter_slices(SLICE):
        at_ns, outcome = part["end_ns"].to_numpy(), part["outcome"].to_numpy()
        ok = (outcome == Outcome.OK) & (at_ns >= start_ns) & (at_ns < end_ns)
        counts += np.bincount(batch_of(at_ns[ok], start_ns, end_ns), minlength=BATCHES)
    if end_ns <= start_ns or counts.sum() < MIN_ENDED:
        why = f"{counts.sum()} workflows ended ok in the steady phase (at least {MIN_ENDED})"
        return Interval(None, None, why)
    per_s = counts / ((end_ns - start_ns) / BATCHES / 1e9)
    half = t_quantile(0.975, BATCHES - 1) * float(per_s.std(ddof=1)) / math.sqrt(BATCHES)
    mean = float(per_s.mean())
    return Interval(max(0.0, mean - half), mean + half)


def _needed(percentile: Percentile, observed: int) -> int | None:
    """Return how many workflows it takes for enough samples beyond; None if there are enough."""
    if not percentile.is_weak:
        return None
    needed = math.ceil(round(MIN_TAIL_SAMPLES / (1.0 - percentile.p), 6))
    if observed < needed:
        return needed
    beyond = percentile.samples_beyond  # fewer than its share: censored times lie before it
    return math.ceil(observed * MIN_TAIL_SAMPLES / beyond) if beyond else None


def _half_lengths(parts: Floats) -> tuple[float, float]:
    """Return how far the true share may lie above and below that of all batches together.

    Args:
        parts: float64[BATCHES], what each batch adds to the share; their sum is 0.
    """
    count = len(parts)
    values = parts * count
    variance = float((values**2).sum()) / (count - 1)
    if variance <= 0.0:
        return 0.0, 0.0
    t = t_quantile(0.975, count - 1)
    half = t * math.sqrt(variance / count)
    third = float((values**3).sum()) * count / ((count - 1) * (count - 2))
    skewed = third / variance / (6.0 * count) * (1.0 + 2.0 * t**2)
    return half + max(0.0, skewed), half
