"""What a level needs to know of its run."""

from __future__ import annotations

from typing import Any

from perf_pipeline.metrics.level_context import LevelContext


def plan(processes: int, connections: int = 50) -> dict[str, Any]:
    return {"processes": processes, "connections": {"max_db_connections": connections}}


def test_the_limit_on_connections_is_a_whole_pool_for_every_worker() -> None:
    context = LevelContext([], ["postgres", "redis"], {})

    assert context.connection_limits(plan(3)) == {"postgres": 48, "redis": 48}
    assert context.connection_limits(plan(2)) == {"postgres": 50, "redis": 50}


def test_connections_that_watch_mongodb_are_among_those_of_every_worker() -> None:
    """Its client keeps one by which it watches the server, and needs another for the workflows."""
    context = LevelContext([], ["mongodb"], {})

    assert context.connection_limits(plan(3)) == {"mongodb": 48}
    assert context.connection_limits(plan(3, connections=3)) == {"mongodb": 6}
