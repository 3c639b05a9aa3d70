"""Response times of an open level: from when a workflow should have started to its end.

They are those of the workflows that were to start in the window, whenever they ended: what was
scheduled is what is judged, so a workflow cannot leave the statistics by being late. One that
was not answered counts as "at least this long" (right-censored): a timeout with the time until
it was seen to be one, what was dropped or abandoned with the time that it had waited.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import polars as pl

from perf_pipeline.metrics.level import ServiceTimes
from perf_pipeline.metrics.service_time import PERCENTILES, product_limit_percentiles
from perf_pipeline.samples.record import COLD, TIMES_LOST, Outcome

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt

_ANSWERED = (int(Outcome.OK), int(Outcome.ERROR))


def scheduled_within(frame: pl.DataFrame, start_ns: int, end_ns: int) -> pl.DataFrame:
    """Return the records of workflows that were to start in ``[start_ns, end_ns)``.

    Without cold starts, and without those whose times nobody knows.
    """
    due = pl.col("intended_start_ns")
    known = (pl.col("flags") & (COLD | TIMES_LOST)) == 0
    return frame.filter(known, due >= start_ns, due < end_ns)


def response_durations(
    frame: pl.DataFrame, start_ns: int, end_ns: int
) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.int64]]:
    """Return how long the workflows that were to start in a window took until their answer.

    Returns:
        int64[n] ns of those that were answered, and int64[m] of the others: so long at least.
    """
    scheduled = scheduled_within(frame, start_ns, end_ns)
    took = pl.col("end_ns") - pl.col("intended_start_ns")
    is_answered = pl.col("outcome").is_in(_ANSWERED)
    ended = scheduled.filter(is_answered).select(took).to_series()
    return ended.to_numpy(), scheduled.filter(~is_answered).select(took).to_series().to_numpy()


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
    ended_ns, open_ns = response_durations(frame, start_ns, end_ns)
    total = len(ended_ns) + len(open_ns)
    longest = max(ended_ns.max(initial=0), open_ns.max(initial=0))
    return ServiceTimes(
        samples=len(ended_ns),
        in_flight_at_end=len(open_ns),
        avg_s=float(ended_ns.sum() + open_ns.sum()) / total / 1e9 if total else None,
        min_s=float(ended_ns.min()) / 1e9 if len(ended_ns) else None,
        max_s=float(longest) / 1e9 if total else None,
        percentiles=tuple(product_limit_percentiles(ended_ns, open_ns, PERCENTILES)),
    )
