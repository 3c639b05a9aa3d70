"""The lives of workflows, cut at the borders of a window's batches: 20 parts of equal length.

Batch means (``intervals.py``) needs to know of each batch which workflows were under observation
in it, from which age to which, and how that ended.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeAlias

import numpy as np

from perf_pipeline.metrics.survival.outcomes import ANSWERED
from perf_pipeline.samples.record import COLD, TIMES_LOST, Outcome

if TYPE_CHECKING:
    import polars as pl

    from perf_pipeline.metrics.survival.survival_curve import Ints

BATCHES = 20

ENDED, CENSORED, CARRIED = range(3)
"""How a piece of a life ends: the workflow ended, observation of it ended, or it was in flight at
the end of the batch and went on into the next."""

Fates: TypeAlias = np.ndarray[tuple[int], np.dtype[np.int8]]


@dataclass(frozen=True)
class Observed:
    """Pieces of workflows' lives, each within one batch, and delayed entries.

    Attributes:
        batch: int64[n], 0 to ``BATCHES`` - 1.
        age_ns: int64[n], age of the workflow at the end of the piece.
        fate: int8[n], ``ENDED``, ``CENSORED`` or ``CARRIED``.
        kind: int64[n], index of the kind of workflow.
        entry_age_ns: int64[m], age when the window began of workflows that were in flight then and
            ended within it.
        entry_end_ns: int64[m], their age at that end.
        entry_kind: int64[m], their kind.
    """

    batch: Ints
    age_ns: Ints
    fate: Fates
    kind: Ints
    entry_age_ns: Ints
    entry_end_ns: Ints
    entry_kind: Ints


def observed_between(frame: pl.DataFrame, start_ns: int, end_ns: int) -> Observed:
    """Observe the service times of a window.

    A workflow that was in flight when the window began and ended within it has a delayed entry: it
    is under observation from the age that it had then. One that was in flight at both ends counts
    from its start, or slots in which nothing ever ends would not count at all.

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
    until = np.minimum(end, end_ns)
    last = batch_of(until, start_ns, end_ns)
    fate = np.where(ended, ENDED, CENSORED).astype(np.int8)
    pieces = [(last, until - began, fate, kind)]
    enters = ended & (began < start_ns)
    entry_age_ns, entry_end_ns = start_ns - began[enters], (until - began)[enters]
    entry_kind = kind[enters]
    edges = start_ns + (end_ns - start_ns) * np.arange(BATCHES + 1) // BATCHES
    crossing = np.flatnonzero(began < edges[last])
    began, until, ended, last, kind = (each[crossing] for each in (began, until, ended, last, kind))
    first = int(batch_of(began, start_ns, end_ns).min()) if len(began) else 0
    for batch in range(first, int(last.max(initial=0))):
        upper = int(edges[batch + 1])
        goes_on = (began < upper) & (last > batch)
        count = int(np.count_nonzero(goes_on))
        carried = np.full(count, CARRIED, dtype=np.int8)
        pieces.append((np.full(count, batch), upper - began[goes_on], carried, kind[goes_on]))
    batches, ages, fates, kinds = (np.concatenate(column) for column in zip(*pieces, strict=True))
    return Observed(
        batch=batches,
        age_ns=ages,
        fate=fates,
        kind=kinds,
        entry_age_ns=entry_age_ns,
        entry_end_ns=entry_end_ns,
        entry_kind=entry_kind,
    )


def observed_responses(frame: pl.DataFrame, start_ns: int, end_ns: int) -> Observed:
    """Observe the response times of the workflows of an open level that were to start in a window.

    All are under observation from their intended start on, in the batch in which that lies. One
    that was not answered is right-censored.

    Args:
        frame: Records of an open level, one for every arrival.
        start_ns: Start of the window, CLOCK_MONOTONIC.
        end_ns: End of the window, exclusive.
    """
    due = frame["intended_start_ns"].to_numpy()
    known = (frame["flags"].to_numpy() & (COLD | TIMES_LOST)) == 0
    scheduled = known & (due >= start_ns) & (due < end_ns)
    due, end = due[scheduled], frame["end_ns"].to_numpy()[scheduled]
    answered = np.isin(frame["outcome"].to_numpy()[scheduled], ANSWERED)
    nothing = np.zeros(0, dtype=np.int64)
    return Observed(
        batch=batch_of(due, start_ns, end_ns),
        age_ns=end - due,
        fate=np.where(answered, ENDED, CENSORED).astype(np.int8),
        kind=frame["kind"].to_numpy()[scheduled].astype(np.int64),
        entry_age_ns=nothing,
        entry_end_ns=nothing,
        entry_kind=nothing,
    )


def batch_of(at_ns: Ints, start_ns: int, end_ns: int) -> Ints:
    """Return the batch that each time lies in; outside of the window, the first or the last."""
    # In integers to the end: at 2**53 ns a float64 is only exact to a nanosecond or two.
    number: Ints = (at_ns - start_ns) * BATCHES // max(1, end_ns - start_ns)
    return number.clip(0, BATCHES - 1)
