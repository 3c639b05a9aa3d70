"""Response times of an open level: from when a workflow should have started to its end.

They are those of the workflows that were to start in the window, whenever they ended: what was
scheduled is what is judged, so a workflow cannot leave the statistics by being late. One that
was not answered counts as "at least this long" (right-censored): a timeout with the time until
it was seen to be one, what was dropped or abandoned with the time that it had waited.

Percentiles are those of the product-limit curve as long as the answered ones alone reach them: then
even the worst case, that no other is ever answered, gives a time. Where they do not, the curve must
not be believed: it takes for granted that who was dropped would have done as well as who was not,
and with most arrivals dropped its last answer became every percentile. There the value is the
percentile with each unanswered workflow at the time that it had waited, which the true one cannot
be below, marked ``at_least``.
"""

from __future__ import annotations

import math

import numpy as np
import polars as pl

from perf_pipeline.metrics.survival.service_time import WindowTimes
from perf_pipeline.metrics.survival.sorted_chunks import SortedChunks
from perf_pipeline.metrics.types.service_times import Percentile, ServiceTimes
from perf_pipeline.samples.record import COLD, TIMES_LOST, Outcome

_ANSWERED = (int(Outcome.OK), int(Outcome.ERROR))


def scheduled_within(frame: pl.DataFrame, start_ns: int, end_ns: int) -> pl.DataFrame:
    """Return the records of workflows that were to start in ``[start_ns, end_ns)``.

    Without cold starts, and without those whose times nobody knows.
    """
    due = pl.col("intended_start_ns")
    known = (pl.col("flags") & (COLD | TIMES_LOST)) == 0
    return frame.filter(known, due >= start_ns, due < end_ns)


def window_responses(frame: pl.DataFrame, start_ns: int, end_ns: int) -> WindowTimes:
    """Return how long the workflows that were to start in a window took until their answer.

    Those without an answer are ``still`` open: it takes at least so long.
    """
    scheduled = scheduled_within(frame, start_ns, end_ns).lazy()
    took = pl.col("end_ns") - pl.col("intended_start_ns")
    is_answered = pl.col("outcome").is_in(_ANSWERED)
    ended_ns, open_ns = (
        scheduled.filter(which).select(took.sort()).collect().to_series().to_numpy()
        for which in (is_answered, ~is_answered)
    )
    none = np.zeros(0, dtype=np.int64)
    total_ns = int(ended_ns.sum() + open_ns.sum())
    return WindowTimes(SortedChunks((ended_ns,)), none, open_ns, none, total_ns)


def response_times(frame: pl.DataFrame, start_ns: int, end_ns: int) -> ServiceTimes:
    """Summarise the response times of the workflows that were to start in a window.

    Args:
        frame: Records of an open level, one for every arrival.
        start_ns: Start of the window, CLOCK_MONOTONIC.
        end_ns: End of the window, exclusive.

    Returns:
        ``samples`` were answered, ``in_flight_at_end`` were not; the average is over both, with
        those at the time that they had waited or run.
    """
    times = window_responses(frame, start_ns, end_ns)
    ended_ns, total = times.ended.ends, len(times.ended) + len(times.still)
    longest = max(ended_ns.max(initial=0), times.still.max(initial=0))
    return ServiceTimes(
        samples=len(times.ended),
        in_flight_at_end=len(times.still),
        avg_s=float(times.inside_ns) / total / 1e9 if total else None,
        min_s=float(ended_ns.min()) / 1e9 if len(ended_ns) else None,
        max_s=float(longest) / 1e9 if total else None,
        percentiles=tuple(_never_below(each, times) for each in times.percentiles()),
    )


def _never_below(found: Percentile, times: WindowTimes) -> Percentile:
    """Return the percentile, or the least that it can be where too few were answered."""
    waited = SortedChunks((*times.ended.runs, times.still))
    rank = math.ceil(round(found.p * len(waited), 6))
    if rank <= len(times.ended):
        return found
    value = waited.at(rank - 1)
    beyond = len(waited) - int(waited.ranks(np.array([value]), "right")[0])
    return Percentile(found.p, value / 1e9, at_least=True, samples_beyond=beyond)
