"""Comparing a run with an earlier result file: ``regression_analysis_<timestamp>.json``."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from perf_pipeline.analysis.measure import metrics_of
from perf_pipeline.compat.regression import analyse_regression
from perf_pipeline.config.scenario.target_spec import parse_target
from perf_pipeline.config.wording import shown
from perf_pipeline.errors import RunFolderError, ScenarioError
from perf_pipeline.metrics.performance import performance_metrics
from perf_pipeline.report.run.result_file import TIMESTAMP_LENGTH
from perf_pipeline.samples.run_folder import read_json, write_json

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from pathlib import Path

    from perf_pipeline.config.scenario.scenario import Scenario
    from perf_pipeline.samples.run_folder import RunFolder

Level = dict[str, Any]
NEEDED = ("scenario", "concurrency", "validity", "throughput", "avg_latency", "error_rate")


def read_levels(file: Path) -> dict[int, list[Level]]:
    """Read a result file: workflows in flight to the runs of that level.

    Raises:
        RunFolderError: It is missing or not JSON.
        ScenarioError: It is not a result file of ours; the text says what is missing.
    """
    found = read_json(file)
    levels = found if isinstance(found, list) else [found]
    by_level: dict[int, list[Level]] = {}
    for level in levels:
        missing = [name for name in NEEDED if not isinstance(level, dict) or name not in level]
        if missing or type(level["concurrency"]) is not int:
            lacks = ", ".join(missing) or "an integer concurrency"
            raise ScenarioError([f"--baseline {file} lacks {lacks}: it cannot be compared with"])
        by_level.setdefault(level["concurrency"], []).append(level)
    if not by_level:
        raise ScenarioError([f"--baseline {file} has no level: it cannot be compared with"])
    return by_level


def refuse_unlike(file: Path, levels: Mapping[int, Sequence[Level]], scenario: Scenario) -> None:
    """Refuse a result file that measured something else than the scenario would.

    Raises:
        ScenarioError: With each difference. What an older file does not say is not compared.
    """
    wanted = {
        "scenario": scenario.name,
        "target": parse_target(scenario.target).name,
        "nodes": scenario.nodes,
        "workflows": sorted({workload.name for workload in scenario.workloads}),
    }
    problems: dict[str, None] = {}
    for level in (level for runs in levels.values() for level in runs):
        for what, value in wanted.items():
            found = level.get(what, value)
            if what == "target":  # another release of the target is what a regression is about
                found = str(found).partition("+")[0].partition("==")[0]
            if found != value:
                problems[
                    f"--baseline {file} was measured with {what} {shown(found)}; a regression test "
                    f"measures {shown(value)}, and would compare different things. Give a file "
                    "of `perf-pipeline run baseline`, or measure again yourself and give both "
                    "files to LoadTestFramework.analyze_performance_regression."
                ] = None
    if problems:
        raise ScenarioError(list(problems))


def compare_with_run(file: Path, folder: RunFolder, notify: Callable[[str], None]) -> bool:
    """Compare a run with a result file level by level, print the verdicts and write them.

    Args:
        file: The result file.
        folder: The run; a level that it does not have is compared as without data.
        notify: Called with each line that people should see.

    Returns:
        Whether a regression is ruled out at every level.

    Raises:
        PerfPipelineError: The file is no result file.
    """
    compared = compare_levels(read_levels(file), _levels_of_run(folder))
    for level in compared:
        notify(f"{level['concurrency']} in flight: {level['verdict']}")
        for sentence in level["recommendations"]:
            notify(f"  {sentence}")
    written = write_regression_file(folder.root.parent, folder.run_id, compared)
    notify(f"comparison: {written}")
    return all(level["verdict"] in {"no_change", "improvement"} for level in compared)


def _levels_of_run(folder: RunFolder) -> dict[int, list[Level]]:
    try:
        metrics = metrics_of(folder)
    except RunFolderError:
        return {}  # nothing was measured, which the run has printed
    scenario = metrics.manifest.scenario
    by_level: dict[int, list[Level]] = {}
    for level in metrics.levels:
        if level.role == "level":
            one = performance_metrics(level, metrics.run_id, scenario).to_dict()
            by_level.setdefault(one["concurrency"], []).append(one)
    return by_level


def compare_levels(
    baseline: Mapping[int, Sequence[Level]], current: Mapping[int, Sequence[Level]]
) -> list[dict[str, Any]]:
    """Compare level by level; a level that the newer run lacks has the verdict ``no_data``."""
    return [
        {"concurrency": level, **analyse_regression(runs, current[level])}
        if level in current
        else {
            "concurrency": level,
            "verdict": "no_data",
            "performance_regression_detected": None,
            "regression_severity": None,
            "recommendations": [f"The newer run has no level of {level}: it ended before."],
        }
        for level, runs in baseline.items()
    ]


def write_regression_file(results: Path, run_id: str, compared: list[dict[str, Any]]) -> Path:
    """Write the comparison, one object a level; returns the file."""
    path = results / f"regression_analysis_{run_id[:TIMESTAMP_LENGTH]}.json"
    write_json(path, compared)
    return path
