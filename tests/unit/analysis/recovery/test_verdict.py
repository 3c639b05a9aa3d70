"""No verdict without evidence, and no verdict out of doubt."""

from __future__ import annotations

from dataclasses import replace

import pytest

from perf_pipeline.analysis.recovery.verdict import (
    hold_s,
    not_comparable,
    not_proven,
    verdict_of,
)
from perf_pipeline.config.fault.fault_window import FaultWindow
from perf_pipeline.metrics.types.fault.recovery import Backlog, Estimate
from perf_pipeline.samples.fault_log import FaultRecord, SignRecord
from tests.planted_recovery import BASELINE

SECOND = 1_000_000_000
WINDOW = FaultWindow("server_freeze", "redis", 10.0, 2.0)
PROVEN = FaultRecord(
    0,
    WINDOW,
    injecting_ns=10 * SECOND,
    in_effect_ns=10 * SECOND,
    undoing_ns=12 * SECOND,
    gone_ns=12 * SECOND,
    signs=tuple(SignRecord(10 * SECOND + at * SECOND // 4, True, 1.0, "x") for at in range(8)),
)
STAYS = Backlog(2.0, 100.0, None, is_shrinking=False)


def test_what_acted_all_the_time_and_is_gone_is_proven() -> None:
    assert not not_proven(PROVEN, PROVEN.gone_ns)


@pytest.mark.parametrize(
    ("record", "why"),
    [
        (FaultRecord(0, WINDOW, reason="redis is not ours"), "never injected: redis is not ours"),
        (FaultRecord(0, WINDOW), "never injected: the level ended before"),
        (replace(PROVEN, reason="psutil.AccessDenied"), "it failed: psutil.AccessDenied"),
        (replace(PROVEN, signs=PROVEN.signs[:4]), "in effect for 62.5 % of its window"),
        (replace(PROVEN, signs=()), "in effect for 0.0 % of its window"),
        (replace(PROVEN, gone_ns=None), "never seen to be gone"),
    ],
)
def test_what_is_not_proven_says_why(record: FaultRecord, why: str) -> None:
    assert why in not_proven(record, record.gone_ns)


def test_nothing_is_compared_with_too_little() -> None:
    assert "no workflow arrived" in not_comparable(None, 60)
    assert not_comparable(replace(BASELINE, why_not="too few"), 60) == "too few"
    assert "for 10 s to have recovered" in not_comparable(BASELINE, 7)
    assert not not_comparable(BASELINE, 20)


def test_the_long_hold_is_for_levels_that_last() -> None:
    assert [hold_s(watched_s) for watched_s in (15, 59, 60, 300)] == [10, 10, 30, 30]


@pytest.mark.parametrize(
    ("recovered", "backlog", "watched_s", "verdict", "why"),
    [
        (Estimate(0.0, 0.0, 0.02), None, 30, "recovered", "from the moment it was gone"),
        (Estimate(1.25, 1.2, 1.3), STAYS, 30, "recovered", "1.25 s after it was gone"),
        (None, STAYS, 30, "metastable", "did not come back within 30 s"),
        (None, None, 30, "metastable", "did not come back"),
        (None, replace(STAYS, is_shrinking=True), 30, "invalid", "still recovering"),
        (None, STAYS, 15, "invalid", "too few to tell slow from never"),
    ],
)
def test_a_verdict_is_what_was_seen(
    recovered: Estimate | None, backlog: Backlog | None, watched_s: float, verdict: str, why: str
) -> None:
    found, sentence = verdict_of(recovered, backlog, watched_s, 0.8)
    assert found == verdict
    assert why in sentence
