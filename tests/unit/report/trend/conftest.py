"""A history of thirty runs with a planted regression, and one in which every text is hostile."""

from __future__ import annotations

from dataclasses import replace

import pytest

from perf_pipeline.metrics.types.alert import Alert, MetricKey, Movement
from perf_pipeline.metrics.types.trend import (
    MetricTrend,
    Trend,
    TrendBaseline,
    TrendChange,
    TrendPoint,
    TrendRun,
)
from tests.unit.report.conftest import HOSTILE

RUNS = 30
FIRST_BAD = 20


def run_id(place: int) -> str:
    """Return the id of a run: one each day."""
    return f"202601{place + 1:02}_093012-4f2c"


def _points(before: float, after: float, first: int) -> tuple[TrendPoint, ...]:
    """Return a value for each run; run 4 is of another machine, run 6 is no measurement."""
    return tuple(
        TrendPoint(
            place,
            before if place < first else after,
            "noisy_host" if place == 5 else "valid",
            "another machine" if place == 3 else "",
        )
        for place in range(RUNS)
    )


@pytest.fixture(scope="session")
def falling() -> Trend:
    """Throughput fell by 10 % at run 21; P99 may be worse since run 29; memory never changed."""
    runs = tuple(
        TrendRun(
            run_id(place),
            f"2026-01-{place + 1:02}T09:30:12+00:00",
            "2.17.0" if place < FIRST_BAD else "2.18.0",
            "valid",
        )
        for place in range(RUNS)
    )
    fell = TrendChange(FIRST_BAD, 19, 21, 0.9, 0.88, 0.92, "confirmed", True, raises_alert=True)
    fast = TrendChange(28, 27, 29, 1.4, 1.2, 1.6, "fast", is_worse=True)
    moved = Movement(
        key=MetricKey("kailash", "500", "", "throughput_per_s"),
        unit="/s",
        higher_is_better=True,
        kind="ratio",
        effect=0.9,
        low=0.88,
        high=0.92,
        tier="confirmed",
        severity="minor",
        first_bad=run_id(FIRST_BAD),
        last_good=run_id(FIRST_BAD - 1),
    )
    whole = ("500", "")
    return Trend(
        scenario="baseline",
        target="kailash",
        machine="Xeon, 2 cores, 8.0 GB",
        runs=runs,
        metrics=(
            MetricTrend(
                *(*whole, "throughput_per_s", "/s", True, _points(200.0, 180.0, 20), (fell,))
            ),
            MetricTrend(*(*whole, "p99_s", "s", False, _points(1.0, 1.4, 28), (fast,))),
            MetricTrend(*(*whole, "memory_peak_mb", "MB", False, _points(321.0, 321.0, 0))),
            MetricTrend(*(*whole, "disk_read_mb", "MB", False, ())),
        ),
        baselines=(TrendBaseline("main", "2026-01-08T10:00:00+00:00", "2.17", (4, 6, 7)),),
        alerts=(
            Alert(run_id(FIRST_BAD), "baseline", "open", "2026-01-28T10:00:00+00:00", (moved,)),
        ),
    )


@pytest.fixture(scope="session")
def hostile_trend(falling: Trend) -> Trend:
    """The same with hostile text wherever there is text."""
    (alert,) = falling.alerts
    key = MetricKey(HOSTILE, HOSTILE, HOSTILE, HOSTILE)
    moved = replace(alert.movements[0], key=key, unit=HOSTILE, first_bad=HOSTILE, last_good=HOSTILE)
    return replace(
        falling,
        scenario=HOSTILE,
        target=HOSTILE,
        machine=HOSTILE,
        runs=tuple(
            replace(run, run_id=HOSTILE, version=HOSTILE, created=HOSTILE, validity=HOSTILE)
            for run in falling.runs
        ),
        metrics=tuple(
            replace(one, level=HOSTILE, family=HOSTILE, metric=HOSTILE, unit=HOSTILE)
            for one in falling.metrics
        ),
        baselines=(replace(falling.baselines[0], name=HOSTILE, created=HOSTILE, note=HOSTILE),),
        alerts=(
            replace(alert, alert_id=HOSTILE, raised_at=HOSTILE, note=HOSTILE, movements=(moved,)),
        ),
    )
