"""A service in virtual time with a known failure: what is found of it is what was planted."""

from __future__ import annotations

from dataclasses import replace

import pytest

from perf_pipeline.selftest.recovery.failing_service import Failure, recovers_after_s
from perf_pipeline.selftest.recovery.truths import RATE_PER_S, STORM, recovery_of

BIN_S = 0.25
PLANTED = [
    Failure(length_s=3.0),
    Failure(length_s=2.0, lag_s=2.0),
    Failure(length_s=1.0, lag_s=0.4),
    Failure(length_s=3.0, freezes=True, is_even=True),
    Failure(length_s=6.0, freezes=True, is_even=True),
]


@pytest.mark.parametrize("failure", PLANTED)
@pytest.mark.parametrize("seed", [1, 2, 3])
def test_time_to_recover_is_within_a_bin_and_lost_service_within_5_percent(
    failure: Failure, seed: int
) -> None:
    """50 workflows/s on a service that can do 100/s; the truth is arithmetic."""
    found, fault = recovery_of(failure, seed)

    assert fault.verdict == "recovered", fault.why
    assert found.baseline is not None
    assert fault.time_to_recover_s is not None
    assert fault.lost_service_s is not None
    truth_s = recovers_after_s(failure, RATE_PER_S, found.baseline.as_before_s)
    assert fault.time_to_recover_s.value == pytest.approx(truth_s, abs=BIN_S)
    assert fault.lost_service_s.value == pytest.approx(failure.length_s + truth_s, rel=0.05)


@pytest.mark.parametrize("seed", range(5))
def test_a_retry_storm_is_metastable_and_without_retries_the_same_failure_is_not(seed: int) -> None:
    """Three retries make 200 attempts/s of 50 workflows/s, twice what the service can do."""
    _, storm = recovery_of(STORM, seed)
    _, patient = recovery_of(replace(STORM, retries=0), seed)

    assert (storm.verdict, patient.verdict) == ("metastable", "recovered")
    assert storm.retries is not None
    assert storm.retries.after == pytest.approx(4.0, abs=0.3)
    assert storm.retries.storm_s > 20
    assert storm.backlog is not None
    assert storm.backlog.drain_s is None
    assert patient.retries is not None
    assert patient.retries.storm_s == 0


@pytest.mark.parametrize("seed", range(5))
def test_a_failure_whose_inject_does_nothing_is_never_reported_as_survived(seed: int) -> None:
    """The target does well: nothing happened to it."""
    _, fault = recovery_of(replace(STORM, is_sham=True), seed)

    assert fault.verdict == "invalid"
    assert fault.evidence_share == 0
    assert fault.time_to_recover_s is None
