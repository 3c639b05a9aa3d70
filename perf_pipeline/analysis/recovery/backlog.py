"""Workflows that had arrived and not ended, around a failure."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from perf_pipeline.metrics.types.fault.recovery import Backlog
from perf_pipeline.samples.record import Outcome

if TYPE_CHECKING:
    from perf_pipeline.analysis.recovery.arrivals import Arrivals
    from perf_pipeline.metrics.survival.survival_curve import Floats, Ints

STEP_NS = 50_000_000
STEADY_FOR = 10
"""Steps, half a second, for which the backlog must stay as small as before to have drained."""

WORTH_RATIO = 1.2
"""A greater rate within a second is an overshoot."""


def backlog_at(arrivals: Arrivals, at_ns: Ints) -> Ints:
    """Return how many had arrived and not ended at each moment."""
    ends_ns = np.sort(arrivals.end_ns)
    came = np.searchsorted(arrivals.due_ns, at_ns, side="right")
    went = np.searchsorted(ends_ns, at_ns, side="right")
    found: Ints = came - went
    return found


def backlog_of(
    arrivals: Arrivals,
    before_ns: tuple[int, int],
    injecting_ns: int,
    gone_ns: int,
    until_ns: int,
) -> Backlog:
    """Return the backlog of a failure.

    Args:
        arrivals: All workflows of the level.
        before_ns: The time of the baseline.
        injecting_ns: The injection.
        gone_ns: When the failure was gone.
        until_ns: When the next one began, or the level ended.
    """
    before = backlog_at(arrivals, np.arange(*before_ns, STEP_NS))
    mean = float(before.mean()) if len(before) else 0.0
    usual = max(float(before.max()) if len(before) else 0.0, 1.0)
    peak = backlog_at(arrivals, np.arange(injecting_ns, until_ns, STEP_NS))
    after = backlog_at(arrivals, np.arange(gone_ns, until_ns, STEP_NS))
    drained = _first_run(after <= usual)
    return Backlog(
        before=mean,
        peak=float(peak.max()) if len(peak) else 0.0,
        drain_s=None if drained is None else drained * STEP_NS / 1e9,
        is_shrinking=drained is None and is_shrinking(after.astype(np.float64), usual),
    )


def is_shrinking(after: Floats, usual: float) -> bool:
    """Return whether a backlog falls at a pace that leads to ``usual`` within twice its length.

    A target that cannot come back by itself has one that stays: what its clients give up is
    replaced by what they try again.
    """
    third = len(after) // 3
    if not third:
        return False
    first, last = float(after[:third].mean()), float(after[-third:].mean())
    pace = (first - last) / (len(after) - third)
    return pace > 0 and (last - usual) / pace <= 2 * len(after)


def overshoot_ratio(
    arrivals: Arrivals, before_ns: tuple[int, int], gone_ns: int, until_ns: int
) -> float | None:
    """Return the greatest rate of ok workflows within a second, relative to the mean before.

    None where it was not markedly greater than the greatest of any second before: in Poisson
    arrivals at 50/s, one second of a minute has 1.4 times as many as the mean.
    """
    ends_ns = np.sort(arrivals.end_ns[arrivals.outcome == int(Outcome.OK)])
    usual, after = _greatest(ends_ns, *before_ns), _greatest(ends_ns, gone_ns, until_ns)
    first, last = np.searchsorted(ends_ns, before_ns)
    mean = (last - first) / ((before_ns[1] - before_ns[0]) / 1e9)
    return float(after / mean) if usual and after > WORTH_RATIO * usual else None


def _greatest(ends_ns: Ints, start_ns: int, end_ns: int) -> int:
    """Return the most ends within a second of a time."""
    found = ends_ns[(ends_ns >= start_ns) & (ends_ns < end_ns)]
    within = np.searchsorted(found, found + 1_000_000_000) - np.arange(len(found))
    return int(within.max()) if len(within) else 0


def _first_run(is_small: np.ndarray[tuple[int], np.dtype[np.bool_]]) -> int | None:
    """Return where the first run of ``STEADY_FOR`` begins; None without one."""
    if len(is_small) < STEADY_FOR:
        return None
    runs = np.convolve(is_small, np.ones(STEADY_FOR), "valid")
    found = np.flatnonzero(runs >= STEADY_FOR - 0.5)
    return int(found[0]) if len(found) else None
