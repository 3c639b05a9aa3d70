"""One alert for the first bad run, however many metrics moved, and again only if it moves again."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest

from perf_pipeline.alerts.changes import changed_alerts
from perf_pipeline.analysis.change_points.change_point import ChangePoint
from tests.planted_comparison import change, comparison, run_id
from tests.unit.alerts.planted import Point, evidence, series

if TYPE_CHECKING:
    from collections.abc import Sequence

    from perf_pipeline.alerts.changes import Evidence
    from perf_pipeline.metrics.types.alert import Alert, AlertEvent
    from perf_pipeline.metrics.types.comparison import Comparison, ComparisonVerdict

NOW = "2026-01-14T12:00:00+00:00"
METRICS = ("p50_s", "p90_s", "p99_s", "avg_s", "cpu_per_workflow_s")


class Told:
    """Alerts as they are stored, and what was announced, over one look after another."""

    def __init__(self) -> None:
        self.alerts: dict[str, Alert] = {}

    def look(self, found: Evidence) -> list[tuple[str, AlertEvent | None]]:
        """Store what changed; returns it."""
        changed = changed_alerts(self.alerts.values(), found, NOW)
        assert len({one.alert.alert_id for one in changed}) == len(changed)
        self.alerts |= {one.alert.alert_id: one.alert for one in changed}
        return [(one.alert.alert_id, one.event) for one in changed]

    def acknowledge(self, number: int) -> None:
        alert = self.alerts[run_id(number)]
        self.alerts[alert.alert_id] = replace(
            alert, state="acknowledged", acknowledged_at=NOW, note="known"
        )

    def state(self, number: int) -> str:
        return self.alerts[run_id(number)].state


def replaced(told: Told) -> Told:
    """Return the same alerts, to look at them in another way."""
    again = Told()
    again.alerts = dict(told.alerts)
    return again


@pytest.fixture
def told() -> Told:
    return Told()


def test_one_alert_for_the_first_bad_run_however_many_metrics_moved(told: Told) -> None:
    """Forty metrics of two levels and two targets; a change point may be off by one run."""
    found = evidence(
        series(Point(20 + (at % 7 == 0), 1.2), metric=metric, level=level, target=target)
        for at, (metric, level, target) in enumerate(
            (metric, level, target)
            for metric in METRICS
            for level in ("100", "500", "1000", "2000")
            for target in ("kailash", "control")
        )
    )
    assert len(found.seen) == 40
    assert told.look(found) == [(run_id(20), "raised")]
    (alert,) = told.alerts.values()
    assert len(alert.movements) == 40
    assert alert.last_good == run_id(19)
    assert alert.targets == ("control", "kailash")


def test_a_second_look_at_an_unchanged_history_changes_nothing(told: Told) -> None:
    found = evidence(
        [series(Point(10, 1.1), Point(20, 1.2)), series(Point(20, 0.8), metric="throughput_per_s")],
        [comparison(5, 30, change("regression", 1.3))],
    )
    # The comparison finds both steps together, and nothing else.
    assert sorted(told.look(found)) == [(run_id(10), "raised"), (run_id(20), "raised")]
    for _ in range(3):
        assert told.look(found) == []
    told.acknowledge(20)
    assert told.look(found) == []


def test_a_higher_throughput_and_a_lower_latency_are_no_alert(told: Told) -> None:
    better = [series(Point(20, 0.8)), series(Point(20, 1.2), metric="throughput_per_s")]
    assert told.look(evidence(better)) == []


@pytest.mark.parametrize("metric", ["network_sent_mb", "disk_write_mb", "cpu_mean_percent"])
def test_what_grows_with_the_throughput_is_no_regression(told: Told, metric: str) -> None:
    """A target that is faster sends more bytes in the same time."""
    faster = [series(Point(20, 1.3), metric="throughput_per_s")]
    assert told.look(evidence([*faster, series(Point(20, 1.3), metric=metric)])) == []


def test_one_kind_of_workflow_alone_raises_no_warning_and_joins_or_is_confirmed() -> None:
    """Of the many metrics of kinds, noise alone moves one now and then."""
    warning = series(Point(20, 1.2, "fast"), family="analytics/simple", runs=23)
    level = series(Point(20, 1.1, "fast"), runs=23)
    alone, together, later = Told(), Told(), Told()
    assert alone.look(evidence([warning])) == []
    assert together.look(evidence([warning, level])) == [(run_id(20), "raised")]
    (alert,) = together.alerts.values()
    assert {one.key.family for one in alert.movements} == {"", "analytics/simple"}
    confirmed = series(Point(20, 1.2), family="analytics/simple", runs=30)
    assert later.look(evidence([confirmed])) == [(run_id(20), "raised")]


def test_a_warning_is_confirmed_once_and_in_silence_if_somebody_knows(told: Told) -> None:
    warning = evidence([series(Point(20, 1.2, "fast"), runs=23)])
    assert told.look(warning) == [(run_id(20), "raised")]
    assert told.alerts[run_id(20)].tier == "fast"
    confirmed = evidence([series(Point(21, 1.25), runs=30)])
    other = Told()
    other.alerts = dict(told.alerts)
    other.acknowledge(20)
    assert told.look(confirmed) == [(run_id(20), "confirmed")]
    assert told.look(confirmed) == []
    assert other.look(confirmed) == [(run_id(20), None)]
    for one in (told, other):
        assert one.alerts[run_id(20)].tier == "confirmed"
    assert other.state(20) == "acknowledged"


def test_a_warning_that_comes_and_goes_is_announced_and_cleared_once(told: Told) -> None:
    warning, nothing = (
        evidence([series(*points, runs=23)]) for points in ([Point(20, 1.2, "fast")], [])
    )
    looks = [told.look(one) for one in (warning, nothing, warning, nothing, warning)]
    assert looks == [[(run_id(20), "raised")], [(run_id(20), "cleared")], [], [], []]
    confirmed = evidence([series(Point(20, 1.2), runs=30)])
    assert told.look(confirmed) == [(run_id(20), "confirmed")]
    assert told.state(20) == "open"


def test_an_acknowledged_alert_is_quiet_until_it_moves_again(told: Told) -> None:
    """By estimates that scatter within their intervals it is not; by a later step it is."""
    told.look(evidence([series(Point(20, 1.2))]))
    told.acknowledge(20)
    for effect in (1.21, 1.23, 1.18, 1.1):
        assert told.look(evidence([series(Point(20, effect))])) == []
    assert told.alerts[run_id(20)].movements[0].effect == 1.2  # as it was announced
    again = evidence([series(Point(20, 1.2), Point(30, 1.1))])
    assert told.look(again) == [(run_id(30), "raised")]
    assert told.state(20) == "acknowledged"
    worse = evidence([series(Point(20, 1.4), Point(30, 1.1))])
    assert told.look(worse) == [(run_id(20), "moved_again")]
    assert (told.state(20), told.alerts[run_id(20)].note) == ("open", "")
    assert told.look(worse) == []


def test_an_alert_is_cleared_when_later_runs_take_it_back(told: Told) -> None:
    """Of two steps for the worse one step back takes back the second."""
    told.look(evidence([series(Point(10, 1.2), Point(20, 1.1), runs=25)]))
    back = evidence([series(Point(10, 1.2), Point(20, 1.1), Point(26, 1 / 1.1), runs=35)])
    assert told.look(back) == [(run_id(20), "cleared")]
    assert told.state(10) == "open"
    again = [Point(10, 1.2), Point(20, 1.1), Point(26, 1 / 1.1), Point(36, 1.1)]
    assert told.look(evidence([series(*again, runs=45)])) == [(run_id(36), "raised")]


def test_half_a_recovery_and_a_fast_one_take_back_nothing_that_is_confirmed(told: Told) -> None:
    told.look(evidence([series(Point(10, 1.2))]))
    for later in (Point(20, 0.92), Point(38, 0.8, "fast")):
        assert told.look(evidence([series(Point(10, 1.2), later)])) == []


def test_the_same_metric_in_another_setup_hides_and_clears_nothing(told: Told) -> None:
    """Since run 40 there is another seed as well, whose runs neither mend nor repeat it."""
    bad = series(Point(20, 1.2))
    other = replace(series(), runs=tuple(run_id(number) for number in range(40, 80)))
    assert told.look(evidence([bad])) == [(run_id(20), "raised")]
    for both in ([bad, other], [other, bad]):
        assert told.look(evidence(both)) == []
    mended = series(Point(20, 1.2), Point(30, 0.83))
    for both in ([mended, other], [other, mended]):
        assert replaced(told).look(evidence(both)) == [(run_id(20), "cleared")]


def test_one_regression_in_two_setups_is_one_alert_and_no_second_one(told: Told) -> None:
    """Every other run is on lean nodes, where the same change is greater."""
    code = series(Point(20, 1.2))
    lean = replace(
        series(Point(20, 1.5)), runs=tuple(f"{run_id(number)}-lean" for number in range(40))
    )
    found = evidence([code, lean])
    assert told.look(found) == [(run_id(20), "raised")]
    assert told.look(found) == []
    (alert,) = told.alerts.values()
    assert [one.effect for one in alert.movements] == [1.5]
    assert told.look(evidence([lean, code])) == []


def test_what_was_not_looked_at_again_is_not_cleared(told: Told) -> None:
    """Another scenario's runs, a window that has moved on, a metric that is not measured now."""
    told.look(evidence([series(Point(20, 1.2))]))
    moved_on = series(runs=60)
    moved_on = replace(moved_on, runs=moved_on.runs[25:])
    for found in (
        evidence(),
        evidence([series(metric="p50_s")]),
        evidence([moved_on]),
        evidence([replace(series(), scenario="stress")]),
    ):
        assert told.look(found) == []


