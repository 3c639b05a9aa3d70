"""The table of runs: what compares with the newest, and why the rest does not."""

from __future__ import annotations

from dataclasses import replace

import pytest

from perf_pipeline.analysis.history import (
    HistoryPoint,
    HistoryValue,
    MetricKey,
    Series,
    SeriesKey,
)
from perf_pipeline.analysis.setups import Setup
from perf_pipeline.report.trend.history_rows import history_rows
from tests.unit.report.conftest import HOSTILE

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
    """Four runs: valid, of an unknown plan, no measurement, valid."""
    return Series(
        SeriesKey("baseline", "100", "kailash"),
        (
            point(),
            point("r-2", plan=""),
            point("r-3", validity="not_steady"),
            point("r-4", memory_peak_mb=None),
        ),
    )


def test_the_table_says_newest_first_what_each_run_gave_and_whether_it_compares(
    series: Series,
) -> None:
    weak = point(doubt="3 samples beyond, 10 needed")
    rows = history_rows(Setup(replace(series, points=(weak, *series.points[1:])), 0, ()))
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
    earlier = history_rows(Setup(series, 1, ("another seed", "other nodes")))
    assert {row["comparable with the newest"] for row in earlier} == {"another seed, other nodes"}


def test_a_hostile_name_is_text() -> None:
    series = Series(SeriesKey(HOSTILE, "100", "kailash"), (point(HOSTILE),))
    assert "\x1b" not in "".join(history_rows(Setup(series, 0, ()))[0].values())
