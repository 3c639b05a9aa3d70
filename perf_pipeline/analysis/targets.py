"""The tables of targets that users know, and whether each line was met.

Source of the limits: shared design, "Targets that users know".
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from perf_pipeline.config.slo.verdict import MIN_TAIL_SAMPLES, Verdict
from perf_pipeline.metrics.types.targets import TargetRow

if TYPE_CHECKING:
    from collections.abc import Sequence

    from perf_pipeline.metrics.types.level import LevelMetrics


@dataclass(frozen=True)
class Limits:
    """Limits of one table at one concurrency."""

    throughput_per_s: float
    average_s: float


TABLES: dict[str, dict[int, Limits]] = {
    "expected": {100: Limits(10, 1), 500: Limits(25, 2), 1000: Limits(40, 5)},
    "minimum": {100: Limits(5, 2), 500: Limits(15, 5), 1000: Limits(25, 10)},
    "goal": {1000: Limits(50, 5), 2000: Limits(80, 8)},
}
ERROR_PERCENT = {"minimum": 5.0, "goal": 2.0}
P99_S = {"goal": 15.0}
MEMORY_MB = {"minimum": 1000.0, "goal": 500.0}


def target_rows(levels: Sequence[LevelMetrics]) -> tuple[TargetRow, ...]:
    """Compare every closed level (arms left out) to every table that speaks of it.

    The tables are about so many in flight at all times; what an open level reaches is what was
    offered to it. A value whose 95 % interval holds the limit is neither met nor missed; only
    throughput and P99 have an interval. They are about the families of this project: what
    functions of a user's own should reach, only the user can say.
    """
    rows: list[TargetRow] = []
    for table in TABLES:
        for level in levels:
            if level.role == "level" and level.loop == "closed" and not runs_own_code(level):
                rows += _rows(table, level)
    return tuple(rows)


def runs_own_code(level: LevelMetrics) -> bool:
    """Return whether a level's workflows are functions of the user's own, not our families."""
    return level.target.startswith("callable")


def _rows(table: str, level: LevelMetrics) -> list[TargetRow]:
    rows = []
    limits = TABLES[table].get(level.concurrency)
    if limits:
        throughput, average = level.throughput_per_s, level.service_times.avg_s
        implied = level.concurrency / limits.average_s
        rows += [
            _row(
                table,
                level,
                "throughput",
                throughput,
                limits.throughput_per_s,
                "/s",
                ends=(level.throughput_low_per_s, level.throughput_high_per_s),
            ),
            _row(table, level, "average latency", average, limits.average_s, "s", implied=implied),
        ]
    if table in ERROR_PERCENT:
        percent = None if level.error_ratio is None else 100 * level.error_ratio
        rows.append(_row(table, level, "error ratio", percent, ERROR_PERCENT[table], "%"))
    if table in P99_S:
        rows.append(_p99_row(table, level))
    if table in MEMORY_MB:
        memory = level.resources.workers_pss_peak_mb
        rows.append(_row(table, level, "memory", memory, MEMORY_MB[table], "MB"))
    return rows


def _row(
    table: str,
    level: LevelMetrics,
    what: str,
    value: float | None,
    limit: float,
    unit: str,
    *,
    implied: float | None = None,
    ends: tuple[float | None, float | None] = (None, None),
) -> TargetRow:
    higher = unit == "/s"
    verdict: Verdict = "no_data"
    if value is not None and level.validity == "valid":
        verdict = "met" if (value > limit if higher else value < limit) else "missed"
        low, high = ends
        if low is not None and low < limit and (high is None or high > limit):
            verdict = "unclear"
    return TargetRow(
        table=table,
        level=level.label,
        what=what,
        value=value,
        limit=limit,
        unit=unit,
        higher_is_better=higher,
        implied_rate_per_s=implied,
        verdict=verdict,
    )


def _p99_row(table: str, level: LevelMetrics) -> TargetRow:
    """A P99 that is only known to be "at least" can be missed, but not met."""
    p99 = level.service_times.p99
    limit = P99_S[table]
    surely_over = p99.at_least and p99.value_s is not None and p99.value_s >= limit
    known = surely_over or (not p99.at_least and p99.samples_beyond >= MIN_TAIL_SAMPLES)
    ends = (p99.low_s, p99.high_s)
    row = _row(table, level, "P99 latency", p99.value_s, limit, "s", ends=ends)
    return row if known else replace(row, verdict="no_data")
