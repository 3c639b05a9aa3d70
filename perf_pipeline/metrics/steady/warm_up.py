"""Where the warm-up of a series ends, and whether the rest of it drifts.

End of warm-up: three shapes of a warm-up (a step, a slope that ends, an exponential decay) are
fitted by least squares, each with every length, and the best is taken. A decay ends where less than
5 % of the level is left of it. It is a warm-up only if its height is more than 5 % of the level and
more than six standard errors; the error comes from blocks of the residuals, so it allows for
autocorrelation. It replaces MSER-5 (White, Cobb, Spratt, "A Comparison of Five Steady-State
Truncation Heuristics for Simulation", WSC 2000), which misses the end of short series more often
and leaves a tail that is then called a drift; its criterion for "no steady state" is used: the
warm-up extends beyond half of the measured phase. The selftest ``warmup`` judges the fit.

Drift: slope of the means of 10 blocks, with Student's t of 8 degrees of freedom: long blocks absorb
the autocorrelation. At a nominal 2.5 % it called 2.0 to 4.6 % of 2000 series without any trend
(autocorrelation 0 to 0.8 from one value to the next, 200 to 1000 values), and 3.3 to 7.6 % of those
of 100 values; here it is used at 0.5 %. A self-normalised test (Kiefer, Vogelsang, Bunzel,
Econometrica 68, 2000) met its level no better from 200 values on and missed twice as many trends of
four standard errors. A drift of less than 5 % over the phase is ignored.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np

from perf_pipeline.metrics.survival.student import t_quantile
from perf_pipeline.metrics.types.steady_state import MIN_RATIO, Drift

if TYPE_CHECKING:
    from collections.abc import Callable

    from perf_pipeline.metrics.survival.survival_curve import Floats

    _Ends = Callable[[int, float], float]

BATCH = 5
DECAYS = 60
BLOCKS = 10

MIN_ERRORS = 6.0
"""The fit is the best of hundreds and its error is from 10 blocks: 3 or 4 are not significant."""

MIN_VALUES = 100
"""With fewer, 14 % of steps of two to five times the noise were missed or misplaced (no
autocorrelation; with 0.5, 23 %), and means of blocks of 10 values are correlated."""

DRIFT_CONFIDENCE = 0.995


def end_of_warm_up(series: Floats, latest: int) -> int | None:
    """Return the first value after the warm-up; 0 when there is none.

    Args:
        series: float64[n], n >= ``MIN_VALUES``, one value for each cell of time.
        latest: The warm-up must have ended at this value, 0 < ``latest`` < n.

    Returns:
        None when the warm-up goes on beyond ``latest``.
    """
    batches = _blocks(series, len(series) // BATCH)
    shapes, ends = _shapes(len(batches))
    centred = shapes - shapes.mean(axis=1, keepdims=True)
    spread = (centred**2).sum(axis=1)
    best = int(np.argmax((centred @ batches) ** 2 / spread))
    height = float(centred[best] @ batches / spread[best])
    level = float(batches.mean() - height * shapes[best].mean())
    residuals = _blocks(batches - level - height * shapes[best], BLOCKS)
    error = math.sqrt(float((residuals**2).sum()) / (BLOCKS - 2) * (len(batches) // BLOCKS))
    is_significant = abs(height) > MIN_ERRORS * error / math.sqrt(spread[best])
    negligible = MIN_RATIO * abs(level)
    if not is_significant or abs(height) <= negligible:
        return 0
    end = len(series) % BATCH + BATCH * math.ceil(ends(best, negligible / abs(height)))
    return end if end <= latest else None


def _shapes(count: int) -> tuple[np.ndarray[tuple[int, int], np.dtype[np.float64]], _Ends]:
    """Return the shapes that a warm-up may have, falling from 1 to 0, and when each has ended.

    Returns:
        float64[m, count], one shape a row; and a function of a row and of a share of the height,
        0 to 1, that gives the batch by which no more than this share is left.
    """
    at = np.arange(count)
    until = np.arange(1, count)[:, None]
    decay = np.geomspace(0.5, 2.0 * count, DECAYS)[:, None]
    steps = (at < until).astype(np.float64)
    slopes = np.maximum(1.0 - (at + 0.5) / (until + 1.0), 0.0)
    decays = np.exp(-(at + 0.5) / decay)

    def ends(row: int, left: float) -> float:
        if row < count - 1:
            return float(row + 1)
        if row < 2 * (count - 1):
            return (row - count + 3) * (1.0 - left)
        return -math.log(left) * float(decay[row - 2 * (count - 1), 0])

    return np.concatenate([steps, slopes, decays]), ends


def drift_of(series: Floats) -> Drift:
    """Return how much a series of at least ``BLOCKS`` values of mean > 0 changes."""
    means = _blocks(series, BLOCKS)
    at = np.arange(BLOCKS) - (BLOCKS - 1) / 2.0
    spread = float((at**2).sum())
    slope = float((at * means).sum()) / spread
    residuals = means - means.mean() - slope * at
    t = t_quantile((1.0 + DRIFT_CONFIDENCE) / 2.0, BLOCKS - 2)
    half = t * math.sqrt(float((residuals**2).sum()) / (BLOCKS - 2) / spread)
    low, change, high = (
        by * BLOCKS / float(means.mean()) for by in (slope - half, slope, slope + half)
    )
    return Drift(change, low, high)


def _blocks(series: Floats, count: int) -> Floats:
    """Return the means of ``count`` blocks of equal length; the first values may be left out."""
    length = len(series) // count
    means: Floats = series[len(series) - count * length :].reshape(count, length).mean(axis=1)
    return means
