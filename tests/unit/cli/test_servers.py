"""What people are reported of servers."""

from __future__ import annotations

from dataclasses import replace

import pytest

from perf_pipeline.cli.servers import describe, is_healthy
from perf_pipeline.servers.lifecycle.status import ServiceStatus
from perf_pipeline.servers.stack.service_state import ServiceState
from perf_pipeline.servers.stack.stack import StackStatus

NO_STACK = StackStatus("perf_pipeline")
PLACE = "MariaDB 10.11.19 at mysql://u:***@127.0.0.1:4000/d (start)"
RUNS = ServiceStatus(
    "mysql",
    "answers",
    "good",
    source="start",
    url="mysql://u:***@127.0.0.1:4000/d",
    product="MariaDB",
    version="10.11.19",
    answer_s=0.0021,
    connections=3,
    max_connections=500,
)
IDLE = ServiceStatus("redis", "can_start", "not_running", "bundle", product="/x/valkey-server")
GONE = ServiceStatus("mongodb", "unavailable", "failing", detail="start it")


@pytest.mark.parametrize(
    ("status", "line"),
    [
        (RUNS, f"{PLACE}, connections 3 of 500, answered in 2 ms"),
        (
            replace(RUNS, connections=None, max_connections=None),
            f"{PLACE}, connections not known, answered in 2 ms",
        ),
        (IDLE, "a run would start /x/valkey-server (bundle)"),
        (GONE, "unavailable"),
    ],
)
def test_one_line_shows_source_product_and_health(status: ServiceStatus, line: str) -> None:
    """What is not known is not shown as zero."""
    assert describe(status) == line


@pytest.mark.parametrize(
    ("servers", "expected"),
    [([RUNS, IDLE], "well"), ([IDLE], "ill"), ([RUNS, GONE], "ill"), ([], "ill")],
)
def test_all_is_well_if_something_runs_and_nothing_fails(
    servers: list[ServiceStatus], expected: str
) -> None:
    """A check that found nothing to check must not look like one that passed."""
    assert is_healthy(servers, NO_STACK) is (expected == "well")


@pytest.mark.parametrize(
    ("states", "expected"),
    [(["healthy", "running"], "well"), (["healthy", "exited"], "ill"), (["starting"], "ill")],
)
def test_a_stack_is_well_if_each_of_its_services_is(states: list[str], expected: str) -> None:
    services = tuple(ServiceState(f"s{number}", state) for number, state in enumerate(states))
    stack = StackStatus("perf_pipeline", services)
    assert is_healthy([IDLE], stack) is (expected == "well")
    assert not is_healthy([GONE], stack)
    assert not is_healthy([RUNS], StackStatus("perf_pipeline", why_not="no engine"))
