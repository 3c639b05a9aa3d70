"""Whether a metric is worse than it was announced to be, by more than both intervals."""

from __future__ import annotations

from typing import TYPE_CHECKING

from perf_pipeline.analysis.comparison.compared_metric import scale_of
from perf_pipeline.analysis.comparison.judge import worsening

if TYPE_CHECKING:
    from perf_pipeline.metrics.types.alert import Movement


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
    low, high = sorted(worsening(metric, end) for end in (movement.low, movement.high))
    return low, high
