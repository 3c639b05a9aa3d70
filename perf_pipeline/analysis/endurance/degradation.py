"""How much a run loses in 24 hours, metric by metric, and where inside of it a level changes.

The loss is that of a straight line through the logarithms of the hours' values, by least squares,
with Student's t; its error counts that neighbouring hours are alike. It is proven absent only when
the whole interval lies below the limit: that a trend is not significant proves nothing.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np

from perf_pipeline.analysis.change_points.clean_series import clip_spikes
from perf_pipeline.analysis.change_points.find import find_change_points
from perf_pipeline.metrics.survival.student import t_quantile
from perf_pipeline.samples.campaign.verdicts import ChangePoint, DegradationVerdict

if TYPE_CHECKING:
    from collections.abc import Sequence

    from perf_pipeline.analysis.endurance.floors import Floats
    from perf_pipeline.samples.campaign.hour import Hour
    from perf_pipeline.samples.campaign.verdicts import LossWord

LIMIT = 0.10
DAY_HOURS = 24.0
MIN_HOURS = 4
RESOLUTION = 0.001
"""Smallest relative standard deviation of an hour's value."""
MAX_CORRELATION = 0.95
MAX_LOG = 20.0
HIGHER_IS_BETTER = {
    "throughput_per_s": True,
    "p50_s": False,
    "p99_s": False,
    "cpu_per_workflow_s": False,
}


def judge_degradation(
    hours: Sequence[Hour], hour_seconds: float
) -> tuple[tuple[DegradationVerdict, ...], tuple[ChangePoint, ...]]:
    """Return the loss of each metric, and the change points in order of time.

    Args:
        hours: The hours of a campaign that ended.
        hour_seconds: Length of an hour.
    """
    losses = []
    changes = []
    for metric, is_higher_better in HIGHER_IS_BETTER.items():
        counted = [one for one in hours if (getattr(one, metric) or 0.0) > 0.0]
        values = np.array([getattr(one, metric) for one in counted], dtype=np.float64)
        at = np.array([(one.begun_s + one.ended_s) / 2.0 / hour_seconds for one in counted])
        losses.append(judge_loss(metric, at, values, higher_is_better=is_higher_better))
        changes += [
            ChangePoint(metric, counted[one.index].hour, one.effect)
            for one in find_change_points(values)
            if one.tier == "confirmed"
        ]
    return tuple(losses), tuple(sorted(changes, key=lambda one: one.hour))


def judge_loss(
    metric: str, hours: Floats, values: Floats, *, higher_is_better: bool
) -> DegradationVerdict:
    """Return how much worse a metric is after 24 hours.

    Args:
        metric: Its name.
        hours: float64[n], middle of each hour, ascending.
        values: float64[n], > 0.
        higher_is_better: Its direction. What is lost is a share of the first value where higher is
            better, else what is added to it.
    """
    n = len(values)
    if n < MIN_HOURS:
        return DegradationVerdict(metric, None, None, LIMIT, "inconclusive")
    logs = clip_spikes(np.log(values))
    at = hours - hours.mean()
    slope = float(at @ logs) / float(at @ at)
    residuals = logs - logs.mean() - slope * at
    rss = float(residuals @ residuals)
    correlation = float(residuals[1:] @ residuals[:-1]) / rss if rss else 0.0
    correlation = min(max(correlation + 2.0 / n, 0.0), MAX_CORRELATION)
    spread = max(math.sqrt(rss / (n - 2)), RESOLUTION)
    error = spread / math.sqrt(float(at @ at)) * math.sqrt((1 + correlation) / (1 - correlation))
    half = t_quantile(0.975, n - 2) * error
    low, middle, high = sorted(
        _loss(DAY_HOURS * one, higher_is_better=higher_is_better)
        for one in (slope - half, slope, slope + half)
    )
    word: LossWord = "inconclusive"
    if high < LIMIT:
        word = "proven_absent"
    elif low > LIMIT:
        word = "degraded"
    return DegradationVerdict(metric, middle, (low, high), LIMIT, word)


def _loss(change: float, *, higher_is_better: bool) -> float:
    """Return what a change of the logarithm loses, as a share of the first value."""
    grown = math.expm1(min(max(change, -MAX_LOG), MAX_LOG))
    return -grown if higher_is_better else grown
