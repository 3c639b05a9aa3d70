"""What a report says of the waits for connections."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from perf_pipeline.metrics.types.exhaustion import Exhaustion
from perf_pipeline.metrics.types.server_use import ConnectionUse
from perf_pipeline.metrics.types.steps import StepMetrics, Steps
from perf_pipeline.report.pools.pool_wait import wait_sentences

if TYPE_CHECKING:
    from perf_pipeline.metrics.types.level import LevelMetrics


def _waiting(level: LevelMetrics, *names: str) -> LevelMetrics:
    """The level's own times of 10 ms stand for those of the waits."""
    steps = tuple(
        StepMetrics(name, "database", "complex", level.service_times, 0, 1.0, 0.7) for name in names
    )
    uses = tuple(ConnectionUse(one, 50, 50, 50.0, "", 0) for one in ("postgres", "redis"))
    return replace(level, label="exhaustion", connections=uses, steps=Steps(steps, ()))


def test_the_wait_for_each_server_is_told_with_its_samples(valid_level: LevelMetrics) -> None:
    level = _waiting(valid_level, "transact", "connection to postgres", "connection to redis")
    used, waited, refused = wait_sentences(level)
    assert used == "exhaustion: connections at most: PostgreSQL 50 of 50, Redis 50 of 50."
    assert "exhaustion: workflows waited for a connection to PostgreSQL for 10" in waited
    assert waited.index("PostgreSQL") < waited.index("Redis")
    assert "0 in vain), Redis for 10" in waited
    assert "none of" in refused


def test_workflows_that_got_no_connection_are_counted_with_what_ran_out(
    valid_level: LevelMetrics,
) -> None:
    ran_out = (Exhaustion("connections of the pool", 37, None, None, "", ""),)
    level = replace(
        _waiting(valid_level, "connection to postgres"),
        error_classes={"resource_exhaustion": 37},
        outcomes={"ok": 963, "error": 37},
        exhausted=ran_out,
    )
    *_, refused = wait_sentences(level)
    assert refused == (
        "exhaustion: 37 of 1,000 workflows failed with resource_exhaustion (connections of the "
        "pool ran out)."
    )


def test_a_wait_that_nobody_timed_is_not_zero(valid_level: LevelMetrics) -> None:
    _, waited, _ = wait_sentences(_waiting(valid_level, "transact"))
    assert waited.endswith("was not measured.")
