"""The one rule for gaps in counters: a step with a gap counts neither as growth nor as time."""

from __future__ import annotations

from typing import Any

import pytest

from perf_pipeline.metrics.resources.counters import rate_of, rates_by_process, steps, total_of
from perf_pipeline.metrics.resources.host_cores import cpu_of_others, host_cores
from perf_pipeline.metrics.types.cpu_use import QuotaUse

SECOND = 1_000_000_000


def _sample(at_s: float, counters: dict[int, float | None], **more: Any) -> dict[str, Any]:
    processes = [{"pid": pid, "cpu_s": value} for pid, value in counters.items()]
    empty: dict[str, Any] = {"harness": [{"pid": 1, "cpu_s": 0.0}], "servers": [], "problems": {}}
    return {"at_ns": round(at_s * SECOND), "workers": processes} | empty | more


def test_a_step_with_a_gap_is_left_out_of_the_growth_and_of_the_time() -> None:
    samples = [
        _sample(0, {7: 0.0}),
        _sample(1, {7: 0.5}),
        _sample(2, {7: None}),
        _sample(3, {7: 9.0}),
        _sample(5, {7: 10.0}),
    ]
    found = list(steps(samples, "workers", "cpu_s"))
    assert [(step.at_ns // SECOND, step.elapsed_s, step.growth) for step in found] == [
        (1, 1.0, 0.5),
        (5, 2.0, 1.0),
    ]
    assert rate_of(samples, "workers", "cpu_s") == pytest.approx(1.5 / 3)
    assert total_of(samples, "workers", "cpu_s") is None
    assert total_of(samples[:2], "workers", "cpu_s") == 0.5


def test_a_process_that_ended_counts_with_nothing_and_one_that_began_with_all() -> None:
    samples = [_sample(0, {7: 1.0, 8: 5.0}), _sample(1, {7: 1.5, 9: 0.25})]
    assert rates_by_process(samples, "workers", "cpu_s") == {7: 0.5, 9: 0.25}


def test_samples_without_a_common_process_have_no_growth() -> None:
    """All workers were replaced: what happened between is not known."""
    samples = [_sample(0, {7: 1.0}), _sample(1, {8: 3.0})]
    assert rate_of(samples, "workers", "cpu_s") is None


def test_a_process_that_could_not_be_read_makes_a_gap_of_its_role() -> None:
    unread = _sample(1, {7: 1.0}, problems={"workers 8": "gone"})
    samples = [_sample(0, {7: 0.0, 8: 0.0}), unread, _sample(2, {7: 2.0, 8: 2.0})]
    assert rate_of(samples, "workers", "cpu_s") is None


def _host(at_s: float, busy: float, usable: int = 2) -> dict[str, Any]:
    idle = 2 * at_s - busy
    states = {"busy_s": busy, "iowait_s": 0.0, "steal_s": 0.0, "idle_s": idle}
    return states | {"cores_usable": usable}


def test_the_cores_of_the_machine_rest_on_the_first_and_the_last_reading() -> None:
    samples = [
        _sample(0, {7: 0.0}, host=_host(0, 0.0)),
        _sample(1, {7: 1.0}, host=None),
        _sample(4, {7: 4.0}, host=_host(4, 6.0)),
    ]
    host = host_cores(samples)
    assert host is not None
    assert (host.busy, host.idle, host.cores, host.seconds) == (1.5, 0.5, 2.0, 4.0)
    others = cpu_of_others(samples, host)
    assert (others.cores, others.own_cores) == (0.5, 1.0)


def test_a_cpu_quota_is_what_may_be_used_and_its_throttling_is_counted_over_the_phase() -> None:
    """The group was stopped in 30 of 40 periods; what was counted before does not matter."""

    def quota(periods: int, throttled: int, throttled_s: float) -> list[dict[str, Any]]:
        counted = {"periods": periods, "throttled": throttled, "throttled_s": throttled_s}
        return [{"cores": 0.5, "source": "cpu.max", **counted}]

    samples = [
        _sample(0, {7: 0.0}, host=_host(0, 0.0) | {"cpu_quotas": quota(1000, 7, 1.0)}),
        _sample(4, {7: 2.0}, host=_host(4, 6.0) | {"cpu_quotas": quota(1040, 37, 7.0)}),
    ]
    host = host_cores(samples)

    assert host is not None
    assert host.usable == 0.5
    assert host.is_shared_out
    assert host.quota == QuotaUse(0.5, "cpu.max", 75.0, 1.5)
    assert cpu_of_others(samples, host).why_not.startswith("the run may use 0.5 of 2 cores")


def test_a_difference_below_zero_is_an_error_of_measurement_and_given_as_zero() -> None:
    samples = [_sample(at, {7: 1.01 * at}, host=_host(at, 1.0 * at)) for at in (0, 10)]
    assert cpu_of_others(samples, host_cores(samples)).cores == 0.0
