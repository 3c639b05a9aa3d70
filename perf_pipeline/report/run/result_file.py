"""The result files that users know: one for each level, and one for all levels.

``results/baseline_100_20241201_120000.json`` and ``results/baseline_20241201_120000.json``: each
is a JSON list with one object for each repeat (and level). A run that was interrupted also leaves
``partial_results_20241201_120000.json``, with the levels and arms that had begun.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from perf_pipeline.metrics.performance import performance_metrics
from perf_pipeline.samples.run_folder import INTERRUPTED, write_json

if TYPE_CHECKING:
    from pathlib import Path

    from perf_pipeline.metrics.types.level import LevelMetrics
    from perf_pipeline.metrics.types.run_metrics import RunMetrics

TIMESTAMP_LENGTH = len("20241201_120000")


def level_file_name(metrics: RunMetrics, label: str) -> str:
    """Return the name of the result file of a level, or of an arm, by its label."""
    return f"{metrics.manifest.scenario}_{label}_{_timestamp(metrics)}.json"


def run_file_name(metrics: RunMetrics) -> str:
    """Return the name of the result file of all levels."""
    return f"{metrics.manifest.scenario}_{_timestamp(metrics)}.json"


def write_result_files(results: Path, metrics: RunMetrics) -> list[Path]:
    """Write the result files of a run into the results folder.

    Returns:
        Paths: one for each level and arm, that of all levels, and that of an interrupted run.
    """
    by_label: dict[str, list[LevelMetrics]] = {}
    for level in metrics.levels:
        by_label.setdefault(level.label, []).append(level)
    written = []
    for label, levels in by_label.items():
        path = results / level_file_name(metrics, label)
        write_json(path, [_entry(metrics, level) for level in levels])
        written.append(path)
    everything = results / run_file_name(metrics)
    levels = [level for level in metrics.levels if level.role == "level"]
    write_json(everything, [_entry(metrics, level) for level in levels])
    written.append(everything)
    if metrics.status == INTERRUPTED:
        written.append(results / f"partial_results_{_timestamp(metrics)}.json")
        write_json(written[-1], [_entry(metrics, level) for level in metrics.levels])
    return written


def _entry(metrics: RunMetrics, level: LevelMetrics) -> dict[str, object]:
    scenario = metrics.manifest.scenario
    return performance_metrics(level, metrics.run_id, scenario).to_dict()


def _timestamp(metrics: RunMetrics) -> str:
    """Return the time stamp at the beginning of the run's id."""
    return metrics.run_id[:TIMESTAMP_LENGTH]
