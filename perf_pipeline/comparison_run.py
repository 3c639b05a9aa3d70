"""The comparison of two sides by their names: read, matched, compared, stored, reported."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from perf_pipeline.analysis.comparison.compare import compare_sides
from perf_pipeline.analysis.comparison.differences import differences_of
from perf_pipeline.analysis.comparison.read_side import read_side
from perf_pipeline.analysis.stored_metrics import metrics_of
from perf_pipeline.catalogue.filing import file_comparison
from perf_pipeline.catalogue.resolve import baseline_folders
from perf_pipeline.catalogue.store import open_catalogue
from perf_pipeline.errors import ScenarioError
from perf_pipeline.explaining.explain_comparison import explain_comparison
from perf_pipeline.metrics.comparison_file import write_comparison
from perf_pipeline.report.comparison.files import write_comparison_pages
from perf_pipeline.samples.damage import damage_named
from perf_pipeline.samples.run_folder import RunFolder

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Sequence
    from pathlib import Path

    from perf_pipeline.analysis.comparison.read_side import ReadSide
    from perf_pipeline.analysis.comparison.side import Side
    from perf_pipeline.config.settings import Settings
    from perf_pipeline.metrics.types.comparison import Comparison
    from perf_pipeline.metrics.types.profile import DifferentialProfile
    from perf_pipeline.metrics.types.run_metrics import RunMetrics


@dataclass(frozen=True)
class StoredComparison:
    """A comparison, and where it is.

    Attributes:
        comparison: The comparison.
        file: Its JSON.
        page: Its page; ``page.with_suffix(".md")`` is its Markdown.
        baseline: Metrics of the runs of the older side, without those of result files.
        candidate: Of the newer side, likewise.
        profile: Which functions' CPU time moved; None before it is asked for.
    """

    comparison: Comparison
    file: Path
    page: Path
    baseline: tuple[RunMetrics, ...]
    candidate: tuple[RunMetrics, ...]
    profile: DifferentialProfile | None = None


def compare_named(
    baseline: str,
    candidate: str,
    settings: Settings,
    *,
    comparison_id: str,
    despite: Collection[str] = (),
    matters: float = 0.0,
    notify: Callable[[str], None] = lambda _line: None,
) -> StoredComparison:
    """Compare two sides, and store the result with its page in the results folder.

    Args:
        baseline: The older side, as ``read_side`` takes it.
        candidate: The newer side, likewise.
        settings: Where runs and the catalogue are.
        comparison_id: When it is made, as a run id.
        despite: What may differ all the same.
        matters: As ``compare_sides`` takes it.
        notify: Called with a line where a baseline is less than was asked for, or the result did
            not get into the catalogue.

    Raises:
        NotComparableError: The sides differ in what must match.
        PerfPipelineError: A side cannot be read, a run is on both, or ``despite`` names nothing.
    """
    results = settings.results_dir

    def folders(name: str, like: RunMetrics | None) -> Sequence[RunFolder]:
        return baseline_folders(
            open_catalogue(results, settings.catalogue_url),
            name,
            like,
            results=results,
            search_path=settings.search_path,
            notify=notify,
        )

    after = read_side(candidate, results, lambda name: folders(name, None))
    like = after.runs[-1] if after.runs else _run_of_file(after.side, results)
    before = read_side(baseline, results, lambda name: folders(name, like))
    return compare_read(
        before,
        after,
        settings,
        comparison_id=comparison_id,
        despite=despite,
        matters=matters,
        notify=notify,
    )


def compare_read(
    before: ReadSide,
    after: ReadSide,
    settings: Settings,
    *,
    comparison_id: str,
    despite: Collection[str] = (),
    matters: float = 0.0,
    notify: Callable[[str], None] = lambda _line: None,
) -> StoredComparison:
    """Compare two sides that were read; as ``compare_named``."""
    results = settings.results_dir
    _refuse_shared_runs(before.side, after.side)
    found = compare_sides(
        before.side,
        after.side,
        comparison_id=comparison_id,
        differences=differences_of(before.side, after.side, despite=despite),
        matters=matters,
    )
    file = write_comparison(results, found)
    page = write_comparison_pages(results, found, before.runs, after.runs).html
    file_comparison(found, results, settings.catalogue_url, notify)
    return StoredComparison(found, file, page, before.runs, after.runs)


def _run_of_file(side: Side, results: Path) -> RunMetrics | None:
    """Return the newest run that result files are of, if its folder is here."""
    folder = RunFolder(results / side.runs[-1]) if side.runs and side.runs[-1] else None
    if folder is None or not (folder.root / "run.json").is_file():
        return None
    with damage_named(folder):
        return metrics_of(folder)


def _refuse_shared_runs(baseline: Side, candidate: Side) -> None:
    """Refuse a run that is on both sides: it would show no change, whatever it measured."""
    shared = [run for run in candidate.runs if run and run in baseline.runs]
    if shared:
        raise ScenarioError(
            [
                f"run {run} is on both sides ({baseline.name} and {candidate.name}): compared with "
                "itself it shows no change; measure again, or name another run"
                for run in shared
            ]
        )


def explained(
    stored: StoredComparison, settings: Settings, notify: Callable[[str], None]
) -> StoredComparison:
    """Play both sides again for a minute or two, and name the functions whose CPU time moved.

    The page is written again, with the answer. Whatever ends this sooner costs neither the
    comparison nor its page.
    """
    profile = explain_comparison(stored.comparison, settings, notify=notify)
    write_comparison_pages(
        settings.results_dir, stored.comparison, stored.baseline, stored.candidate
    )
    return replace(stored, profile=profile)
