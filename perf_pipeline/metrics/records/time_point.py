"""A level second by second, for the plots."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np

from perf_pipeline.metrics.survival.batch_counts import SLICE
from perf_pipeline.metrics.survival.outcomes import is_ended
from perf_pipeline.metrics.types.records import TimePoint
from perf_pipeline.samples.record import Outcome

if TYPE_CHECKING:
    import polars as pl

    from perf_pipeline.metrics.records.in_flight import InFlightCurve
    from perf_pipeline.metrics.survival.survival_curve import Ints


SECOND_NS = 1_000_000_000
_COLUMNS = ("start_ns", "end_ns", "outcome")


def seconds_of(
    frame: pl.DataFrame | pl.LazyFrame,
    curve: InFlightCurve,
    go_ns: int,
    end_ns: int,
    rows: int = SLICE,
) -> tuple[TimePoint, ...]:
    """Cut a level into whole seconds since the go; a last, partial one is left out.

    Args:
        frame: Records of ``SCHEMA`` without cold starts.
        curve: Their number in flight.
        go_ns: Start of second 0, CLOCK_MONOTONIC.
        end_ns: End of the level.
        rows: Records that are counted together, which bounds the memory.
    """
    count = max(0, (end_ns - go_ns) // SECOND_NS)
    if not count:
        return ()
    means = curve.means(go_ns + np.arange(count + 1) * SECOND_NS)
    ok, answered, lasted = _ended_in(frame.lazy().select(_COLUMNS).collect(), go_ns, count, rows)
    return tuple(
        TimePoint(
            t_s=float(second),
            ended_ok=int(ok[second]),
            ended_not_ok=int(answered[second] - ok[second]),
            p50_s=p50_s,
            p99_s=p99_s,
            in_flight=float(means[second]),
        )
        for second in range(count)
        for p50_s, p99_s in (_nearest_ranks_s(lasted[second]),)
    )


def _ended_in(
    frame: pl.DataFrame, go_ns: int, count: int, rows: int
) -> tuple[Ints, Ints, list[list[Ints]]]:
    """Return how many ended ok in each second, how many ended at all, and their service times.

    Returns:
        int64[count] twice; and for each second int64[n] arrays, ns, in no order.
    """
    ok, answered = np.zeros((2, count), dtype=np.int64)
    lasted: list[list[Ints]] = [[] for _ in range(count)]
    for part in frame.iter_slices(rows):
        start_ns, end_ns, outcome = (column.to_numpy() for column in part)
        within = (end_ns >= go_ns) & (end_ns < go_ns + count * SECOND_NS)
        within &= is_ended(outcome)
        second = (end_ns[within] - go_ns) // SECOND_NS
        lasted_ns = (end_ns - start_ns)[within]
        ok += np.bincount(second[outcome[within] == Outcome.OK], minlength=count)
        answered += np.bincount(second, minlength=count)
        if (np.diff(second) < 0).any():  # a worker records in order of the ends, or nearly so
            order = np.argsort(second, kind="stable")
            second, lasted_ns = second[order], lasted_ns[order]
        borders = np.flatnonzero(np.diff(second)) + 1
        for first, times_ns in zip([0, *borders], np.split(lasted_ns, borders), strict=True):
            if len(times_ns):
                lasted[second[first]].append(times_ns)
    return ok, answered, lasted


def _nearest_ranks_s(parts: list[Ints]) -> tuple[float | None, float | None]:
    """Return the median and the 99th percentile of all ``parts``, s; None without any time."""
    if not parts:
        return None, None
    times_ns = np.concatenate(parts)
    p50, p99 = (math.ceil(len(times_ns) * percent / 100) - 1 for percent in (50, 99))
    times_ns.partition([p50, p99])
    return float(times_ns[p50]) / 1e9, float(times_ns[p99]) / 1e9
