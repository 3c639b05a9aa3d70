"""Service times of a window, workflows that had not ended included.

In a closed loop with an unfair target, half of the workflows may not end within a level at all:
the average of those that did would be a lie. So

- the average is the time that workflows spent in flight within the window, divided by the number
  that ended in it. In steady state that is the mean service time (Little, "A Proof for the
  Queuing Formula: L = lambda W", Operations Research 9, 1961), and work that never ends counts;
- percentiles come from the product-limit curve, in which a workflow in flight at the end of the
  window counts as "at least this long" (Kaplan, Meier, "Nonparametric Estimation from Incomplete
  Observations", JASA 53, 1958). Where the curve does not come down to the percentile, the value
  is the longest time seen, marked ``at_least``.

A window also cuts at its start: what was in flight there and ended within is one more workflow a
slot than the slot began. Counted in full, it made the percentiles of exponential times a third
too long at three turnovers. So it is at risk only from the age that it had when the window began
(delayed entry: Klein, Moeschberger, "Survival Analysis", 2nd edition, section 4.6). What was in
flight at both ends is at risk from the beginning: a slot that never ends anything must count.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeAlias, TypeVar

import numpy as np
import polars as pl

from perf_pipeline.metrics.survival.sorted_chunks import SortedChunks
from perf_pipeline.metrics.types.service_times import Percentile, ServiceTimes
from perf_pipeline.samples.record import Outcome

if TYPE_CHECKING:
    from collections.abc import Sequence

    import numpy.typing as npt

PERCENTILES = (0.5, 0.9, 0.99)
ENDED = (Outcome.OK, Outcome.ERROR, Outcome.TIMEOUT)
_ROUNDING = 1e-9
_Times: TypeAlias = np.ndarray[tuple[int], np.dtype[np.int64]]
_Frame = TypeVar("_Frame", pl.DataFrame, pl.LazyFrame)


def ended_within(frame: _Frame, start_ns: int, end_ns: int) -> _Frame:
    """Return the records of workflows that were answered in ``[start_ns, end_ns)``."""
    ended = [int(outcome) for outcome in ENDED]
    return frame.filter(
        (pl.col("end_ns") >= start_ns) & (pl.col("end_ns") < end_ns), pl.col("outcome").is_in(ended)
    )


def is_ended(outcome: npt.NDArray[np.uint8]) -> npt.NDArray[np.bool_]:
    """Return which workflows were answered, late or not: the counterpart of ``ENDED``."""
    ended: npt.NDArray[np.bool_] = (outcome != Outcome.DROPPED) & (outcome != Outcome.ABANDONED)
    return ended


def service_times(frame: pl.DataFrame | pl.LazyFrame, start_ns: int, end_ns: int) -> ServiceTimes:
    """Summarise the service times of a window.

    Args:
        frame: Records of ``SCHEMA`` without cold starts.
        start_ns: Start of the window, CLOCK_MONOTONIC.
        end_ns: End of the window, exclusive.
    """
    frame = frame.lazy().with_columns(kind=pl.lit(0, pl.UInt8))
    return WindowTimes.by_kind(frame, start_ns, end_ns, 1)[0].summary()


@dataclass(frozen=True)
class WindowTimes:
    """The times of a window, sorted; those of several kinds of workflow are put together at once.

    Attributes:
        ended: Durations of what ended under observation, ns.
        late: int64[k], ages > 0 at which some of those came under observation, non-decreasing.
        still: int64[m], durations so far of what had not ended, ns, non-decreasing.
        unseen: int64[j], durations of what ended just as the window began, non-decreasing.
        inside_ns: Time that all spent in flight within the window.
    """

    ended: SortedChunks
    late: _Times
    still: _Times
    unseen: _Times
    inside_ns: int

    @classmethod
    def by_kind(
        cls, frame: pl.DataFrame | pl.LazyFrame, start_ns: int, end_ns: int, kinds: int
    ) -> tuple[WindowTimes, ...]:
        """Take the times of each kind from records.

        Args:
            frame: Records of ``SCHEMA`` without cold starts.
            start_ns: Start of the window, CLOCK_MONOTONIC.
            end_ns: End of the window, exclusive.
            kinds: How many kinds of workflow there are.
        """
        started, end = pl.col("start_ns"), pl.col("end_ns")
        cut = pl.col("outcome") == int(Outcome.ABANDONED)
        until = pl.min_horizontal(end, pl.lit(end_ns, pl.Int64))
        since = pl.max_horizontal(started, pl.lit(start_ns, pl.Int64))
        ended = ended_within(frame.lazy(), start_ns, end_ns)
        in_flight = (started < end_ns) & ((end >= end_ns) | (cut & (end >= start_ns)))
        early = ended.filter(started < start_ns)
        touched = frame.lazy().filter((started < end_ns) & (end > start_ns))
        whole = ended.filter((end > start_ns) | (started >= start_ns))
        columns = [
            one.select("kind", time.alias("time")).collect()
            for one, time in (
                (whole, end - started),
                (early.filter(end > start_ns), start_ns - started),
                (frame.lazy().filter(in_flight), until - started),
                (early.filter(end == start_ns), end - started),
            )
        ]
        inside = touched.group_by("kind").agg((until - since).sum()).collect()
        inside_ns = dict(inside.iter_rows())
        found = []
        for kind in range(kinds):
            ended_ns, late, still, unseen = (
                each.filter(pl.col("kind") == kind)["time"].sort().to_numpy() for each in columns
            )
            times = SortedChunks((ended_ns,)), late, still, unseen
            found.append(cls(*times, inside_ns=inside_ns.get(kind, 0)))
        return tuple(found)

    @classmethod
    def merged(cls, parts: Sequence[WindowTimes]) -> WindowTimes:
        """Return the times of all ``parts`` of the same window."""
        return cls(
            ended=SortedChunks(tuple(run for part in parts for run in part.ended.runs)),
            late=np.sort(np.concatenate([part.late for part in parts])),
            still=np.sort(np.concatenate([part.still for part in parts])),
            unseen=np.concatenate([part.unseen for part in parts]),
            inside_ns=sum(part.inside_ns for part in parts),
        )

    def summary(self) -> ServiceTimes:
        """Return what stands in the metrics."""
        samples = len(self.ended) + len(self.unseen)
        first = [int(times.min()) for times in (self.ended.ends, self.unseen) if len(times)]
        last = (self.ended.ends, self.unseen, self.still[-1:])
        longest = max(int(times.max(initial=0)) for times in last)
        return ServiceTimes(
            samples=samples,
            in_flight_at_end=len(self.still),
            avg_s=self.inside_ns / samples / 1e9 if samples else None,
            min_s=min(first) / 1e9 if samples else None,
            max_s=longest / 1e9 if longest else None,
            percentiles=self.percentiles(),
        )

    def percentiles(self) -> tuple[Percentile, ...]:
        """Return ``PERCENTILES`` of the product-limit curve, without intervals."""
        return tuple(_percentiles(self.ended, self.still, self.late, PERCENTILES))


def product_limit_percentiles(
    ended_ns: _Times,
    open_ns: _Times,
    levels: tuple[float, ...],
    joined_ns: _Times | None = None,
) -> list[Percentile]:
    """Percentiles of durations of which some are only known to be at least so long.

    Args:
        ended_ns: int64[n], durations of what ended.
        open_ns: int64[m], durations so far of what has not.
        levels: Percentiles, each in (0, 1).
        joined_ns: int64[n], how old each of ``ended_ns`` was when it came under observation,
            <= its duration; None means that all were seen from their start.
    """
    ended_ns, late = _seen(ended_ns, joined_ns)
    ended = SortedChunks((pl.Series(ended_ns).sort().to_numpy(),))
    return _percentiles(ended, np.sort(open_ns), late, levels)


def _percentiles(
    ended: SortedChunks, still: _Times, late: _Times, levels: tuple[float, ...]
) -> list[Percentile]:
    """Percentiles from sorted times: of ends, of those cut off, and of late comers' ages."""
    if not len(ended) + len(still):
        return [Percentile(p, None, at_least=False, samples_beyond=0) for p in levels]
    curve = _Survival.of(ended, still, late)
    longest = max(ended.ends.max(initial=0), still[-1:].max(initial=0))
    found = []
    for p in levels:
        rank = curve.rank(1.0 - p + _ROUNDING)
        value = longest if rank is None else ended.at(rank)
        beyond = len(ended) - int(ended.ranks(np.array([value]), "right")[0])
        beyond += len(still) - int(still.searchsorted(value, "right"))
        found.append(
            Percentile(p, float(value) / 1e9, at_least=rank is None, samples_beyond=beyond)
        )
    return found


