"""The runs of a catalogue as people look at them: a history a scenario, target and machine.

In it every setup of a level has metrics of its own: runs that do not compare are on no line.
"""

from __future__ import annotations

from statistics import fmean
from typing import TYPE_CHECKING, NamedTuple

from perf_pipeline.analysis.change_points.change_point import OFF_BY_RUNS
from perf_pipeline.analysis.change_points.drift import find_drift
from perf_pipeline.analysis.change_points.find import find_change_points
from perf_pipeline.analysis.comparison.compared_metric import scale_of
from perf_pipeline.analysis.history import History, read_history
from perf_pipeline.analysis.setups import setups_of
from perf_pipeline.analysis.unresolved_changes import (
    MetricHistory,
    unresolved_drifts,
    unresolved_steps,
)
from perf_pipeline.catalogue.alerts import read_alerts
from perf_pipeline.catalogue.baselines import list_baselines
from perf_pipeline.catalogue.store import open_catalogue
from perf_pipeline.config.history_defaults import RUNS_MAX
from perf_pipeline.metrics.level_values import HIGHER_IS_BETTER, NEUTRAL
from perf_pipeline.metrics.types.trend import (
    MetricTrend,
    Trend,
    TrendBaseline,
    TrendChange,
    TrendDrift,
    TrendPoint,
    TrendRun,
)

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
    from pathlib import Path

    from perf_pipeline.analysis.change_points.change_point import ChangePoint
    from perf_pipeline.analysis.comparison.compared_metric import ComparedMetric
    from perf_pipeline.analysis.history import MetricKey, Series
    from perf_pipeline.analysis.setups import Setup
    from perf_pipeline.catalogue.baselines import PinnedBaseline
    from perf_pipeline.metrics.types.alert import Alert


class ReadTrends(NamedTuple):
    """The histories of a catalogue.

    Attributes:
        trends: That of the newest run first.
        history: The runs that they were made of.
    """

    trends: tuple[Trend, ...]
    history: History


def read_trends(results: Path, url: str | None = None, runs_max: int = RUNS_MAX) -> ReadTrends:
    """Read the newest runs of a catalogue with its baselines and alerts.

    Args:
        results: The results folder; runs of it that the catalogue lacks are filed first. It is not
            made where it does not exist.
        url: PostgreSQL database of the catalogue; None for the file in the folder.
        runs_max: Maximum number of runs to read, > 0.

    Raises:
        CatalogueError: The catalogue cannot be read.
    """
    if url is None and not results.is_dir():
        return ReadTrends((), History((), 0, (), 0, ""))
    history = read_history(results, runs_max, url)
    catalogue = open_catalogue(results, url)
    with catalogue.reading() as session:
        alerts = read_alerts(session)
    return ReadTrends(trends_of(history, list_baselines(catalogue), alerts), history)


def trends_of(
    history: History, baselines: Iterable[PinnedBaseline] = (), alerts: Iterable[Alert] = ()
) -> tuple[Trend, ...]:
    """Return the histories with their change points, that of the newest run first.

    Args:
        history: Every series of a catalogue.
        baselines: What its names stand for.
        alerts: All of them, in any state.
    """
    found: dict[tuple[str, str, str], list[Series]] = {}
    for series in history.series:
        machine = series.newest.matches.get("machine", "")
        key = (series.key.scenario, series.key.target, machine)
        found.setdefault(key, []).append(series)
    known = {point.run_id for series in history.series for point in series.points}
    pinned, raised = list(baselines), list(alerts)
    trends = [_trend(*key, mine, pinned, raised, known) for key, mine in found.items()]
    return tuple(sorted(trends, key=lambda one: one.runs[-1].created, reverse=True))


def of_newest_run(trends: Sequence[Trend]) -> list[Trend]:
    """Return the histories that the newest run belongs to: of its target, and of its arms."""
    last = [one.runs[-1] for one in trends]
    newest = max(((run.created, run.run_id) for run in last), default=("", ""))
    return [one for one in trends if (one.runs[-1].created, one.runs[-1].run_id) == newest]


