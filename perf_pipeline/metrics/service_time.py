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

import numpy as np
import polars as pl

from perf_pipeline.metrics.level import Percentile, ServiceTimes
from perf_pipeline.samples.record import Outcome

PERCENTILES = (0.5, 0.9, 0.99)
_ENDED = (Outcome.OK, Outcome.ERROR, Outcome.TIMEOUT)
_ROUNDING = 1e-9


def ended_within(frame: pl.DataFrame, start_ns: int, end_ns: int) -> pl.DataFrame:
    """Return the records of workflows that were answered in ``[start_ns, end_ns)``."""
    ended = [int(outcome) for outcome in _ENDED]
    return frame.filter(
        (pl.col("end_ns") >= start_ns) & (pl.col("end_ns") < end_ns), pl.col("outcome").is_in(ended)
    )


def service_times(frame: pl.DataFrame, start_ns: int, end_ns: int) -> ServiceTimes:
    """Summarise the service times of a window.

    Args:
        frame: Records of ``SCHEMA`` without cold starts.
        start_ns: Start of the window, CLOCK_MONOTONIC.
        end_ns: End of the window, exclusive.
    """
    ended = ended_within(frame, start_ns, end_ns)
    ended_ns = (ended["end_ns"] - ended["start_ns"]).to_numpy()
    joined_ns = np.maximum(start_ns - ended["start_ns"].to_numpy(), 0)
    cut = pl.col("outcome") == int(Outcome.ABANDONED)
    in_flight = frame.filter(
        (pl.col("start_ns") < end_ns)
        & ((pl.col("end_ns") >= end_ns) | (cut & (pl.col("end_ns") >= start_ns)))
    )
    open_ns = np.minimum(in_flight["end_ns"].to_numpy(), end_ns) - in_flight["start_ns"].to_numpy()
    touched = frame.filter((pl.col("start_ns") < end_ns) & (pl.col("end_ns") > start_ns))
    inside = np.minimum(touched["end_ns"].to_numpy(), end_ns) - np.maximum(
        touched["start_ns"].to_numpy(), start_ns
    )
    longest = max(ended_ns.max(initial=0), open_ns.max(initial=0))
    return ServiceTimes(
        samples=len(ended_ns),
        in_flight_at_end=len(open_ns),
        avg_s=float(inside.sum()) / len(ended_ns) / 1e9 if len(ended_ns) else None,
        min_s=float(ended_ns.min()) / 1e9 if len(ended_ns) else None,
        max_s=float(longest) / 1e9 if longest else None,
        percentiles=tuple(product_limit_percentiles(ended_ns, open_ns, PERCENTILES, joined_ns)),
    )


def product_limit_percentiles(
    ended_ns: np.ndarray[tuple[int], np.dtype[np.int64]],
    open_ns: np.ndarray[tuple[int], np.dtype[np.int64]],
    levels: tuple[float, ...],
    joined_ns: np.ndarray[tuple[int], np.dtype[np.int64]] | None = None,
) -> list[Percentile]:
    """Percentiles of durations of which some are only known to be at least so long.

    Args:
        ended_ns: int64[n], durations of what ended.
        open_ns: int64[m], durations so far of what has not.
        levels: Percentiles, each in (0, 1).
        joined_ns: int64[n], how old each of ``ended_ns`` was when it came under observation,
            <= its duration; None means that all were seen from their start.
    """
    if joined_ns is None:
        joined_ns = np.zeros_like(ended_ns)
    seen = (joined_ns < ended_ns) | (joined_ns == 0)  # what ended just as it came was never seen
    ended_ns, joined = ended_ns[seen], np.sort(joined_ns[seen & (joined_ns > 0)])
    values = np.sort(np.concatenate([ended_ns, open_ns]))
    if not len(values):
        return [Percentile(p, None, at_least=False, samples_beyond=0) for p in levels]
    times, ends = np.unique(ended_ns, return_counts=True)
    # At risk at t: what lasted t or longer, less what came under observation at t or later.
    late = len(joined) - np.searchsorted(joined, times)
    at_risk = len(values) - np.searchsorted(values, times) - late
    surviving = np.cumprod(1.0 - ends / at_risk)
    found = []
    for p in levels:
        reached = np.flatnonzero(surviving <= 1.0 - p + _ROUNDING)
        at_least = not len(reached)
        value = values[-1] if at_least else times[reached[0]]
        beyond = int((values > value).sum())
        found.append(Percentile(p, float(value) / 1e9, at_least=at_least, samples_beyond=beyond))
    return found
