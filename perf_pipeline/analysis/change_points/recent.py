"""The fast tier: whether the last few values leave the level, before a gate could decide it."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np

from perf_pipeline.analysis.change_points.clean_series import SPIKE_SPREADS
from perf_pipeline.metrics.survival.student import t_quantile

if TYPE_CHECKING:
    from perf_pipeline.analysis.change_points.clean_series import CleanSeries

MIN_LEVEL_POINTS = 6
MAX_LEVEL_POINTS = 40
MAX_RECENT_POINTS = 7
MIN_RECENT_POINTS = 2
CHANCE = 1e-6
"""Probability that noise alone puts the last values that far off, on one side; of each number of
values from two to seven."""

_VARIANCE_OF_MEDIAN = math.pi / 2.0
"""Times that of the mean, with normal noise."""


def recent_step(series: CleanSeries, level_start: int) -> int | None:
    """Return the first of the last two to seven values that all left the level, or None.

    Their mean must lie beyond the quantile of Student's t that noise exceeds with the probability
    ``CHANCE``, where the level itself is known from few values too. And each of ``t`` values must
    lie beyond the one that a value exceeds with the probability ``CHANCE ** (1 / t)``: 3.1 spreads
    for two values, 2.3 for three. So a lone spike, which is one value, is never enough.

    Args:
        series: The series.
        level_start: Where its last confirmed level begins.
    """
    end = len(series.raw)
    for count in range(MAX_RECENT_POINTS, MIN_RECENT_POINTS - 1, -1):
        start = end - count
        level = series.raw[max(level_start, start - MAX_LEVEL_POINTS) : max(start, 0)]
        if len(level) < MIN_LEVEL_POINTS:
            continue
        middle = np.median(level)
        spread = float(1.4826 * np.median(np.abs(level - middle)))
        bound = SPIKE_SPREADS * spread
        spread = max(spread, float(np.clip(level, middle - bound, middle + bound).std(ddof=1)))
        if spread == 0.0:
            spread = float(level.std(ddof=1)) or 1.0
        degrees = len(level) - 1
        each = t_quantile(1.0 - CHANCE ** (1.0 / count), degrees)
        error = math.sqrt(1.0 / count + _VARIANCE_OF_MEDIAN / len(level))
        together = t_quantile(1.0 - CHANCE, degrees) * error
        off = (series.raw[start:] - middle) / spread
        off = off if off[0] > 0.0 else -off
        if off.min() > each and off.mean() > together:
            return start
    return None
