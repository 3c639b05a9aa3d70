"""The ratio between two levels of a series, with its interval."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np

from perf_pipeline.analysis.change_points.change_point import Ratio
from perf_pipeline.metrics.survival.student import t_quantile

if TYPE_CHECKING:
    from perf_pipeline.analysis.change_points.clean_series import CleanSeries, Floats

CONFIDENCE_QUANTILE = 0.975
MAX_CORRELATION = 0.9
ZERO = 1e-9
"""A mean of less than this share of the other is 0 that was rounded."""

_MAX_LOG = 700.0


def step_ratio(series: CleanSeries, start: int, border: int, end: int, *, pooled: bool) -> Ratio:
    """Return the ratio of the level from ``border`` to ``end`` to the one from ``start``.

    Args:
        series: What they are levels of.
        start: First value of the old level.
        border: First value of the new level.
        end: After its last value.
        pooled: Whether the new level has the spread of the old one, as it is of too few values to
            show its own: of two values it would be unknown within a factor of ten.
    """
    old, new = series.values[start:border], series.values[border:end]
    means = (float(old.mean()), float(new.mean()))
    if pooled:
        own = np.concatenate([old - means[0], new - means[1]])
        degrees = max(len(own) - 2, 1)
        spread = math.sqrt(float(own @ own) / degrees * _inflation(old))
        errors = (spread / math.sqrt(len(old)), spread / math.sqrt(len(new)))
    else:
        degrees = max(min(len(old), len(new)) - 1, 1)
        errors = (_standard_error(old), _standard_error(new))
    return ratio(series, means, errors, degrees)


def ratio(
    series: CleanSeries, means: tuple[float, float], errors: tuple[float, float], degrees: int
) -> Ratio:
    """Return the ratio of two means of a series, the second to the first.

    Args:
        series: What the means are of.
        means: In its units.
        errors: Standard errors of the means, likewise.
        degrees: Degrees of freedom of the errors.
    """
    if series.is_log:
        log_ratio = (means[1] - means[0]) * series.noise
        error = math.hypot(*errors) * series.noise
    else:
        old, new = (series.centre + mean * series.noise for mean in means)
        if old * new <= 0.0 or min(abs(old), abs(new)) < ZERO * max(abs(old), abs(new)):
            return Ratio(None, None, None)
        log_ratio = math.log(new / old)
        error = series.noise * math.hypot(errors[0] / old, errors[1] / new)
    half = t_quantile(CONFIDENCE_QUANTILE, degrees) * error
    return Ratio(*(_exp(log_ratio + side * half) for side in (0.0, -1.0, 1.0)))


def _standard_error(level: Floats) -> float:
    """Return the standard error of a level's mean, with neighbouring values correlated."""
    if len(level) < 2:  # noqa: PLR2004 - one value has no spread
        return 0.0
    off = level - level.mean()
    return math.sqrt(float(off @ off) / (len(level) - 1) / len(level) * _inflation(level))


def _inflation(level: Floats) -> float:
    """Return how many times the variance of a mean is greater, as neighbours are correlated."""
    off = level - level.mean()
    rss = float(off @ off)
    correlation = float(off[1:] @ off[:-1]) / rss if rss else 0.0
    correlation = min(max(correlation, 0.0), MAX_CORRELATION)
    return (1.0 + correlation) / (1.0 - correlation)


def _exp(value: float) -> float:
    """Return e to the power of a value, or the nearest that a float can hold."""
    return math.exp(min(max(value, -_MAX_LOG), _MAX_LOG))
