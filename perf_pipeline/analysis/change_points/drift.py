"""Whether the last level of a series goes steadily up or down: a drift, not a step."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from perf_pipeline.analysis.change_points.clean_series import clean_series
from perf_pipeline.analysis.change_points.effect import MAX_CORRELATION, ratio

if TYPE_CHECKING:
    from collections.abc import Sequence

    from perf_pipeline.analysis.change_points.change_point import ChangePoint
    from perf_pipeline.analysis.change_points.clean_series import Floats

MIN_POINTS = 20
MIN_SPREADS = 2.0
"""Rise or fall over the level, in spreads around the line, below which it is not called a drift."""

MIN_T = 4.0


@dataclass(frozen=True)
class Drift:
    """The trend of the last level.

    Attributes:
        start: Position of its first value.
        end: After its last value.
        is_rising: Whether it goes up.
        effect: End / start of the straight line through it; None where they are not of the same
            sign; then so are ``low`` and ``high``.
        low: Lower end of the 95 % interval.
        high: Upper end.
        t: Slope / its standard error.
    """

    start: int
    end: int
    is_rising: bool
    effect: float | None
    low: float | None
    high: float | None
    t: float


def find_drift(
    values: Sequence[float] | Floats, change_points: Sequence[ChangePoint], *, ease: float = 1.0
) -> Drift | None:
    """Return the drift of a series since its last confirmed change point, if there is one.

    Values from a change point of the fast tier on are left out: they would tilt the line.

    The slope is that of least squares; its error counts that neighbouring values are correlated. A
    level that one step explains better than the line is none: the step is not confirmed yet.

    Args:
        values: One value a run, oldest first; finite.
        change_points: What ``find_change_points`` found in them.
        ease: Below 1, a drift need be so much less clear.
    """
    series = clean_series(values)
    start = max((one.index for one in change_points if one.tier == "confirmed"), default=0)
    end = next((one.index for one in change_points if one.tier == "fast"), len(values))
    if series is None or end - start < MIN_POINTS:
        return None
    level = series.values[start:end]
    at = np.arange(len(level)) - (len(level) - 1) / 2.0
    slope = float(at @ level) / float(at @ at)
    residuals = level - level.mean() - slope * at
    rss = float(residuals @ residuals)
    if rss > _rss_of_best_step(level):
        return None
    correlation = float(residuals[1:] @ residuals[:-1]) / rss if rss else 0.0
    correlation = min(max(correlation, 0.0), MAX_CORRELATION)
    spread = math.sqrt(rss / (len(level) - 2))
    error = spread / math.sqrt(float(at @ at)) * math.sqrt((1 + correlation) / (1 - correlation))
    rise = slope * (len(level) - 1)
    if abs(rise) < ease * MIN_SPREADS * spread or abs(slope) < ease * MIN_T * error:
        return None
    middle = float(level.mean())
    ends = (middle - rise / 2.0, middle + rise / 2.0)
    found = ratio(series, ends, (error * (len(level) - 1), 0.0), len(level) - 2)
    t = slope / error if error else math.copysign(math.inf, slope)
    return Drift(start, end, rise > 0.0, found.effect, found.low, found.high, t)


def _rss_of_best_step(level: Floats) -> float:
    """Return the residual sum of squares of the two constant levels that fit best."""
    off = level - level.mean()
    first = np.arange(1, len(level))
    explained = off.cumsum()[:-1] ** 2 * len(level) / (first * (len(level) - first))
    return float(off @ off) - float(explained.max())
