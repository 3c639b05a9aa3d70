"""Start lag is the target's, unless workflows that do nothing are late on the same schedule."""

from __future__ import annotations

from dataclasses import replace

import pytest

from perf_pipeline.metrics.generator_lag import arrival_problems
from perf_pipeline.metrics.types.open_load import Lag, OpenLoad
from perf_pipeline.metrics.types.service_times import Percentile, ServiceTimes


def load(
    late_ms: float,
    own_ms: float | None,
    *,
    left_per_s: float = 100.0,
    unexplained: int = 0,
) -> OpenLoad:
    """Make a load whose workflows, and those that do nothing, were all so late."""

    def lag(late_ms: float) -> Lag:
        return Lag(1000, late_ms / 1e3, late_ms / 1e3, late_ms / 1e3)

    return OpenLoad(
        offered="100/s (poisson)",
        schedule="poisson",
        slots=10,
        start_timeout_s=30.0,
        scheduled=1000,
        offered_per_s=100.0,
        left_per_s=left_per_s,
        never_started=0,
        checked=1000,
        unexplained=unexplained,
        lag=lag(late_ms),
        control_lag=None if own_ms is None else lag(own_ms),
        control_why_not="" if own_ms is not None else "its worker was lost",
        seconds=(),
    )


def times(took_ms: float) -> ServiceTimes:
    found = tuple(Percentile(p, took_ms / 1e3, False, 10) for p in (0.5, 0.9, 0.99))
    return ServiceTimes(1000, 0, took_ms / 1e3, took_ms / 1e3, took_ms / 1e3, found)


@pytest.mark.parametrize(
    ("late_ms", "own_ms", "took_ms", "found"),
    [
        (0.1, 0.1, 1, set()),  # as it should be
        (500, 0.1, 1000, set()),  # no slot was free: the target's
        (5, 5, 6, {"generator_limited"}),  # an interpreter lock that another thread holds
        (5, 5, 1000, set()),  # changes nothing
        (0.1, 5, 6, set()),  # the control was late, the level was not
        (200, 200, 1000, {"generator_limited"}),
        (500, None, 1000, {"incomplete"}),  # whose it is, is not known
        (0.1, None, 1, set()),  # and does not matter
    ],
)
def test_only_lag_that_is_there_without_the_target_too_is_the_generators(
    late_ms: float, own_ms: float | None, took_ms: float, found: set[str]
) -> None:
    problems = arrival_problems(load(late_ms, own_ms), times(took_ms))
    assert {validity for validity, _ in problems} == found


def test_the_reason_names_the_lag_and_its_limit() -> None:
    (_, half), (_, tail) = arrival_problems(load(50, 40), times(60))
    assert half.startswith(
        "half of the workflows that do nothing started 40 ms late or more on the same schedule "
        "(at most 6 ms)"
    )
    assert "(at most 20 ms)" in tail


def test_a_tail_of_fewer_than_ten_workflows_is_not_judged() -> None:
    """990 workflows that do nothing have 9 beyond their 99th percentile."""
    late = load(50, 50)
    own = Lag(990, 0.0001, 0.05, 0.05)
    few = replace(late, control_lag=own, lag=replace(late.lag, p50_s=0.0001))
    assert arrival_problems(few, times(60)) == []
    enough = replace(few, control_lag=replace(own, samples=1000))
    ((validity, _),) = arrival_problems(enough, times(60))
    assert validity == "generator_limited"


@pytest.mark.parametrize(("left_per_s", "grew"), [(96.0, False), (94.0, True)])
def test_a_queue_that_grows_is_no_steady_state(left_per_s: float, *, grew: bool) -> None:
    problems = arrival_problems(load(0.1, 0.1, left_per_s=left_per_s), times(1))
    assert [validity for validity, _ in problems] == ["not_steady"] * grew


def test_records_that_do_not_add_up_are_no_measurement() -> None:
    ((validity, reason),) = arrival_problems(load(0.1, 0.1, unexplained=3), times(1))
    assert validity == "incomplete"
    assert reason.startswith("3 of 1000 started workflows")
