"""Over the runs: what compares is joined, the rest is marked and says why."""

from __future__ import annotations

import re
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from perf_pipeline.analysis.history import (
    HistoryPoint,
    HistoryValue,
    MetricKey,
    Series,
    SeriesKey,
)
from perf_pipeline.report.charts.history_charts import history_charts, history_rows
from tests.unit.report.conftest import HOSTILE

if TYPE_CHECKING:
    from perf_pipeline.report.charts.chart import Chart

VALUES = {
    "throughput_per_s": 200.0,
    "avg_s": 0.5,
    "p99_s": 1.5,
    "cpu_per_workflow_s": 0.002,
    "memory_peak_mb": 321.0,
    "error_ratio": 0.01,
}


def point(
    run_id: str = "r-1",
    *,
    plan: str = "a",
    validity: str = "valid",
    doubt: str = "",
    **values: float | None,
) -> HistoryPoint:
    """Return a run; of the P99 alone there may be a doubt."""
    return HistoryPoint(
        run_id=run_id,
        created="2026-01-01T00:00:00+00:00",
        version="2.19.0",
        validity=validity,
        samples=4000,
        values={
            MetricKey(metric): HistoryValue(
                "s", value, None, None, validity, doubt if metric == "p99_s" else ""
            )
            for metric, value in {**VALUES, **values}.items()
        },
        matches={"plan": plan, "machine": "a"},
    )


@pytest.fixture(scope="module")
def series() -> Series:
    """Four runs: valid, of another plan, no measurement, valid."""
    return Series(
        SeriesKey("baseline", "100", "kailash"),
        (
            point(),
            point("r-2", plan="b"),
            point("r-3", validity="not_steady"),
            point("r-4", memory_peak_mb=None),
        ),
    )


@pytest.fixture(scope="module")
def figures(series: Series) -> tuple[Chart, ...]:
    """Its charts: throughput, average, P99, CPU time per workflow, memory."""
    return history_charts(series)


def marked(drawn: str) -> list[int]:
    """Count the marks: the invisible ones of the axes, valid, no measurement, does not compare."""
    groups = re.findall(r'class="mark-symbol[^"]*"[^>]*>(.*?)</g>', drawn)
    return [group.count("<path") for group in groups]


def test_each_quantity_has_a_chart_in_which_every_run_that_has_it_is_marked(
    figures: tuple[Chart, ...],
) -> None:
    assert [figure.title.partition(",")[0] for figure in figures][:3] == [
        "Throughput",
        "Average",
        "P99",
    ]
    assert [marked(figure.svg) for figure in figures] == [
        [4, 2, 1, 1],
        [4, 2, 1, 1],
        [4, 2, 1, 1],
        [4, 2, 1, 1],
        [3, 1, 1, 1],
    ]


def test_the_line_joins_only_valid_runs_that_compare(figures: tuple[Chart, ...]) -> None:
    """Two of four: a line of one move and one draw."""
    throughput = figures[0].svg
    (line,) = re.findall(r'mark-line[^>]*><path d="([^"]*)"', throughput)
    assert len(re.findall(r"[ML]", line)) == 2


def test_nothing_is_drawn_of_what_was_never_measured(series: Series) -> None:
    never = dict.fromkeys(("p99_s", "cpu_per_workflow_s", "memory_peak_mb"))
    points = tuple(point(one.run_id, **never) for one in series.points)
    titles = [figure.title for figure in history_charts(replace(series, points=points))]
    assert [title.partition(",")[0] for title in titles] == ["Throughput", "Average"]


def test_the_table_says_newest_first_what_each_run_gave_and_whether_it_compares(
    series: Series,
) -> None:
    weak = point(doubt="3 samples beyond, 10 needed")
    rows = history_rows(replace(series, points=(weak, *series.points[1:])))
    assert [row["number"] for row in rows] == ["4", "3", "2", "1"]
    assert [row["comparable with the newest"] for row in rows] == [
        "yes",
        "yes",
        "another plan",
        "yes",
    ]
    assert [row["validity"] for row in rows] == ["valid", "not_steady", "valid", "valid"]
    assert rows[0]["memory"] == "not measured"
    assert rows[3]["p99"] == "1.50 s (3 samples beyond, 10 needed)"
    assert {row["samples"] for row in rows} == {"4,000"}
    assert {row["version"] for row in rows} == {"2.19.0"}


def test_a_hostile_name_is_text_in_charts_and_table() -> None:
    series = Series(SeriesKey(HOSTILE, "100", "kailash"), (point(HOSTILE),))
    for figure in history_charts(series):
        assert "<script" not in figure.svg
        assert "<img" not in figure.svg
    assert "\x1b" not in "".join(history_rows(series)[0].values())
