"""The failures of a level are those of its plan, whatever their injector logged of them."""

from __future__ import annotations

from dataclasses import asdict
from typing import TYPE_CHECKING

from perf_pipeline.config.fault.fault_window import FaultWindow
from perf_pipeline.samples.fault_log import FAULTS_FILE, FaultRecord, line
from perf_pipeline.samples.level_faults import NO_LOG, level_faults, with_faults_marked
from perf_pipeline.samples.record import FAULTED
from tests.simulated_level import GO_NS, SECOND, at_s, frame_of

if TYPE_CHECKING:
    from pathlib import Path

WINDOWS = [
    FaultWindow("server_freeze", "redis", 5.0, 2.0),
    FaultWindow("network_latency", "postgres", 20.0, 3.0, {"latency_ms": 80.0}),
]
LOG = {"plan": {"faults": [asdict(window) for window in WINDOWS]}}


def test_a_failure_that_nobody_logged_is_there_and_was_never_injected(tmp_path: Path) -> None:
    logged = [
        line(0, "planned", 1, window=asdict(WINDOWS[0])),
        line(0, "injecting", 2),
        line(0, "gone", 3),
    ]
    (tmp_path / FAULTS_FILE).write_text("".join(logged))

    first, second = level_faults(tmp_path, LOG)

    assert (first.injecting_ns, first.gone_ns, first.reason) == (2, 3, "")
    assert (second.window, second.injecting_ns, second.reason) == (WINDOWS[1], None, NO_LOG)


def test_a_level_without_failures_has_none(tmp_path: Path) -> None:
    assert level_faults(tmp_path, {"plan": {}}) == []


def test_what_waited_or_was_in_flight_while_a_failure_was_there_is_marked() -> None:
    """From 5 to 7 s after the go: ended before, during, over all of it, came after."""
    rows = [at_s(0, 1, 2), at_s(1, 4, 5.5), at_s(2, 4, 9), at_s(3, 7, 8)]
    record = FaultRecord(0, WINDOWS[0], injecting_ns=GO_NS + 5 * SECOND, gone_ns=GO_NS + 7 * SECOND)
    refused = FaultRecord(1, WINDOWS[1], reason="not ours")

    marked = with_faults_marked(frame_of(rows), [record, refused])

    assert ((marked["flags"] & FAULTED) != 0).to_list() == [False, True, True, False]
