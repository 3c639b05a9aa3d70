"""A comparison for a terminal: the verdict and what to do first, then what moved."""

from __future__ import annotations

from typing import TYPE_CHECKING

from perf_pipeline.cli.lines.lines import fitting, wrapped
from perf_pipeline.report.comparison.tables import answers, by_weight, changes_table
from perf_pipeline.report.text import quantity

if TYPE_CHECKING:
    from perf_pipeline.metrics.types.comparison import Comparison
    from perf_pipeline.report.text.table import Table

ROWS_MAX = 10
"""Metrics that are listed without ``explain``: with the rest, the answer fits 25 lines."""

ADVICE_MAX = 3
ADVICE_LINES = 2
_LAST = ("Interval", "Baseline", "Candidate", "p")
"""Columns that are left out first, the last one first."""


def comparison_lines(comparison: Comparison, width: int, *, explain: bool = False) -> list[str]:
    """Return the answers, and a row for each metric, those first that a decision depends on.

    Args:
        comparison: The comparison.
        width: Columns of a line.
        explain: Every metric, each with its reason, and what the columns mean; else at most 25
            lines.
    """
    worse, to_do = answers(comparison)
    texts = [f"{worse.answer.text}: {' '.join(worse.sentences)}"]
    lines = [line for text in texts for line in wrapped(text, width, 0 if explain else 4)]
    advice = to_do.sentences if explain else to_do.sentences[:ADVICE_MAX]
    lines += [
        line
        for text in (to_do.answer.text, *(f"- {sentence}" for sentence in advice))
        for line in wrapped(text, width, 0 if explain else ADVICE_LINES)
    ]
    changes = by_weight(comparison.changes)
    listed = changes if explain else changes[:ROWS_MAX]
    table = changes_table("", listed)
    if not table.rows:
        return lines
    lines += ["", *_rows(table, width)]
    if explain:
        reasons = [
            f"{row[0].text} {row[1].text}: {cell.note}"
            for row in table.rows
            for cell in row
            if cell.note and table.columns[row.index(cell)] == "Verdict"
        ]
        return [
            *lines,
            "",
            *(line for text in (*reasons, table.note) for line in wrapped(text, width)),
        ]
    left = len(changes) - len(listed)
    if left:
        lines.append(f"{quantity.counted(left, 'metric')} more with --explain")
    return lines


def _rows(table: Table, width: int) -> list[str]:
    rows = [table.columns, *(tuple(cell.text for cell in row) for row in table.rows)]
    places = range(len(table.columns))
    important = [at for at in places if table.columns[at] not in _LAST]
    last = [table.columns.index(name) for name in _LAST]
    return fitting(rows, width, [*important, *last]).splitlines()
