"""The table of fields that were not measured, by reason and by level."""

from __future__ import annotations

from typing import TYPE_CHECKING

from perf_pipeline.report.text import escape, labels
from perf_pipeline.report.text.table import Cell, Table

if TYPE_CHECKING:
    from perf_pipeline.metrics.types.run_metrics import RunMetrics


def not_measured(metrics: RunMetrics) -> Table:
    """Return every field without a value, with the reason and the levels that lack it."""
    by_reason: dict[str, dict[str, list[str]]] = {}
    for level in metrics.levels:
        for field, reason in level.not_measured.items():
            levels = by_reason.setdefault(reason, {}).setdefault(field, [])
            levels.append(labels.level_name(level))
    rows = []
    for reason, fields in by_reason.items():
        by_levels: dict[tuple[str, ...], list[str]] = {}
        for field, levels in fields.items():
            by_levels.setdefault(tuple(levels), []).append(escape.name(field))
        for at, names in by_levels.items():
            where = "all" if len(at) == len(metrics.levels) else ", ".join(at)
            rows.append((Cell(", ".join(names)), Cell(escape.visible(reason)), Cell(where)))
    return Table("Not measured", ("Fields", "Reason", "Levels"), tuple(rows))
