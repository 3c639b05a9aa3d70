"""The runs of the catalogue as series: one for each scenario, level, target and setup.

A setup is all that must match between two runs before they compare (``metrics/matching.py``): with
another seed, other nodes or another machine a new series begins. The version under test need not
match, so that a series leads over the releases of a target. Where part of a setup is not known, the
runs are in one series and none of them compares with the newest. The levels of interleaved
comparisons are in none: they answer a question about two arms, which the next one asks about two
others.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

from sqlalchemy import func, select
from sqlalchemy.orm import selectinload

from perf_pipeline.catalogue.old_runs import file_missing_runs
from perf_pipeline.catalogue.store import open_catalogue
from perf_pipeline.catalogue.tables import COMPARED_ROLE, Level, Run
from perf_pipeline.config.history_defaults import RUNS_MAX
from perf_pipeline.metrics.level_values import HIGHER_IS_BETTER, NEUTRAL
from perf_pipeline.metrics.matching import without_version
from perf_pipeline.samples.run_list import read_runs

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path


class SeriesKey(NamedTuple):
    """What is measured in a series, in whatever setup; the target is without its version."""

    scenario: str
    level: str
    target: str

    def __str__(self) -> str:
        return f"{self.scenario} {self.level} {self.target}"


class MetricKey(NamedTuple):
    """A metric of a level; the family is empty for all workflows together."""

    metric: str
    family: str = ""

    def __str__(self) -> str:
        return f"{self.family} {self.metric}".strip()


@dataclass(frozen=True)
class HistoryValue:
    """One metric of a level in one run.

    Attributes:
        unit: ``/s``, ``s``, ``MB``, ``ratio`` or ``%``.
        value: None if it was not measured.
        low: Lower end of the 95 % interval within the run; None where there is none.
        high: Upper end, likewise.
        validity: Whether it is a measurement.
        doubt: Why the value does not compare although there is one: it is a lower bound, or fewer
            than 10 samples lie beyond it; empty if it does.
    """

    unit: str
    value: float | None
    low: float | None
    high: float | None
    validity: str
    doubt: str


@dataclass(frozen=True)
class HistoryPoint:
    """One level of one run.

    Attributes:
        run_id: The run.
        created: When it started, ISO 8601 UTC.
        version: Version of the target's own package; empty where it has none.
        validity: Whether its numbers are a measurement.
        samples: Workflows that ended in the steady phase.
        values: Every metric that the level has.
        matches: What must match, by name; unknown values are empty.
    """

    run_id: str
    created: str
    version: str
    validity: str
    samples: int
    values: Mapping[MetricKey, HistoryValue]
    matches: Mapping[str, str]

    def value(self, metric: str, family: str = "") -> float | None:
        """Return one of its values; None if it was not measured."""
        found = self.values.get(MetricKey(metric, family))
        return found.value if found else None

    def doubt(self, metric: str) -> str:
        """Return why a value does not compare although there is one; empty if it does."""
        found = self.values.get(MetricKey(metric))
        return found.doubt if found else ""

    def differs_from(self, other: HistoryPoint) -> tuple[str, ...]:
        """Return why the two are not comparable; empty if they are. Unknown values differ."""
        return tuple(
            f"{'other' if name.endswith('s') else 'another'} {name.replace('_', ' ')}"
            for name in {**self.matches, **other.matches}
            for mine, theirs in [(self.matches.get(name, ""), other.matches.get(name, ""))]
            if not mine or mine != theirs
        )


@dataclass(frozen=True)
class MetricSeries:
    """One metric over those runs of a series in which it is a measurement that compares.

    Attributes:
        key: Of the series.
        metric: The metric.
        unit: Of its values.
        points: Oldest first; not empty.
    """

    key: SeriesKey
    metric: MetricKey
    unit: str
    points: tuple[HistoryPoint, ...]

    @property
    def values(self) -> tuple[float, ...]:
        """One value a point."""
        return tuple(
            value
            for point in self.points
            if (value := point.value(self.metric.metric, self.metric.family)) is not None
        )

    @property
    def higher_is_better(self) -> bool:
        """The direction of the metric."""
        return self.metric.metric in HIGHER_IS_BETTER

    @property
    def better(self) -> str:
        """The direction of the metric, in a word."""
        if self.metric.metric in NEUTRAL:
            return "neither"
        return "higher" if self.higher_is_better else "lower"


@dataclass(frozen=True)
class Series:
    """One level of a scenario on one target in one setup, run after run.

    Attributes:
        key: Scenario, level and target.
        points: Oldest first, with the same setup; not empty.
    """

    key: SeriesKey
    points: tuple[HistoryPoint, ...]

    @property
    def newest(self) -> HistoryPoint:
        """The point with which the others are compared."""
        return self.points[-1]

    def why_not(self, point: HistoryPoint) -> tuple[str, ...]:
        """Return what is not known of the setup, so that a point does not compare; empty if all is.

        Nothing else can differ between the points of a series.
        """
        return () if point is self.newest else point.differs_from(self.newest)

    def metrics(self) -> tuple[MetricSeries, ...]:
        """Return every metric that was measured, over the runs that compare with the newest."""
        comparing = [point for point in self.points if not self.why_not(point)]
        found: dict[MetricKey, list[HistoryPoint]] = {}
        for point in comparing:
            for key, one in point.values.items():
                if one.value is not None and one.validity == "valid" and not one.doubt:
                    found.setdefault(key, []).append(point)
        return tuple(
            MetricSeries(self.key, key, points[0].values[key].unit, tuple(points))
            for key, points in found.items()
        )


@dataclass(frozen=True)
class History:
    """All series of a catalogue.

    Attributes:
        series: In the order of their first points.
        runs: Runs that were read.
        unread: A line for each run that could not be read, or has no metrics.
        older: Runs beyond the maximum, which were not read.
        catalogue: Where they were read.
    """

    series: tuple[Series, ...]
    runs: int
    unread: tuple[str, ...]
    older: int
    catalogue: str


def read_history(results: Path, runs_max: int = RUNS_MAX, url: str | None = None) -> History:
    """Read the newest runs of a catalogue; runs of the folder that it lacks are filed first.

    Args:
        results: The results folder.
        runs_max: Maximum number of runs to read, > 0.
        url: PostgreSQL database of the catalogue; None for the file in the folder.

    Raises:
        CatalogueError: The catalogue cannot be read.
    """
    if url is None and not results.is_dir():
        return History((), 0, (), 0, str(results))
    runs_there = read_runs(results)
    folders = runs_there.folders
    catalogue = open_catalogue(results, url)
    filed = file_missing_runs(catalogue, folders[-runs_max:])
    with catalogue.reading() as session:
        newest = (
            select(Run)
            .order_by(Run.created.desc(), Run.id.desc())
            .limit(runs_max)
            .options(selectinload(Run.levels).selectinload(Level.metrics))
        )
        runs = list(reversed(session.scalars(newest).all()))
        total = session.scalar(select(func.count()).select_from(Run)) or 0
        older = set(session.scalars(select(Run.id))) if folders[:-runs_max] else set()
        series = _series(runs)
    unfiled = sum(folder.run_id not in older for folder in folders[:-runs_max])
    return History(
        series=series,
        runs=len(runs),
        unread=(*runs_there.passed_over, *filed.unread),
        older=total - len(runs) + unfiled,
        catalogue=catalogue.place,
    )


def _series(runs: Sequence[Run]) -> tuple[Series, ...]:
    lines: dict[tuple[SeriesKey, frozenset[tuple[str, str]]], list[HistoryPoint]] = {}
    for run in runs:
        for level in run.levels:
            if level.role == COMPARED_ROLE:
                continue
            again = f" repeat {level.repeat + 1}" if level.repeat else ""
            target = without_version(level.target)
            key = SeriesKey(run.scenario, f"{level.label}{again}", target)
            setup = frozenset(level.matches.items())
            lines.setdefault((key, setup), []).append(_point(run, level))
    return tuple(Series(key, tuple(points)) for (key, _), points in lines.items())


def _point(run: Run, level: Level) -> HistoryPoint:
    return HistoryPoint(
        run_id=run.id,
        created=run.created,
        version=level.target_version,
        validity=level.validity,
        samples=level.samples,
        values={
            MetricKey(one.metric, one.family): HistoryValue(
                one.unit, one.value, one.low, one.high, one.validity, one.doubt
            )
            for one in level.metrics
        },
        matches=level.matches,
    )
