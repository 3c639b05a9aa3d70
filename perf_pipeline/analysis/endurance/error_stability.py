"""Whether workflows fail more often at the end of a run than at its beginning.

Compared are the first and the last third of the hours: the difference of their error ratios, with
the interval of Agresti and Caffo, or with that of the differences between hours where these are
larger. The ratio of the two is given as well, with half a failure more on each side.
"""

from __future__ import annotations

import math
from statistics import variance
from typing import TYPE_CHECKING

from perf_pipeline.analysis.comparison.compared_metric import scale_of
from perf_pipeline.analysis.comparison.estimate import estimate
from perf_pipeline.analysis.comparison.observation import Observation
from perf_pipeline.metrics.survival.student import t_quantile
from perf_pipeline.samples.campaign.verdicts import ErrorsVerdict

if TYPE_CHECKING:
    from collections.abc import Sequence

    from perf_pipeline.samples.campaign.hour import Hour
    from perf_pipeline.samples.campaign.verdicts import ErrorsWord

MIN_HOURS = 3
LIMIT = 0.01
"""Rise of the error ratio that is harmful: one workflow more in a hundred."""
ALPHA, Z = 0.05, 1.96


def judge_errors(hours: Sequence[Hour]) -> ErrorsVerdict:
    """Return whether the error ratio stayed as it was.

    Args:
        hours: The hours of a campaign that ended.
    """
    counted = [one for one in hours if _ended(one) > 0]
    third = len(counted) // 3
    if len(counted) < MIN_HOURS:
        return ErrorsVerdict("inconclusive", None, None)
    first, last = counted[:third], counted[-third:]
    metric = scale_of("error_ratio", "ratio", higher_is_better=False, kind="difference")
    found = estimate(metric, *([_observation(one) for one in side] for side in (first, last)))
    if found is None:
        return ErrorsVerdict("inconclusive", None, None)
    low, high = found.interval(ALPHA)
    half = _half_width(first, last)
    low, high = min(low, found.effect - half), max(high, found.effect + half)
    word: ErrorsWord = "inconclusive"
    if high < LIMIT:
        word = "stable"
    elif low > 0.0 and found.effect > LIMIT:
        word = "unstable"
    ratio, interval = _ratio(first, last)
    return ErrorsVerdict(word, ratio, interval)


def _half_width(first: Sequence[Hour], last: Sequence[Hour]) -> float:
    """Return half of the interval that the differences between the hours of a side give."""
    ratios = [[_failed(one) / _ended(one) for one in side] for side in (first, last)]
    degrees = 2 * (len(first) - 1)
    if not degrees:
        return math.inf
    squares = sum(variance(side) * (len(side) - 1) for side in ratios)
    return t_quantile(1.0 - ALPHA / 2.0, degrees) * math.sqrt(2.0 * squares / degrees / len(first))


def _failed(hour: Hour) -> int:
    return hour.errors + hour.timeouts + hour.dropped


def _ended(hour: Hour) -> int:
    return hour.ok + _failed(hour)


def _observation(hour: Hour) -> Observation:
    return Observation(_failed(hour) / _ended(hour), samples=_ended(hour))


def _ratio(first: Sequence[Hour], last: Sequence[Hour]) -> tuple[float, tuple[float, float]]:
    """Return the ratio of the error ratios, last to first, with its 95 % interval.

    That of a ratio of two Poisson rates, with half a failure more on each side.
    """
    before, after = (sum(map(_failed, side)) + 0.5 for side in (first, last))
    ratio = after / sum(map(_ended, last)) * sum(map(_ended, first)) / before
    spread = math.exp(Z * math.sqrt(1.0 / before + 1.0 / after))
    return ratio, (ratio / spread, ratio * spread)
