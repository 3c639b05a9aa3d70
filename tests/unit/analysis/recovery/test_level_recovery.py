"""Several failures in one level, and the same windows without any."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from perf_pipeline.analysis.recovery.level_recovery import (
    control_records,
    in_doubt,
    level_recovery,
    not_used,
)
from perf_pipeline.config.fault.fault_window import FaultWindow
from perf_pipeline.config.slo.slo import parse_slo
from perf_pipeline.metrics.types.fault.recovery import LevelRecovery
from perf_pipeline.metrics.types.server_use import ServerTraffic
from perf_pipeline.samples.fault_log import FaultRecord
from perf_pipeline.selftest.recovery.failing_service import GO_NS, Failure, planted_level
from tests.planted_recovery import fault, invalid, metastable, recovery

SECOND = 1_000_000_000
PLANTED = planted_level(Failure(length_s=3.0), 50.0, np.random.default_rng(7), after_s=50.0)
(RECORD,) = PLANTED.records


def found_of(*records: object, **more: object) -> object:
    """Return what is found of a level with an outage from 20 to 23 s."""
    return level_recovery(
        PLANTED.stored,
        records,  # type: ignore[arg-type]
        window_ns=PLANTED.window_ns,
        go_ns=GO_NS,
        **more,  # type: ignore[arg-type]
    )


def later(seconds: float) -> object:
    """Return the same log for a failure that came later."""
    moved_ns = round(seconds * SECOND)
    return replace(
        RECORD,
        number=1,
        injecting_ns=RECORD.injecting_ns + moved_ns,
        in_effect_ns=RECORD.in_effect_ns + moved_ns,
        undoing_ns=RECORD.undoing_ns + moved_ns,
        gone_ns=RECORD.gone_ns + moved_ns,
        signs=tuple(replace(sign, at_ns=sign.at_ns + moved_ns) for sign in RECORD.signs),
    )


def test_a_level_without_failures_has_no_recovery() -> None:
    assert found_of() is None


def test_the_next_failure_ends_the_watch_of_the_one_before() -> None:
    """From 23 s until 45 s, and from 48 s until the end at 73 s."""
    first, second = found_of(RECORD, later(25.0)).faults  # type: ignore[attr-defined]
    assert first.watched_s == pytest.approx(22.0)
    assert second.watched_s == pytest.approx(25.0)
    assert (first.verdict, second.verdict) == ("recovered", "recovered")
    assert second.lost_service_s.value == pytest.approx(0, abs=0.1)


def test_of_failures_that_overlap_recovery_begins_when_all_are_gone() -> None:
    """From 20 to 23 s and from 22 to 25 s."""
    first, second = found_of(RECORD, later(2.0)).faults  # type: ignore[attr-defined]
    assert first.watched_s == second.watched_s == pytest.approx(48.0)


def test_what_overlaps_one_that_never_went_is_unknown() -> None:
    stays = replace(later(2.0), gone_ns=None)  # type: ignore[type-var]
    first, second = found_of(RECORD, stays).faults  # type: ignore[attr-defined]
    assert (first.verdict, second.verdict) == ("invalid", "invalid")
    assert "one at the same time was not" in first.why


def test_a_failure_that_this_machine_cannot_have_is_neither_survived_nor_invalid() -> None:
    missing = FaultRecord(0, RECORD.window, reason="no block device", is_possible=False)
    (found,) = found_of(missing).faults  # type: ignore[attr-defined]
    assert (found.verdict, found.why) == ("not_possible", "no block device")
    assert found.time_to_recover_s is None
    assert found.harm is None


def test_an_objective_says_what_is_answered_well() -> None:
    slos = [parse_slo("p50 < 100ms"), parse_slo("p95 < 800ms"), parse_slo("error_ratio < 1%")]
    found = found_of(RECORD, slos=slos)
    assert found.baseline.limit_s == pytest.approx(0.8)  # type: ignore[attr-defined]
    assert "p95_s" in found.baseline.limit_of  # type: ignore[attr-defined]


def test_a_control_has_the_windows_of_the_others_and_nothing_to_prove() -> None:
    """Two failures at the same time are one window."""
    windows = [
        FaultWindow("server_freeze", "redis", 30.0, 3.0),
        FaultWindow("server_crash", "postgres", 30.0, 3.0),
        FaultWindow("server_crash", "postgres", 500.0, 3.0),
    ]
    quiet = planted_level(Failure(is_sham=True), 50.0, np.random.default_rng(7), after_s=50.0)
    records = control_records(windows, *quiet.window_ns)
    found = level_recovery(
        quiet.stored, records, window_ns=quiet.window_ns, go_ns=GO_NS, is_control=True
    )
    assert found is not None
    (one,) = found.faults
    assert one.time_to_recover_s is not None
    assert one.lost_service_s is not None
    assert one.verdict == "recovered"
    assert one.time_to_recover_s.value == 0
    assert one.lost_service_s.value < 0.1


@pytest.mark.parametrize(
    ("validity", "verdicts"),
    [
        ("valid", ["recovered", "metastable"]),
        ("not_steady", ["recovered", "metastable"]),
        ("noisy_host", ["recovered", "invalid"]),
        ("generator_limited", ["invalid", "invalid"]),
    ],
)
def test_a_level_that_is_no_measurement_proves_no_verdict(
    validity: str, verdicts: list[str]
) -> None:
    found = in_doubt(recovery(fault(), metastable()), validity)  # type: ignore[arg-type]
    assert [one.verdict for one in found.faults] == verdicts


@pytest.mark.parametrize(
    ("connections", "at_least", "verdict"),
    [
        (0, "", "invalid"),
        (3, "", "recovered"),
        (0, "the kernel lost reports of some", "recovered"),
        (None, "", "recovered"),
    ],
)
def test_a_target_without_a_connection_to_the_server_has_survived_nothing(
    connections: int | None, at_least: str, verdict: str
) -> None:
    """A function with an address of its own goes past the proxy and what is done there."""
    traffic = [
        ServerTraffic("redis", connections=0),
        ServerTraffic("postgres", connections=connections, at_least=at_least),
    ]
    found, never = not_used(recovery(fault(), invalid()), traffic).faults
    assert found.verdict == verdict
    assert ("had nothing to survive" in found.why) == (verdict == "invalid")
    assert "never injected" in never.why


def test_what_a_failure_takes_ahead_of_its_window_is_no_part_of_the_service_before() -> None:
    """The ballast of memory_pressure grows for 10 s before it; the failure is at 20 s."""
    ahead = replace(RECORD, window=replace(RECORD.window, kind="memory_pressure"))
    found = found_of(ahead)
    assert isinstance(found, LevelRecovery)
    assert found.baseline is not None
    assert found.baseline.end_s == pytest.approx(10.0)
    following = replace(later(20.0), window=ahead.window)  # type: ignore[type-var]
    first, _ = found_of(RECORD, following).faults  # type: ignore[attr-defined]
    assert first.watched_s == pytest.approx(20 - 3 - 10)
