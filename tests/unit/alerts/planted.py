"""Histories and comparisons with planted change points."""

from __future__ import annotations

import operator
from itertools import accumulate
from typing import TYPE_CHECKING

from perf_pipeline.alerts.changes import Evidence
from perf_pipeline.alerts.comparison_evidence import worse_in_comparisons
from perf_pipeline.alerts.evidence import runs_by_metric
from perf_pipeline.alerts.history_evidence import WatchedSeries, worse_in
from perf_pipeline.analysis.change_points.change_point import ChangePoint
from perf_pipeline.metrics.types.alert import MetricKey
from tests.planted_comparison import SCENARIO, run_id

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from perf_pipeline.analysis.change_points.change_point import Tier
    from perf_pipeline.metrics.types.comparison import Comparison


def Point(index: int, effect: float, tier: Tier = "confirmed") -> ChangePoint:  # noqa: N802 - as the type
    """Return a change point: an effect with an interval of 2 % on either side."""
    return ChangePoint(index, effect, effect * 0.98, effect * 1.02, tier)


def series(
    *points: ChangePoint,
    metric: str = "p99_s",
    runs: int = 40,
    level: str = "100",
    target: str = "kailash",
    family: str = "",
) -> WatchedSeries:
    """Return the history of a metric; more of it is worse unless it is a throughput."""
    effects = {point.index: point.effect or 1.0 for point in points}
    values = accumulate((effects.get(number, 1.0) for number in range(runs)), operator.mul)
    return WatchedSeries(
        SCENARIO,
        MetricKey(target, level, family, metric),
        "/s" if metric == "throughput_per_s" else "s",
        metric == "throughput_per_s",
        tuple(run_id(number) for number in range(runs)),
        tuple(values),
        points,
    )


def evidence(
    histories: Iterable[WatchedSeries] = (), comparisons: Sequence[Comparison] = ()
) -> Evidence:
    """Return what histories and comparisons show together."""
    watched = list(histories)
    compared = worse_in_comparisons(comparisons)
    return Evidence(
        seen=(*(seen for one in watched for seen in worse_in(one)), *compared.seen),
        watched=runs_by_metric(watched),
        restored=compared.restored,
    )
