"""A side is read from runs, folders, result files, archives and baselines alike."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

from perf_pipeline.analysis.comparison.read_side import read_side
from perf_pipeline.analysis.comparison.result_entries import side_of_entries
from perf_pipeline.analysis.stored_metrics import metrics_of
from perf_pipeline.archive.export import export_archive
from perf_pipeline.errors import PerfPipelineError, ScenarioError
from perf_pipeline.report.run.result_file import write_result_files
from perf_pipeline.samples.run_folder import RunFolder
from tests.simulated_run import write_run

if TYPE_CHECKING:
    from pathlib import Path

    from perf_pipeline.analysis.comparison.read_side import ReadSide


def read(name: str, results: Path) -> ReadSide:
    return read_side(name, results, lambda _name: [RunFolder(results / "r-2")])


@pytest.fixture(scope="module")
def results(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A results folder of two runs, with their result files and an archive beside it."""
    folder = tmp_path_factory.mktemp("results")
    for run_id, service_s in (("r-1", 0.1), ("r-2", 0.2)):
        run = write_run(folder, run_id, service_s=service_s)
        write_result_files(folder, metrics_of(run))
    export_archive(folder, folder.parent / "a.tar.gz")
    return folder


def test_ids_folders_archives_and_baselines_are_the_runs_that_they_name(results: Path) -> None:
    assert read("r-1", results).side.runs == ("r-1",)
    assert read(str(results / "r-2"), results).side.runs == ("r-2",)
    assert read("r-1, r-2", results).side.runs == ("r-1", "r-2")
    assert read(str(results), results).side.runs == ("r-1", "r-2")
    assert read(str(results.parent / "a.tar.gz"), results).side.runs == ("r-1", "r-2")
    assert read("pinned:stable", results).side.runs == ("r-2",)


def test_the_runs_of_a_rolling_baseline_alone_may_be_of_several_versions(results: Path) -> None:
    names = ("rolling:5", "r-1, rolling:5", "branch:main", "pinned:stable", "r-1")
    spans = [read(name, results).side.spans_versions for name in names]
    assert spans == [True, True, False, False, False]


def test_a_result_file_is_the_same_side_as_its_run(results: Path) -> None:
    """Conditions and observations are in the file, so the run's folder is not needed."""
    of_run = read("r-1", results).side
    of_file = read(str(results / "simulated_r-1.json"), results)

    assert of_file.side.conditions == of_run.conditions
    assert of_file.side.levels == of_run.levels
    assert of_file.runs == ()


def test_a_file_of_an_earlier_version_is_read_by_the_names_that_users_know() -> None:
    entry = {
        "scenario": "baseline",
        "concurrency": 100,
        "validity": "valid",
        "throughput": 50.0,
        "avg_latency": 2.0,
        "p99_latency": 4.0,
        "latency_at_least": ["p99_latency"],
        "error_rate": 2.0,
        "samples": 1000,
        "intervals": {"throughput": [48.0, 52.0]},
    }
    (level,) = side_of_entries("file", [entry]).levels
    found = {metric: one for (metric, _), one in level.observations.items()}

    assert (level.label, found["throughput_per_s"].value) == ("100", 50.0)
    assert found["throughput_per_s"].spread == pytest.approx(0.0204, abs=0.0001)
    assert found["avg_s"].spread == found["throughput_per_s"].spread
    assert found["p99_s"].is_bound
    assert (found["error_ratio"].value, found["error_ratio"].samples) == (0.02, 1000)
    assert side_of_entries("file", [entry]).conditions == ({},)


def test_what_is_no_measurement_has_no_value_and_a_failed_target_its_errors_alone() -> None:
    entry = {"concurrency": 100, "throughput": 50.0, "error_rate": 60.0, "samples": 1000}
    noisy, failed, unknown = (
        side_of_entries("file", [{**entry, **more}]).levels[0].observations
        for more in ({"validity": "noisy_host"}, {"validity": "target_failed"}, {})
    )
    throughput, errors = ("throughput_per_s", ""), ("error_ratio", "")
    assert noisy[throughput].value is noisy[errors].value is None
    assert (failed[throughput].value, failed[errors].value) == (None, 0.6)
    assert "does not say" in unknown[throughput].why_not


@pytest.mark.parametrize(
    ("content", "problem"),
    [
        ([], "has no level"),
        ([{"throughput": 1}], "lacks scenario, concurrency"),
        ([3], "lacks scenario"),
    ],
)
def test_a_file_that_cannot_be_compared_with_is_refused(
    tmp_path: Path, content: object, problem: str
) -> None:
    file = tmp_path / "b.json"
    file.write_text(json.dumps(content), encoding="utf-8")
    with pytest.raises(ScenarioError, match=problem):
        read(str(file), tmp_path)


def test_a_file_that_was_edited_is_named(results: Path, tmp_path: Path) -> None:
    entries = json.loads((results / "simulated_r-1.json").read_text(encoding="utf-8"))
    entries[0]["observations"][0]["samples"] = "many"
    file = tmp_path / "edited.json"
    file.write_text(json.dumps(entries), encoding="utf-8")
    with pytest.raises(PerfPipelineError, match=r"edited\.json cannot be compared with"):
        read(str(file), results)


@pytest.mark.parametrize("name", ["r-9", "none.json", "none.tar.gz", " , "])
def test_what_is_not_there_is_named(results: Path, name: str) -> None:
    with pytest.raises(PerfPipelineError):
        read(name, results)
