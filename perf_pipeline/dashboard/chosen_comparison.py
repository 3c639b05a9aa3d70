"""The comparison of two runs that a reader chooses: computed from what is stored, and not stored.

It has the rules of ``perf-pipeline compare``: both sides must match in everything but the target.
"""

from __future__ import annotations

import threading
from dataclasses import replace
from functools import lru_cache
from typing import TYPE_CHECKING

from perf_pipeline.config.names import is_name
from perf_pipeline.errors import RunFolderError, ScenarioError
from perf_pipeline.metrics.comparison_file import read_comparisons
from perf_pipeline.report.comparison.files import comparison_files
from perf_pipeline.report.comparison.page import render_html
from perf_pipeline.samples.run_folder import RunFolder
from perf_pipeline.samples.run_record import MAY_GO_ON

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from perf_pipeline.metrics.types.run_metrics import RunMetrics

KEPT_MAX = 16
"""Pages that are kept, those asked for last."""
STORED_MAX = 200
"""Stored comparisons among which the two runs are looked for, the newest ones."""
CHOSEN = "chosen"
"""What takes the place of an id: the comparison is in no file."""

_one_at_a_time = threading.Lock()


def stored_page(results: Sequence[Path], baseline: str, candidate: str) -> str:
    """Return the address of a stored page that compares just these runs; empty without one."""
    for folder in results:
        for one in read_comparisons(folder, STORED_MAX).found:
            page = comparison_files(folder, one.comparison_id).html
            sides = (one.baseline.runs, one.candidate.runs)
            if sides == ((baseline,), (candidate,)) and page.is_file():
                return f"/{page.parent.name}/{page.name}"
    return ""


def comparison_page(results: Sequence[Path], baseline: str, candidate: str) -> str:
    """Compare two runs of results folders, and return the page.

    Args:
        results: The folders.
        baseline: Id of the older run.
        candidate: Id of the newer one.

    Raises:
        NotComparableError: They differ in what must match.
        PerfPipelineError: A run is not there, goes on, has no stored metrics, or is both sides.
    """
    if baseline == candidate:
        raise ScenarioError(
            [f"run {baseline!r:.80} is on both sides: compared with itself it shows no change"]
        )
    folders = [_folder(results, run_id) for run_id in (baseline, candidate)]
    stamps = tuple(_stamp(folder) for folder in folders)
    # Charts and statistics take some seconds of CPU time, which readers must not multiply.
    with _one_at_a_time:
        return _page(*(folder.root for folder in folders), stamps)


def _folder(results: Sequence[Path], run_id: str) -> RunFolder:
    if is_name("run id", run_id):
        for folder in results:
            root = folder / run_id
            if root.is_dir() and not root.is_symlink() and (root / "run.json").is_file():
                return RunFolder(root)
    raise RunFolderError(f"no run {run_id!r:.80} is in the results folders that are shown here")


def _stamp(folder: RunFolder) -> int:
    """Return when the metrics of a run were stored.

    Raises:
        RunFolderError: It goes on, or they were not.
    """
    if folder.read_status()["status"] in MAY_GO_ON:
        raise RunFolderError(f"run {folder.run_id} goes on: compare it once it has ended")
    try:
        return folder.metrics.lstat().st_mtime_ns
    except OSError as error:
        raise RunFolderError(
            f"run {folder.run_id} has no stored metrics: `perf-pipeline report {folder.run_id}` "
            "measures it"
        ) from error


@lru_cache(maxsize=KEPT_MAX)
def _page(baseline: Path, candidate: Path, _stamps: tuple[int, ...]) -> str:
    # numpy and the statistics take half a second to import, which other pages need not.
    from perf_pipeline.analysis.comparison.compare import compare_sides  # noqa: PLC0415
    from perf_pipeline.analysis.comparison.differences import differences_of  # noqa: PLC0415
    from perf_pipeline.analysis.comparison.measured_level import side_of  # noqa: PLC0415

    before, after = (_metrics(root) for root in (baseline, candidate))
    sides = [side_of(run.run_id, [run]) for run in (before, after)]
    found = compare_sides(*sides, comparison_id=CHOSEN, differences=differences_of(*sides))
    reported = {root.name for root in (baseline, candidate) if (root / "report.html").is_file()}
    return render_html(found, [before], [after], reported=reported)


def _metrics(root: Path) -> RunMetrics:
    from perf_pipeline.metrics.metrics_file import read_metrics  # noqa: PLC0415 - as above

    # In a copy as well: the link to its report is made of it.
    return replace(read_metrics(RunFolder(root)), run_id=root.name)
