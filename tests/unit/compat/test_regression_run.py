"""A run compared with a result file."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from perf_pipeline.compat.command import loads_of
from perf_pipeline.compat.comprehensive_report import report_latest
from perf_pipeline.compat.regression_run import compare_levels, read_levels, write_regression_file
from perf_pipeline.compat.request import parse_request
from perf_pipeline.errors import RunFolderError, ScenarioError
from perf_pipeline.samples.run_folder import RunFolder

if TYPE_CHECKING:
    from pathlib import Path


def level(concurrency: int, throughput: float) -> dict[str, Any]:
    return {
        "scenario": "baseline",
        "concurrency": concurrency,
        "validity": "valid",
        "throughput": throughput,
        "avg_latency": concurrency / throughput,
        "error_rate": 0.0,
        "peak_memory_mb": 100.0,
        "samples": 5000,
    }


def test_each_level_is_compared_with_the_same_level(tmp_path: Path) -> None:
    file = tmp_path / "baseline.json"
    file.write_text(json.dumps([level(10, 100.0), level(50, 100.0)]), encoding="utf-8")
    compared = compare_levels(read_levels(file), {10: [level(10, 40.0)]})
    assert [one["concurrency"] for one in compared] == [10, 50]
    assert [one["verdict"] for one in compared] == ["regression", "no_data"]
    assert compared[0]["regression_severity"] == "critical"
    assert compared[1]["performance_regression_detected"] is None
    written = write_regression_file(tmp_path, "20241201_120000-4f2c", compared)
    assert written.name == "regression_analysis_20241201_120000.json"
    assert json.loads(written.read_text(encoding="utf-8")) == compared


@pytest.mark.parametrize(
    "content", [[], [{"throughput": 1}], [3], [level(10, 1.0) | {"concurrency": "10"}]]
)
def test_a_file_that_cannot_be_compared_with_is_refused(tmp_path: Path, content: object) -> None:
    file = tmp_path / "b.json"
    file.write_text(json.dumps(content), encoding="utf-8")
    with pytest.raises(ScenarioError, match=r"cannot be compared with"):
        read_levels(file)


@pytest.mark.parametrize(
    ("what", "found", "measures"),
    [
        ("scenario", "stress", '"baseline"'),
        ("target", "control", '"kailash"'),
        ("nodes", "lean", '"code"'),
        ("workflows", ["transformation/simple"], "a list of 3"),
    ],
)
def test_a_file_of_something_else_than_would_be_measured_is_refused(
    tmp_path: Path, what: str, found: object, measures: str
) -> None:
    """A stress run at 10 was once called an improvement of the baseline at 10."""
    file = tmp_path / "results.json"
    file.write_text(json.dumps([level(10, 1.0) | {what: found}]), encoding="utf-8")
    request = parse_request(["--scenario", "regression", "--baseline", str(file)])
    with pytest.raises(ScenarioError, match=f"with {what} .* measures {measures}"):
        loads_of(request)


def test_a_file_of_the_same_is_compared_with_whichever_release_it_measured(tmp_path: Path) -> None:
    file = tmp_path / "results.json"
    same = {
        "target": "kailash==2.62.0+pandas",
        "nodes": "code",
        "workflows": ["analytics/complex", "data_processing/complex", "transformation/medium"],
    }
    file.write_text(json.dumps([level(10, 1.0) | same, level(50, 1.0)]), encoding="utf-8")
    request = parse_request(["--scenario", "regression", "--baseline", str(file)])
    assert loads_of(request)["baseline"].concurrency == (10, 50)


def test_the_latest_five_runs_are_in_one_report_and_one_without_a_report_is_named(
    tmp_path: Path,
) -> None:
    with pytest.raises(RunFolderError, match="no run"):
        report_latest(tmp_path)
    for second in range(6):
        run = tmp_path / f"20241201_12000{second}-4f2c"
        RunFolder(run).begin("baseline")
        if second != 3:
            (run / "report.md").write_text(f"report {second}", encoding="utf-8")
    path = report_latest(tmp_path)
    assert path.name == "comprehensive_report_20241201_120005.md"
    text = path.read_text(encoding="utf-8")
    assert [f"report {n}" in text for n in range(6)] == [False, True, True, False, True, True]
    assert "Run 20241201_120003-4f2c\n\nIt has no report" in text
