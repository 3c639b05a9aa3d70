"""Over the runs: what compares is joined, the rest is marked and says why."""

from __future__ import annotations

import re
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from perf_pipeline.analysis.history import HistoryPoint, Series, SeriesKey
from perf_pipeline.report.charts.history_charts import history_charts, history_rows
from tests.unit.report.conftest import HOSTILE

if TYPE_CHECKING:
    from perf_pipeline.report.charts.chart import Chart

POINT = HistoryPoint(
    run_id="r-1",
    validity="valid",
    samples=4000,
    throughput_per_s=200.0,
    average_s=0.5,
    p99_s=1.5,
    p99_doubt="",
    memory_mb=321.0,
    error_ratio=0.01,
    plan="a",
    environment="a",
    machine="a",
)


@pytest.fixture(scope="module")
def series() -> Series:
    """Four runs: valid, of another plan, no measurement, valid."""
    return Series(
        SeriesKey("baseline", "100", "kailash"),
        (
            POINT,
            replace(POINT, run_id="r-2", plan="b"),
            replace(POINT, run_id="r-3", validity="not_steady"),
            replace(POINT, run_id="r-4", memory_mb=None),
        ),
    )


@pytest.fixture(scope="module")
def figures(series: Series) -> tuple[Chart, ...]:
    """Its charts: throughput, average, P99, memory."""
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
        [3, 1, 1, 1],
    ]


def test_the_line_joins_only_valid_runs_that_compare(figures: tuple[Chart, ...]) -> None:
    """Two of four: a line of one move and one draw."""
    throughput = figures[0].svg
    (line,) = re.findall(r'mark-line[^>]*><path d="([^"]*)"', throughput)
    assert len(re.findall(r"[ML]", line)) == 2


def test_nothing_is_drawn_of_what_was_never_measured(series: Series) -> None:
    points = tuple(replace(point, p99_s=None, memory_mb=None) for point in series.points)
    titles = [figure.title for figure in history_charts(replace(series, points=points))]
    assert [title.partition(",")[0] for title in titles] == ["Throughput", "Average"]


def test_the_table_says_newest_first_what_each_run_gave_and_whether_it_compares(
    series: Series,
) -> None:
    weak = replace(series.points[0], p99_doubt="3 samples beyond, 10 needed")
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


def test_a_hostile_name_is_text_in_charts_and_table() -> None:
    series = Series(SeriesKey(HOSTILE, "100", "kailash"), (replace(POINT, run_id=HOSTILE),))
    for figure in history_charts(series):
        assert "<script" not in figure.svg
        assert "<img" not in figure.svg
    assert "\x1b" not in "".join(history_rows(series)[0].values())
