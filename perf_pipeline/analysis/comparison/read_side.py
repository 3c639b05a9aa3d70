"""Reads one side of a comparison: run ids and folders, result files, archives, baselines."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from perf_pipeline.analysis.comparison.measured_level import side_of
from perf_pipeline.analysis.comparison.result_entries import side_of_entries
from perf_pipeline.analysis.stored_metrics import metrics_of
from perf_pipeline.archive.unpack import unpacked_runs
from perf_pipeline.catalogue.resolve import ROLLING, is_baseline_name
from perf_pipeline.errors import RunFolderError, ScenarioError
from perf_pipeline.samples.damage import damage_named
from perf_pipeline.samples.run_folder import RunFolder, read_json
from perf_pipeline.samples.run_list import find_run, list_runs

if TYPE_CHECKING:
    from collections.abc import Iterable

    from perf_pipeline.analysis.comparison.side import Side
    from perf_pipeline.metrics.types.run_metrics import RunMetrics

_ARCHIVES = (".tar.gz", ".tgz")

BaselineFolders = Callable[[str], Sequence[RunFolder]]


class ReadSide(NamedTuple):
    """A side, and what its runs measured.

    Attributes:
        side: The side.
        runs: Metrics of its runs, oldest first; without those of result files.
    """

    side: Side
    runs: tuple[RunMetrics, ...]


def read_side(name: str, results: Path, baseline_folders: BaselineFolders) -> ReadSide:
    """Read one side.

    Args:
        name: Run ids, run folders, result files, archives of results, folders of runs, or
            baselines such as ``pinned:NAME``; several are joined by commas.
        results: The results folder.
        baseline_folders: Returns the folders of the runs that a baseline stands for.

    Raises:
        PerfPipelineError: There is none such, it cannot be read, or it is no result file.
    """
    parts = [part for part in (text.strip() for text in name.split(",")) if part]
    if not parts:
        raise ScenarioError(["a side of a comparison is empty: name a run, a file or a baseline"])
    found = [_read(part, results, baseline_folders) for part in parts]
    side = replace(
        found[-1].side,
        name=name,
        levels=tuple(level for one in found for level in one.side.levels),
        conditions=tuple(conditions for one in found for conditions in one.side.conditions),
        spans_versions=any(part.startswith(ROLLING) for part in parts),
    )
    return ReadSide(side, tuple(run for one in found for run in one.runs))


def _read(name: str, results: Path, baseline_folders: BaselineFolders) -> ReadSide:
    path = Path(name)
    if is_baseline_name(name):
        return _of_folders(name, baseline_folders(name))
    if name.endswith(_ARCHIVES):
        with unpacked_runs(path) as unpacked:
            return _of_folders(name, list_runs(unpacked))
    if name.endswith(".json"):
        return ReadSide(_side_of_file(name, path), ())
    if path.is_dir() and not (path / "run.json").exists():
        return _of_folders(name, list_runs(path))
    return _of_folders(name, [find_run(results, name)])


def _side_of_file(name: str, path: Path) -> Side:
    entries = read_entries(path)
    try:
        return side_of_entries(name, entries)
    except (KeyError, TypeError, ValueError) as error:
        what = f"{type(error).__name__}: {error}"[:200]
        raise RunFolderError(
            f"{path} cannot be compared with ({what}): it was edited, or is of another version"
        ) from error


def read_entries(file: Path) -> list[dict[str, Any]]:
    """Read the objects of a result file.

    Raises:
        RunFolderError: It is missing or not JSON.
        ScenarioError: It is not a result file; the text says what is missing.
    """
    found = read_json(file)
    entries = found if isinstance(found, list) else [found]
    needed = ("scenario", "concurrency", "validity", "throughput", "avg_latency", "error_rate")
    for entry in entries:
        lacking = [key for key in needed if not isinstance(entry, dict) or key not in entry]
        if lacking or type(entry["concurrency"]) is not int:
            lacks = ", ".join(lacking) or "an integer concurrency"
            raise ScenarioError([f"{file} lacks {lacks}: it cannot be compared with"])
    if not entries:
        raise ScenarioError([f"{file} has no level: it cannot be compared with"])
    return entries


def _of_folders(name: str, folders: Iterable[RunFolder]) -> ReadSide:
    runs = []
    for folder in folders:
        with damage_named(folder):
            runs.append(metrics_of(folder))
    if not runs:
        raise RunFolderError(f"{name} has no run")
    return ReadSide(side_of(name, runs), tuple(runs))
