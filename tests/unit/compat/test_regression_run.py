"""What a result file measured is measured again, and compared."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest

from perf_pipeline.analysis.stored_metrics import metrics_of
from perf_pipeline.compat.baseline_load import load_of
from perf_pipeline.compat.comprehensive_report import report_latest
from perf_pipeline.compat.regression_run import compare_with_run
from perf_pipeline.config.flags.overrides import Overrides
from perf_pipeline.config.settings import current_settings
from perf_pipeline.config.think_time import ThinkTime
from perf_pipeline.errors import RunFolderError, ScenarioError
from perf_pipeline.metrics.comparison_file import read_comparison
from perf_pipeline.metrics.performance import performance_metrics
from perf_pipeline.report.run.result_file import write_result_files
from perf_pipeline.samples.run_folder import RunFolder
from tests.simulated_run import write_run

if TYPE_CHECKING:
    from pathlib import Path

    from perf_pipeline.config.settings import Settings


def entry(concurrency: int = 10, **more: Any) -> dict[str, Any]:
    return {
        "scenario": "baseline",
        "concurrency": concurrency,
        "validity": "valid",
        "throughput": 100.0,
        "avg_latency": concurrency / 100,
        "error_rate": 0.0,
        "peak_memory_mb": 100.0,
        "samples": 5000,
        **more,
    }


def load(folder: Path, *entries: dict[str, Any]) -> tuple[str, Overrides]:
    file = folder / "results.json"
    file.write_text(json.dumps(entries), encoding="utf-8")
    return load_of(file)


def settings(results: Path) -> Settings:
    return replace(current_settings(), results_dir=results)


def test_a_file_says_scenario_target_nodes_complexity_levels_and_repeats(tmp_path: Path) -> None:
    """Of the target all but its version: another release is what a regression is about."""
    measured = {
        "scenario": "stress",
        "target": "kailash==2.62.0+pandas",
        "nodes": "lean",
        "workflows": ["analytics/simple", "data_processing/simple", "transformation/simple"],
        "conditions": {
            "seed": {"": "7"},
            "phases": {"steady_s": "5.0"},
            "load": {"10": f"10 in flight, {ThinkTime(2.5).shown}"},
        },
    }
    name, flags = load(tmp_path, *(entry(n, **measured) for n in (10, 50, 10, 50)))

    assert (name, flags.concurrency, flags.repeats) == ("stress", (10, 50), 2)
    assert (flags.target, flags.nodes, flags.complexity) == ("kailash+pandas", "lean", "simple")
    assert (flags.seed, flags.duration, flags.think_time_s) == (7, 5.0, 2.5)


def test_what_the_scenario_has_anyway_is_no_flag(tmp_path: Path) -> None:
    assert load(tmp_path, entry(10), entry(50)) == ("baseline", Overrides(concurrency=(10, 50)))


def test_a_scenario_of_the_users_is_measured_from_its_file(tmp_path: Path) -> None:
    file = tmp_path / "mine.toml"
    file.write_text(
        'target = "control"\nconcurrency = [5]\n[[workload]]\nfamily = "transformation"\n'
        'complexity = "simple"\n',
        encoding="utf-8",
    )
    measured = entry(5, scenario="mine", target="control", scenario_file=str(file))
    assert load(tmp_path, measured)[0] == str(file)
    file.unlink()
    with pytest.raises(ScenarioError, match=r"scenario .mine., whose file .* is gone"):
        load(tmp_path, measured)


def test_functions_of_the_users_own_are_measured_from_their_scenario(tmp_path: Path) -> None:
    """The file names them as the scenario does."""
    (tmp_path / "shop.py").write_text("def order(number): ...", encoding="utf-8")
    file = tmp_path / "shop.toml"
    file.write_text(
        'target = "callable"\npython_path = "."\nconcurrency = [10]\n[[workload]]\n'
        'function = "shop:order"\n',
        encoding="utf-8",
    )
    run = metrics_of(
        write_run(tmp_path, "r-1", workloads=[{"family": "shop:order", "complexity": ""}])
    )
    (level,) = run.levels
    names = performance_metrics(level, "r-1", "shop").workflows
    assert names == ("shop:order",)
    measured = entry(
        10, scenario="shop", target="callable", scenario_file=str(file), workflows=list(names)
    )
    assert load(tmp_path, measured)[0] == str(file)


@pytest.mark.parametrize(
    ("entries", "problem"),
    [
        ([entry(10, workflows=["transformation/simple"])], "was measured with workflows"),
        ([entry(10, open_loop={"offered": 3})], "has open levels"),
        ([entry(10, label="peak")], "has stages"),
        ([entry(10, nodes="code"), entry(50, nodes="lean")], "has levels with nodes"),
        ([entry(10, scenario="unknown")], "is no scenario of the project"),
        ([entry(10) | {"concurrency": "10"}], "an integer concurrency"),
    ],
)
def test_what_cannot_be_measured_again_is_refused_before_anything_is_started(
    tmp_path: Path, entries: list[dict[str, Any]], problem: str
) -> None:
    with pytest.raises(ScenarioError, match=problem):
        load(tmp_path, *entries)


def test_a_run_is_compared_with_the_file_and_its_report_says_so(tmp_path: Path) -> None:
    before = metrics_of(write_run(tmp_path, "20241201_110000-aaaa", service_s=0.1))
    write_result_files(tmp_path, before)
    file = tmp_path / "simulated_20241201_110000.json"
    folder = write_run(tmp_path, "20241201_120000-4f2c", service_s=0.2)
    lines: list[str] = []
    stored = compare_with_run(file, folder, settings(tmp_path), lines.append)

    assert stored.comparison.verdict == "regression"
    assert "10 in flight: regression" in lines
    assert read_comparison(stored.file) == stored.comparison
    (level,) = json.loads(
        (tmp_path / "regression_analysis_20241201_120000.json").read_text(encoding="utf-8")
    )
    assert (level["concurrency"], level["performance_regression_detected"]) == (10, True)
    assert level["throughput_change_percent"] == pytest.approx(-50, abs=1)
    for report in (folder.root / "report.md", report_latest(tmp_path)):
        assert "Did it get worse than" in report.read_text(encoding="utf-8")
    assert "Did it get worse than" in (folder.root / "report.html").read_text(encoding="utf-8")


def test_a_run_under_other_conditions_is_refused_with_the_command_that_compares_it(
    tmp_path: Path,
) -> None:
    before = metrics_of(write_run(tmp_path, "20241201_110000-aaaa", seed=2))
    write_result_files(tmp_path, before)
    folder = write_run(tmp_path, "20241201_120000-4f2c")
    with pytest.raises(ScenarioError, match=r"perf-pipeline compare .* --despite WHAT"):
        compare_with_run(
            tmp_path / "simulated_20241201_110000.json", folder, settings(tmp_path), print
        )


def test_a_run_that_measured_nothing_is_no_data(tmp_path: Path) -> None:
    file = tmp_path / "old.json"
    file.write_text(json.dumps([entry(10)]), encoding="utf-8")
    folder = RunFolder(tmp_path / "20241201_120000-4f2c")
    lines: list[str] = []
    stored = compare_with_run(file, folder, settings(tmp_path), lines.append)

    assert stored.comparison.verdict == "no_data"
    assert "10 in flight: no_data" in lines


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
