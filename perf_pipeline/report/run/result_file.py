"""The result files that users know: one for each level, and one for all levels.

``results/baseline_100_20241201_120000.json`` and ``results/baseline_20241201_120000.json``: each
is a JSON list with one object for each repeat (and level). A run that was interrupted also leaves
``partial_results_20241201_120000.json``, with the levels and arms that had begun.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from perf_pipeline.analysis.comparison.result_entries import comparison_fields
from perf_pipeline.metrics.performance import performance_metrics
from perf_pipeline.samples.run_file import read_file
from perf_pipeline.samples.run_folder import write_json
from perf_pipeline.samples.run_record import INTERRUPTED

if TYPE_CHECKING:
    from pathlib import Path

    from perf_pipeline.metrics.types.level import LevelMetrics
    from perf_pipeline.metrics.types.run_metrics import RunMetrics

TIMESTAMP_LENGTH = len("20241201_120000")


def level_file(results: Path, metrics: RunMetrics, label: str) -> Path:
    """Return the path of the result file of a level, or of an arm, by its label."""
    return _free(results, f"{metrics.manifest.scenario}_{label}_", metrics)


def write_result_files(results: Path, metrics: RunMetrics) -> list[Path]:
    """Write the result files of a run into the results folder.

    Returns:
        Paths: one for each level and arm, that of all levels, and that of an interrupted run.
    """
    by_label: dict[str, list[LevelMetrics]] = {}
    for level in metrics.levels:
        by_label.setdefault(level.label, []).append(level)
    written = {level_file(results, metrics, label): levels for label, levels in by_label.items()}
    everything = _free(results, f"{metrics.manifest.scenario}_", metrics)
    written[everything] = [level for level in metrics.levels if level.role == "level"]
    if metrics.status == INTERRUPTED:
        written[_free(results, "partial_results_", metrics)] = list(metrics.levels)
    for path, levels in written.items():
        write_json(path, [_entry(metrics, level) for level in levels])
    return list(written)


def _free(results: Path, begin: str, metrics: RunMetrics) -> Path:
    """Return the path of a result file of this run, never that of another run's.

    Two runs of the same second differ in the end of their ids: the second one has its whole id in
    the names of its files. The id of a foreign run may begin as one of ours does.
    """
    path = results / f"{begin}{metrics.run_id[:TIMESTAMP_LENGTH]}.json"
    try:
        entries = json.loads(read_file(path))
        owner = entries[0]["run_id"] if entries else metrics.run_id
    except FileNotFoundError:
        return path
    except (OSError, ValueError, TypeError, KeyError, IndexError, RecursionError):
        owner = ""  # not one of ours
    return path if owner == metrics.run_id else results / f"{begin}{metrics.run_id}.json"


def _entry(metrics: RunMetrics, level: LevelMetrics) -> dict[str, object]:
    scenario = metrics.manifest.scenario
    return {
        **performance_metrics(level, metrics.run_id, scenario).to_dict(),
        "scenario_file": metrics.manifest.scenario_file,
        **comparison_fields(metrics.manifest, level),
    }
