"""What is served of failures: active, evidence, and what has not been taken back."""

from __future__ import annotations

import pytest

from perf_pipeline.config.fault.fault_window import FaultWindow
from perf_pipeline.monitoring.fault_values import fault_values
from perf_pipeline.samples.fault_log import FaultRecord, SignRecord

SECOND = 1_000_000_000
WINDOW = FaultWindow("server_freeze", "redis", 5.0, 4.0)
LABELS = ("server_freeze", "redis")


def served(*records: FaultRecord, now_s: float) -> dict[tuple[str, ...], object]:
    """Return what is served, each series once: Prometheus drops the second of two."""
    values = fault_values(records, round(now_s * SECOND), lambda at_ns: 1000 + at_ns / 1e9)
    found = [((one.metric.removeprefix("loadtest_"), *one.labels), one.value) for one in values]
    assert len(dict(found)) == len(found)
    return dict(found)


def signs(*at: tuple[float, bool]) -> tuple[SignRecord, ...]:
    return tuple(SignRecord(round(s * SECOND), effect, 0.0, "") for s, effect in at)


def test_a_failure_is_active_from_its_injection_until_it_is_gone() -> None:
    planned = FaultRecord(0, WINDOW)
    injected = FaultRecord(0, WINDOW, injecting_ns=10 * SECOND, in_effect_ns=11 * SECOND)
    gone = FaultRecord(
        0, WINDOW, 10 * SECOND, 11 * SECOND, undoing_ns=14 * SECOND, gone_ns=15 * SECOND
    )
    assert served(planned, now_s=12)["fault_active", *LABELS] == 0
    assert served(injected, now_s=12)["fault_active", *LABELS] == 1
    assert served(gone, now_s=16)["fault_active", *LABELS] == 0
    assert served(gone, now_s=16)["fault_ended_timestamp_seconds", *LABELS] == 1015
    assert served(gone, now_s=16)["fault_transitions_total", *LABELS, "gone"] == 1


def test_the_evidence_is_the_share_of_time_with_a_sign_that_it_acts() -> None:
    """Signs every half second, of which those of the second half say nothing acts any more."""
    seen = signs(*((10 + n / 2, n < 4) for n in range(8)))
    record = FaultRecord(0, WINDOW, injecting_ns=10 * SECOND, signs=seen)
    assert served(record, now_s=14)["fault_evidence_ratio", *LABELS] == pytest.approx(0.5)


def test_without_signs_there_is_no_evidence() -> None:
    record = FaultRecord(0, WINDOW, injecting_ns=10 * SECOND)
    assert served(record, now_s=14)["fault_evidence_ratio", *LABELS] == 0


def test_a_failure_whose_time_is_over_and_that_is_not_gone_is_pending() -> None:
    record = FaultRecord(0, WINDOW, injecting_ns=10 * SECOND)
    assert served(record, now_s=13.9)["fault_pending_rollbacks",] == 0
    assert served(record, now_s=14.1)["fault_pending_rollbacks",] == 1


def test_a_refused_failure_is_a_transition_of_its_own() -> None:
    refused = FaultRecord(0, WINDOW, reason="no cgroup", is_possible=False)
    assert served(refused, now_s=1)["fault_transitions_total", *LABELS, "not_possible"] == 1


def test_a_later_failure_in_the_same_place_is_the_one_that_is_told_of() -> None:
    """The first is over and was seen all the time; the second is active and without a sign."""
    first = FaultRecord(
        0, WINDOW, 10 * SECOND, 10 * SECOND, 14 * SECOND, 15 * SECOND, signs=signs((10, True))
    )
    second = FaultRecord(1, WINDOW, injecting_ns=20 * SECOND)
    both = served(first, second, now_s=25)
    assert both["fault_active", *LABELS] == 1
    assert both["fault_evidence_ratio", *LABELS] == 0
    assert both["fault_ended_timestamp_seconds", *LABELS] == 1015
    assert both["fault_pending_rollbacks",] == 1
    assert both["fault_transitions_total", *LABELS, "injecting"] == 2
