"""What was not measured, why, and at which levels: each reason once."""

from __future__ import annotations

from typing import TYPE_CHECKING

from perf_pipeline.report.text import escape, labels
from perf_pipeline.report.text.table import Cell, Table

if TYPE_CHECKING:
    from perf_pipeline.metrics.types.run_metrics import RunMetrics


def not_measured(metrics: RunMetrics) -> Table:
    """Return every field without a value, with its reason and the levels it holds for."""
    found: dict[str, dict[str, list[str]]] = {}
    for level in metrics.levels:
        for field, reason in level.not_measured.items():
            levels = found.setdefault(reason, {}).setdefault(field, [])
            levels.append(labels.level_name(level))
    rows = []
    for reason, fields in found.items():
        same: dict[tuple[str, ...], list[str]] = {}
        for field, levels in fields.items():
            same.setdefault(tuple(levels), []).append(escape.name(field))
        for levels_held, names in same.items():
            where = "all" if len(levels_held) == len(metrics.levels) else ", ".join(levels_held)
            rows.append((Cell(", ".join(names)), Cell(escape.visible(reason)), Cell(where)))
    return Table("What was not measured", ("Fields", "Why", "Levels"), tuple(rows))
