"""From the series of a catalogue to the history of a scenario on a target."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from perf_pipeline.analysis.history import (
    History,
    HistoryPoint,
    HistoryValue,
    MetricKey,
    Series,
    SeriesKey,
)
from perf_pipeline.analysis.trends import trends_of
from perf_pipeline.catalogue.baselines import PinnedBaseline
from perf_pipeline.metrics.types.alert import Alert, Movement
from perf_pipeline.metrics.types.alert import MetricKey as AlertKey

if TYPE_CHECKING:
    from perf_pipeline.metrics.types.trend import Trend, TrendChange

KEY = SeriesKey("baseline", "100", "kailash")
RUNS = 40
FIRST_BAD = 28
ODD = {3: "17"}
"""Runs with another seed than the others."""

NOT_VALID = 5


def noise(place: int) -> float:
    """Return a factor at most 1 % from 1."""
    return 1 + 0.01 * ((7 * place) % 5 - 2) / 2


def point(place: int) -> HistoryPoint:
    """Return a run whose throughput falls by a tenth at ``FIRST_BAD``, with noise of 1 %."""
    value = (200.0 if place < FIRST_BAD else 180.0) * noise(place)
    validity = "noisy_host" if place == NOT_VALID else "valid"
    return HistoryPoint(
        run_id=f"r-{place:02}",
        created=f"2026-01-{place // 24 + 1:02}T{place % 24:02}:00:00+00:00",
        version="2.18.0",
        validity=validity,
        samples=4000,
        values={
            MetricKey("throughput_per_s"): HistoryValue("/s", value, None, None, validity, ""),
            MetricKey("p99_s"): HistoryValue("s", None, None, None, validity, ""),
        },
        matches={"machine": "Xeon", "seed": ODD.get(place, "1")},
    )


def raised(first_bad: str) -> Alert:
    """Return an alert on a run."""
    moved = Movement(
        key=AlertKey("kailash", "100", "", "throughput_per_s"),
        unit="/s",
        higher_is_better=True,
        kind="ratio",
        effect=0.9,
        low=0.88,
        high=0.92,
        tier="confirmed",
        severity="minor",
        first_bad=first_bad,
        last_good="",
    )
    return Alert(first_bad, "baseline", "open", "2026-02-01T00:00:00+00:00", (moved,))


@pytest.fixture(scope="module")
def trend() -> Trend:
    """The history of two levels; the second was measured in the last three runs alone."""
    points = tuple(map(point, range(RUNS)))
    series = (
        Series(KEY, tuple(points[place] for place in ODD)),
        Series(KEY, tuple(points[place] for place in range(RUNS) if place not in ODD)),
        Series(SeriesKey("baseline", "500", "kailash"), points[-3:]),
    )
    baselines = [
        PinnedBaseline("main", "baseline", "Xeon", "2026-01-02T00:00:00+00:00", "", ("r-01", "x")),
        PinnedBaseline("main", "stress", "Xeon", "2026-01-02T00:00:00+00:00", "", ("r-01",)),
    ]
    (found,) = trends_of(History(series, RUNS, (), 0, "catalogue"), baselines)
    return found


def test_a_regression_is_at_its_first_run_whatever_does_not_count_before_it(trend: Trend) -> None:
    """Positions are those of all runs: of run 4 (another seed) and run 6 (not valid) too."""
    metric = trend.metrics[0]
    (change,) = metric.changes
    assert (change.run, change.earliest, change.latest) == (FIRST_BAD, FIRST_BAD - 1, FIRST_BAD + 1)
    assert (change.tier, change.is_worse) == ("confirmed", True)
    assert change.effect == pytest.approx(0.9, rel=0.01)
    assert metric.drift is None


def test_a_metric_that_falls_by_a_tenth_run_by_run_drifts_and_has_no_change_point() -> None:
    key = MetricKey("throughput_per_s")
    runs = []
    for place in range(RUNS):
        run = point(place)
        value = 200.0 * (1 - 0.1 * place / RUNS) * noise(place)
        runs.append(replace(run, values={key: replace(run.values[key], value=value)}))
    series = Series(KEY, tuple(runs))
    (found,) = trends_of(History((series,), RUNS, (), 0, "catalogue"))
    (metric,) = found.metrics
    assert metric.changes == ()
    assert metric.drift is not None
    assert (metric.drift.run, metric.drift.is_worse, metric.drift.raises_alert) == (0, True, True)
    assert metric.drift.effect == pytest.approx(0.9, abs=0.01)


def changed(metric: str, first: int, before: float, after: float, family: str = "") -> TrendChange:
    """Return the change point of a metric that moves at run ``first`` of 40, with noise of 1 %."""
    key = MetricKey(metric, family)
    runs = []
    for place in range(RUNS):
        value = (before if place < first else after) * noise(place)
        runs.append(
            replace(point(place), values={key: HistoryValue("", value, None, None, "valid", "")})
        )
    series = Series(KEY, tuple(runs))
    ((change,),) = (
        metric.changes
        for trend in trends_of(History((series,), RUNS, (), 0, "catalogue"))
        for metric in trend.metrics
    )
    return change


def test_a_change_raises_an_alert_if_it_is_recent_worse_and_not_negligible() -> None:
    """As the alerts have it: 30 runs, 1 %, and of errors 0.1 points."""
    assert changed("p50_s", 20, 1.0, 1.1).raises_alert
    assert not changed("p50_s", 8, 1.0, 1.1).raises_alert
    assert not changed("p50_s", 20, 1.1, 1.0).raises_alert
    assert changed("error_ratio", 20, 0.01, 0.03).raises_alert
    assert not changed("error_ratio", 20, 0.0001, 0.0003).raises_alert


def test_a_warning_raises_an_alert_for_a_whole_level_alone() -> None:
    """Of one kind of workflow, and of what no comparison judges, only what is confirmed does."""
    for metric, family, raises in (
        ("p50_s", "", True),
        ("p50_s", "analytics", False),
        ("connections", "", False),
    ):
        change = changed(metric, 36, 1.0, 1.2, family)
        assert (change.tier, change.is_worse, change.raises_alert) == ("fast", True, raises)
        assert changed(metric, 20, 1.0, 1.2, family).raises_alert


def test_what_follows_the_throughput_is_neither_worse_nor_better() -> None:
    assert changed("memory_peak_mb", 20, 100.0, 130.0).is_worse
    for metric in ("network_sent_mb", "disk_write_mb", "cpu_mean_percent"):
        change = changed(metric, 20, 100.0, 130.0)
        assert (change.is_worse, change.raises_alert) == (None, False)


def test_every_run_with_a_value_is_a_point_and_says_why_it_does_not_count(trend: Trend) -> None:
    metric = trend.metrics[0]
    assert len(trend.runs) == RUNS
    assert [one.run for one in metric.points] == [run for run in range(RUNS) if run not in ODD]
    assert [one.run for one in metric.points if not one.counts] == [NOT_VALID]
    assert [run.run_id for run in trend.runs if run.validity != "valid"] == ["r-05"]


def test_runs_have_one_number_in_every_level_and_what_was_never_measured_is_left_out(
    trend: Trend,
) -> None:
    assert [(one.level, one.metric) for one in trend.metrics] == [
        ("100", "throughput_per_s"),
        ("100", "throughput_per_s"),
        ("500", "throughput_per_s"),
    ]
    assert [one.run for one in trend.metrics[2].points] == [RUNS - 3, RUNS - 2, RUNS - 1]


def test_a_run_of_another_setup_is_on_no_line_with_the_newest_ones(trend: Trend) -> None:
    """Run 4 has another seed: a metric of its own, whose points compare with each other."""
    newest, earlier, _ = trend.metrics
    assert (newest.setup, newest.differences) == (0, ())
    assert (earlier.setup, earlier.differences) == (1, ("another seed",))
    assert [one.run for one in earlier.points] == list(ODD)
    assert all(one.counts for one in earlier.points)


def test_each_machine_has_a_history_of_its_own_with_its_alerts() -> None:
    """A catalogue of two hosts; an alert on runs that no history has is shown with both."""
    points = tuple(map(point, range(RUNS)))
    elsewhere = tuple(
        replace(one, run_id=f"q-{at:02}", matches={**one.matches, "machine": "Epyc"})
        for at, one in enumerate(points)
    )
    series = (Series(KEY, points), Series(KEY, elsewhere))
    alerts = [raised("r-28"), raised("gone")]
    one, other = trends_of(History(series, 2 * RUNS, (), 0, "catalogue"), alerts=alerts)
    by_machine = {trend.machine: trend for trend in (one, other)}
    assert {run.run_id[0] for run in by_machine["Xeon"].runs} == {"r"}
    assert {run.run_id[0] for run in by_machine["Epyc"].runs} == {"q"}
    assert [alert.alert_id for alert in by_machine["Xeon"].alerts] == ["r-28", "gone"]
    assert [alert.alert_id for alert in by_machine["Epyc"].alerts] == ["gone"]
    assert all(metric.setup == 0 for trend in (one, other) for metric in trend.metrics)


def test_a_baseline_belongs_to_its_scenario_and_to_runs_that_are_known(trend: Trend) -> None:
    (baseline,) = trend.baselines
    assert (baseline.name, baseline.runs) == ("main", (1,))
    assert trend.machine == "Xeon"
