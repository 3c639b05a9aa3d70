"""A run compared with a result file: ``regression_analysis_<timestamp>.json``."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from perf_pipeline.analysis.comparison.differences import NOT_RECORDED, NotComparableError
from perf_pipeline.analysis.comparison.measured_level import levels_of, side_of
from perf_pipeline.analysis.comparison.read_side import ReadSide, read_entries
from perf_pipeline.analysis.comparison.result_entries import label_of, side_of_entries
from perf_pipeline.analysis.comparison.side import Side
from perf_pipeline.analysis.stored_metrics import metrics_of
from perf_pipeline.comparison_run import StoredComparison, compare_read
from perf_pipeline.compat.regression import known_keys
from perf_pipeline.errors import RunFolderError
from perf_pipeline.metrics.performance import performance_metrics
from perf_pipeline.report.run.files import write_files
from perf_pipeline.report.run.result_file import TIMESTAMP_LENGTH
from perf_pipeline.samples.run_folder import write_json

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from pathlib import Path

    from perf_pipeline.config.settings import Settings
    from perf_pipeline.metrics.types.run_metrics import RunMetrics
    from perf_pipeline.samples.run_folder import RunFolder

Entry = dict[str, Any]


def compare_with_run(
    file: Path, folder: RunFolder, settings: Settings, notify: Callable[[str], None]
) -> StoredComparison:
    """Compare a run with a result file, print the verdict on each level, and store all of it.

    Args:
        file: The result file.
        folder: The run; a level that it does not have is compared as without data.
        settings: Where comparisons are stored.
        notify: Called with each line that people should see.

    Raises:
        PerfPipelineError: The file is no result file, or was measured under other conditions.
    """
    entries = read_entries(file)
    before = ReadSide(side_of_entries(str(file), entries), ())
    run = _measured(folder)
    after = (
        ReadSide(side_of(folder.run_id, [run]), (run,))
        if run
        else ReadSide(Side(folder.run_id, before.side.scenario, before.side.target, ()), ())
    )
    # What an earlier version wrote does not say how it was measured; the result says so.
    is_silent = any(not one for one in before.side.conditions)
    try:
        stored = compare_read(
            before,
            after,
            settings,
            comparison_id=folder.run_id,
            despite=(NOT_RECORDED,) if is_silent else (),
            notify=notify,
        )
    except NotComparableError as error:
        again = f"perf-pipeline compare {file} {folder.run_id} --despite WHAT"
        hint = f"The run is measured and kept; `{again}` compares all the same."
        raise NotComparableError([*error.problems, hint]) from error
    if run:
        write_files(folder, run)  # again: its report has the answer now
    compared = _levels(stored, entries, _entries(run))
    for level in compared:
        notify(f"{level['concurrency']} in flight: {level['verdict']}")
    for sentence in stored.comparison.recommendations:
        notify(f"  {sentence}")
    written = write_regression_file(folder.root.parent, folder.run_id, compared)
    notify(f"comparison: {written}, {stored.page}")
    return stored


def _measured(folder: RunFolder) -> RunMetrics | None:
    try:
        return metrics_of(folder)
    except RunFolderError:
        return None  # nothing was measured, which the run has printed


def _entries(run: RunMetrics | None) -> list[Entry]:
    if run is None:
        return []
    scenario = run.manifest.scenario
    return [
        {**performance_metrics(level, run.run_id, scenario).to_dict(), "label": level.label}
        for level in levels_of(run)
    ]


def _levels(
    stored: StoredComparison, before: Sequence[Entry], after: Sequence[Entry]
) -> list[dict[str, Any]]:
    """Return each level of the result file under the keys that users know."""
    return [
        {
            "concurrency": _of(label, before)[0]["concurrency"],
            **known_keys(
                stored.comparison,
                label,
                {"baseline": _of(label, before), "current": _of(label, after)},
            ),
        }
        for label in dict.fromkeys(map(label_of, before))
    ]


def _of(label: str, entries: Sequence[Entry]) -> list[Entry]:
    return [entry for entry in entries if label_of(entry) == label]


def write_regression_file(
    results: Path, run_id: str, compared: Sequence[Mapping[str, Any]]
) -> Path:
    """Write the comparison, one object a level; returns the file."""
    path = results / f"regression_analysis_{run_id[:TIMESTAMP_LENGTH]}.json"
    write_json(path, list(compared))
    return path
