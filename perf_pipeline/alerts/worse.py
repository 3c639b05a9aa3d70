"""Whether a metric is worse than it was announced to be, by more than both intervals."""

from __future__ import annotations

from typing import TYPE_CHECKING

from perf_pipeline.analysis.comparison.compared_metric import scale_of
from perf_pipeline.analysis.comparison.judge import worsening

if TYPE_CHECKING:
    from perf_pipeline.analysis.comparison.compared_metric import ComparedMetric
    from perf_pipeline.metrics.types.alert import Movement

_NOTHING = 1e-9
"""In place of a ratio of 0 on a log scale."""


def is_beyond(movement: Movement, other: Movement) -> bool:
    """Return whether a movement is worse than another one of the same metric."""
    return worsening_interval(movement)[0] > worsening_interval(other)[1]


def worsening_interval(movement: Movement) -> tuple[float, float]:
    """Return the interval on a scale on which more is worse: of a ratio its logarithm."""
    metric = scale_of(
        movement.key.metric,
        movement.unit,
        higher_is_better=movement.higher_is_better,
        kind=movement.kind,
    )
    low, high = sorted(worse_by(metric, end) for end in (movement.low, movement.high))
    return low, high


def worse_by(metric: ComparedMetric, effect: float) -> float:
    """Return an effect on a scale on which 0 is no change and more is worse."""
    return worsening(metric, positive(effect) if metric.kind == "ratio" else effect)


def positive(effect: float) -> float:
    """Return a ratio that has a logarithm."""
    return max(effect, _NOTHING)
