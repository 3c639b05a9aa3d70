"""Gathers what is worse now: by the history of every metric, and by the newest comparisons."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from perf_pipeline.alerts.changes import Evidence
from perf_pipeline.alerts.comparison_evidence import worse_in_comparisons
from perf_pipeline.alerts.history_evidence import WatchedSeries, worse_in
from perf_pipeline.analysis.change_points.find import find_change_points
from perf_pipeline.analysis.history import read_history
from perf_pipeline.metrics.comparison_file import read_comparisons
from perf_pipeline.metrics.types.alert import MetricKey

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

    from perf_pipeline.analysis.history import History, MetricSeries

COMPARISONS_MAX = 100
"""Maximum number of comparisons that are read, the newest ones."""


class Gathered(NamedTuple):
    """What was read.

    Attributes:
        evidence: What is worse.
        unread: A sentence for each run and comparison that could not be read.
    """

    evidence: Evidence
    unread: tuple[str, ...]


def gather(results: Path, url: str | None) -> Gathered:
    """Read the history and the comparisons of a results folder.

    Args:
        results: The folder.
        url: PostgreSQL database of the catalogue; None for the file in the folder.

    Raises:
        CatalogueError: The catalogue cannot be read.
    """
    history = read_history(results, url=url)
    compared = read_comparisons(results, COMPARISONS_MAX)
    watched = watched_series(history)
    found = worse_in_comparisons(compared.found)
    evidence = Evidence(
        seen=(*(seen for one in watched for seen in worse_in(one)), *found.seen),
        watched=runs_by_metric(watched),
        restored=found.restored,
    )
    return Gathered(evidence, (*history.unread, *compared.damaged))


def runs_by_metric(
    watched: Iterable[WatchedSeries],
) -> dict[tuple[str, MetricKey], tuple[str, ...]]:
    """Return the runs in which each metric was looked at, in any setup."""
    runs: dict[tuple[str, MetricKey], tuple[str, ...]] = {}
    for one in watched:
        key = (one.scenario, one.key)
        runs[key] = (*runs.get(key, ()), *one.runs)
    return runs


def watched_series(history: History) -> list[WatchedSeries]:
    """Return every metric of a history with its change points, each setup for itself."""
    return [_watched(one) for series in history.series for one in series.metrics()]


def _watched(series: MetricSeries) -> WatchedSeries:
    key, metric = series.key, series.metric
    return WatchedSeries(
        scenario=key.scenario,
        key=MetricKey(key.target, key.level, metric.family, metric.metric),
        unit=series.unit,
        higher_is_better=series.higher_is_better,
        runs=tuple(point.run_id for point in series.points),
        values=series.values,
        change_points=find_change_points(series.values),
    )