def test_a_change_of_long_ago_raises_none_and_one_that_was_raised_then_stays(told: Told) -> None:
    """An archive that is imported is no news."""
    old = evidence([series(Point(5, 1.3), runs=80)])
    assert told.look(old) == []
    told.look(evidence([series(Point(5, 1.3), runs=20)]))
    assert told.look(old) == []
    assert told.state(5) == "open"
    back = evidence([series(Point(5, 1.3), Point(60, 1 / 1.3), runs=80)])
    assert told.look(back) == [(run_id(5), "cleared")]


def test_a_regression_that_a_comparison_found_is_not_found_anew_by_the_next_one(
    told: Told,
) -> None:
    """Every later run is worse than the pinned baseline as well."""
    first = comparison(1, 10, change("regression", 1.2))
    assert told.look(evidence(comparisons=[first])) == [(run_id(10), "raised")]
    told.acknowledge(10)
    second = comparison(1, 11, change("regression", 1.21))
    assert told.look(evidence(comparisons=[first, second])) == []
    assert told.look(evidence(comparisons=[second])) == []  # the first is beyond the window
    worse = comparison(1, 12, change("regression", 1.4))
    assert told.look(evidence(comparisons=[first, second, worse])) == [(run_id(12), "raised")]
    told.acknowledge(12)
    other = comparison(1, 13, change("regression", 1.2), change("regression", metric="memory_mb"))
    assert told.look(evidence(comparisons=[first, second, worse, other])) == [
        (run_id(13), "raised")
    ]
    assert [one.key.metric for one in told.alerts[run_id(13)].movements] == ["memory_mb"]


