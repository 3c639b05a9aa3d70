"""Writes the page of a comparison and its Markdown beside its JSON."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from perf_pipeline.metrics.comparison_file import comparison_path
from perf_pipeline.metrics.profile_file import profile_of
from perf_pipeline.report.comparison.markdown import render_markdown
from perf_pipeline.report.comparison.page import render_html
from perf_pipeline.samples.run_file import write_atomically

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from perf_pipeline.metrics.types.comparison import Comparison
    from perf_pipeline.metrics.types.run_metrics import RunMetrics


class ComparisonFiles(NamedTuple):
    """What people read of a comparison.

    Attributes:
        html: The page.
        markdown: For a terminal or a merge request.
    """

    html: Path
    markdown: Path


def comparison_files(results: Path, comparison_id: str) -> ComparisonFiles:
    """Return where the page of a comparison is, or will be."""
    stored = comparison_path(results, comparison_id)
    return ComparisonFiles(stored.with_suffix(".html"), stored.with_suffix(".md"))


def write_comparison_pages(
    results: Path,
    comparison: Comparison,
    baseline: Sequence[RunMetrics] = (),
    candidate: Sequence[RunMetrics] = (),
) -> ComparisonFiles:
    """Write ``ID.html`` and ``ID.md``, each whole or not at all.

    They have the answer of the profile that explains the comparison, if that is there.

    Args:
        results: The results folder.
        comparison: The comparison.
        baseline: Those runs of the side whose metrics are at hand, oldest first.
        candidate: Likewise.

    Raises:
        OSError: The folder cannot be written to.
        RunFolderError: The profile is not what this version writes.
    """
    files = comparison_files(results, comparison.comparison_id)
    files.html.parent.mkdir(parents=True, exist_ok=True)
    runs = {*comparison.baseline.runs, *comparison.candidate.runs}
    reported = {run for run in runs if (results / run / "report.html").is_file()}
    profile = profile_of(results, comparison.comparison_id)
    page = render_html(comparison, baseline, candidate, reported=reported, profile=profile)
    write_atomically(files.markdown, render_markdown(comparison, profile).encode())
    write_atomically(files.html, page.encode())
    return files
