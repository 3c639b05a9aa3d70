"""Judges closed-loop load levels by the tables of targets that are shipped."""

from __future__ import annotations

from typing import TYPE_CHECKING

from perf_pipeline.analysis.slo.judge import decide
from perf_pipeline.config.slo.shipped import TARGET_TABLES
from perf_pipeline.metrics.types.targets import TargetRow

if TYPE_CHECKING:
    from collections.abc import Sequence

    from perf_pipeline.config.slo.slo import Slo
    from perf_pipeline.metrics.types.level import LevelMetrics

_ROW_NAMES = {
    "throughput_per_s": ("throughput", "/s"),
    "avg_s": ("average latency", "s"),
    "error_ratio": ("error ratio", "%"),
    "p99_s": ("P99 latency", "s"),
    "memory_mb": ("memory", "MB"),
}
"""Metric of an objective to the name and the unit of its row."""


def target_rows(levels: Sequence[LevelMetrics], *, stress: bool = False) -> tuple[TargetRow, ...]:
    """Judge every level that the tables apply to, by every objective that is about it.

    Args:
        levels: The levels of a run.
        stress: Its scenario is one of stress.

    Returns:
        Rows by table, then by level, then in the order of the table's objectives.
    """
    return tuple(
        _row(name, level, slo)
        for name, table in TARGET_TABLES.items()
        for level in levels
        if has_shipped_objectives(level)
        for slo in table.objectives(level.concurrency, stress=stress)
    )


def has_shipped_objectives(level: LevelMetrics) -> bool:
    """Return whether the shipped objectives apply to a level: our families on a runtime.

    An open-loop level achieves what is offered to it; what functions of a user should achieve
    only the user can say; and the control target is no runtime that could be released.
    """
    is_of_runtime = not runs_own_code(level) and not has_no_runtime(level)
    return level.role == "level" and level.loop == "closed" and is_of_runtime


def runs_own_code(level: LevelMetrics) -> bool:
    """Return whether a level's workflows are the user's (functions, requests), not ours."""
    return level.target.startswith(("callable", "http"))


def sends_requests(level: LevelMetrics) -> bool:
    """Return whether a level's workflows are requests, whose server is not in our processes."""
    return level.target.startswith("http")


def has_no_runtime(level: LevelMetrics) -> bool:
    """Return whether a level ran on a control target: the same work without a runtime."""
    return level.target.startswith("control")


def _row(table: str, level: LevelMetrics, slo: Slo) -> TargetRow:
    what, unit = _ROW_NAMES[slo.metric]
    scale = 100 if unit == "%" else 1
    found = decide(slo, level)
    think_s = level.thinking.planned_avg_s if level.thinking else 0.0
    return TargetRow(
        table=table,
        level=level.label,
        what=what,
        value=None if found.value is None else scale * found.value,
        limit=scale * slo.limit,
        unit=unit,
        higher_is_better=not slo.at_most,
        implied_rate_per_s=level.concurrency / (slo.limit + think_s)
        if slo.metric == "avg_s"
        else None,
        verdict=found.verdict,
        at_least=found.at_least,
    )
