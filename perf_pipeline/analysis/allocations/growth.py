"""Growth per 1000 workflows over intervals of equal work, and whether it goes on."""

from __future__ import annotations

import math
from statistics import fmean, stdev
from typing import TYPE_CHECKING

from perf_pipeline.metrics.allocations.growth_places import Growth
from perf_pipeline.metrics.survival.student import t_quantile

if TYPE_CHECKING:
    from collections.abc import Sequence

    from perf_pipeline.metrics.allocations.growth_places import Pattern

MIN_INTERVALS = 4
"""With fewer, a place that grew once cannot be told from one that grows."""
VISIBLE_BYTES = 1024.0
"""Growth per 1000 workflows below which nothing is named; the leak verdict has the same limit."""
KEPT_PACE = 0.75
"""The second half of the intervals must have this share of the first half's growth."""
LAST_PACE = 2 / 3
"""The last interval must have this share of the mean growth: a cache may just have filled."""
CONFIDENCE = 0.95


def interval_growths(values: Sequence[float], workflows: Sequence[int]) -> tuple[float, ...]:
    """Return the growth in each interval, per 1000 workflows.

    Args:
        values: At each snapshot.
        workflows: Ended at each snapshot, increasing.
    """
    ends = range(1, len(values))
    return tuple(
        1000 * (values[at] - values[at - 1]) / (workflows[at] - workflows[at - 1]) for at in ends
    )


def growth_of(growths: Sequence[float], *, looked_at: int = 1) -> Growth:
    """Return the mean growth with its interval, of Student's t over the intervals.

    What a place holds at a snapshot may be more or less by chance; then the growths of neighbouring
    intervals are correlated negatively, and the interval is wider than it need be.

    Args:
        growths: Of the intervals of equal work, at least two.
        looked_at: Among how many series this one was picked: all their intervals hold together
            (Bonferroni).
    """
    mean = fmean(growths)
    quantile = t_quantile(1 - (1 - CONFIDENCE) / 2 / looked_at, len(growths) - 1)
    half = quantile * stdev(growths) / math.sqrt(len(growths))
    return Growth(mean, mean - half, mean + half)


def pattern_of(growths: Sequence[float], growth: Growth) -> Pattern:
    """Return how a place grew.

    Args:
        growths: Bytes per 1000 workflows in each interval.
        growth: Their mean with its interval.
    """
    half = len(growths) // 2
    is_slowing = fmean(growths[-half:]) < KEPT_PACE * fmean(growths[:half])
    reaches_end = growths[-1] >= LAST_PACE * growth.per_1000
    if growth.low >= VISIBLE_BYTES and reaches_end and not is_slowing:
        return "steady"
    if min(growths) < 0:
        return "to_and_fro"
    return "slowing" if is_slowing else "in_steps"