def test_a_metric_that_only_a_comparison_sees_joins_the_alert_that_nobody_knows_of(
    told: Told,
) -> None:
    """It moved in the same time; a known alert would hide it."""
    history = series(Point(10, 1.2))
    compared = comparison(1, 20, change("regression", metric="memory_peak_mb"))
    known = Told()
    for one in (told, known):
        one.look(evidence([history]))
    known.acknowledge(10)
    assert told.look(evidence([history], [compared])) == [(run_id(10), None)]
    assert told.look(evidence([history], [compared])) == []
    assert known.look(evidence([history], [compared])) == [(run_id(20), "raised")]


def test_a_comparison_that_finds_no_change_clears_and_doubt_clears_nothing(told: Told) -> None:
    bad = comparison(1, 10, change("regression"))
    told.look(evidence(comparisons=[bad]))
    doubts = [comparison(1, 12, change("unstable")), comparison(1, 13, change("no_data", None))]
    assert told.look(evidence(comparisons=[bad, *doubts])) == []
    later = comparison(11, 14, change("no_change"))  # both sides are after the first bad run
    assert told.look(evidence(comparisons=[bad, *doubts, later])) == []
    good = comparison(1, 15, change("no_change"))
    assert told.look(evidence(comparisons=[bad, *doubts, good])) == [(run_id(10), "cleared")]
    assert told.look(evidence(comparisons=[bad, *doubts, good])) == []


