"""Which workflows ``FailureInjector`` has fail, and what it refuses."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

import pytest

from perf_pipeline.compat.failure_injector import FailureInjector
from perf_pipeline.compat.load_test_config import LoadTestConfig
from perf_pipeline.errors import PerfPipelineError

if TYPE_CHECKING:
    from pathlib import Path

RATE = LoadTestConfig(enable_failure_injection=True, failure_rate=0.1)


def test_a_tenth_of_the_workflows_meet_a_failure_always_the_same_ones() -> None:
    """Of 5000 workflows 500 are expected; four standard deviations are 85."""
    one, again, other = (FailureInjector(RATE, seed=seed) for seed in (1, 1, 2))
    chosen = [one.failure_of(number) for number in range(5000)]

    assert abs(sum(kind is not None for kind in chosen) - 500) < 85
    assert chosen == [again.failure_of(number) for number in range(5000)]
    assert chosen != [other.failure_of(number) for number in range(5000)]
    kinds = Counter(kind for kind in chosen if kind)
    assert set(kinds) == {"database_timeout", "memory_pressure", "connection_exhaustion"}
    assert min(kinds.values()) > 100


def test_no_workflow_meets_a_failure_unless_that_is_switched_on() -> None:
    injector = FailureInjector(LoadTestConfig())
    assert not any(injector.failure_of(number) for number in range(500))


@pytest.mark.parametrize(
    ("failure", "server", "message"),
    [
        ("database_timeut", None, 'did you mean "database_timeout"'),
        ("disk_full", "redis", "makes no sense: it keeps its data in memory"),
        ("database_timeout", "oracle", "makes no sense"),
    ],
)
def test_what_is_no_failure_is_refused_before_anything_starts(
    failure: str, server: str | None, message: str, tmp_path: Path
) -> None:
    injector = FailureInjector()
    with (
        pytest.raises(PerfPipelineError, match=message),
        injector.inject_failure(failure, server=server),
    ):
        (tmp_path / "entered").touch()
    assert not (tmp_path / "entered").exists()
    assert injector.failures == []
