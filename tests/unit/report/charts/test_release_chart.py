"""The chart over releases draws what was measured, and marks what does not compare."""

from __future__ import annotations

from perf_pipeline.analysis.history import HistoryPoint, HistoryValue, MetricKey, SeriesKey
from perf_pipeline.analysis.release_history import MeasuredRelease, ReleaseHistory
from perf_pipeline.report.charts.release_chart import (
    change_lines,
    release_chart,
    release_rows,
)


def measured(release: str, cpu_s: float | None, why_not: tuple[str, ...] = ()) -> MeasuredRelease:
    value = HistoryValue("s", cpu_s, cpu_s, cpu_s, "valid", "")
    values = {MetricKey("cpu_per_workflow_s"): value}
    point = HistoryPoint(f"r-{release}", "", release, "valid", 1000, values, {})
    return MeasuredRelease(release, point, why_not, has_other_packages=bool(why_not))


def history(*releases: MeasuredRelease) -> ReleaseHistory:
    return ReleaseHistory(SeriesKey("release", "1", "kailash"), releases)


ONE, OTHER = measured("2.9.0", 0.005), measured("2.10.0", 0.007, ("another machine",))


def test_each_release_is_drawn_with_its_value_and_one_alone_is_no_history() -> None:
    chart = release_chart(history(ONE, OTHER))
    assert chart is not None
    assert "2.9.0: 5 ms; 2.10.0: 7 ms" in chart.svg
    assert chart.title == "CPU time per workflow, ms: release 1 kailash"
    assert release_chart(history(ONE)) is None
    assert release_chart(history(ONE, measured("2.10.0", None))) is None


def test_thirty_releases_are_drawn_without_any_that_does_not_count() -> None:
    chart = release_chart(history(*(measured(f"2.{at}.0", 0.005) for at in range(30))))
    assert chart is not None
    assert "2.29.0: 5 ms" in chart.svg


def test_the_table_has_the_newest_first_and_says_what_was_not_measured() -> None:
    rows = release_rows(history(ONE, OTHER, measured("2.11.0", None)))
    assert [row["release"] for row in rows] == ["2.11.0", "2.10.0", "2.9.0"]
    assert [row["CPU per workflow"] for row in rows] == ["not measured", "7.00 ms", "5.00 ms"]
    assert rows[1]["comparable"] == "another machine"
    assert rows[1]["packages"] == "other than before"


def test_the_release_from_which_on_workflows_cost_more_is_named_and_marked() -> None:
    """Twelve releases at 5 ms and ten at 7 ms, with 1 % of noise; one is on another machine."""
    noise = (1.0, 1.01, 0.99, 1.005, 0.995)
    costs = [(5 if at < 12 else 7) * noise[at % 5] / 1000 for at in range(22)]
    releases = [measured(f"2.{at}.0", cost) for at, cost in enumerate(costs)]
    releases[3] = measured("2.3.0", 0.02, ("another machine",))
    changed = history(*releases)
    (line,) = change_lines(changed)
    assert line.startswith("2.12.0: +39.9 %")
    assert line.endswith(" CPU time against 2.11.0 and earlier (confirmed)")
    chart = release_chart(changed)
    assert chart is not None
    assert change_lines(history(*releases[:12])) == []
