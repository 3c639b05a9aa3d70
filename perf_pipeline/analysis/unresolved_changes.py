"""Which changes of a metric's history are for the worse and still hold, and which raise an alert.

The one rule of the pages of histories and of the alerts. A change that a comparison would call
negligible is none here either, and metrics of which neither direction is worse have none.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from statistics import fmean, variance
from typing import TYPE_CHECKING, NamedTuple

from perf_pipeline.analysis.change_points.drift import find_drift
from perf_pipeline.analysis.change_points.recent import MAX_RECENT_POINTS
from perf_pipeline.analysis.comparison.compared_metric import METRICS
from perf_pipeline.analysis.comparison.judge import judge, scaled, worsening
from perf_pipeline.metrics.level_values import NEUTRAL
from perf_pipeline.metrics.survival.student import t_quantile
from perf_pipeline.metrics.types.alert import RECENT_RUNS

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from perf_pipeline.analysis.change_points.change_point import ChangePoint
    from perf_pipeline.analysis.change_points.drift import Drift
    from perf_pipeline.analysis.comparison.compared_metric import ComparedMetric
    from perf_pipeline.metrics.types.alert import AlertTier

LEFT_SHARE = 0.25
"""A regression is taken back once less than this share of it is left."""

CONTINUED_EASE = 0.5
"""A drift that was announced goes on while it is half as clear as a new one must be."""

_CONFIDENCE_QUANTILE = 0.975


class MetricHistory(NamedTuple):
    """The values of a metric over the runs that compare.

    Attributes:
        metric: With its direction and scale.
        family: The kind of workflow; empty for all together.
        values: One value a run, oldest first.
        change_points: What was found in them, in order.
    """

    metric: ComparedMetric
    family: str
    values: Sequence[float]
    change_points: Sequence[ChangePoint]


@dataclass(frozen=True)
class UnresolvedChange:
    """A change for the worse that later runs have not taken back.

    Attributes:
        index: The first value that is worse: of the new level; of a drift, the first at which the
            line is worse than at its start by more than is negligible.
        good: The last value before it that is good; of a drift, the start of the line.
        tier: Of its change point; a drift is confirmed.
        effect: On the metric's own scale: a ratio new / old, or a difference.
        low: Lower end of its 95 % interval.
        high: Upper end.
        raises_alert: Whether it raises a new alert; else it belongs to one that is there.
        is_sure: Whether it would be found anew; no, of a drift that is less clear.
    """

    index: int
    good: int | None
    tier: AlertTier
    effect: float
    low: float
    high: float
    raises_alert: bool
    is_sure: bool = True


@dataclass(frozen=True)
class _Step:
    """A change point with its effect on the metric's own scale."""

    index: int
    tier: AlertTier
    effect: float
    low: float
    high: float


def unresolved_steps(history: MetricHistory) -> Iterator[UnresolvedChange]:
    """Yield the change points for the worse that still hold."""
    metric, family, values, change_points = history
    if metric.name in NEUTRAL:
        return
    steps = list(_steps(metric, values, change_points))
    for at, step in enumerate(steps):
        if _is_left(step, steps[at + 1 :], metric):
            is_recent = step.index > len(values) - 1 - RECENT_RUNS
            yield UnresolvedChange(
                index=step.index,
                good=step.index - 1 if step.index else None,
                tier=step.tier,
                effect=step.effect,
                low=step.low,
                high=step.high,
                raises_alert=is_recent
                and (step.tier == "confirmed" or is_watched(metric.name, family)),
            )