def test_history_and_comparison_of_the_same_change_are_one_alert(told: Told) -> None:
    """The comparison was made ten runs later, and alone would name another first bad run."""
    found = evidence(
        [series(Point(10, 1.2))], [comparison(1, 20, change("regression"), change("regression"))]
    )
    assert told.look(found) == [(run_id(10), "raised")]
    assert told.look(found) == []
    only_compared = evidence(comparisons=[comparison(1, 20, change("regression"))])
    assert told.look(only_compared) == []


def test_an_interleaved_comparison_of_the_same_two_sides_is_no_news(told: Told) -> None:
    """Night after night both sides are measured anew."""
    nights = [
        comparison((n, n + 3), (n + 1, n + 2), change("regression"), paired=True)
        for n in (0, 10, 20)
    ]
    assert told.look(evidence(comparisons=nights[:1])) == [(run_id(1), "raised")]
    assert told.look(evidence(comparisons=nights[:2])) == []
    assert told.look(evidence(comparisons=nights[2:])) == []
    good = comparison((30, 33), (31, 32), change("no_change"), paired=True)
    assert told.look(evidence(comparisons=[*nights, good])) == [(run_id(1), "cleared")]


def test_of_one_severity_whole_levels_come_before_kinds_of_workflow(told: Told) -> None:
    """Of a level with one kind, both say the same."""
    found = [
        series(Point(20, effect), metric=metric, family=family)
        for metric, effect in (("p99_s", 1.14), ("p50_s", 1.12))
        for family in ("analytics/simple", "")
    ]
    told.look(evidence(found))
    (alert,) = told.alerts.values()
    assert [(one.key.metric, one.key.family) for one in alert.movements] == [
        ("p99_s", ""),
        ("p50_s", ""),
        ("p99_s", "analytics/simple"),
        ("p50_s", "analytics/simple"),
    ]


def arms(a: str, b: str, runs: int, verdict: ComparisonVerdict, **more: Any) -> Comparison:
    """Return an interleaved comparison as `perf-pipeline ab` makes it: its sides are a and b."""
    made = comparison((runs,), (runs,), change(verdict), paired=True, **more)
    return replace(
        made,
        baseline=replace(made.baseline, name="a", target=a),
        candidate=replace(made.candidate, name="b", target=b),
    )


