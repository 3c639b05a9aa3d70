"""kailash's retry engine and breaker around a workflow, as the adapter calls them."""

from __future__ import annotations

import pytest
from kailash.sdk_exceptions import CircuitBreakerOpenError, NodeExecutionError

from perf_pipeline.targets.kailash.protection import Protection


class Workflow:
    """Fails so many times, then works; counts how often it was executed."""

    def __init__(self, failures: int) -> None:
        self.failures = failures
        self.executed = 0

    def __call__(self) -> None:
        self.executed += 1
        if self.executed <= self.failures:
            raise NodeExecutionError("connection refused")


def test_a_workflow_is_tried_again_until_it_works() -> None:
    workflow = Workflow(failures=2)
    Protection(retries=2, breaker_failures=0).call(workflow, (0, 0))
    assert workflow.executed == 3


def test_the_last_failure_is_that_of_the_workflow() -> None:
    workflow = Workflow(failures=9)
    with pytest.raises(NodeExecutionError, match="connection refused"):
        Protection(retries=1, breaker_failures=0).call(workflow, (0, 0))
    assert workflow.executed == 2


def test_an_open_breaker_refuses_workflows_without_executing_them() -> None:
    workflow = Workflow(failures=9)
    protection = Protection(retries=0, breaker_failures=2)
    for _ in range(2):
        with pytest.raises(NodeExecutionError):
            protection.call(workflow, (0, 0))
    for _ in range(3):
        with pytest.raises(CircuitBreakerOpenError):
            protection.call(workflow, (0, 0))
    assert workflow.executed == 2


def test_retries_end_where_the_breaker_opens() -> None:
    workflow = Workflow(failures=9)
    with pytest.raises(CircuitBreakerOpenError):
        Protection(retries=5, breaker_failures=2).call(workflow, (0, 0))
    assert workflow.executed == 2