def _seen(ended_ns: _Times, joined_ns: _Times | None) -> tuple[_Times, _Times]:
    """Return what ended under observation, and the sorted ages > 0 at which workflows came there.

    What ended just as it came was never seen. Few of many workflows come late, so that all
    columns but the first are short.
    """
    if joined_ns is None:
        return ended_ns, np.zeros(0, dtype=np.int64)
    late = np.flatnonzero(joined_ns > 0)
    unseen = joined_ns[late] >= ended_ns[late]
    seen = np.delete(ended_ns, late[unseen]) if unseen.any() else ended_ns
    return seen, np.sort(joined_ns[late[~unseen]])


@dataclass(frozen=True)
class _Survival:
    """The product-limit curve in pieces, within which those at risk change by ends alone.

    There the product over ends telescopes to (at risk - ended so far) / at risk: with millions of
    ends, and one coming or going unended a slot, this is a few thousand steps, exact where a
    product of millions of factors collects their rounding.

    Attributes:
        first: int64[k], rank of the first end in each piece, of all ends sorted.
        ends: int64[k], ends in each piece.
        at_risk: int64[k], at risk at the beginning of each piece.
        before: float64[k], share that survived until then.
    """

    first: _Times
    ends: _Times
    at_risk: _Times
    before: np.ndarray[tuple[int], np.dtype[np.float64]]

    @classmethod
    def of(cls, ended: SortedChunks, still: _Times, late: _Times) -> _Survival:
        """Make the curve of sorted times: of ends, of those cut off, and of late comers' ages."""
        stops = np.unique(np.concatenate([still, late]))
        until = np.append(ended.ranks(stops, "right"), len(ended))
        first = np.concatenate([[0], until[:-1]])
        # Cut off at t counts as at risk at t, come at t does not: both change only after t.
        gone = np.concatenate([[0], still.searchsorted(stops, "right")])
        to_come = len(late) - np.concatenate([[0], late.searchsorted(stops, "right")])
        ends = until - first
        at_risk = len(ended) - first + len(still) - gone - to_come
        some = ends > 0
        first, ends, at_risk = first[some], ends[some], at_risk[some]
        after = np.cumprod((at_risk - ends) / at_risk)
        return cls(first, ends, at_risk, np.concatenate([[1.0], after[:-1]]))

    def rank(self, share: float) -> int | None:
        """Return the rank of the first end after which at most ``share`` survives, if any."""
        after = self.before * (self.at_risk - self.ends) / self.at_risk
        reached = np.flatnonzero(after <= share)
        if not len(reached):
            return None
        piece = reached[0]
        needed = math.ceil(self.at_risk[piece] * (1.0 - share / self.before[piece]))
        return int(self.first[piece] + min(max(needed, 1), self.ends[piece]) - 1)
