"""The setups in which one level of a scenario was measured on one target, the newest first."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterable

    from perf_pipeline.analysis.history import Series, SeriesKey


class Setup(NamedTuple):
    """A series among those of the same scenario, level and target in other setups.

    Attributes:
        series: The series.
        place: 0 for the newest setup, 1 for the one before it, and so on.
        differences: What differs from the newest one, in words; empty for the newest.
    """

    series: Series
    place: int
    differences: tuple[str, ...]


def setups_of(found: Iterable[Series]) -> tuple[Setup, ...]:
    """Return series with what tells them from the newest one of the same key, which comes first."""
    by_key: dict[SeriesKey, list[Series]] = {}
    for one in found:
        by_key.setdefault(one.key, []).append(one)
    return tuple(
        Setup(one, place, one.newest.differs_from(newest.newest) if place else ())
        for same in by_key.values()
        for newest in [max(same, key=_age)]
        for place, one in enumerate(sorted(same, key=_age, reverse=True))
    )


def _age(series: Series) -> tuple[str, str]:
    return series.newest.created, series.newest.run_id
