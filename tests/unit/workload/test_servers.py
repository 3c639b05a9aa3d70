from __future__ import annotations

import pytest

from perf_pipeline.config.scenario.scenario import COMPLEXITIES, FAMILIES
from perf_pipeline.workload.servers import (
    connection_name,
    servers_optional,
    servers_used,
    servers_written,
)


def test_every_kind_of_a_scenario_has_its_servers_and_writes_to_none_that_it_does_not_use() -> None:
    for family in FAMILIES:
        for complexity in COMPLEXITIES:
            assert servers_written(family, complexity) <= servers_used(family, complexity)


def test_the_writing_workflows_and_where_they_write() -> None:
    written = {
        (family, complexity): sorted(servers_written(family, complexity))
        for family in FAMILIES
        for complexity in COMPLEXITIES
        if servers_written(family, complexity)
    }
    assert written == {
        ("analytics", "medium"): ["redis"],
        ("analytics", "complex"): ["mongodb", "postgres", "redis"],
        ("data_processing", "complex"): ["mysql", "postgres"],
        ("database", "simple"): ["postgres"],
        ("database", "medium"): ["postgres", "redis"],
        ("database", "complex"): ["mongodb", "mysql", "postgres", "redis"],
    }


def test_only_writes_at_the_end_can_be_left_out() -> None:
    optional = {
        (family, complexity): sorted(servers_optional(family, complexity))
        for family in FAMILIES
        for complexity in COMPLEXITIES
        if servers_optional(family, complexity)
    }
    assert optional == {
        ("analytics", "complex"): ["mongodb"],
        ("data_processing", "complex"): ["mysql"],
        ("database", "complex"): ["mongodb", "mysql"],
    }
    missing = ("mysql", "mongodb")
    assert servers_written("analytics", "complex", missing) == {"postgres", "redis"}
    assert servers_used("data_processing", "complex", missing) == {"postgres"}
    assert servers_used("analytics", "medium", missing) == {"postgres", "redis"}


def test_a_server_that_a_workflow_is_built_on_cannot_be_left_out() -> None:
    complaint = "analytics/complex cannot be built without postgres, redis: only mongodb can be"
    with pytest.raises(ValueError, match=complaint):
        servers_used("analytics", "complex", ("redis", "mongodb", "postgres"))
    with pytest.raises(ValueError, match="without postgres: none of its servers can be left out"):
        servers_written("analytics", "simple", ("postgres",))


def test_the_reading_workflow_needs_postgres_alone() -> None:
    assert servers_used("analytics", "simple") == {"postgres"}
    assert servers_used("transformation", "complex") == frozenset()
    assert servers_used("data_processing", "medium") == frozenset()


def test_a_users_own_function_needs_no_server_and_writes_to_none_that_could_be_counted() -> None:
    """It has no complexity; what it does with the servers of its scenario is its own affair."""
    missing = ("postgres", "mysql")
    assert servers_used("shop:order", "") == frozenset()
    assert servers_used("shop:order", "", missing) == frozenset()
    assert servers_optional("shop:order", "") == frozenset()
    assert servers_written("shop:order", "", missing) == frozenset()
    with pytest.raises(KeyError):
        servers_used("shop:order", "simple")


@pytest.mark.parametrize("run_id", ["a b", "é", "a\n", "x" * 50])
def test_a_connection_name_that_a_server_would_alter_is_refused(run_id: str) -> None:
    with pytest.raises(ValueError, match="63 bytes"):
        connection_name(run_id)


def test_the_longest_connection_name_still_fits_postgres() -> None:
    assert len(connection_name("x" * 49)) == 63
