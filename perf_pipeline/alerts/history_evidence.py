"""What the history of a metric shows to be worse since some run, and not taken back since."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from perf_pipeline.alerts.seen import NEAR_RUNS, Seen
from perf_pipeline.analysis.comparison.compared_metric import scale_of
from perf_pipeline.analysis.comparison.judge import severity_of
from perf_pipeline.analysis.unresolved_changes import (
    MetricHistory,
    unresolved_drifts,
    unresolved_steps,
)
from perf_pipeline.metrics.types.alert import Movement

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from perf_pipeline.analysis.change_points.change_point import ChangePoint
    from perf_pipeline.analysis.comparison.compared_metric import ComparedMetric
    from perf_pipeline.analysis.unresolved_changes import UnresolvedChange
    from perf_pipeline.metrics.types.alert import MetricKey


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


def worse_in(series: WatchedSeries) -> Iterator[Seen]:
    """Yield what is worse in a history: steps and a drift for the worse that still hold."""
    metric = scale_of(series.key.metric, series.unit, higher_is_better=series.higher_is_better)
    history = MetricHistory(metric, series.key.family, series.values, series.change_points)
    around = max(NEAR_RUNS.values())
    for step in unresolved_steps(history):
        nearby = series.runs[max(step.index - around, 0) : step.index + around + 1]
        yield Seen(
            series.scenario, _movement(series, metric, step), nearby, may_raise=step.raises_alert
        )
    for drift in unresolved_drifts(history):
        moved = _movement(series, metric, drift, is_drift=True)
        yield Seen(
            series.scenario,
            moved,
            (moved.first_bad,),
            may_raise=drift.raises_alert,
            is_sure=drift.is_sure,
        )


def _movement(
    series: WatchedSeries,
    metric: ComparedMetric,
    found: UnresolvedChange,
    *,
    is_drift: bool = False,
) -> Movement:
    return Movement(
        key=series.key,
        unit=series.unit,
        higher_is_better=series.higher_is_better,
        kind=metric.kind,
        effect=found.effect,
        low=found.low,
        high=found.high,
        tier=found.tier,
        severity=severity_of(metric, found.effect, found.low, found.high),
        first_bad=series.runs[found.index],
        last_good="" if found.good is None else series.runs[found.good],
        is_drift=is_drift,
    )
