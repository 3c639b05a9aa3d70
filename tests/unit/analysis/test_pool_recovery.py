"""When the same load is served as before an exhausted connection pool."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from perf_pipeline.analysis.pool_recovery import normal_since_s, pool_recoveries
from perf_pipeline.metrics.types.records import TimePoint
from perf_pipeline.metrics.types.server_use import ConnectionUse

if TYPE_CHECKING:
    from collections.abc import Sequence

    from perf_pipeline.metrics.types.level import LevelMetrics


def series(rates: Sequence[int], failed: int = 0) -> tuple[TimePoint, ...]:
    return tuple(
        TimePoint(float(at), rate, failed if rate < 60 else 0, None, None, 10.0)
        for at, rate in enumerate(rates)
    )


def level(
    like: LevelMetrics, label: str, rates: Sequence[int], *, peak: int = 10, limit: int = 40
) -> LevelMetrics:
    return replace(
        like,
        label=label,
        seconds=series(rates),
        phases={"steady": (5.0, float(len(rates)))},
        throughput_per_s=100.0,
        error_ratio=0.0,
        connections=(ConnectionUse("postgres", limit, peak, None, "", 0),),
    )


STEADY = [20, 60] + [100] * 18


@pytest.mark.parametrize(
    ("rates", "time_s"),
    [(STEADY, 0.0), ([20] * 5 + [60] + [100] * 14, 4.0), ([20] * 9 + [100] * 11, 8.0)],
)
def test_recovery_takes_as_long_as_the_series_stays_below_three_quarters(
    valid_level: LevelMetrics, rates: list[int], time_s: float
) -> None:
    """The level before is normal from second 1 on: 60, 100 and 100 are 87 % of 100."""
    before = level(valid_level, "light", STEADY)
    exhausted = level(valid_level, "exhaustion", STEADY, peak=20, limit=20)
    (found,) = pool_recoveries([before, exhausted, level(valid_level, "recovery", rates)])

    assert (found.exhausted, found.before, found.after) == ("exhaustion", "light", "recovery")
    assert found.pools == {"postgres": (20, 20)}
    assert found.time_s == time_s
    assert (found.low_s, found.high_s) == (max(0.0, time_s - 1), time_s + 1)


def test_a_load_that_stays_slow_has_not_recovered(valid_level: LevelMetrics) -> None:
    before = level(valid_level, "light", STEADY)
    exhausted = level(valid_level, "exhaustion", STEADY, peak=20, limit=20)
    (found,) = pool_recoveries([before, exhausted, level(valid_level, "recovery", [60] * 20)])

    assert (found.time_s, found.watched_s) == (None, 20.0)


def test_failures_are_not_normal_however_fast_they_are() -> None:
    failing = series([50] * 10, failed=50)

    assert normal_since_s(failing, 10.0, floor_per_s=40, max_error_ratio=0.05) is None
    assert normal_since_s(failing, 10.0, floor_per_s=40, max_error_ratio=0.6) == 0.0


def test_without_an_exhausted_pool_or_the_same_load_around_it_there_is_nothing_to_recover_from(
    valid_level: LevelMetrics,
) -> None:
    light, again = (level(valid_level, name, STEADY) for name in ("light", "again"))
    exhausted = level(valid_level, "exhaustion", STEADY, peak=20, limit=20)

    assert pool_recoveries([light, light, again]) == ()
    assert pool_recoveries([light, exhausted]) == ()
    assert pool_recoveries([light, exhausted, replace(again, concurrency=11)]) == ()
