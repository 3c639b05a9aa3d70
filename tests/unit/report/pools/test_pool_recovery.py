"""What a report says of exhausted connection pools."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

from perf_pipeline.metrics.types.server_use import PoolRecovery
from perf_pipeline.report.pools.pool_recovery import check_pools, pool_answer

RECOVERED = PoolRecovery(
    "exhaustion", "light", "recovery", {"postgres": (50, 50)}, 2.0, 1.0, 3.0, 30.0, 75.0
)


def _metrics(*found: PoolRecovery) -> Any:
    return SimpleNamespace(pool_recoveries=found, levels=())


def test_it_says_which_pools_were_exhausted_and_when_the_load_was_normal_again() -> None:
    answer = pool_answer(_metrics(RECOVERED))
    assert answer is not None
    cell, (sentence,) = answer
    assert cell.text == "recovered after 2 s [1, 3]"
    assert "postgres 50 of 50" in sentence
    finding = check_pools(_metrics(RECOVERED))
    assert finding is not None
    assert finding.passed


def test_a_load_that_never_was_normal_again_fails_the_check() -> None:
    lasting = PoolRecovery("e", "light", "after", {"redis": (9, 9)}, None, None, None, 30.0, 75.0)
    finding = check_pools(_metrics(RECOVERED, lasting))
    assert finding is not None
    assert not finding.passed
    assert "was not back to normal" in finding.sentences[1]


def test_without_an_exhausted_pool_nothing_is_said() -> None:
    assert pool_answer(_metrics()) is None
    assert check_pools(_metrics()) is None