def test_interleaved_comparisons_of_other_arms_are_about_something_else(told: Told) -> None:
    """One of 2.64.0 with 2.65.0 that finds no change says nothing of 2.17.0 with 2.65.0."""
    bad = arms("kailash==2.17.0", "kailash==2.65.0", 1, "regression")
    good = arms("kailash==2.64.0", "kailash==2.65.0", 5, "no_change")
    other = arms("kailash==2.65.0", "kailash==2.65.0, sample_nodes_every=1", 9, "regression")
    assert told.look(evidence(comparisons=[bad])) == [(run_id(1), "raised")]
    assert told.look(evidence(comparisons=[bad, good])) == []
    assert told.look(evidence(comparisons=[bad, good, other])) == [(run_id(9), "raised")]
    assert {one.targets for one in told.alerts.values()} == {("kailash",)}


def test_a_bisection_raises_and_clears_nothing(told: Told) -> None:
    """Whoever searches for the first bad release knows that there is one."""
    bad = arms("kailash==2.17.0", "kailash==2.65.0", 1, "regression")
    asked = [
        arms("kailash==2.17.0", "kailash==2.40.0", 5, "regression", is_search=True),
        arms("kailash==2.17.0", "kailash==2.65.0", 9, "no_change", is_search=True),
    ]
    assert told.look(evidence(comparisons=asked)) == []
    assert told.look(evidence(comparisons=[bad])) == [(run_id(1), "raised")]
    assert told.look(evidence(comparisons=[bad, *asked])) == []


def test_a_comparison_with_an_older_candidate_raises_none(told: Told) -> None:
    assert told.look(evidence(comparisons=[comparison(10, 1, change("regression"))])) == []


def test_doubt_raises_no_alert(told: Told) -> None:
    doubts = (change("unstable"), change("no_data", None), change("improvement", 0.8))
    assert told.look(evidence(comparisons=[comparison(1, 10, *doubts)])) == []


def test_two_changes_are_two_alerts_and_the_worst_movement_comes_first(told: Told) -> None:
    found = evidence([
        series(Point(10, 1.1), Point(25, 1.05)),
        series(Point(10, 0.5), metric="throughput_per_s"),
        series(Point(25, 3.0, "fast"), metric="p50_s"),
    ])  # fmt: skip
    assert sorted(told.look(found)) == [(run_id(10), "raised"), (run_id(25), "raised")]
    worst, warning = (told.alerts[run_id(number)] for number in (10, 25))
    assert [one.key.metric for one in worst.movements] == ["throughput_per_s", "p99_s"]
    assert worst.severity == "critical"
    assert [one.key.metric for one in warning.movements] == ["p99_s", "p50_s"]  # confirmed first


def test_an_error_ratio_counts_in_points_and_a_negligible_change_not_at_all(told: Told) -> None:
    """From 0.1 to 0.2 % is twice as many failures, and a tenth of a percentage point."""
    point = ChangePoint(20, 2.0, 1.9, 2.1, "confirmed")
    none = ChangePoint(20, None, None, None, "confirmed")

    def failing(before: float, after: float, change_point: ChangePoint) -> Evidence:
        values = tuple(before if number < 20 else after for number in range(40))
        one = replace(series(metric="error_ratio"), unit="ratio", values=values)
        return evidence([replace(one, change_points=(change_point,))])

    assert told.look(failing(0.001, 0.0015, point)) == []
    assert told.look(evidence([series(Point(20, 1.008))])) == []
    assert told.look(failing(0.0, 0.06, none)) == [(run_id(20), "raised")]
    (movement,) = told.alerts[run_id(20)].movements
    assert (movement.kind, movement.severity) == ("difference", "major")
    assert movement.effect == pytest.approx(0.06)


def ordered(found: Evidence, order: Sequence[int]) -> Evidence:
    return replace(found, seen=[found.seen[at] for at in order])


def test_the_order_in_which_metrics_are_looked_at_means_nothing() -> None:
    found = evidence(series(Point(20 + at % 3, 1.2 + at / 10), metric=f"m{at}") for at in range(6))
    one, other = Told(), Told()
    one.look(found)
    other.look(ordered(found, range(5, -1, -1)))
    assert one.alerts == other.alerts