def unresolved_drifts(history: MetricHistory) -> Iterator[UnresolvedChange]:
    """Yield the drifts to the worse, at most one a level, that later steps have not taken back."""
    metric, family, values, change_points = history
    if metric.name in NEUTRAL:
        return
    steps = list(_steps(metric, values, change_points))
    ends = [*(one.index for one in change_points if one.tier == "confirmed"), len(values)]
    for end in ends:
        before = [one for one in change_points if one.index < end]
        drift = find_drift(values[:end], before)
        is_sure = drift is not None
        if drift is None:
            drift = _continued_drift(values[:end], before)
        if drift is None or (effect := drift_effect(metric, values, drift)) is None:
            continue
        later = [one for one in steps if one.index >= end]
        line = _Step(drift.start, "confirmed", *effect)
        # What a step is measured from, the mean of the level before it, is the middle of the line.
        if judge(metric, *effect) != "regression" or not _is_left(line, later, metric, share=0.5):
            continue
        matters = scaled(metric, metric.negligible) / worsening(metric, line.effect)
        runs = drift.end - 1 - drift.start
        yield UnresolvedChange(
            index=drift.start + min(max(math.ceil(matters * runs), 1), runs),
            good=drift.start,
            tier="confirmed",
            effect=line.effect,
            low=line.low,
            high=line.high,
            raises_alert=is_sure and end == len(values) and is_watched(metric.name, family),
            is_sure=is_sure,
        )


def _continued_drift(values: Sequence[float], change_points: Sequence[ChangePoint]) -> Drift | None:
    """Return a drift that is less clear than a new one must be, or was clear some runs ago.

    The last runs may be of a step that is not known yet, which tilts every line.
    """
    known = values[:-MAX_RECENT_POINTS]
    return find_drift(values, change_points, ease=CONTINUED_EASE) or find_drift(
        known, [one for one in change_points if one.index < len(known)]
    )


def is_watched(metric: str, family: str) -> bool:
    """Return whether a warning or a drift of a metric may raise an alert: that of a whole level.

    Of a level with eight kinds of workflow there are a hundred others, which noise moves one by
    one; a change of one kind alone is announced once it is confirmed.
    """
    return not family and metric in METRICS


def drift_effect(
    metric: ComparedMetric, values: Sequence[float], drift: Drift
) -> tuple[float, float, float] | None:
    """Return end against start of a drift on the metric's own scale, with its interval.

    Returns:
        None where the scale is of ratios and the ends are not of the same sign.
    """
    if metric.kind == "ratio":
        if drift.effect is None or drift.low is None or drift.high is None:
            return None
        return drift.effect, drift.low, drift.high
    level = values[drift.start :]
    last = len(level) - 1
    middle, mean = last / 2, fmean(level)
    products = sum((at - middle) * (value - mean) for at, value in enumerate(level))
    rise = products / sum((at - middle) ** 2 for at in range(len(level))) * last
    half = abs(rise / drift.t) * t_quantile(_CONFIDENCE_QUANTILE, len(level) - 2)
    return rise, rise - half, rise + half


def _steps(
    metric: ComparedMetric, values: Sequence[float], points: Sequence[ChangePoint]
) -> Iterator[_Step]:
    """Yield the change points; one whose ratio is unknown has no place on a scale of ratios."""
    borders = [0, *(point.index for point in points), len(values)]
    for point, start, end in zip(points, borders, borders[2:], strict=False):
        if metric.kind == "difference":
            effect = _difference(values[start : point.index], values[point.index : end])
            yield _Step(point.index, point.tier, *effect)
        elif point.effect is not None and point.low is not None and point.high is not None:
            yield _Step(point.index, point.tier, point.effect, point.low, point.high)


def _difference(before: Sequence[float], after: Sequence[float]) -> tuple[float, float, float]:
    """Return the difference of two means with its 95 % interval (Welch, fewer degrees)."""
    effect = fmean(after) - fmean(before)
    sides = [side for side in (before, after) if len(side) > 1]
    degrees = max(min(len(before), len(after)) - 1, 1)
    error = math.sqrt(sum(variance(side) / len(side) for side in sides))
    half = t_quantile(_CONFIDENCE_QUANTILE, degrees) * error
    return effect, effect - half, effect + half


def _is_left(
    step: _Step, later: Sequence[_Step], metric: ComparedMetric, *, share: float = 1.0
) -> bool:
    """Return whether a step is for the worse and matters, and no later ones lead back from it.

    What is confirmed is not taken back by the fast tier.

    Args:
        step: The step.
        later: Those after it.
        metric: Their scale.
        share: Which part of the step the next one is measured from.
    """
    amount = worsening(metric, step.effect)
    left = share * amount
    for other in later:
        if step.tier == "confirmed" and other.tier == "fast":
            continue
        left += worsening(metric, other.effect)
        if left <= LEFT_SHARE * amount:
            return False
    return amount >= scaled(metric, metric.negligible)
