"""Which borders between two segments are steps of the level that an engineer would mark."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np

from perf_pipeline.analysis.change_points.segmentation import segment

if TYPE_CHECKING:
    from perf_pipeline.analysis.change_points.clean_series import CleanSeries, Floats

MIN_POINTS = 6
"""Values of a level before a change point is confirmed."""

PENALTY = 8.0
"""Cost of a candidate, in variances of the noise and units of ln(n); textbooks take 2, which on
measured series gives more false candidates than true ones."""

MIN_STRENGTH = 2.46
"""Below, a step is not one; chosen with the exponents on 247 series that engineers annotated."""

MIN_SPREAD = 0.9
"""Minimum spread of two levels, in units of the noise."""

LONG_POINTS = 40
"""A level of more values than this is no clearer, and ranks are compared within so many."""

NEAR_POINTS = 5
MAX_NEAR_RATIO = 1.2
MAX_CORRELATION = 0.95

MIN_RANK_Z = 2.85
"""Normal score of the Mann-Whitney test, two-sided p = 0.004."""

LINE_RATIO = 0.8
"""A straight line with less than this share of the steps' sum of squared residuals is a drift."""


def confirmed_steps(series: CleanSeries) -> list[int]:
    """Return the first positions of the new levels, in ascending order.

    Candidates come from the exact segmentation. As long as one is too weak, the weakest is
    removed, and its neighbours are judged again with the longer levels that they then have.
    """
    n = len(series.values)
    starts = segment(series.values, PENALTY * math.log(max(n, 2)), MIN_POINTS)
    known: dict[tuple[int, int, int], float] = {}
    while starts:
        borders = [0, *starts, n]
        strengths = []
        for bounds in zip(borders, borders[1:], borders[2:], strict=False):
            if bounds not in known:
                known[bounds] = _strength(series, *bounds)
            strengths.append(known[bounds])
        weakest = min(range(len(starts)), key=strengths.__getitem__)
        if strengths[weakest] >= MIN_STRENGTH:
            break
        del starts[weakest]
    return starts


def _strength(series: CleanSeries, start: int, border: int, end: int) -> float:
    """Return how clear a step is; 0 for a drift and for what ranks do not confirm.

    It is the height in spreads of the two levels, weighted by what makes people mark a step: that
    it lasts, that it stands out from the range of the whole history, that the values right beside
    it differ as the levels do, and that the noise has no waves of its own.
    """
    values, old = series.values[start:end], border - start
    means = (float(values[:old].mean()), float(values[old:].mean()))
    height = means[1] - means[0]
    residuals = values.copy()
    residuals[:old] -= means[0]
    residuals[old:] -= means[1]
    rss = float(residuals @ residuals)
    if height == 0.0 or _line_rss(values) < LINE_RATIO * rss:
        return 0.0
    if _rank_z(series.raw[start:border], series.raw[border:end]) < MIN_RANK_Z:
        return 0.0
    near = float(values[old:][:NEAR_POINTS].mean() - values[:old][-NEAR_POINTS:].mean()) / height
    spread = max(math.sqrt(rss / (len(values) - 2)), MIN_SPREAD)
    correlation = float(residuals[1:] @ residuals[:-1]) / rss if rss else 0.0
    correlation = min(max(correlation, 0.0), MAX_CORRELATION)
    return float(
        abs(height)
        / spread
        * min(old, end - border, LONG_POINTS) ** 0.3
        * (abs(height) / series.range) ** 0.2
        * max(min(near, MAX_NEAR_RATIO), 0.0) ** 0.5
        * ((1.0 - correlation) / (1.0 + correlation)) ** 0.125
    )


def _line_rss(values: Floats) -> float:
    """Return the sum of squared residuals of the straight line through the values."""
    n = len(values)
    off = values - values.mean()
    along = float((np.arange(n) - (n - 1) / 2.0) @ off)
    return float(off @ off) - along**2 / (n * (n * n - 1) / 12.0)


def _rank_z(old: Floats, new: Floats) -> float:
    """Return the normal score of the Mann-Whitney test of the values nearest to a border.

    A spike counts as one value there, and a metric that jumps between two values as what it is.
    """
    old, new = old[-LONG_POINTS:], new[:LONG_POINTS]
    pairs = len(old) * len(new)
    above = np.count_nonzero(old[:, None] < new) + 0.5 * np.count_nonzero(old[:, None] == new)
    return abs(above - pairs / 2.0) / math.sqrt(pairs * (len(old) + len(new) + 1) / 12.0)
