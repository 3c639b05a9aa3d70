"""A window cut into stretches of equal length: what each saw of workflows, and what it adds.

The curve of all stretches together is the product-limit curve of ``service_time.py``, in
buckets of at most 0.4 %. Its derivative by the weight of a stretch is the ends that the stretch
saw beyond those expected of what was at risk in it (Efron, "Nonparametric Estimates of Standard
Error", Biometrika 68, 1981); where nothing is cut off, that is the share of the stretch's
workflows that last longer, less the share of all. A stretch needs its counts a bucket and nothing
else (``metrics/survival/batch_counts.py``).
"""

from __future__ import annotations

from dataclasses import dataclass, fields
from typing import TYPE_CHECKING, TypeAlias

import numpy as np

from perf_pipeline.metrics.survival.response_time import scheduled_within
from perf_pipeline.samples.record import Outcome

if TYPE_CHECKING:
    import polars as pl

BATCHES = 20

Ints: TypeAlias = np.ndarray[tuple[int], np.dtype[np.int64]]
Floats: TypeAlias = np.ndarray[tuple[int], np.dtype[np.float64]]
_Flags: TypeAlias = np.ndarray[tuple[int], np.dtype[np.bool_]]


@dataclass(frozen=True)
class Observed:
    """Pieces of workflows' lives, each within one stretch of the window.

    Attributes:
        stretch: int64[n], 0 to ``BATCHES`` - 1.
        from_ns: int64[n], age of the workflow when the piece begins.
        to_ns: int64[n], age when it ends, >= ``from_ns``.
        ended: bool[n], True where the workflow ended with the piece.
        kind: int64[n], index of the kind of workflow.
    """

    batch: Ints
    from_ns: Ints
    to_ns: Ints
    ended: _Flags
    kind: Ints


def observed_between(frame: pl.DataFrame, start_ns: int, end_ns: int) -> Observed:
    """Cut the lives of workflows at the borders of a window's stretches.

    As in ``service_times``, what was in flight at both ends of the window is at risk from its
    beginning, and what ended within from the age that it had when the window began.

    Args:
        frame: Records of ``SCHEMA`` without cold starts.
        start_ns: Start of the window, CLOCK_MONOTONIC.
        end_ns: End of the window, exclusive.
    """
    began, end, outcome = (frame[name].to_numpy() for name in ("start_ns", "end_ns", "outcome"))
    kind = frame["kind"].to_numpy().astype(np.int64)
    lives = (outcome != Outcome.DROPPED) & (began < end_ns) & (end >= start_ns)
    if np.count_nonzero(lives) < len(lives):
        began, end, outcome, kind = began[lives], end[lives], outcome[lives], kind[lives]
    ended = (outcome != Outcome.ABANDONED) & (end < end_ns)
    until = np.where(ended, end, end_ns)
    last = batch_of(until, start_ns, end_ns)
    edges = start_ns + (end_ns - start_ns) * np.arange(BATCHES + 1) // BATCHES
    whole = began >= edges[last]
    pieces = [
        Observed(
            last[whole],
            np.zeros(int(whole.sum()), dtype=np.int64),
            (until - began)[whole],
            ended[whole],
            kind[whole],
        )
    ]
    cut = ~whole
    began, until, ended, last, kind = began[cut], until[cut], ended[cut], last[cut], kind[cut]
    first = int(batch_of(began, start_ns, end_ns).min()) if len(began) else 0
    for batch in range(first, int(last.max(initial=-1)) + 1):
        lower, upper = int(edges[batch]), int(edges[batch + 1])
        alive = (began < upper) & (last >= batch)
        since = began[alive]
        from_ns = np.maximum(lower - since, 0)
        if batch == 0:
            from_ns = np.where(ended[alive], from_ns, 0)
        ends_here = ended[alive] & (last[alive] == batch)
        to_ns = np.where(ends_here, until[alive], upper) - since
        place = np.full(len(since), batch)
        pieces.append(Observed(place, from_ns, np.maximum(to_ns, 0), ends_here, kind[alive]))
    return Observed(
        *(
            np.concatenate([getattr(piece, each.name) for piece in pieces])
            for each in fields(Observed)
        )
    )


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
    batch = batch_of(due, start_ns, end_ns)
    kind = scheduled["kind"].to_numpy().astype(np.int64)
    return Observed(batch, np.zeros_like(due), end - due, answered, kind)


def batch_of(at_ns: Ints, start_ns: int, end_ns: int) -> Ints:
    """Return the stretch that each time lies in; before or after the window, the first or last."""
    # In integers to the end: at 2**53 ns a float64 is only exact to a nanosecond or two.
    number: Ints = (at_ns - start_ns) * BATCHES // max(1, end_ns - start_ns)
    return number.clip(0, BATCHES - 1)
