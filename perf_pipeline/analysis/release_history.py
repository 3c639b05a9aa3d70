"""The releases of a target that were measured by one scenario, in the order of their versions.

The x axis of this history is the version and not the time of the run: an old release that is
measured today stands where it belongs. As published, releases bring packages of their own, so that
other packages are no reason against a comparison here; whatever else must match still must. A
change point is the first release of a new level of CPU time per workflow.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from packaging.version import InvalidVersion, Version

from perf_pipeline.analysis.change_points.find import find_change_points
from perf_pipeline.config.history_defaults import RELEASE_SCENARIO

if TYPE_CHECKING:
    from collections.abc import Iterable

    from perf_pipeline.analysis.change_points.change_point import ChangePoint
    from perf_pipeline.analysis.history import History, HistoryPoint, SeriesKey

RUNS_MAX = 1000
"""Maximum number of runs that a history over releases is made of, the newest ones."""

METRIC = "cpu_per_workflow_s"
_PACKAGES = "packages"


@dataclass(frozen=True)
class MeasuredRelease:
    """One run of a release.

    Attributes:
        release: Its version.
        point: What the run measured.
        why_not: Why it does not compare with the newest run; empty if it does.
        has_other_packages: Whether it has other packages than the release before it here.
    """

    release: str
    point: HistoryPoint
    why_not: tuple[str, ...]
    has_other_packages: bool = False

    @property
    def counts(self) -> bool:
        """Whether it is a measurement that compares."""
        return self.point.validity == "valid" and not self.why_not


@dataclass(frozen=True)
class ReleaseHistory:
    """Every measured release at one level.

    Attributes:
        key: Scenario, level and target, without its version.
        releases: One run a release, in the order of their versions; not empty.
    """

    key: SeriesKey
    releases: tuple[MeasuredRelease, ...]

    def changes(self) -> tuple[tuple[MeasuredRelease, ChangePoint], ...]:
        """Return each release from which on the CPU time per workflow is another one.

        Among the releases that count; of fewer than eight there is none.
        """
        counted = [one for one in self.releases if one.counts]
        values = [(one, one.point.value(METRIC)) for one in counted]
        known = [(one, value) for one, value in values if value is not None]
        found = find_change_points([value for _, value in known])
        return tuple((known[change.index][0], change) for change in found)


def release_histories(
    history: History, target: str, scenario: str = RELEASE_SCENARIO
) -> tuple[ReleaseHistory, ...]:
    """Return the history over releases of a target, one for each level.

    Args:
        history: Of all runs.
        target: A target's text without a version, such as ``kailash`` or ``kailash+pandas``.
        scenario: Name of the scenario that measured them.
    """
    points: dict[SeriesKey, list[HistoryPoint]] = {}
    for series in history.series:
        if (series.key.scenario, series.key.target) == (scenario, target):
            points.setdefault(series.key, []).extend(series.points)
    found = [ReleaseHistory(key, _releases(of_all)) for key, of_all in points.items()]
    return tuple(one for one in found if one.releases)


def _releases(points: Iterable[HistoryPoint]) -> tuple[MeasuredRelease, ...]:
    """Return one run a release: the newest that counts, or else the newest; by version."""
    best: dict[Version, MeasuredRelease] = {}
    oldest_first = sorted(points, key=lambda point: (point.created, point.run_id))
    for point in oldest_first:
        version = _version(point.version)
        if version is None:
            continue
        one = MeasuredRelease(point.version, point, _why_not(point, oldest_first[-1]))
        other = best.get(version)
        if other is None or one.counts or not other.counts:
            best[version] = one
    return tuple(_with_moves(best[version] for version in sorted(best)))


def _with_moves(releases: Iterable[MeasuredRelease]) -> Iterable[MeasuredRelease]:
    before = None
    for one in releases:
        packages = one.point.matches.get(_PACKAGES)
        yield replace(one, has_other_packages=before is not None and packages != before)
        before = packages


def _why_not(point: HistoryPoint, newest: HistoryPoint) -> tuple[str, ...]:
    def beside_packages(one: HistoryPoint) -> HistoryPoint:
        return replace(one, matches={**one.matches, _PACKAGES: "any"})

    return beside_packages(point).differs_from(beside_packages(newest))


def _version(release: str) -> Version | None:
    try:
        return Version(release)
    except InvalidVersion:
        return None  # the target has no package of its own
