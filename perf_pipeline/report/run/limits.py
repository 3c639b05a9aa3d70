"""The scenario's memory and CPU limits, with what the worker processes used at each level."""

from __future__ import annotations

from typing import TYPE_CHECKING

from perf_pipeline.report.text import escape, labels, quantity
from perf_pipeline.report.text.table import Cell, Fact

if TYPE_CHECKING:
    from perf_pipeline.metrics.types.level import LevelMetrics
    from perf_pipeline.metrics.types.run_metrics import RunMetrics

TOLERANCE = 1.1
"""Use above the limit by less than this ratio is not reported: CPU time is counted in ticks of
10 ms, and CPU left over from one period may be used in the next."""


def limit_facts(metrics: RunMetrics) -> tuple[Fact, ...]:
    """Return the limits of the workers with what they used at each level; empty without limits."""
    limits = metrics.manifest.limits
    return tuple(
        Fact(
            term,
            _cell(f"{limit:.10g} {unit}", metrics.levels, key),
        )
        for key, limit, term, unit in (
            ("memory_mb", limits.memory_mb, "Memory limit", "MB for all workers together"),
            (
                "cpu_percent",
                limits.cpu_percent,
                "CPU limit",
                "% of a core for all workers together",
            ),
        )
        if limit is not None
    )


def _cell(shown: str, levels: tuple[LevelMetrics, ...], key: str) -> Cell:
    mechanisms = dict.fromkeys(escape.visible(level.limits.get("mechanism")) for level in levels)
    used = [f"{labels.level_name(level)}: {_used(level, key)}" for level in levels]
    note = f"enforced by {' or '.join(mechanisms)}; used at {'; '.join(used)}" if levels else ""
    over = any(_is_over(level, key) for level in levels)
    return Cell(f"{shown}, exceeded" if over else shown, "bad" if over else "plain", note)


def _used(level: LevelMetrics, key: str) -> str:
    amount = _amount(level, key)
    if amount is None:
        found = quantity.NOT_MEASURED
    else:
        unit = "MB peak (PSS)" if key == "memory_mb" else "%"
        found = f"{quantity.significant(amount)} {unit}"
    ends = [one.reason for one in level.workers if one.reason.startswith("memory limit")]
    return (
        f"{found}, {quantity.counted(len(ends), 'worker')} killed by the limit"
        if ends and key == "memory_mb"
        else found
    )


def _amount(level: LevelMetrics, key: str) -> float | None:
    resources = level.resources
    if key == "memory_mb":
        return resources.workers_pss_peak_mb
    return resources.workers_cpu_mean_percent


def _is_over(level: LevelMetrics, key: str) -> bool:
    amount, limit = _amount(level, key), level.limits.get(key)
    return amount is not None and isinstance(limit, int | float) and amount > TOLERANCE * limit
