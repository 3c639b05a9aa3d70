"""A comparison for a terminal: the verdict and what to do, the two sides, what moved."""

from __future__ import annotations

from typing import TYPE_CHECKING

from perf_pipeline.cli.lines.lines import fitting, wrapped
from perf_pipeline.report.comparison.tables import (
    answers,
    by_weight,
    changes_table,
    counted_runs,
)
from perf_pipeline.report.text import quantity

if TYPE_CHECKING:
    from collections.abc import Iterable

    from perf_pipeline.metrics.types.comparison import ComparedSide, Comparison
    from perf_pipeline.report.text.table import Table

ROWS_MAX = 9
"""Metrics that are listed without ``explain``: with the rest, the answer fits 24 lines."""

ADVICE_MAX = 2
_LINES = 3
_MORE_LINES = 2
_IMPORTANT = ("Metric", "Verdict", "Change", "Level", "Family", "Interval", "Baseline", "Candidate")
"""Columns, the one that is left out first last."""


def comparison_lines(comparison: Comparison, width: int, *, explain: bool = False) -> list[str]:
    """Return the answers, and a row for each metric, those first that a decision depends on.

    Args:
        comparison: The comparison.
        width: Columns of a line.
        explain: Every metric, each with its reason, and what the columns mean; else at most 24
            lines.
    """
    lines = [*_answer(comparison, width, explain=explain), *_sides(comparison, width)]
    changes = by_weight(comparison.changes)
    table = changes_table("", changes if explain else changes[:ROWS_MAX])
    if table.rows:
        lines += ["", *_rows(table, width)]
    if explain:
        verdict = table.columns.index("Verdict")
        reasons = (
            f"{row[0].text} at {row[1].text}: {row[verdict].note}"
            for row in table.rows
            if row[verdict].note
        )
        return [*lines, "", *_wrapped((*reasons, table.note), width)]
    left = len(changes) - len(table.rows)
    if left:
        lines.append(f"{quantity.counted(left, 'metric')} more with --explain")
    return lines


def _answer(comparison: Comparison, width: int, *, explain: bool) -> list[str]:
    worse, to_do = answers(comparison)
    advice = to_do.sentences if explain else to_do.sentences[:ADVICE_MAX]
    first = f"{worse.answer.text}: {' '.join(worse.sentences)}"
    return [
        *wrapped(first, width, 0 if explain else _LINES),
        to_do.answer.text,
        *_wrapped((f"- {one}" for one in advice), width, 0 if explain else _MORE_LINES),
    ]


def _sides(comparison: Comparison, width: int) -> list[str]:
    differs = "; ".join(
        f"{one.what}: {one.baseline} -> {one.candidate}" + (" (--despite)" if one.despite else "")
        for one in comparison.differences
    )
    return [
        *wrapped(f"baseline: {_side(comparison, comparison.baseline)}", width, 1),
        *wrapped(f"candidate: {_side(comparison, comparison.candidate)}", width, 1),
        *wrapped(f"differs: {differs or 'nothing that is recorded'}", width, _MORE_LINES),
    ]


def _side(comparison: Comparison, side: ComparedSide) -> str:
    runs = counted_runs(comparison, side)
    return f"{side.name} ({side.target}; {runs}; {', '.join(side.validities) or 'no level'})"


def _wrapped(texts: Iterable[str], width: int, lines_max: int = 0) -> list[str]:
    return [line for text in texts for line in wrapped(text, width, lines_max)]


def _rows(table: Table, width: int) -> list[str]:
    rows = [table.columns, *(tuple(cell.text for cell in row) for row in table.rows)]
    places = [table.columns.index(name) for name in _IMPORTANT if name in table.columns]
    return fitting(rows, width, places).splitlines()
