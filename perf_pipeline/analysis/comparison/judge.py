"""Verdict and severity of one metric, from its effect and interval together."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from perf_pipeline.analysis.comparison.compared_metric import ComparedMetric
    from perf_pipeline.metrics.types.comparison import ComparisonVerdict, Severity

SEVERITIES: tuple[Severity, ...] = ("none", "minor", "major", "critical")

TIMES_WORSE = (1.10, 1.25, 1.50)
"""A regression is major from the second, critical from the third; of throughput, that is 20 and
33 % less. The interval must exclude what is a step less (the first, the second)."""

_NOTHING = 1e-9
"""In place of a ratio of 0 on a log scale."""

POINTS_WORSE = (0.01, 0.05, 0.10)
"""Likewise of an error ratio: 5 % is acceptable at most, above 10 % is poor."""


def worsening(metric: ComparedMetric, effect: float) -> float:
    """Return an effect as one that is above 0 where the metric got worse.

    Of a ratio, it is the logarithm of how many times worse; of a difference, how much.
    """
    moved = math.log(max(effect, _NOTHING)) if metric.kind == "ratio" else effect
    return -moved if metric.higher_is_better else moved


def scaled(metric: ComparedMetric, change: float) -> float:
    """Return a relative change, or a difference, on the scale of ``worsening``."""
    return math.log1p(change) if metric.kind == "ratio" else change


def judge(metric: ComparedMetric, effect: float, low: float, high: float) -> ComparisonVerdict:
    """Return what an effect with its interval means.

    Args:
        metric: The metric.
        effect: The estimate.
        low: Lower end of the corrected interval.
        high: Upper end.

    Returns:
        ``regression`` or ``improvement`` where the interval excludes "no change" and the effect is
        not negligible; ``unstable`` where the interval contains both no change and one that
        matters, either way; else ``no_change``.
    """
    best, worst = sorted((worsening(metric, low), worsening(metric, high)))
    moved = worsening(metric, effect)
    is_clear = best > 0 or worst < 0
    if is_clear and abs(moved) >= scaled(metric, metric.negligible):
        return "regression" if moved > 0 else "improvement"
    reach = max(worst, -best)
    return "unstable" if reach >= scaled(metric, metric.matters) and not is_clear else "no_change"


def severity_of(metric: ComparedMetric, effect: float, low: float, high: float) -> Severity:
    """Return the severity of a regression: the effect's, one less where the interval is wide."""
    limits = [math.log(limit) for limit in TIMES_WORSE]
    if metric.kind == "difference":
        limits = list(POINTS_WORSE)
    smallest, major, critical = limits
    moved = worsening(metric, effect)
    sure = min(worsening(metric, low), worsening(metric, high))
    if moved >= critical and sure >= major:
        return "critical"
    return "major" if moved >= major and sure >= smallest else "minor"