def _trend(
    scenario: str,
    target: str,
    machine: str,
    found: Sequence[Series],
    baselines: Iterable[PinnedBaseline],
    alerts: Iterable[Alert],
    known: Collection[str],
) -> Trend:
    runs = _runs(found)
    places = {run.run_id: place for place, run in enumerate(runs)}
    mine = [
        one
        for one in alerts
        if one.scenario == scenario
        and target in one.targets
        and _is_of(one, runs=places, known=known)
    ]
    return Trend(
        scenario=scenario,
        target=target,
        machine=machine,
        runs=runs,
        metrics=tuple(metric for setup in setups_of(found) for metric in _metrics(setup, places)),
        baselines=tuple(
            TrendBaseline(one.name, one.created, one.note, positions)
            for one in baselines
            if one.scenario == scenario
            and (positions := tuple(places[run] for run in one.runs if run in places))
        ),
        alerts=tuple(sorted(mine, key=lambda one: one.alert_id, reverse=True)),
    )


def _is_of(alert: Alert, *, runs: Collection[str], known: Collection[str]) -> bool:
    """Return whether an alert is of a history: of its runs, or of runs that none has."""
    named = {alert.alert_id, *(one.first_bad for one in alert.movements)}
    return any(run in runs for run in named) or not any(run in known for run in named)


def _runs(found: Sequence[Series]) -> tuple[TrendRun, ...]:
    """Return the runs of all levels, oldest first."""
    runs: dict[str, TrendRun] = {}
    for series in found:
        for point in series.points:
            known = runs.get(point.run_id)
            if known is None or known.validity == "valid":
                runs[point.run_id] = TrendRun(
                    point.run_id, point.created, point.version, point.validity
                )
    return tuple(sorted(runs.values(), key=lambda run: (run.created, run.run_id)))


def _metrics(setup: Setup, places: Mapping[str, int]) -> Iterator[MetricTrend]:
    series = setup.series
    why_not = {point.run_id: ", ".join(series.why_not(point)) for point in series.points}
    for key in dict.fromkeys(key for point in series.points for key in point.values):
        points = tuple(
            TrendPoint(
                places[point.run_id], one.value, one.validity, why_not[point.run_id] or one.doubt
            )
            for point in series.points
            if (one := point.values.get(key)) is not None and one.value is not None
        )
        if points:
            yield _metric(setup, key, points)


def _metric(setup: Setup, key: MetricKey, points: tuple[TrendPoint, ...]) -> MetricTrend:
    series = setup.series
    higher_is_better = key.metric in HIGHER_IS_BETTER
    unit = next(point.values[key].unit for point in series.points if key in point.values)
    scale = scale_of(key.metric, unit, higher_is_better=higher_is_better)
    counting = [one for one in points if one.counts]
    found = find_change_points([one.value for one in counting])
    history = MetricHistory(scale, key.family, [one.value for one in counting], found)
    raising = {one.index for one in unresolved_steps(history) if one.raises_alert}
    drifts = any(one.raises_alert for one in unresolved_drifts(history))
    return MetricTrend(
        level=series.key.level,
        family=key.family,
        metric=key.metric,
        unit=unit,
        higher_is_better=higher_is_better,
        points=points,
        changes=tuple(_changes(counting, found, scale, raising)),
        drift=_drift(counting, found, scale, raises_alert=drifts),
        setup=setup.place,
        differences=setup.differences,
    )


def _changes(
    points: Sequence[TrendPoint],
    found: Sequence[ChangePoint],
    scale: ComparedMetric,
    raising: Collection[int],
) -> Iterator[TrendChange]:
    values = [point.value for point in points]
    last = len(points) - 1
    ends = [0, *(one.index for one in found), len(points)]
    for one, start, end in zip(found, ends, ends[2:], strict=False):
        near = OFF_BY_RUNS[one.tier]
        moved_by = fmean(values[one.index : end]) - fmean(values[start : one.index])
        yield TrendChange(
            run=points[one.index].run,
            earliest=points[max(one.index - near, 0)].run,
            latest=points[min(one.index + near, last)].run,
            effect=one.effect,
            low=one.low,
            high=one.high,
            tier=one.tier,
            is_worse=_is_worse(scale, is_higher=moved_by > 0),
            raises_alert=one.index in raising,
        )


def _is_worse(scale: ComparedMetric, *, is_higher: bool) -> bool | None:
    return None if scale.name in NEUTRAL else is_higher is not scale.higher_is_better


def _drift(
    points: Sequence[TrendPoint],
    found: Sequence[ChangePoint],
    scale: ComparedMetric,
    *,
    raises_alert: bool,
) -> TrendDrift | None:
    drift = find_drift([point.value for point in points], found)
    if drift is None:
        return None
    return TrendDrift(
        run=points[drift.start].run,
        effect=drift.effect,
        low=drift.low,
        high=drift.high,
        is_worse=_is_worse(scale, is_higher=drift.is_rising),
        raises_alert=raises_alert,
    )
