"""The comparisons of results folders as rows of the page that lists all runs."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from perf_pipeline.metrics.comparison_file import read_comparisons
from perf_pipeline.report.comparison.files import comparison_files
from perf_pipeline.report.comparison.tables import largest_changes, verdict_cell
from perf_pipeline.report.text import changes as words
from perf_pipeline.report.text import escape

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from perf_pipeline.metrics.types.comparison import Comparison
    from perf_pipeline.report.text.table import Cell

ROWS_MAX = 100
"""Comparisons of each results folder, the newest ones; older ones are counted."""


@dataclass(frozen=True)
class ComparisonRow:
    """One comparison of the page; every text is inert.

    Attributes:
        comparison_id: Its id, which begins with the time when it was made.
        link: Address of its page, relative to the list; empty without a page.
        scenario: The scenario of both sides.
        baseline: Name and target of the older side.
        candidate: Of the newer side.
        verdict: The verdict with the severity.
        first: What moved most, in a few words; empty where nothing did.
    """

    comparison_id: str
    link: str
    scenario: str
    baseline: str
    candidate: str
    verdict: Cell
    first: str


@dataclass(frozen=True)
class ComparisonRows:
    """The comparisons of results folders.

    Attributes:
        rows: Newest first.
        older: How many are not among them.
        damaged: A sentence for each file that cannot be read.
    """

    rows: tuple[ComparisonRow, ...]
    older: int
    damaged: tuple[str, ...]


def comparison_rows(results: Sequence[Path]) -> ComparisonRows:
    """Read the newest comparisons of results folders."""
    read = [(folder, read_comparisons(folder, ROWS_MAX)) for folder in results]
    rows = [_row(folder, one) for folder, found in read for one in found.found]
    rows.sort(key=lambda row: row.comparison_id, reverse=True)
    return ComparisonRows(
        tuple(rows),
        sum(found.older for _, found in read),
        tuple(escape.visible(each) for _, found in read for each in found.damaged),
    )


def _row(results: Path, comparison: Comparison) -> ComparisonRow:
    page = comparison_files(results, comparison.comparison_id).html
    sides = (comparison.baseline, comparison.candidate)
    baseline, candidate = (f"{escape.name(one.name)} ({escape.name(one.target)})" for one in sides)
    moved = largest_changes(comparison)
    return ComparisonRow(
        comparison_id=escape.name(comparison.comparison_id),
        link=f"{page.parent.name}/{page.name}" if page.is_file() else "",
        scenario=escape.name(comparison.scenario),
        baseline=baseline,
        candidate=candidate,
        verdict=verdict_cell(comparison),
        first=words.in_short(moved[0]) if moved else "",
    )
