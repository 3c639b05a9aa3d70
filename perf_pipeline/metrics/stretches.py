"""A window cut into stretches of equal length: what each saw of workflows, and what it adds.

The curve of all stretches together is the product-limit curve of ``metrics/service_time.py``, in
buckets of at most 0.4 %. Its derivative by the weight of a stretch is the ends that the stretch
saw beyond those expected of what was at risk in it (Efron, "Nonparametric Estimates of Standard
Error", Biometrika 68, 1981); where nothing is cut off, that is the share of the stretch's
workflows that last longer, less the share of all. A stretch needs its counts a bucket and nothing
else, so the curve can be made from histograms as well.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TypeAlias

import numpy as np
import polars as pl

from perf_pipeline.metrics.response_time import scheduled_within
from perf_pipeline.samples.record import Outcome

STRETCHES = 20

_FINE_BITS = 8
"""Times are counted in 256 buckets an octave."""

_SHIFT = 52 - _FINE_BITS
Ints: TypeAlias = np.ndarray[tuple[int], np.dtype[np.int64]]
Floats: TypeAlias = np.ndarray[tuple[int], np.dtype[np.float64]]
_Flags: TypeAlias = np.ndarray[tuple[int], np.dtype[np.bool_]]
_Counts: TypeAlias = np.ndarray[tuple[int, int], np.dtype[np.int64]]


@dataclass(frozen=True)
class Observed:
    """Pieces of workflows' lives, each within one stretch of the window.

    Attributes:
        stretch: int64[n], 0 to ``STRETCHES`` - 1.
        from_ns: int64[n], age of the workflow when the piece begins.
        to_ns: int64[n], age when it ends, >= ``from_ns``.
        ended: bool[n], True where the workflow ended with the piece.
    """

    stretch: Ints
    from_ns: Ints
    to_ns: Ints
    ended: _Flags


def observed_between(frame: pl.DataFrame | pl.LazyFrame, start_ns: int, end_ns: int) -> Observed:
    """Cut the lives of workflows at the borders of a window's stretches.

    As in ``service_times``, what was in flight at both ends of the window is at risk from its
    beginning, and what ended within from the age that it had when the window began.

    Args:
        frame: Records of ``SCHEMA`` without cold starts.
        start_ns: Start of the window, CLOCK_MONOTONIC.
        end_ns: End of the window, exclusive.
    """
    started = pl.col("outcome") != int(Outcome.DROPPED)
    answered = pl.col("outcome") != int(Outcome.ABANDONED)
    lives = (
        frame.lazy()
        .filter(started, (pl.col("start_ns") < end_ns) & (pl.col("end_ns") >= start_ns))
        .select("start_ns", "end_ns", ended=answered & (pl.col("end_ns") < end_ns))
        .collect()
    )
    began, ended = lives["start_ns"].to_numpy(), lives["ended"].to_numpy()
    until = np.where(ended, lives["end_ns"].to_numpy(), end_ns)
    last = stretch_of(until, start_ns, end_ns)
    edges = start_ns + (end_ns - start_ns) * np.arange(STRETCHES + 1) // STRETCHES
    whole = began >= edges[last]
    pieces = [(last[whole], 0 * began[whole], (until - began)[whole], ended[whole])]
    cut_began, cut_until, cut_ended = began[~whole], until[~whole], ended[~whole]
    cut_last = last[~whole]
    for stretch in range(STRETCHES):
        lower, upper = int(edges[stretch]), int(edges[stretch + 1])
        alive = (cut_began < upper) & (cut_last >= stretch)
        since, to = cut_began[alive], cut_until[alive]
        from_ns = np.maximum(lower - since, 0)
        if stretch == 0:
            from_ns = np.where(cut_ended[alive], from_ns, 0)
        ends_here = cut_ended[alive] & (cut_last[alive] == stretch)
        to_ns = np.where(ends_here, to, upper) - since
        pieces.append((np.full(len(since), stretch), from_ns, np.maximum(to_ns, 0), ends_here))
    stretches, from_, to_, ends = (np.concatenate(part) for part in zip(*pieces, strict=True))
    return Observed(stretches, from_, to_, ends)


def observed_responses(frame: pl.DataFrame, start_ns: int, end_ns: int) -> Observed:
    """Put the workflows of an open level into the stretches in which they were to start.

    As in ``response_times``: all are seen from their intended start on, and one that was not
    answered is known to take at least so long.

    Args:
        frame: Records of an open level, one for every arrival.
        start_ns: Start of the window, CLOCK_MONOTONIC.
        end_ns: End of the window, exclusive.
    """
    scheduled = scheduled_within(frame, start_ns, end_ns)
    due, end = (scheduled[name].to_numpy() for name in ("intended_start_ns", "end_ns"))
    answered = scheduled["outcome"].is_in([int(Outcome.OK), int(Outcome.ERROR)]).to_numpy()
    stretch = stretch_of(due, start_ns, end_ns)
    return Observed(stretch, np.zeros_like(due), end - due, answered)


def stretch_of(at_ns: Ints, start_ns: int, end_ns: int) -> Ints:
    """Return the stretch that each time lies in; before or after the window, the first or last."""
    # In integers to the end: at 2**53 ns a float64 is only exact to a nanosecond or two.
    number: Ints = (at_ns - start_ns) * STRETCHES // max(1, end_ns - start_ns)
    return number.clip(0, STRETCHES - 1)


@dataclass(frozen=True)
class StretchedCurve:
    """The share of workflows that last longer, by age, and what each stretch gave to it.

    Attributes:
        edges_ns: float64[k + 1], ages at which the buckets begin, and the end of the last.
        ended: int64[STRETCHES, k], workflows that ended at an age of the bucket.
        at_risk: int64[STRETCHES, k], workflows that were as old in the stretch, or ended so old.
        longer: float64[k], share that lasts longer than the bucket (product limit).
    """

    edges_ns: Floats
    ended: _Counts
    at_risk: _Counts
    longer: Floats

    @classmethod
    def of(cls, observed: Observed) -> StretchedCurve:
        """Count what ended and what was at risk in each stretch; ``observed`` is not empty."""
        to = _bucket(observed.to_ns)
        first, count = int(to.min()), int(to.max() - to.min()) + 1
        cell = observed.stretch * count + (to - first)
        leaving = _counts(cell, count)
        ended = _counts(cell[observed.ended], count)
        late = observed.from_ns > 0
        came = np.maximum(_bucket(observed.from_ns[late]) - first, 0)
        coming = _counts(observed.stretch[late] * count + came, count)
        fresh = np.bincount(observed.stretch[~late], minlength=STRETCHES)
        gone = np.cumsum(leaving, axis=1) - leaving
        at_risk = fresh[:, None] + np.cumsum(coming, axis=1) - gone
        edges = (np.arange(first, first + count + 1, dtype=np.int64) << _SHIFT).view(np.float64)
        all_ended, all_at_risk = ended.sum(axis=0), at_risk.sum(axis=0)
        longer = np.cumprod(1.0 - all_ended / np.maximum(all_at_risk, 1))
        return cls(edges, ended, at_risk, longer)

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
            return np.zeros(STRETCHES)
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


def _bucket(age_ns: Ints) -> Ints:
    """Return the number of the bucket of each age: the upper bits of a float64 (HdrHistogram)."""
    bits: Ints = np.maximum(age_ns, 1).astype(np.float64).view(np.int64) >> _SHIFT
    return bits


def _counts(cell: Ints, count: int) -> _Counts:
    return np.bincount(cell, minlength=STRETCHES * count).reshape(STRETCHES, count)
