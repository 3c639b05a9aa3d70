"""What the history of a metric shows to be worse since some run, and not taken back since."""

from __future__ import annotations

import math
from dataclasses import dataclass
from statistics import fmean, variance
from typing import TYPE_CHECKING

from perf_pipeline.alerts.seen import NEAR_RUNS, Seen
from perf_pipeline.alerts.worse import positive, worse_by
from perf_pipeline.analysis.comparison.compared_metric import METRICS, scale_of
from perf_pipeline.analysis.comparison.judge import scaled, severity_of
from perf_pipeline.metrics.level_values import NEUTRAL
from perf_pipeline.metrics.survival.student import t_quantile
from perf_pipeline.metrics.types.alert import RECENT_RUNS, Movement

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from perf_pipeline.analysis.change_points.change_point import ChangePoint
    from perf_pipeline.analysis.comparison.compared_metric import ComparedMetric
    from perf_pipeline.metrics.types.alert import AlertTier, MetricKey

LEFT_SHARE = 0.25
"""A regression is taken back once less than this share of it is left."""
_CONFIDENCE_QUANTILE = 0.975


@dataclass(frozen=True)
class WatchedSeries:
    """The values of one metric over runs that compare, with their change points.

    Attributes:
        scenario: The scenario of the runs.
        key: The metric.
        unit: Of its values.
        higher_is_better: Its direction.
        runs: Ids of the runs that have a value, oldest first.
        values: Of these runs.
        change_points: In order.
    """

    scenario: str
    key: MetricKey
    unit: str
    higher_is_better: bool
    runs: tuple[str, ...]
    values: tuple[float, ...]
    change_points: Sequence[ChangePoint]


@dataclass(frozen=True)
class _Step:
    """A change point with its effect on the metric's own scale."""

    index: int
    tier: AlertTier
    effect: float
    low: float
    high: float


def worse_in(series: WatchedSeries) -> Iterator[Seen]:
    """Yield what is worse in a history: change points for the worse that still hold.

    A change that a comparison would call negligible is none here either. Of the metrics of which
    neither direction is worse there is none.
    """
    if series.key.metric in NEUTRAL:
        return
    metric = scale_of(series.key.metric, series.unit, higher_is_better=series.higher_is_better)
    steps = list(_steps(series, metric))
    last, around = len(series.runs) - 1, max(NEAR_RUNS.values())
    for at, step in enumerate(steps):
        if not _is_left(step, steps[at + 1 :], metric):
            continue
        index = step.index
        movement = Movement(
            key=series.key,
            unit=series.unit,
            higher_is_better=series.higher_is_better,
            kind=metric.kind,
            effect=step.effect,
            low=step.low,
            high=step.high,
            tier=step.tier,
            severity=severity_of(metric, step.effect, step.low, step.high),
            first_bad=series.runs[index],
            last_good=series.runs[index - 1] if index else "",
        )
        yield Seen(
            series.scenario,
            movement,
            series.runs[max(index - around, 0) : index + around + 1],
            may_raise=index > last - RECENT_RUNS
            and (step.tier == "confirmed" or _warns(series.key)),
        )


def _warns(key: MetricKey) -> bool:
    """Return whether the fast tier of a metric may raise an alert: that of a whole level.

    Of a level with eight kinds of workflow there are a hundred others, which noise moves one by
    one; a change of one kind alone is announced once it is confirmed.
    """
    return not key.family and key.metric in METRICS


def _steps(series: WatchedSeries, metric: ComparedMetric) -> Iterator[_Step]:
    """Yield the change points; one whose ratio is unknown has no place on a scale of ratios."""
    points = series.change_points
    borders = [0, *(point.index for point in points), len(series.values)]
    for point, start, end in zip(points, borders, borders[2:], strict=False):
        if metric.kind == "difference":
            before, after = series.values[start : point.index], series.values[point.index : end]
            yield _Step(point.index, point.tier, *_difference(before, after))
        elif point.effect is not None and point.low is not None and point.high is not None:
            ratios = map(positive, (point.effect, point.low, point.high))
            yield _Step(point.index, point.tier, *ratios)


def _difference(before: Sequence[float], after: Sequence[float]) -> tuple[float, float, float]:
    """Return the difference of two means with its 95 % interval (Welch, fewer degrees)."""
    effect = fmean(after) - fmean(before)
    sides = [side for side in (before, after) if len(side) > 1]
    degrees = max(min(len(before), len(after)) - 1, 1)
    error = math.sqrt(sum(variance(side) / len(side) for side in sides))
    half = t_quantile(_CONFIDENCE_QUANTILE, degrees) * error
    return effect, effect - half, effect + half


def _is_left(step: _Step, later: Sequence[_Step], metric: ComparedMetric) -> bool:
    """Return whether a step is for the worse and matters, and no later ones lead back from it.

    What is confirmed is not taken back by the fast tier.
    """
    amount = left = worse_by(metric, step.effect)
    for other in later:
        if step.tier == "confirmed" and other.tier == "fast":
            continue
        left += worse_by(metric, other.effect)
        if left <= LEFT_SHARE * amount:
            return False
    return amount >= scaled(metric, metric.negligible)
