"""The metrics of a run or a level as a file: written once, read back as equal values."""

from __future__ import annotations

from dataclasses import asdict
from typing import TYPE_CHECKING

from perf_pipeline.config.names import check_names
from perf_pipeline.metrics.schema_version import SCHEMA_VERSION
from perf_pipeline.metrics.types.level import LevelMetrics
from perf_pipeline.metrics.types.run_metrics import RunMetrics
from perf_pipeline.samples.manifest import manifest_names
from perf_pipeline.samples.run_folder import write_json
from perf_pipeline.samples.typed_file import read_typed

if TYPE_CHECKING:
    from pathlib import Path

    from perf_pipeline.samples.run_folder import RunFolder

LEVEL_FILE = "metrics.json"


def write_run_metrics(folder: RunFolder, metrics: RunMetrics) -> None:
    """Write ``metrics.json`` into a run's folder, whole or not at all."""
    write_json(folder.metrics, {"schema_version": SCHEMA_VERSION, **asdict(metrics)})


def read_metrics(folder: RunFolder) -> RunMetrics:
    """Read the metrics of a run back, equal to those that were written.

    A run of six levels (288 kB) is read in 3 ms, after 60 ms once a process.

    Raises:
        RunFolderError: The file is missing, or is not what this version writes.
    """
    metrics = read_typed(folder.metrics, RunMetrics, SCHEMA_VERSION)
    check_names(
        folder.metrics,
        (
            ("run id", metrics.run_id),
            *manifest_names(metrics.manifest),
            *(("level name", level.label) for level in metrics.levels),
        ),
    )
    return metrics


def write_level_metrics(folder: Path, level: LevelMetrics) -> None:
    """Write the metrics of a level that are wanted before its run ends into its folder."""
    write_json(folder / LEVEL_FILE, {"schema_version": SCHEMA_VERSION, **asdict(level)})


def read_level_metrics(folder: Path) -> LevelMetrics | None:
    """Read what ``write_level_metrics`` has written; None where it has not.

    Raises:
        RunFolderError: The file is not what this version writes.
    """
    path = folder / LEVEL_FILE
    return read_typed(path, LevelMetrics, SCHEMA_VERSION) if path.exists() else None
