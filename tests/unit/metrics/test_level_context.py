"""What a level needs to know of its run."""

from __future__ import annotations

from perf_pipeline.metrics.level_context import LevelContext


def test_the_limit_on_connections_is_a_whole_pool_for_every_worker() -> None:
    context = LevelContext([], ["postgres", "redis"], 50, {})

    assert context.connection_limits(3) == {"postgres": 48, "redis": 48}
    assert context.connection_limits(2) == {"postgres": 50, "redis": 50}


def test_mongodb_sees_one_more_connection_of_every_worker() -> None:
    """Its client keeps one by which it watches the server."""
    assert LevelContext([], ["mongodb"], 50, {}).connection_limits(3) == {"mongodb": 51}
