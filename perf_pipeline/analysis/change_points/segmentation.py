"""The least-squares segmentation of a series with a penalty for each segment, exactly."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Sequence

    from perf_pipeline.analysis.change_points.clean_series import Floats


def segment(values: Floats, penalty: float, min_points: int) -> list[int]:
    """Return the starts of all segments but the first, in ascending order.

    Minimises the sum of squared distances from the mean of each value's segment plus ``penalty``
    for each segment, over all segmentations, in O(n²). The best segmentation of the values before
    an end needs those of ends at least ``min_points`` earlier, so that many ends are computed at
    once.

    Args:
        values: In units of their noise.
        penalty: Cost of one more segment, in the squared unit of ``values``.
        min_points: Minimum length of a segment, > 0.

    Source:
        Jackson et al., "An algorithm for optimal partitioning of data on an interval", IEEE
        Signal Processing Letters 12(2), 2005.
    """
    n = len(values)
    if n < 2 * min_points:
        return []
    at = np.arange(n + 1, dtype=np.float64)
    sums = np.concatenate([[0.0], np.cumsum(values)])
    too_short = np.triu(np.full((min_points, min_points), math.inf), 1)
    # Least cost of the values before each position, less the sum of their squares.
    least = np.full(n + 1, math.inf)
    least[0] = -penalty
    last_start = [0] * (n + 1)
    for first in range(min_points, n + 1, min_points):
        ends = slice(first, min(first + min_points, n + 1))
        costs = sums[ends, None] - sums[:first]
        costs *= costs
        costs /= at[ends, None] - at[:first]
        np.subtract(least[:first], costs, out=costs)
        costs[:, -min_points:] += too_short[: len(costs)]
        last_start[ends] = costs.argmin(axis=1).tolist()
        least[ends] = costs.min(axis=1) + penalty
    return _backtracked(last_start)


def _backtracked(last_start: Sequence[int]) -> list[int]:
    """Return the starts that lead to the end of the series."""
    starts: list[int] = []
    end = len(last_start) - 1
    while end := last_start[end]:
        starts.append(end)
    return starts[::-1]
