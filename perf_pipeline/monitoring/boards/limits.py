"""Limits that colours of panels show: those of the shipped targets and of the verdicts."""

from __future__ import annotations

from perf_pipeline.config.slo.shipped import TARGET_TABLES
from perf_pipeline.monitoring.boards.panel import Query, gauge

_MINIMUM, _GOAL = TARGET_TABLES["minimum"], TARGET_TABLES["goal"]


def _limit(table: str, metric: str) -> float:
    return next(slo.limit for slo in TARGET_TABLES[table].every_level if slo.metric == metric)


GOAL_P99_S = _limit("goal", "p99_s")
GOAL_MEMORY_BYTES = _limit("goal", "memory_mb") * 1e6
MAX_MEMORY_BYTES = _limit("minimum", "memory_mb") * 1e6
GOAL_ERROR_RATIO = _GOAL.errors[0].limit if _GOAL.errors else 0.0
MAX_ERROR_RATIO = _MINIMUM.errors[0].limit if _MINIMUM.errors else 0.0

MAX_START_LAG_S = 0.010
"""A 99th percentile above it is seen in the results (alert GeneratorLagging)."""
MAX_COMMIT_GAP_S = 1.0
"""Shown by the report above it."""
MIN_EVIDENCE_RATIO = 0.95
"""Below it a fault is ``invalid``."""
MAX_ATTEMPTS = 1.5
"""Attempts per workflow (alert RetryStorm)."""
MAX_DEGRADATION = 0.10
"""Loss in 24 hours."""
MIN_DISK_BYTES = 2 << 30
MAX_STALLED_RATIO = 0.10
SILENT_S = 30.0
"""A heartbeat older than it is stale."""


def throughput_targets() -> tuple[Query, ...]:
    """Return the targets on throughput that apply to what is in flight, as lines."""
    wanted = gauge("loadtest_wanted_workflows_in_flight", "level")
    found = []
    for name, table in TARGET_TABLES.items():
        lines = [
            f"({wanted} == {concurrency}) * 0 + {slo.limit:g}"
            for concurrency, slos in table.by_concurrency.items()
            for slo in slos
            if slo.metric == "throughput_per_s"
        ]
        found.append(Query(" or ".join(lines), f"{name} (target)"))
    return tuple(found)
